//! What refused clients see: statuses, bodies and headers of each kind of API, and what can be made of them.

mod common;

use std::time::Duration;

use common::{Counter, counting};
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::contract::Challenge;
use tower_lambda_authorizer::middleware::{
    AuthorizerLayerBuilder, GatewayResponse, GatewayResponseType, GatewayResponses, RefusedRequest,
    Rejection, RejectionKind, ResponseForRejection,
};
use tower_lambda_authorizer::policy::{AnyMethod, Effect, PolicyDocument};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Api {
    Rest,
    Http,
    WebSocket,
}

const APIS: [Api; 3] = [Api::Rest, Api::Http, Api::WebSocket];

fn stage(api: Api) -> ApiStage {
    let make = match api {
        Api::Rest => ApiStage::rest,
        Api::Http => ApiStage::http,
        Api::WebSocket => ApiStage::websocket,
    };
    make("us-east-1", "123456789012", "abcdef123", "prod")
        .and_then(|stage| stage.with_stage_variable("tier", "gold"))
        .unwrap()
}

/// What the authorizer does is what the token says.
async fn as_told(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let token = event.token().unwrap_or_default().to_owned();
    let policy = |effect: Effect| {
        let effect = if effect == Effect::Allow { "Allow" } else { "Deny" };
        PolicyDocument::from_json(&format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"*","Resource":"*"}}}}"#
        ))
    };
    match token.as_str() {
        "allow" => Ok(AuthorizerResponse::new("me", policy(Effect::Allow)?)?),
        "deny" => Ok(AuthorizerResponse::new("me", policy(Effect::Deny)?)?
            .with_context("text", "a\"b</script>")
            .with_context("number", 42)
            .with_context("nothing", None::<bool>)),
        "nothing" => Ok(AuthorizerResponse::new("me", PolicyDocument::new())?),
        "elsewhere" => {
            Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/elsewhere").build()?)?)
        }
        "challenging deny" => Ok(AuthorizerResponse::new("me", policy(Effect::Deny)?)?
            .with_denial_challenge(Challenge::new("Bearer error=\"insufficient_scope\"").unwrap())),
        "unauthorized" => Err(AuthorizerError::unauthorized()),
        "says Unauthorized" => Err(AuthorizerError::failure("Unauthorized")),
        "says unauthorized" => Err(AuthorizerError::failure("Unauthorized: expired")),
        "challenge" => Err(AuthorizerError::unauthorized()
            .with_challenge(Challenge::new("Bearer error=\"invalid_token\"").unwrap())),
        "error" => Err(AuthorizerError::failure("secret 31337")),
        "panic" => panic!("secret 31337"),
        "timeout" => std::future::pending().await,
        "bad context" => {
            Ok(AuthorizerResponse::new("me", policy(Effect::Allow)?)?.with_context("integrationLatency", "1"))
        }
        "bad form" => Ok(AuthorizerResponse::simple(true)),
        "simple no" => Ok(AuthorizerResponse::simple(false)),
        "unknown" => {
            let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
                {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
            Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(text)?)?)
        }
        other => panic!("{other}"),
    }
}

fn builder(api: Api) -> AuthorizerLayerBuilder {
    AuthorizerLayer::request(authorizer_fn(as_told), stage(api))
        .with_identity_sources([IdentitySource::header(AUTHORIZATION)])
        .require_identity()
        .with_timeout(Duration::from_secs(1))
}

#[tokio::test]
async fn a_denial_found_in_a_cache_has_its_challenge() {
    let asked = Counter::default();
    let authorizer = authorizer_fn({
        let asked = asked.clone();
        move |event| {
            asked.hit();
            as_told(event)
        }
    });
    let layer = AuthorizerLayer::token(authorizer, stage(Api::Rest)).with_cache(MemoryCache::default());
    let layer = layer.build().unwrap();
    for _ in 0..2 {
        let response = ask(&layer, request(Api::Rest, "challenging deny")).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["www-authenticate"], "Bearer error=\"insufficient_scope\"");
    }
    assert_eq!((asked.count(), layer.cache_statistics().hits), (1, 1));
}

fn request(api: Api, token: &str) -> Request<()> {
    let request = Request::get(if api == Api::WebSocket { "/" } else { "/users/42?q=1" });
    let request = if token.is_empty() { request } else { request.header(AUTHORIZATION, token) };
    match api {
        Api::WebSocket => request
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        _ => request,
    }
    .body(())
    .unwrap()
}

async fn ask<R>(layer: &AuthorizerLayer<R>, request: Request<()>) -> Response<String>
where
    R: ResponseForRejection<String> + Clone,
{
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    assert_eq!(calls.count() == 1, response.extensions().get::<Rejection>().is_none());
    response
}

/// Every header, sorted, with the request's id replaced by its name.
fn headers(headers: &HeaderMap) -> Vec<String> {
    let mut all: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            let value = value.to_str().unwrap();
            let value = if name.as_str().contains("requestid") {
                assert_eq!(value.len(), 36);
                "ID"
            } else {
                value
            };
            format!("{name}: {value}")
        })
        .collect();
    all.sort();
    all
}

const UNAUTHORIZED: &str = r#"{"message":"Unauthorized"}"#;
const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
const IMPLICIT: &str = r#"{"Message":"User is not authorized to access this resource"}"#;
const EXPLICIT: &str = r#"{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}"#;
const NULL: &str = r#"{"message":null}"#;
const ERROR: &str = r#"{"message":"Internal Server Error"}"#;

#[tokio::test(start_paused = true)]
async fn every_outcome_has_its_status_its_body_and_its_headers() {
    // What the authorizer does; kind of refusal; REST and WebSocket: body and error type; HTTP: body.
    #[rustfmt::skip]
    let rows = [
        ("", RejectionKind::MissingIdentity, UNAUTHORIZED, "UnauthorizedException", UNAUTHORIZED),
        ("unauthorized", RejectionKind::Unauthorized, UNAUTHORIZED, "UnauthorizedException", UNAUTHORIZED),
        ("says Unauthorized", RejectionKind::Unauthorized, UNAUTHORIZED, "UnauthorizedException", UNAUTHORIZED),
        ("nothing", RejectionKind::ImplicitDeny, IMPLICIT, "AccessDeniedException", FORBIDDEN),
        ("elsewhere", RejectionKind::ImplicitDeny, IMPLICIT, "AccessDeniedException", FORBIDDEN),
        ("deny", RejectionKind::ExplicitDeny, EXPLICIT, "AccessDeniedException", FORBIDDEN),
        ("says unauthorized", RejectionKind::AuthorizerFailure, NULL, "AuthorizerConfigurationException", ERROR),
        ("error", RejectionKind::AuthorizerFailure, NULL, "AuthorizerConfigurationException", ERROR),
        ("panic", RejectionKind::AuthorizerPanic, NULL, "AuthorizerConfigurationException", ERROR),
        ("timeout", RejectionKind::AuthorizerTimeout, NULL, "AuthorizerConfigurationException", ERROR),
        ("bad form", RejectionKind::InvalidResponse, NULL, "AuthorizerConfigurationException", ERROR),
    ];
    for api in APIS {
        let layer = builder(api).build().unwrap();
        assert_eq!(ask(&layer, request(api, "allow")).await.status(), StatusCode::OK);
        for (token, kind, rest_body, error_type, http_body) in rows {
            let response = ask(&layer, request(api, token)).await;
            let place = format!("{api:?}, {token}");
            let rejection = response.extensions().get::<Rejection>().unwrap();
            assert_eq!(rejection.kind(), kind, "{place}");
            assert_eq!(response.status(), kind.status(), "{place}");
            let mut expected =
                vec!["cache-control: no-store".to_owned(), "content-type: application/json".to_owned()];
            let body = if api == Api::Http {
                expected.push("apigw-requestid: ID".to_owned());
                http_body
            } else {
                expected.push(format!("x-amzn-errortype: {error_type}"));
                expected.push("x-amzn-requestid: ID".to_owned());
                rest_body
            };
            expected.sort();
            assert_eq!(response.body(), body, "{place}");
            assert_eq!(headers(response.headers()), expected, "{place}");
        }
    }
    // A context that a REST API refuses.
    let layer = builder(Api::Rest).build().unwrap();
    let response = ask(&layer, request(Api::Rest, "bad context")).await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, NULL));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_decide_reads_like_any_failure() {
    for api in APIS {
        let (body, error_type) = match api {
            Api::Http => (ERROR, None),
            Api::Rest | Api::WebSocket => (NULL, Some("AuthorizerConfigurationException")),
        };
        let layer = builder(api).with_max_loads(1).build().unwrap();
        let hanging = tokio::spawn({
            let layer = layer.clone();
            async move { ask(&layer, request(api, "timeout")).await }
        });
        tokio::task::yield_now().await;
        let overloaded = ask(&layer, request(api, "allow")).await;
        let hanging = hanging.await.unwrap();
        let unknown = ask(&layer, request(api, "unknown")).await;
        for (response, kind) in [
            (overloaded, RejectionKind::Overloaded),
            (hanging, RejectionKind::AuthorizerTimeout),
            (unknown, RejectionKind::UnavailableKey),
        ] {
            assert_eq!(response.extensions().get::<Rejection>().unwrap().kind(), kind);
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.body(), body, "{api:?}, {kind:?}");
            let got = response.headers().get("x-amzn-errortype").map(|value| value.to_str().unwrap());
            assert_eq!(got, error_type, "{api:?}, {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_simple_no_reads_like_any_denial_of_an_http_api() {
    let layer = builder(Api::Http).with_simple_responses().build().unwrap();
    let response = ask(&layer, request(Api::Http, "simple no")).await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::FORBIDDEN, FORBIDDEN));
    assert_eq!(
        headers(response.headers()),
        ["apigw-requestid: ID", "cache-control: no-store", "content-type: application/json"]
    );
    let response = ask(&layer, request(Api::Http, "allow")).await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, ERROR));
}

#[tokio::test]
async fn what_the_gateway_itself_refuses_reads_alike_everywhere() {
    for api in [Api::Rest, Api::Http] {
        let stage = stage(api).with_base_path("/v1").unwrap();
        let layer = AuthorizerLayer::request(authorizer_fn(as_told), stage).build().unwrap();
        let long = format!("/v1/{}", "a".repeat(1700));
        for (path, status, body, error_type) in [
            ("/v1//a", StatusCode::BAD_REQUEST, r#"{"message":"Bad Request"}"#, "BadRequestException"),
            ("/v2/a", StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#, "NotFoundException"),
            (
                &long,
                StatusCode::URI_TOO_LONG,
                r#"{"message":"Request URI too long"}"#,
                "RequestTooLongException",
            ),
        ] {
            let response = ask(&layer, Request::get(path).body(()).unwrap()).await;
            assert_eq!((response.status(), response.body().as_str()), (status, body));
            let got = response.headers().get("x-amzn-errortype").map(|value| value.to_str().unwrap());
            assert_eq!(got, (api == Api::Rest).then_some(error_type));
        }
    }
    // An identity that is there twice is nobody's.
    for api in APIS {
        let mut twice = request(api, "allow");
        twice.headers_mut().append(AUTHORIZATION, "allow".parse().unwrap());
        let response = ask(&builder(api).build().unwrap(), twice).await;
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::UNAUTHORIZED, UNAUTHORIZED));
    }
    // WebSocket APIs refuse what does not open a WebSocket.
    let layer = builder(Api::WebSocket).build().unwrap();
    let response = ask(&layer, request(Api::Rest, "allow")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn challenges_come_from_the_error_the_answer_or_the_authorizer() {
    let challenge = |response: &Response<String>| {
        response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned())
    };
    let named = Challenge::new("Bearer realm=\"orders\"").unwrap();
    for api in APIS {
        let plain = builder(api).build().unwrap();
        let with = AuthorizerLayer::request(
            std::sync::Arc::new(tower_lambda_authorizer::authorizer::SharedAuthorizer::new(
                authorizer_fn(as_told).with_challenge(named.clone()),
            )),
            stage(api),
        )
        .with_identity_sources([IdentitySource::header(AUTHORIZATION)])
        .require_identity()
        .build()
        .unwrap();
        for (token, without, expected) in [
            ("", None, Some("Bearer realm=\"orders\"")),
            ("unauthorized", None, Some("Bearer realm=\"orders\"")),
            ("challenge", Some("Bearer error=\"invalid_token\""), Some("Bearer error=\"invalid_token\"")),
            ("deny", None, None),
            ("error", None, None),
            (
                "challenging deny",
                Some("Bearer error=\"insufficient_scope\""),
                Some("Bearer error=\"insufficient_scope\""),
            ),
        ] {
            assert_eq!(challenge(&ask(&plain, request(api, token)).await).as_deref(), without, "{token}");
            assert_eq!(challenge(&ask(&with, request(api, token)).await).as_deref(), expected, "{token}");
        }
    }
    assert_eq!(AuthorizerError::failure("x").with_challenge(named).challenge(), None);
}

fn with(types: &[(GatewayResponseType, GatewayResponse)]) -> GatewayResponses {
    let builder = GatewayResponses::builder();
    types
        .iter()
        .fold(builder, |builder, (name, response)| builder.with(*name, response.clone()))
        .build()
        .unwrap()
}

async fn customized(types: &[(GatewayResponseType, GatewayResponse)], token: &str) -> Response<String> {
    let layer = builder(Api::Rest).with_rejection_response(with(types)).build().unwrap();
    ask(&layer, request(Api::Rest, token)).await
}

#[tokio::test]
async fn types_fall_back_to_the_defaults_and_keep_their_own() {
    use GatewayResponseType as Type;
    let teapot = StatusCode::IM_A_TEAPOT;
    let shaped = GatewayResponse::new()
        .with_status(StatusCode::from_u16(599).unwrap())
        .with_header("x-shaped", "'yes'")
        .with_template("text/plain", "$context.error.responseType: $context.error.message");
    let defaults = [(Type::Default4xx, shaped.clone()), (Type::Default5xx, shaped)];

    // Unset types take everything from the default.
    let response = customized(&defaults, "unauthorized").await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (599, "UNAUTHORIZED: Unauthorized"));
    assert_eq!(response.headers()["x-shaped"], "yes");
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    let response = customized(&defaults, "error").await;
    assert_eq!(
        (response.status().as_u16(), response.body().as_str()),
        (599, "AUTHORIZER_CONFIGURATION_ERROR: ")
    );

    // A type that is set keeps its own defaults for the rest.
    let only_status = (Type::AccessDenied, GatewayResponse::new().with_status(teapot));
    let response = customized(&[defaults[0].clone(), only_status], "deny").await;
    assert_eq!((response.status(), response.body().as_str()), (teapot, EXPLICIT));
    assert!(response.headers().get("x-shaped").is_none());

    // The default of the other class has no say.
    let response = customized(&defaults[1..], "unauthorized").await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::UNAUTHORIZED, UNAUTHORIZED));

    // Our own 400 and 414 have no type of their own.
    let layer = builder(Api::Rest).with_rejection_response(with(&defaults)).build().unwrap();
    let response = ask(&layer, Request::get("/a//b").body(()).unwrap()).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (599, "DEFAULT_4XX: Bad Request"));
    let long = format!("/{}", "a".repeat(1700));
    let response = ask(&layer, Request::get(long).body(()).unwrap()).await;
    assert_eq!(response.body(), "DEFAULT_4XX: Request URI too long");
}

#[tokio::test]
async fn the_template_of_aws_prints_what_aws_prints() {
    let aws = GatewayResponse::new()
        .with_template("application/json", r#"{"message":$context.error.messageString}"#);
    let types = [
        (GatewayResponseType::Unauthorized, aws.clone()),
        (GatewayResponseType::AuthorizerConfigurationError, aws),
    ];
    assert_eq!(customized(&types, "unauthorized").await.body(), UNAUTHORIZED);
    assert_eq!(customized(&types, "error").await.body(), NULL);
    for api in [Api::Http, Api::WebSocket] {
        let layer = builder(api).with_rejection_response(with(&types)).build().unwrap();
        let expected = if api == Api::Http { ERROR } else { NULL };
        assert_eq!(ask(&layer, request(api, "error")).await.body(), expected);
    }
}

#[tokio::test]
async fn templates_know_the_request_and_the_answer() {
    let template = r#"{"stage":"$context.stage","api":"$context.apiId","account":"$context.accountId",
"path":"$context.path","resource":"$context.resourcePath","method":$context.httpMethod,
"tier":"$stageVariables.tier","none":"$stageVariables.none","q":"$method.request.querystring.q",
"bare":method.request.header.x-name,"proxy":"$method.request.path.proxy","ip":$context.identity.sourceIp,
"domain":"$context.domainName.","key":"$context.identity.apiKey","text":"$context.authorizer.text",
"number":$context.authorizer.number,"nothing":$context.authorizer.nothing,"who":$context.authorizer.principalId,
"type":$context.error.responseType,"protocol":"$context.protocol","epoch":$context.requestTimeEpoch}"#;
    let response = GatewayResponse::new().with_template("application/json", template);
    let types = [(GatewayResponseType::Default4xx, response)];
    let layer = builder(Api::Rest)
        .with_source_ip(|_| Some([192, 0, 2, 1].into()))
        .with_rejection_response(with(&types))
        .build()
        .unwrap();
    let mut asked = request(Api::Rest, "deny");
    asked.headers_mut().insert("x-name", "\"}{".parse().unwrap());
    let response = ask(&layer, asked).await;
    let mut body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert!(body["epoch"].take().is_u64());
    assert_eq!(
        body,
        serde_json::json!({
            "stage": "prod", "api": "abcdef123", "account": "123456789012", "path": "/prod/users/42",
            "resource": "/{proxy+}", "method": "GET", "tier": "gold", "none": "", "q": "1", "bare": "\"}{",
            "proxy": "users/42", "ip": "192.0.2.1", "domain": "abcdef123.execute-api.us-east-1.amazonaws.com.",
            "key": "", "text": "a\"b</script>", "number": "42", "nothing": null, "who": "me",
            "type": "ACCESS_DENIED", "protocol": "HTTP/1.1", "epoch": null,
        })
    );
    // Of an error nothing is known but that it is one.
    let response = ask(&layer, request(Api::Rest, "unauthorized")).await;
    let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!((&body["who"], &body["text"]), (&serde_json::Value::Null, &serde_json::json!("")));
}

#[tokio::test]
async fn nothing_that_a_client_sends_is_more_than_a_value() {
    let echo = "$method.request.querystring.q";
    let types = [(
        GatewayResponseType::Unauthorized,
        GatewayResponse::new()
            .with_header("x-query", "method.request.querystring.q")
            .with_header("x-echo", "method.request.header.x-echo")
            .with_header("x-path", "context.path")
            .with_header("x-literal", "'a: b'")
            .with_template("application/json", &format!(r#"{{"a":"{echo}","b":{echo},"{echo}":1}}"#))
            .with_template("application/xml", &format!("<a b='{echo}'>{echo}</a>"))
            .with_template("text/plain", echo),
    )];
    let layer = builder(Api::Rest).with_rejection_response(with(&types)).build().unwrap();
    let send = async |query: &str, accept: &str| {
        let request = Request::get(format!("/a?q={query}"))
            .header(ACCEPT, accept)
            .header("x-echo", http::HeaderValue::from_bytes(b"us\xe9r").unwrap())
            .body(())
            .unwrap();
        ask(&layer, request).await
    };
    for (query, text) in [
        ("%22%2C%22admin%22%3Atrue%2C%22x%22%3A%22", r#"","admin":true,"x":""#),
        ("%5C", "\\"),
        ("%5C%22", "\\\""),
        ("%0D%0Aset-cookie%3A%20a%3Db", "\r\nset-cookie: a=b"),
        ("true%7D", "true}"),
        ("%00%1F%7F", "\u{0}\u{1f}\u{7f}"),
        ("$context.authorizer.text", "$context.authorizer.text"),
        ("%3Cscript%3E", "<script>"),
        ("1", "1"),
    ] {
        let response = send(query, "*/*").await;
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!(
            (&body["a"], &body["b"], body.as_object().unwrap().len()),
            (&text.into(), &text.into(), 3)
        );
        let printable = text.bytes().all(|b| matches!(b, 0x20..=0x7e));
        let header = response.headers().get("x-query").map(|value| value.to_str().unwrap());
        assert_eq!(header, printable.then_some(text), "a header that does not fit is left out");
        assert!(response.headers().get("set-cookie").is_none());
        assert!(response.headers().get("x-echo").is_none(), "not ASCII");
        assert_eq!(response.headers()["x-path"], "/prod/a");
        assert_eq!(response.headers()["x-literal"], "a: b");
    }
    let response = send("%3Cscript%3E%26%27%22", "text/html;q=0.9, Application/XML").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/xml");
    let safe = "&#60;script&#62;&#38;&#39;&#34;";
    assert_eq!(*response.body(), format!("<a b='{safe}'>{safe}</a>"));
    let response = send("%3Cscript%3E", "text/plain").await;
    assert_eq!(
        (response.body().as_str(), &response.headers()[CONTENT_TYPE]),
        ("<script>", &"text/plain".parse().unwrap())
    );
    assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
}

proptest::proptest! {
    #[test]
    fn whatever_a_client_sends_comes_back_as_one_json_value(text in ".{0,40}", inside in proptest::bool::ANY) {
        let variable = "$method.request.querystring.q";
        let template = if inside { format!("[\"<{variable}>\",1]") } else { format!("[{variable},1]") };
        let response = GatewayResponse::new().with_template("application/json", &template);
        let types = [(GatewayResponseType::Unauthorized, response)];
        let layer = builder(Api::Rest).with_rejection_response(with(&types)).build().unwrap();
        let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        let request = Request::get(format!("/a?q={encoded}")).body(()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let response = runtime.block_on(ask(&layer, request));
        let expected = if inside { format!("<{text}>") } else { text };
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!(body, serde_json::json!([expected, 1]));
    }
}

#[test]
fn mistakes_are_found_when_the_responses_are_built() {
    use GatewayResponseType as Type;
    let new = GatewayResponse::new;
    let json = |template: &str| new().with_template("application/json", template);
    let html = |template: &str| new().with_template("Text/HTML; charset=utf-8", template);
    let error = |name: Type, response: GatewayResponse| {
        let error = GatewayResponses::builder().with(name, response).build().unwrap_err();
        assert_eq!(error.response_type(), name);
        error.to_string()
    };
    for (response, expected) in [
        (new().with_status(StatusCode::CONTINUE), "`100` is no status of a response"),
        (new().with_status(StatusCode::from_u16(600).unwrap()), "`600` is no status of a response"),
        (new().with_header("x y", "'a'"), "header `x y`: it is not the name of a header"),
        (new().with_header("x", "a"), "header `x`: there is no variable `a`"),
        (new().with_header("x", "$context.path"), "header `x`: there is no variable"),
        (new().with_header("x", "context.nope"), "header `x`: there is no variable"),
        (new().with_header("x", "method.request.body.a"), "header `x`: there is no variable"),
        (new().with_header("x", "stageVariables.a"), "header `x`: `stageVariables.a` is for templates only"),
        (new().with_header("x", "'a"), "header `x`: a text stands in single quotes"),
        (new().with_header("x", "'a\r\nb: c'"), "header `x`: a text stands in single quotes"),
        (new().with_header("x", "''"), "header `x`: a text stands in single quotes"),
        (new().with_header("content-type", "'text/html'"), "header `content-type`: it is up to the server"),
        (new().with_header("Content-Length", "'1'"), "header `Content-Length`: it is up to the server"),
        (
            new().with_header("gatewayresponse.header.transfer-encoding", "'x'"),
            "header `gatewayresponse.header.tr",
        ),
        (new().with_header("x", "'a'").with_header("X", "'b'"), "header `x`: it is there twice"),
        (new().with_template("json", "{}"), "template for `json`: it is not a content type"),
        (
            new().with_template("text/plain\r\nx: y", "{}"),
            "template for `text/plain\\r\\nx: y`: it is not a content",
        ),
        (json("{}").with_template("Application/JSON", "{}"), "template for `Application/JSON`: there is one"),
        (
            json(r#"{"a":$context.nope}"#),
            "template for `application/json`: there is no variable `context.nope`",
        ),
        (json(r#"{"a":"$context."}"#), "template for `application/json`: there is no variable"),
        (json(r#"{"a":b}"#), "template for `application/json`: it is not JSON"),
        (json(r#"{"a":"$context.path}"#), "template for `application/json`: it is not JSON"),
        (json(r#"{"a":1$context.path}"#), "template for `application/json`: it is not JSON"),
        (json(r#"{"a":"\$context.path"}"#), "template for `application/json`: it is not JSON"),
        (html("<p>$method.request.querystring.q"), "template for `Text/HTML; charset=utf-8`: `$method"),
        (html("<p>method.request.header.Host"), "template for `Text/HTML; charset=utf-8`: `method"),
        (
            html("<p>$context.path"),
            "template for `Text/HTML; charset=utf-8`: `$context.path` is up to the client",
        ),
        (html("<p>$context.identity.userAgent"), "template for `Text/HTML; charset=utf-8`: "),
        (html("<p>$context.authorizer.name"), "template for `Text/HTML; charset=utf-8`: "),
        (new().with_template("image/svg+xml", "$context.path"), "template for `image/svg+xml`: "),
        (new().with_template("text/javascript", "$context.path"), "template for `text/javascript`: "),
        (
            new().with_template(
                "application/xml",
                "<html xmlns='http://www.w3.org/1999/xhtml'><script>'$context.path'</script></html>",
            ),
            "template for `application/xml`: `$context.path` is up to the client",
        ),
        (
            new().with_template("x/y+xml", "<a><svg xmlns='http://www.w3.org/2000/svg'/>$context.path</a>"),
            "template for `x/y+xml`: ",
        ),
    ] {
        let message = error(Type::AccessDenied, response);
        let expected = format!("gateway response ACCESS_DENIED: {expected}");
        assert!(message.starts_with(&expected), "{message}\n{expected}");
    }
    assert!(html("<p>$context.error.message $context.requestId $stageVariables.tier").clone_builds());
    error(Type::RequestTooLarge, new());
    let twice = GatewayResponses::builder().with(Type::Throttled, new()).with(Type::Throttled, new()).build();
    assert!(twice.is_err());
}

trait Builds {
    fn clone_builds(&self) -> bool;
}

impl Builds for GatewayResponse {
    fn clone_builds(&self) -> bool {
        GatewayResponses::builder().with(GatewayResponseType::AccessDenied, self.clone()).build().is_ok()
    }
}

#[tokio::test]
async fn html_gets_our_own_words_only() {
    let html = GatewayResponse::new()
        .with_template("text/html", "<p title='$context.error.message'>$context.error.messageString</p>");
    let types = [(GatewayResponseType::Default4xx, html)];
    let body = customized(&types, "unauthorized").await.into_body();
    assert_eq!(body, "<p title='Unauthorized'>&#34;Unauthorized&#34;</p>");
}

#[test]
fn types_have_the_names_and_statuses_of_aws() {
    let names: Vec<_> = GatewayResponseType::ALL
        .iter()
        .map(|name| format!("{name} {}", name.default_status().map_or(0, |status| status.as_u16())))
        .collect();
    assert_eq!(
        names,
        [
            "ACCESS_DENIED 403",
            "API_CONFIGURATION_ERROR 500",
            "AUTHORIZER_CONFIGURATION_ERROR 500",
            "AUTHORIZER_FAILURE 500",
            "BAD_REQUEST_BODY 400",
            "BAD_REQUEST_PARAMETERS 400",
            "DEFAULT_4XX 0",
            "DEFAULT_5XX 0",
            "EXPIRED_TOKEN 403",
            "INTEGRATION_FAILURE 504",
            "INTEGRATION_TIMEOUT 504",
            "INVALID_API_KEY 403",
            "INVALID_SIGNATURE 403",
            "MISSING_AUTHENTICATION_TOKEN 403",
            "QUOTA_EXCEEDED 429",
            "REQUEST_TOO_LARGE 413",
            "RESOURCE_NOT_FOUND 404",
            "THROTTLED 429",
            "UNAUTHORIZED 401",
            "UNSUPPORTED_MEDIA_TYPE 415",
            "WAF_FILTERED 403",
        ]
    );
    for name in GatewayResponseType::ALL {
        assert_eq!(name.as_str().parse(), Ok(*name));
    }
    assert!("access_denied".parse::<GatewayResponseType>().is_err());
    use RejectionKind as Kind;
    for (kind, name) in [
        (Kind::AmbiguousIdentity, GatewayResponseType::Unauthorized),
        (Kind::AuthorizerFailure, GatewayResponseType::AuthorizerConfigurationError),
        (Kind::ExplicitDeny, GatewayResponseType::AccessDenied),
        (Kind::Overloaded, GatewayResponseType::AuthorizerFailure),
        (Kind::TargetMoved, GatewayResponseType::Default5xx),
        (Kind::TargetTooLong, GatewayResponseType::Default4xx),
        (Kind::UnavailableKey, GatewayResponseType::AuthorizerConfigurationError),
    ] {
        assert_eq!(kind.response_type(), name);
    }
}

#[derive(Clone)]
struct Mine(GatewayResponses);

impl ResponseForRejection<String> for Mine {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<String> {
        self.0.response_for_rejection(rejection)
    }

    fn response_for_request(&self, rejection: &Rejection, request: &RefusedRequest<'_>) -> Response<String> {
        let mut response: Response<String> = self.response_for_rejection(rejection);
        assert!(!format!("{request:?}").contains("unauthorized"), "no credentials");
        response.headers_mut().insert("x-method", request.method().as_str().parse().unwrap());
        response
    }
}

#[tokio::test]
async fn a_strategy_of_ones_own_can_build_upon_the_defaults() {
    let layer =
        builder(Api::Http).with_rejection_response(Mine(GatewayResponses::default())).build().unwrap();
    let response = ask(&layer, request(Api::Http, "unauthorized")).await;
    assert_eq!(
        (response.body().as_str(), &response.headers()["x-method"]),
        (UNAUTHORIZED, &"GET".parse().unwrap())
    );
    assert!(response.headers().contains_key("apigw-requestid"));
}

#[tokio::test]
async fn no_refusal_tells_what_went_wrong_inside() {
    for api in APIS {
        let layer = builder(api).build().unwrap();
        for token in ["error", "panic"] {
            let response = ask(&layer, request(api, token)).await;
            assert!(!format!("{:?} {}", response.headers(), response.body()).contains("31337"));
        }
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn cors_outside_answers_preflights_and_marks_refusals() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::Method;
    use http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, ORIGIN};
    use tower_http::cors::CorsLayer;
    use tower_lambda_authorizer::axum::protect;

    let origin: http::HeaderValue = "https://example.com".parse().unwrap();
    let cors = CorsLayer::new().allow_origin(origin.clone()).allow_methods([Method::GET, Method::DELETE]);
    let router = Router::new().route("/users/{id}", get(async || "hello"));
    let service = protect(router, builder(Api::Rest).build().unwrap()).layer(cors);

    let preflight = Request::options("/users/42")
        .header(ORIGIN, &origin)
        .header("access-control-request-method", "DELETE")
        .body(Body::empty())
        .unwrap();
    let response = service.clone().oneshot(preflight).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], origin);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET,DELETE");

    for (token, status) in [("allow", 200), ("", 401), ("unauthorized", 401), ("deny", 403), ("error", 500)] {
        let request = request(Api::Rest, token).map(|()| Body::empty());
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(ORIGIN, origin.clone());
        let response = service.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], origin);
    }
    // A path that is refused before it is routed, and a method that the route has not.
    let request = Request::get("/users//42").header(ORIGIN, &origin).body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN]),
        (400, &origin)
    );
    let request = Request::post("/users/42").header(ORIGIN, &origin).body(Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers().get(ALLOW)), (401, None));
}

#[tokio::test]
async fn an_unauthorized_error_can_have_its_own_words_and_tells_the_program_why() {
    let authorizer = authorizer_fn(async |_event| {
        let error = AuthorizerError::unauthorized().with_message("It is \"over\"").with_reason("it ran out");
        // Passing it on as a failure is no way to lose what it says.
        Err(AuthorizerError::failure(error))
    });
    let layer = AuthorizerLayer::token(authorizer, stage(Api::Rest)).build().unwrap();
    let counter = Counter::default();
    let response = layer.layer(counting(&counter)).oneshot(common::get("/a", "x")).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.body(), r#"{"message":"It is \"over\""}"#);
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(std::error::Error::source(rejection).unwrap().to_string(), "it ran out");
    assert_eq!(counter.count(), 0);
}
