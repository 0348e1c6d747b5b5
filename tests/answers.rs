//! Answers: which of them each kind of API accepts, what they print, and what they lead to.

mod common;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use common::{Counter, counting, get, stage};
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::contract::{
    ApiKind, Challenge, Context, ContextValue, PayloadFormat, ResponseError, ResponseRules,
};
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::{AnyMethod, PolicyDocument};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerContext, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    Principal, authorizer_fn,
};

#[derive(Deserialize)]
struct Row {
    answer: String,
    rest: String,
    http1: String,
    http2: String,
    simple: String,
}

fn fixtures() -> BTreeMap<String, Row> {
    serde_json::from_str(include_str!("fixtures/answers/answers.json")).unwrap()
}

fn columns(row: &Row) -> [(ResponseRules, &str); 5] {
    [
        (ResponseRules::rest(), &row.rest),
        (ResponseRules::websocket(), &row.rest),
        (ResponseRules::http(PayloadFormat::V1), &row.http1),
        (ResponseRules::http(PayloadFormat::V2), &row.http2),
        (ResponseRules::http_simple(), &row.simple),
    ]
}

#[test]
fn every_answer_is_accepted_or_refused_as_the_table_says() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 60);
    let mut wrong = Vec::new();
    for (name, row) in &fixtures {
        for (rules, expected) in columns(row) {
            let got = match AuthorizerResponse::from_json(&row.answer, &rules) {
                Ok(_) => "ok".to_owned(),
                Err(error) => error.to_string(),
            };
            let fits = if expected == "ok" { got == "ok" } else { got.starts_with(expected) };
            if !fits {
                wrong.push(format!("{name}, {rules:?}: expected `{expected}`, got `{got}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_accepted_prints_and_reads_back_equal() {
    for (name, row) in fixtures() {
        for (rules, expected) in columns(&row) {
            if expected != "ok" {
                continue;
            }
            let answer = AuthorizerResponse::from_json(&row.answer, &rules).unwrap();
            let text = answer.to_json();
            assert_eq!(AuthorizerResponse::from_json(&text, &rules).as_ref(), Ok(&answer), "{name}");
            let printed: Value = serde_json::from_str(&text).unwrap();
            let sent: Value = serde_json::from_str(&row.answer).unwrap();
            for (member, value) in printed.as_object().unwrap() {
                assert!(!value.is_null() && *value != json!("") && *value != json!({}), "{name}: {member}");
                // A policy without a version prints the one that is meant.
                if member != "policyDocument" {
                    assert_eq!(value, &sent[member], "{name}: {member}");
                }
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn a_damaged_answer_is_refused_or_means_what_it_prints(
        which in 0_usize..1000,
        at in 0_usize..400,
        with in proptest::option::of(proptest::char::range(' ', '~')),
    ) {
        let fixtures = fixtures();
        let row = fixtures.values().nth(which % fixtures.len()).unwrap();
        let mut text: Vec<char> = row.answer.chars().collect();
        if text.is_empty() {
            return Ok(());
        }
        let at = at % text.len();
        match with {
            Some(character) => text[at] = character,
            None => drop(text.remove(at)),
        }
        let text: String = text.into_iter().collect();
        for (rules, _) in columns(row) {
            if let Ok(answer) = AuthorizerResponse::from_json(&text, &rules) {
                let again = AuthorizerResponse::from_json(answer.to_json(), &rules);
                assert_eq!(again.as_ref(), Ok(&answer));
            }
        }
    }
}

#[test]
fn answers_print_what_api_gateway_accepts() {
    let policy = || PolicyDocument::from_json(r#"{"Version":"2012-10-17","Statement":[]}"#).unwrap();
    let full = AuthorizerResponse::new("me", policy())
        .unwrap()
        .with_context("n", 1)
        .with_context("nothing", None::<bool>)
        .with_usage_identifier_key("key")
        .with_max_age(Duration::from_secs(1))
        .with_denial_challenge(Challenge::bearer());
    assert_eq!(
        full.to_json(),
        concat!(
            r#"{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[]},"#,
            r#""context":{"n":1,"nothing":null},"usageIdentifierKey":"key"}"#
        )
    );
    let bare = AuthorizerResponse::without_principal(policy()).with_usage_identifier_key("");
    assert_eq!(bare.to_json(), r#"{"policyDocument":{"Version":"2012-10-17","Statement":[]}}"#);
    let simple = AuthorizerResponse::simple(false).with_usage_identifier_key("key");
    assert_eq!(simple.to_json(), r#"{"isAuthorized":false}"#);
}

#[test]
fn an_answer_that_is_too_long_is_refused_before_it_is_read() {
    let rules = ResponseRules::rest();
    let text = vec![b'x'; 256 * 1024 + 1];
    let error = AuthorizerResponse::from_json(&text, &rules).unwrap_err();
    assert_eq!(error, ResponseError::TooLarge { bytes: 262_145, limit: 262_144 });
    let small = rules.with_max_bytes(10);
    assert!(matches!(
        AuthorizerResponse::from_json("{ }        ", &small),
        Err(ResponseError::TooLarge { .. })
    ));
    assert!(AuthorizerResponse::from_json([b'{', 0xff, b'}'], &rules).is_err());
}

#[test]
fn errors_say_where_and_repeat_no_value() {
    let rules = ResponseRules::rest();
    let at = |text: &str| AuthorizerResponse::from_json(text, &rules).unwrap_err();
    let bad = at(r#"{"principalId":"me","policyDocument":{"Statement":[{"Effect":"Maybe"}]}}"#);
    assert_eq!(bad.location(), "policyDocument.Statement[0].Effect");
    let bad = at(r#"{"principalId":"me","policyDocument":{"Statement":[]},"context":{"a":[{"b":1,"b":2}]}}"#);
    assert_eq!(bad.location(), "context.a[0].b");
    let bad = at(r#"{"principalId":"me","policyDocument":{"Statement":[]},"context":{"claims":{"x":1}}}"#);
    assert_eq!(bad.location(), "context.claims");
    for text in [
        r#"{"principalId":31337,"policyDocument":{"Statement":[]}}"#,
        r#"{"principalId":"me","policyDocument":{"Statement":[]},"usageIdentifierKey":31337}"#,
        r#"{"principalId":"me","policyDocument":{"Statement":[]},"usageIdentifierKey":"31337\ud800"}"#,
        r#"{"principalId":"me","policyDocument":{"Statement":[]},"context":31337}"#,
    ] {
        let error = at(text);
        assert!(!format!("{error} {error:?}").contains("31337"), "{error:?}");
    }
}

/// Any crate of a program can switch on serde_json's `arbitrary_precision`, and numbers then arrive as an object.
#[test]
fn numbers_are_numbers_whatever_features_serde_json_has() {
    let read = |number: &str| {
        let text = format!(r#"{{"isAuthorized":true,"context":{{"n":{number}}}}}"#);
        AuthorizerResponse::from_json(text, &ResponseRules::http_simple())
            .map(|answer| answer.context().get("n").and_then(ContextValue::as_f64))
    };
    let disguised = |number: &str| format!(r#"{{"$serde_json::private::Number":"{number}"}}"#);
    for number in ["1.5", "-1", "12345678901234567890123"] {
        assert_eq!(read(number), read(&disguised(number)), "{number}");
        assert_eq!(read(number), Ok(number.parse().ok()));
    }
    for number in ["1e999", "NaN", "x"] {
        assert!(read(number).is_err() && read(&disguised(number)).is_err(), "{number}");
    }
}

#[test]
fn rust_answers_are_checked_by_the_same_rules() {
    let policy = PolicyDocument::new();
    let nobody = AuthorizerResponse::without_principal(policy.clone());
    assert_eq!(nobody.check(&ResponseRules::rest()), Err(ResponseError::MissingPrincipalId));
    assert_eq!(nobody.check(&ResponseRules::websocket()), Err(ResponseError::MissingPrincipalId));
    assert_eq!(nobody.check(&ResponseRules::http(PayloadFormat::V1)), Ok(()));
    let mut deep = ContextValue::from(true);
    for _ in 0..40 {
        deep = ContextValue::from(vec![deep]);
    }
    let deep = AuthorizerResponse::simple(true).with_context("deep", deep);
    assert_eq!(
        deep.check(&ResponseRules::http_simple()),
        Err(ResponseError::ContextTooDeep { key: "deep".into() })
    );
    assert_eq!(
        AuthorizerResponse::simple(true).check(&ResponseRules::http(PayloadFormat::V2)),
        Err(ResponseError::PolicyExpected)
    );
    assert_eq!(nobody.check(&ResponseRules::http_simple()), Err(ResponseError::SimpleExpected));
}

fn http_stage() -> ApiStage {
    ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()
}

/// A service that says what it finds in the extensions.
async fn found(
    layer: &AuthorizerLayer,
    request: Request<()>,
) -> Result<(bool, bool, Option<String>), StatusCode> {
    let found = std::sync::Arc::new(std::sync::Mutex::new(None));
    let service = layer.layer(tower::service_fn({
        let found = std::sync::Arc::clone(&found);
        move |request: Request<()>| {
            let principal = request.extensions().get::<Principal>();
            let context = request.extensions().get::<AuthorizerContext>();
            let plan = context.and_then(|context| context.get_str("plan").map(|plan| plan.into_owned()));
            *found.lock().unwrap() = Some((principal.is_some(), context.is_some(), plan));
            std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
        }
    }));
    let response = service.oneshot(request).await.unwrap();
    let found = found.lock().unwrap().take();
    found.ok_or(response.status())
}

#[tokio::test]
async fn a_simple_response_lets_through_or_denies_without_a_policy() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let yes = event.header("authorization") == Some("yes");
        Ok(AuthorizerResponse::simple(yes).with_context("plan", "free"))
    });
    let layer = AuthorizerLayer::request(authorizer, http_stage()).with_simple_responses().build().unwrap();
    let yes = found(&layer, get("/a", "yes")).await;
    assert_eq!(yes, Ok((false, true, Some("free".to_owned()))), "the context alone");
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(get("/a", "no")).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.body(), r#"{"message":"Forbidden"}"#);
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!((rejection.kind(), calls.count()), (RejectionKind::ImplicitDeny, 0));
}

#[tokio::test]
async fn a_policy_without_a_principal_leaves_the_context_alone() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::without_principal(policy).with_context("plan", "free"))
    });
    let layer = AuthorizerLayer::request(authorizer, http_stage()).build().unwrap();
    assert_eq!(found(&layer, get("/a", "t")).await, Ok((false, true, Some("free".to_owned()))));
    let layer = AuthorizerLayer::request(authorizer, stage()).build().unwrap();
    assert_eq!(found(&layer, get("/a", "t")).await, Err(StatusCode::INTERNAL_SERVER_ERROR));
}

#[tokio::test]
async fn an_answer_of_the_wrong_form_is_a_500() {
    let simple = authorizer_fn(async |_| Ok(AuthorizerResponse::simple(true)));
    let policy = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?)
    });
    let error = Err(StatusCode::INTERNAL_SERVER_ERROR);
    let layer = AuthorizerLayer::request(simple, http_stage()).build().unwrap();
    assert_eq!(found(&layer, get("/a", "t")).await, error);
    let layer = AuthorizerLayer::token(simple, stage()).build().unwrap();
    assert_eq!(found(&layer, get("/a", "t")).await, error);
    let layer = AuthorizerLayer::request(policy, http_stage()).with_simple_responses().build().unwrap();
    assert_eq!(found(&layer, get("/a", "t")).await, error);
}

#[tokio::test]
async fn a_cached_simple_response_is_cached_as_a_no_too() {
    let asked = Counter::default();
    let authorizer = authorizer_fn({
        let asked = asked.clone();
        move |event: AuthorizerEvent| {
            asked.hit();
            async move { Ok(AuthorizerResponse::simple(event.header("authorization") == Some("yes"))) }
        }
    });
    let layer = AuthorizerLayer::request(authorizer, http_stage())
        .with_simple_responses()
        .with_identity_sources([IdentitySource::header(http::header::AUTHORIZATION)])
        .with_cache(MemoryCache::default())
        .share_simple_responses_between_routes()
        .build()
        .unwrap();
    for path in ["/a", "/b"] {
        assert!(found(&layer, get(path, "yes")).await.is_ok());
        assert_eq!(found(&layer, get(path, "no")).await, Err(StatusCode::FORBIDDEN));
    }
    assert_eq!(asked.count(), 2);
}

/// A router behind which the layer stands may serve the two spellings of a path with two handlers.
#[tokio::test]
async fn a_cached_simple_response_holds_for_one_spelling_of_a_path() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::simple(event.path() == Some("/a@b")))
    });
    for source in ["$context.path", "$context.routeKey"] {
        let layer = AuthorizerLayer::request(authorizer, http_stage())
            .with_simple_responses()
            .with_identity_sources([
                IdentitySource::header(http::header::AUTHORIZATION),
                "$context.httpMethod".parse().unwrap(),
                source.parse().unwrap(),
            ])
            .with_cache(MemoryCache::default())
            .build()
            .unwrap();
        assert!(found(&layer, get("/a@b", "me")).await.is_ok());
        assert_eq!(found(&layer, get("/a%40b", "me")).await, Err(StatusCode::FORBIDDEN), "{source}");
    }
}

#[test]
fn simple_responses_are_for_http_apis_and_are_not_shared_by_accident() {
    let simple = || authorizer_fn(async |_| Ok(AuthorizerResponse::simple(true)));
    let refused = |builder: AuthorizerLayerBuilder| builder.with_simple_responses().build().err();
    let only_http = Some(ConfigError::SimpleResponsesOfHttpOnly);
    let request = || AuthorizerLayer::request(simple(), http_stage());
    let websocket = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    assert_eq!(refused(request()), None);
    assert_eq!(refused(request().with_payload_format(PayloadFormat::V2)), None);
    assert_eq!(refused(request().with_payload_format(PayloadFormat::V1)), only_http);
    assert_eq!(refused(AuthorizerLayer::request(simple(), stage())), only_http);
    assert_eq!(refused(AuthorizerLayer::request(simple(), websocket)), only_http);
    assert_eq!(refused(AuthorizerLayer::token(simple(), stage())), only_http);
    let cached = || {
        request()
            .with_identity_sources([IdentitySource::header(http::header::AUTHORIZATION)])
            .with_cache(MemoryCache::default())
    };
    assert_eq!(refused(cached()), Some(ConfigError::SimpleResponsesWithoutRoute));
    assert_eq!(refused(cached().share_simple_responses_between_routes()), None);
    assert_eq!(refused(cached().with_cache_ttl(Duration::ZERO)), None);
    let by = |sources: &[&str]| {
        let sources =
            sources.iter().chain(&["$request.header.authorization"]).map(|text| text.parse().unwrap());
        refused(
            request().with_identity_sources(sources.collect::<Vec<_>>()).with_cache(MemoryCache::default()),
        )
    };
    assert_eq!(by(&["$context.routeKey"]), None);
    assert_eq!(by(&["$context.httpMethod", "$context.path"]), None);
    assert_eq!(by(&["$context.httpMethod", "$context.resourcePath"]), None);
    for lacking in ["$context.path", "$context.resourcePath", "$context.resourceId", "$context.httpMethod"] {
        // A yes to GET would be one to DELETE, or one path's a yes to all.
        assert_eq!(by(&[lacking]), Some(ConfigError::SimpleResponsesWithoutRoute), "{lacking}");
    }
}

/// The context of an allowed request.
async fn context_of(
    stage: ApiStage,
    make: fn(AuthorizerResponse) -> AuthorizerResponse,
) -> AuthorizerContext {
    let authorizer = authorizer_fn(move |event: AuthorizerEvent| async move {
        let answer = AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?;
        Ok::<_, AuthorizerError>(make(answer))
    });
    let layer = AuthorizerLayer::request(authorizer, stage).build().unwrap();
    let slot = std::sync::Arc::new(std::sync::Mutex::new(None));
    let mut service = layer.layer(tower::service_fn({
        let slot = std::sync::Arc::clone(&slot);
        move |request: Request<()>| {
            *slot.lock().unwrap() = request.extensions().get::<Principal>().map(|p| p.context().clone());
            std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
        }
    }));
    service.ready().await.unwrap().call(get("/a", "t")).await.unwrap();
    let context = slot.lock().unwrap().take();
    context.expect("allowed")
}

#[derive(Debug, Deserialize, PartialEq)]
struct Typed {
    count: u32,
    ratio: f64,
    admin: bool,
    name: String,
    #[serde(default)]
    missing: Option<u8>,
    nothing: Option<String>,
    plan: Plan,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Free,
    Gold,
}

#[tokio::test]
async fn the_context_reads_the_same_from_either_wire() {
    let typed = context_of(stage(), |answer| {
        answer
            .with_context("count", 123)
            .with_context("ratio", serde_json::Number::from_f64(1.5).unwrap())
            .with_context("admin", true)
            .with_context("name", 7)
            .with_context("nothing", None::<bool>)
            .with_context("plan", "gold")
    });
    let texts = context_of(stage(), |answer| {
        answer
            .with_context("count", "123")
            .with_context("ratio", "1.5")
            .with_context("admin", "true")
            .with_context("name", "7")
            .with_context("nothing", None::<bool>)
            .with_context("plan", "gold")
    });
    for context in [typed.await, texts.await] {
        assert_eq!(context.get_str("count").as_deref(), Some("123"));
        assert_eq!(context.get_i64("count"), Some(123));
        assert_eq!(context.get_f64("count"), Some(123.0));
        assert_eq!((context.get_f64("ratio"), context.get_i64("ratio")), (Some(1.5), None));
        assert_eq!(
            (context.get_bool("admin"), context.get_str("admin").as_deref()),
            (Some(true), Some("true"))
        );
        assert_eq!((context.get_str("nothing"), context.get_bool("name")), (None, None));
        assert_eq!((context.get_i64("plan"), context.get_str("absent")), (None, None));
        let read: Typed = context.deserialize().unwrap();
        let expected = Typed {
            count: 123,
            ratio: 1.5,
            admin: true,
            name: "7".to_owned(),
            missing: None,
            nothing: None,
            plan: Plan::Gold,
        };
        assert_eq!(read, expected);
        let map: BTreeMap<String, Option<String>> = context.deserialize().unwrap();
        assert_eq!(map["count"].as_deref(), Some("123"));
        let error = context.deserialize::<BTreeMap<String, u8>>().unwrap_err();
        assert!(error.to_string().starts_with('`'), "{error}");
    }
}

#[tokio::test]
async fn text_reads_as_a_number_only_if_it_is_one() {
    let context = context_of(stage(), |answer| {
        answer
            .with_context("plus", "+1")
            .with_context("space", " 1")
            .with_context("infinite", "inf")
            .with_context("hex", "0x10")
            .with_context("large", "18446744073709551616")
            .with_context("yes", "True")
    })
    .await;
    for name in ["plus", "space", "infinite", "hex"] {
        assert_eq!((context.get_i64(name), context.get_f64(name)), (None, None), "{name}");
    }
    assert_eq!(context.get_i64("large"), None);
    assert_eq!(context.get_bool("yes"), None);
    #[derive(Debug, Deserialize)]
    struct Large {
        #[expect(dead_code, reason = "never read")]
        large: u64,
    }
    assert!(context.deserialize::<Large>().unwrap_err().to_string().contains("`large`"));
}

#[tokio::test]
async fn the_backend_sees_what_each_kind_of_api_sends() {
    let fill = |answer: AuthorizerResponse| {
        answer
            .with_context("str", "hello")
            .with_context("num", 123)
            .with_context("bool", true)
            .with_context("null", None::<bool>)
            .with_context("principalId", "me")
    };
    let context = context_of(stage(), fill).await;
    let flat = json!({
        "str": "hello", "num": "123", "bool": "true", "null": null, "principalId": "me", "integrationLatency": 0,
    });
    for kind in [ApiKind::Rest, ApiKind::WebSocket] {
        assert_eq!(context.to_request_context(kind, PayloadFormat::V1), flat);
    }
    assert_eq!(
        context.to_request_context(ApiKind::Http, PayloadFormat::V1),
        json!({
            "str": "hello", "num": 123, "bool": true, "null": null, "principalId": "me", "integrationLatency": 0,
        })
    );
    assert_eq!(
        context.to_request_context(ApiKind::Http, PayloadFormat::V2),
        json!({"lambda": {"str": "hello", "num": 123, "bool": true, "null": null}})
    );
    let empty = context_of(http_stage(), |answer| answer).await;
    assert_eq!(empty.to_request_context(ApiKind::Http, PayloadFormat::V2), json!({"lambda": null}));
    let nested = context_of(http_stage(), |answer| {
        let inner: Context = [("b", 1)].into_iter().collect();
        answer.with_context("a", vec![ContextValue::from(inner), "x".into()])
    })
    .await;
    assert_eq!(
        nested.to_request_context(ApiKind::Http, PayloadFormat::V2),
        json!({"lambda": {"a": [{"b": 1}, "x"]}})
    );
}

#[test]
fn debug_prints_no_secret() {
    let answer = AuthorizerResponse::new("me", PolicyDocument::new())
        .unwrap()
        .with_context("secret", "31337")
        .with_usage_identifier_key("31337");
    assert!(!format!("{answer:?}").contains("31337"));
}

#[test]
fn a_message_about_a_context_is_short_and_printable() {
    let long = format!("a\\nERROR forged {}", "x".repeat(100_000));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let answer = |context: String| {
        let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
        format!(r#"{{"principalId":"me","policyDocument":{policy},"context":{context}}}"#)
    };
    for (name, context, rules) in [
        ("a list", format!(r#"{{"{long}":[]}}"#), ResponseRules::rest()),
        ("too deep", format!(r#"{{"{long}":{deep}}}"#), ResponseRules::http(PayloadFormat::V2)),
        ("twice", format!(r#"{{"{long}":1,"{long}":2}}"#), ResponseRules::rest()),
    ] {
        let error = AuthorizerResponse::from_json(answer(context), &rules).unwrap_err();
        for text in [error.to_string(), error.location()] {
            assert!(text.len() < 1024, "{name}: {} bytes", text.len());
            assert!(text.contains("ERROR forged") && !text.contains(char::is_control), "{name}: {text}");
        }
    }
}
