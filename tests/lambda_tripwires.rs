//! What the layer for handlers in Lambda relies on, or protects from: facts about `lambda_http` and `lambda_runtime`. A
//! test that fails here is no fault of this crate; it says that a dependency does something new, and where to look.

use std::panic::catch_unwind;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use lambda_http::RequestExt;
use lambda_http::aws_lambda_events::iam::{IamPolicyDocument, IamPolicyEffect};
use lambda_http::request::{RequestContext, from_str};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

fn v1(stage: &str, path: &str) -> Value {
    json!({
        "path": path,
        "httpMethod": "GET",
        "headers": {"host": "example.com"},
        "multiValueHeaders": {"host": ["example.com"]},
        "requestContext": {"apiId": "abcdef123", "stage": stage, "httpMethod": "GET", "identity": {}}
    })
}

fn v2(stage: &str, path: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "example.com"},
        "requestContext": {
            "apiId": "abcdef123", "stage": stage, "timeEpoch": 1,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7"}
        }
    })
}

fn read(event: &Value) -> lambda_http::Request {
    from_str(&event.to_string()).unwrap()
}

fn path_of(event: &Value) -> String {
    read(event).uri().path().to_owned()
}

/// Policies are read by us, and by these types never.
#[test]
fn f30_the_policies_of_aws_lambda_events_allow_what_they_do_not_understand() {
    let read = |text: &str| serde_json::from_str::<IamPolicyDocument>(text);
    let statement = |more: &str| {
        let text = format!(r#"{{"Statement":[{{"Action":["*"],"Resource":["*"]{more}}}]}}"#);
        read(&text).unwrap().statement.remove(0)
    };
    assert_eq!(statement("").effect, IamPolicyEffect::Allow);
    assert_eq!(statement(r#","effect":"Deny""#).effect, IamPolicyEffect::Allow);
    assert_eq!(statement(r#","Effects":"Deny""#).effect, IamPolicyEffect::Allow);
    assert_eq!(statement(r#","Effect":"Deny""#).effect, IamPolicyEffect::Deny);
    // An exception is forgotten, and so is a condition that is null.
    let excepted =
        statement(r#","NotResource":["arn:x"],"NotAction":["*"],"Principal":"*","Condition":null"#);
    assert_eq!(excepted, statement(""));
    // Of two operators of one name, the last counts.
    let condition = r#","Condition":{"Bool":{"a":"true"},"Bool":{"b":"true"}}"#;
    let condition = statement(condition).condition.unwrap();
    assert_eq!(condition["Bool"].keys().collect::<Vec<_>>(), ["b"]);
    assert!(read(r#"{"Version":"2020-01-01","Statement":[]}"#).is_ok());
}

#[test]
fn f31_paths_are_resolved_as_in_a_browser_before_any_layer_runs() {
    for (raw, path) in [
        ("/public/../admin", "/admin"),
        ("/public/%2e%2e/admin", "/admin"),
        ("/public/.%2E/admin", "/admin"),
        (r"/public\..\admin", "/admin"),
        ("/ad\tmin", "/admin"),
        ("/ad\nmin", "/admin"),
        ("/admin?x=1", "/admin"),
        ("/admin#x", "/admin"),
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        ("/%41", "/%41"),
        ("/100%", "/100%"),
        ("/a|b^c", "/a|b^c"),
    ] {
        assert_eq!(path_of(&v1("$default", raw)), path, "{raw:?}");
        assert_eq!(path_of(&v2("$default", raw)), path, "{raw:?}");
        assert_eq!(read(&v1("$default", raw)).raw_http_path(), raw);
        assert_eq!(read(&v2("$default", raw)).raw_http_path(), raw);
    }
}

#[test]
fn f32_the_stage_is_put_in_front_of_a_path_unless_it_seems_to_be_there() {
    assert_eq!(path_of(&v1("Prod", "/admin")), "/Prod/admin");
    assert_eq!(path_of(&v1("Prod", "/Prod/admin")), "/Prod/admin");
    assert_eq!(path_of(&v1("Prod", "/Prod")), "/Prod/Prod");
    assert_eq!(path_of(&v1("Prod", "/../admin")), "/admin");
    assert_eq!(path_of(&v2("Prod", "/Prod/admin")), "/Prod/admin");
    assert_eq!(path_of(&v2("$default", "/$default/admin")), "/$default/admin");
}

#[test]
fn f33_two_headers_can_move_the_path() {
    for event in [v1("$default", "/public"), v2("$default", "/public")] {
        let with = |name: &str, value: &str| {
            let mut event = event.clone();
            event["headers"][name] = value.into();
            path_of(&event)
        };
        assert_eq!(with("host", "h/admin?"), "/admin");
        assert_eq!(with("host", "h/admin#"), "/admin");
        assert_eq!(with("x-forwarded-proto", "https://evil/admin?"), "/admin");
        assert_eq!(with("x-forwarded-proto", "https"), "/public");
    }
}

#[test]
fn f33_the_same_headers_can_be_the_end_of_the_invocation() {
    for (name, value) in [("host", "a b"), ("host", ":"), ("x-forwarded-proto", "https, http")] {
        let mut event = v1("prod", "/");
        event["headers"][name] = value.into();
        let text = event.to_string();
        assert!(catch_unwind(|| from_str(&text).map(|_| ())).is_err(), "{name}: {value}");
    }
}

#[test]
fn f34_an_event_without_an_authorizer_has_one_that_says_nothing_in_format_1() {
    let authorizer = |event: &Value| {
        let request = read(event);
        request.request_context().authorizer().map(|authorizer| authorizer.fields.len())
    };
    assert_eq!(authorizer(&v1("prod", "/")), Some(0));
    assert_eq!(authorizer(&v2("prod", "/prod/")), None);
    for nothing in [Value::Null, json!({})] {
        let mut event = v1("prod", "/");
        event["requestContext"]["authorizer"] = nothing.clone();
        assert_eq!(authorizer(&event), Some(0));
        let mut event = v2("prod", "/prod/");
        event["requestContext"]["authorizer"] = nothing.clone();
        assert_eq!(authorizer(&event), nothing.is_object().then_some(0));
        event["requestContext"]["authorizer"] = json!({ "lambda": nothing });
        assert_eq!(authorizer(&event), Some(0));
    }
}

#[test]
fn events_of_rest_apis_and_of_format_1_are_one_kind_and_function_urls_are_another() {
    let kind = |event: &Value| match read(event).request_context() {
        RequestContext::ApiGatewayV1(_) => "format 1.0",
        RequestContext::ApiGatewayV2(_) => "format 2.0",
        RequestContext::Alb(_) => "load balancer",
        RequestContext::WebSocket(_) => "connection",
        _ => "another",
    };
    let mut event = v1("prod", "/");
    assert_eq!(kind(&event), "format 1.0");
    event["version"] = "1.0".into();
    assert_eq!(kind(&event), "format 1.0");
    let mut event = v2("$default", "/");
    event["requestContext"]["domainName"] = "abcdef123.lambda-url.us-east-1.on.aws".into();
    assert_eq!(kind(&event), "format 2.0");
}

#[test]
fn f35_a_repeated_header_is_the_last_of_them_in_format_1_and_all_of_them_in_format_2() {
    let tokens = |headers: &HeaderMap| {
        let values = headers.get_all(AUTHORIZATION).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut event = v1("prod", "/");
    event["headers"]["authorization"] = "b".into();
    event["multiValueHeaders"]["authorization"] = json!(["a", "b"]);
    assert_eq!(tokens(read(&event).headers()), ["b"]);
    let mut event = v2("prod", "/prod/");
    event["headers"]["authorization"] = "a,b".into();
    assert_eq!(tokens(read(&event).headers()), ["a,b"]);
}

#[test]
fn f36_the_text_of_an_error_is_reported_as_it_is() {
    let diagnostic = Diagnostic::from(lambda_runtime::Error::from("Unauthorized"));
    assert_eq!(diagnostic.error_message, "Unauthorized");
}
