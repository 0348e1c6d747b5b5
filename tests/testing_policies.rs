//! What the crate offers to the tests of others, tested: assertions, events, mocks, principals, tables.
#![cfg(feature = "testing")]

mod common;

use std::panic::catch_unwind;
use std::time::{Duration, SystemTime};

use common::stage;
use http::{Method, Request};
use tower_lambda_authorizer::authorizer::authorizer_fn;
use tower_lambda_authorizer::contract::{ApiKind, AuthorizerEvent, EventKind, ResponseError};
use tower_lambda_authorizer::policy::{AnyMethod, PolicyDocument, ResourcePattern, StageArn};
use tower_lambda_authorizer::testing::{
    MockAuthorizer, TestConditions, TestPrincipal, TestRequest, TestRequestError, VerdictTable,
    assert_allows, assert_denies, check_allows, check_denies,
};
use tower_lambda_authorizer::{
    ApiStage, AuthorizerContext, AuthorizerError, AuthorizerLayer, AuthorizerResponse, Principal,
};

fn stage_arn() -> StageArn {
    StageArn::new("aws", "eu-west-1", "210987654321", "api", "live").unwrap()
}

fn policy() -> PolicyDocument {
    let policy = stage_arn().policy().value("id", "42").allow(AnyMethod, "/users/{id}").with_sid("own");
    policy.allow(Method::GET, "/a,b").deny(Method::DELETE, "/users/*").build().unwrap()
}

#[test]
fn an_assertion_takes_whatever_has_a_policy() {
    let (document, bound) = (policy(), policy().bind(&stage_arn()));
    let response = AuthorizerResponse::new("me", policy()).unwrap();
    let (borrowed, path) = (&document, String::from("/users/42"));
    assert_allows!(document, GET "/users/42");
    assert_allows!(bound, GET "/users/42");
    assert_allows!(response, GET "/users/42");
    assert_allows!(borrowed, POST path);
    assert_allows!(&document, PUT format!("/users/{}", 42),);
    assert_denies!(document, GET "/users/43");
    assert_denies!(bound, DELETE "/users/42");
    assert_denies!(response, GET "/");
    assert_allows!(AuthorizerResponse::simple(true), GET "/");
    assert_denies!(AuthorizerResponse::simple(false), GET "/");
    // As the layer has it: an Allow in the spelling as sent, and no other.
    assert_allows!(document, GET "/a,b");
    assert_denies!(document, GET "/a%2Cb");
    // A Deny also in the spelling as sent.
    let document = stage_arn().policy().allow(AnyMethod, "/*").deny_raw(raw("GET/users/?")).build().unwrap();
    assert_denies!(document, GET "/users/*");
    assert_allows!(document, GET "/users/ab");
}

fn raw(resource: &str) -> ResourcePattern {
    ResourcePattern::raw(format!("{}{resource}", stage_arn())).unwrap()
}

#[test]
fn a_failed_assertion_explains() {
    let error = catch_unwind(|| assert_allows!(policy(), DELETE "/users/42")).unwrap_err();
    assert_eq!(
        *error.downcast::<String>().unwrap(),
        "\
the policy should allow DELETE /users/42
explicit deny of DELETE /users/42: settled by statement 2
  statement 0 (`own`) allows
  statement 1 would allow, but does not match
    Resource: expected `arn:aws:execute-api:eu-west-1:210987654321:api/live/GET/a,b`, found \
`arn:aws:execute-api:eu-west-1:210987654321:api/live/DELETE/users/42`
  statement 2 denies
"
    );
    let error = catch_unwind(|| assert_denies!(policy(), GET "/a,b")).unwrap_err();
    let message = *error.downcast::<String>().unwrap();
    assert!(
        message.starts_with("the policy should deny GET /a,b\nallow of GET /a,b: settled by statement 1\n")
    );
    let error = catch_unwind(|| assert_denies!(AuthorizerResponse::simple(true), GET "/")).unwrap_err();
    assert!(error.downcast::<String>().unwrap().contains("a simple response"));
}

#[test]
fn what_is_not_known_is_neither_allowed_nor_denied() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"app:plan":"free"}}}]}"#;
    let policy = PolicyDocument::from_json(text).unwrap();
    let plan = |plan: &str| TestConditions::new().with("App:Plan", plan);
    assert_allows!(policy, GET "/", plan("paid"));
    assert_denies!(policy, GET "/", plan("free"));
    assert_allows!(policy, GET "/", plan("free").with("app:plan", "paid"));
    let unknown = TestConditions::new().with_unavailable("app:plan");
    assert!(check_allows(&policy, "GET", "/", &unknown).unwrap_err().contains("`app:plan` is not known"));
    assert!(check_denies(&policy, "GET", "/", &unknown).unwrap_err().contains("`app:plan` is not known"));
}

#[test]
fn a_policy_is_asked_in_its_own_stage() {
    let none = TestConditions::new();
    let wild = PolicyDocument::from_json(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:*:*:*/*/GET/x"}}"#,
    )
    .unwrap();
    assert_allows!(wild, GET "/x");
    assert_denies!(wild, GET "/y");
    let other = StageArn::new("aws", "eu-west-1", "210987654321", "api", "beta").unwrap();
    let two = policy()
        .with_statement(other.policy().allow(Method::GET, "/x").build().unwrap().statements()[0].clone());
    let message = check_allows(&two, "GET", "/x", &none).unwrap_err();
    assert_eq!(
        message,
        "the policy names several stages: write `policy.bind(&stage)` to say which is meant, of \
         arn:aws:execute-api:eu-west-1:210987654321:api/beta/ and \
         arn:aws:execute-api:eu-west-1:210987654321:api/live/"
    );
    assert_allows!(two.bind(&other), GET "/x");
    let connect = stage_arn().policy().allow_connect().build().unwrap();
    assert_allows!(connect, GET "$connect");
    assert_denies!(policy(), GET "$connect");
}

#[test]
fn a_path_that_no_request_has_is_no_question() {
    for (path, expected) in [
        ("/users/42?x=1", "`/users/42?x=1` has a query, which no policy ever sees: leave it out"),
        ("users", "no request for `users` is accepted: the request target is not a path"),
        ("/users//42", "no request for `/users//42` is accepted: the path holds an empty segment"),
        (
            "/users/../admin",
            "no request for `/users/../admin` is accepted: the path holds a `.` or `..` segment",
        ),
    ] {
        let none = TestConditions::new();
        assert_eq!(check_allows(&policy(), "GET", path, &none).unwrap_err(), expected);
        assert_eq!(check_denies(&policy(), "GET", path, &none).unwrap_err(), expected);
    }
}

#[test]
fn a_request_is_an_event_of_every_shape() {
    let request = TestRequest::get("/users/4%C3%A9?q=1&q=2")
        .with_bearer("abc")
        .with_header("X-Api-Key", "k")
        .with_template("/users/{id}")
        .with_source_ip([192, 0, 2, 1])
        .with_identity("Bearer abc");
    let event = |kind| request.event(kind).unwrap();
    for kind in [
        EventKind::RestToken,
        EventKind::RestRequest,
        EventKind::HttpRequestV1,
        EventKind::HttpRequestV2,
        EventKind::WebSocketConnect,
    ] {
        assert_eq!(event(kind).kind(), kind);
        assert_eq!(event(kind).bearer_token(), Some("abc"), "{kind:?}");
        // What is printed is read again as the same event.
        let json = serde_json::to_string(&event(kind)).unwrap();
        let read = AuthorizerEvent::from_json(&json).unwrap();
        assert_eq!(read, event(kind));
        assert_eq!(read.kind(), kind);
    }
    let rest = event(EventKind::RestRequest);
    assert_eq!(
        rest.arn().as_str(),
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/users/4%C3%A9"
    );
    assert_eq!(rest.path_parameter("id"), Some("4%C3%A9"));
    assert_eq!(rest.query_parameter("q"), Some("2"));
    assert_eq!(rest.header("x-api-key"), Some("k"));
    assert_eq!(rest.source_ip(), Some([192, 0, 2, 1].into()));
    assert_eq!(event(EventKind::RestToken).identity_source().next(), Some("Bearer abc"));
    let http = event(EventKind::HttpRequestV2);
    assert_eq!((http.path_parameter("id"), http.query_parameter("q")), (Some("4é"), Some("1,2")));
    assert_eq!(http.identity_source().collect::<Vec<_>>(), ["Bearer abc"]);
    assert_eq!(event(EventKind::WebSocketConnect).path(), None);
    assert_eq!(event(EventKind::RestRequest), event(EventKind::RestRequest), "ids and times are fixed");

    let mounted = stage().with_base_path("/v1").unwrap();
    let below = TestRequest::get("/v1/users").in_stage(mounted.clone());
    assert_eq!(below.event(EventKind::RestRequest).unwrap().path(), Some("/users"));
    let outside = TestRequest::get("/users").in_stage(mounted.clone()).event(EventKind::RestRequest);
    assert!(outside.unwrap_err().to_string().contains("base path"));
    let other = TestRequest::get("/v1/users").in_stage(mounted).event(EventKind::HttpRequestV2);
    assert_eq!(other, Err(TestRequestError::OtherKind { kind: ApiKind::Http }));
}

#[test]
fn what_nobody_sends_is_no_request() {
    let rest = EventKind::RestRequest;
    let error = |request: TestRequest| request.event(rest).unwrap_err().to_string();
    assert_eq!(error(TestRequest::get("/a b")), "`/a b` is refused: it is no URI");
    assert_eq!(error(TestRequest::get("/../a")), "`/../a` is refused: the path holds a `.` or `..` segment");
    assert_eq!(error(TestRequest::new("GE T", "/")), "`GE T` is no method");
    assert_eq!(
        error(TestRequest::get("/").with_header("a b", "c")),
        "`a b` is no name of a header, or its value is none"
    );
    assert!(
        TestRequest::get("/")
            .with_header("a", "secret\n")
            .to_http()
            .is_err_and(|e| !e.to_string().contains("secret"))
    );
    assert_eq!(TestRequest::get("/").event(EventKind::RestToken), Err(TestRequestError::NoToken));
}

#[tokio::test]
async fn a_table_tells_what_becomes_of_each_request() {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| match event.bearer_token() {
        Some("me") => {
            let policy =
                event.policy().allow(Method::GET, "/users/me").deny(AnyMethod, "/users/root").build()?;
            Ok(AuthorizerResponse::new("me", policy)?)
        }
        Some("broken") => Err(AuthorizerError::failure("the database is gone")),
        _ => Err(AuthorizerError::unauthorized().with_reason("nobody has that token")),
    });
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let table = VerdictTable::new()
        .expect("own", TestRequest::get("/users/me").with_bearer("me"), 200)
        .expect("root", TestRequest::get("/users/root").with_bearer("me"), 403)
        .expect("other", TestRequest::get("/users/you").with_bearer("me"), 200)
        .expect("broken", TestRequest::get("/users/me").with_bearer("broken"), 401)
        .ask("unknown", TestRequest::get("/users/me").with_bearer("x"))
        .ask("nonsense", TestRequest::get("no path at all"));
    let verdicts = table.run(&layer).await;
    assert_eq!(
        verdicts.to_string(),
        "\
check request                       expected  got
ok    own       GET /users/me       200       200  allowed as `me` by statement 0
ok    root      GET /users/root     403       403  the policy denies the request (statement 1)
WRONG other     GET /users/you      200       403  no statement of the policy allows the request
WRONG broken    GET /users/me       401       500  the authorizer failed: the database is gone
ok    unknown   GET /users/me       -         401  the authorizer does not accept the credentials: nobody has that token
WRONG nonsense  GET no path at all  -         -    `no path at all` is refused: it is no URI
"
    );
    let error = verdicts.check().unwrap_err();
    assert!(error.to_string().starts_with("3 of 6 verdicts are not as expected\n"));
    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!(verdicts.rows()[2].status(), Some(403));
    assert!(!verdicts.rows()[2].is_as_expected());
}

#[tokio::test]
async fn a_table_can_be_sent_to_a_whole_service() {
    use std::convert::Infallible;

    use http::{Response, StatusCode};
    use tower::{Layer, service_fn};

    let layer = AuthorizerLayer::token(MockAuthorizer::allowing("me"), stage()).build().unwrap();
    let service = layer.layer(service_fn(async |request: Request<Vec<u8>>| {
        let status = if request.uri().path() == "/teapot" { StatusCode::IM_A_TEAPOT } else { StatusCode::OK };
        Ok::<_, Infallible>(Response::builder().status(status).body(String::new()).unwrap())
    }));
    let table = VerdictTable::new()
        .expect("here", TestRequest::get("/a").with_bearer("x"), 200)
        .expect("its own refusal", TestRequest::get("/teapot").with_bearer("x"), 418)
        .expect("nobody", TestRequest::get("/a"), 401)
        .expect("no request", TestRequest::new("G T", "/a"), 400);
    let verdicts = table.run_service(&service).await;
    let found: Vec<_> = verdicts.rows().iter().map(|row| (row.status(), row.is_as_expected())).collect();
    assert_eq!(found, [(Some(200), true), (Some(418), true), (Some(401), true), (None, false)]);
    assert_eq!(verdicts.rows()[0].why(), "answered by the service");
    assert!(verdicts.check().is_err());

    let failing = service_fn(async |_: Request<()>| Err::<Response<String>, _>("the service is down"));
    let verdicts = VerdictTable::new().ask("a failure", TestRequest::get("/a")).run_service(&failing).await;
    assert_eq!((verdicts.rows()[0].status(), verdicts.rows()[0].why()), (None, "the service is down"));
}

#[tokio::test]
async fn a_mock_does_as_it_is_told_and_remembers() {
    let mocks = [
        (MockAuthorizer::allowing("me"), 200),
        (MockAuthorizer::denying("me"), 403),
        (MockAuthorizer::unauthorized(), 401),
        (MockAuthorizer::failing(), 500),
        (MockAuthorizer::panicking(), 500),
        (MockAuthorizer::hanging(), 500),
    ];
    for (mock, status) in mocks {
        let layer = AuthorizerLayer::token(mock.clone(), stage()).with_timeout(Duration::from_millis(5));
        let table = VerdictTable::new().expect("a request", TestRequest::get("/x").with_bearer("t"), status);
        table.run(&layer.build().unwrap()).await.check().unwrap();
        assert_eq!(mock.calls(), 1, "{mock:?}");
        assert_eq!(mock.events()[0].path(), Some("/x"));
    }
    // Whatever the kind of API.
    let websocket = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "test").unwrap();
    let layer = AuthorizerLayer::request(MockAuthorizer::allowing("me"), websocket).build().unwrap();
    let opening =
        TestRequest::get("/").with_header("connection", "upgrade").with_header("upgrade", "websocket");
    VerdictTable::new().expect("opening", opening, 200).run(&layer).await.check().unwrap();
}

#[test]
fn a_handler_is_given_what_a_layer_would_give_it() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let made = TestPrincipal::new("me").with_context("plan", "free").with_context("number", 7);
    let made = made.with_usage_identifier_key("key").with_statement(3).with_expiry(at).cached();
    let principal = made.clone().build().unwrap();
    assert_eq!(principal.id(), "me");
    assert_eq!(principal.context().get_str("plan").as_deref(), Some("free"));
    assert_eq!(principal.context().get_i64("number"), Some(7));
    assert_eq!(principal.usage_identifier_key(), Some("key"));
    assert_eq!(principal.statement(), Some(3));
    assert_eq!(principal.expires_at(), Some(at));
    assert!(principal.is_cached());

    let mut request = Request::new(());
    made.insert_into(&mut request).unwrap();
    assert_eq!(request.extensions().get::<Principal>().unwrap().id(), "me");
    assert!(request.extensions().get::<AuthorizerContext>().is_none());

    let nobody = TestPrincipal::nobody().with_context("plan", "free");
    assert_eq!(nobody.clone().build_context().unwrap().principal_id(), None);
    assert_eq!(nobody.clone().build().err(), Some(ResponseError::MissingPrincipalId));
    let mut request = Request::new(());
    nobody.insert_into(&mut request).unwrap();
    assert!(request.extensions().get::<Principal>().is_none());
    assert!(request.extensions().get::<AuthorizerContext>().is_some());

    assert_eq!(TestPrincipal::new("").build().err(), Some(ResponseError::EmptyPrincipalId));
    assert!(TestPrincipal::new("me").with_context("authorizerExpiresAt", 1).build().is_err());
}
