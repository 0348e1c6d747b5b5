//! Events of every shape: from JSON and back, and from live requests.

mod common;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::contract::{
    ClientCertificate, EventKind, PayloadFormat, RequestEvent, RequestEventV2, TokenEvent,
};
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;
use tower_lambda_authorizer::policy::AnyMethod;
#[cfg(feature = "axum")]
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn event(name: &str) -> AuthorizerEvent {
    AuthorizerEvent::from_json(&fixture(name)).unwrap()
}

const ALL: [(&str, EventKind); 16] = [
    ("console_request", EventKind::RestRequest),
    ("console_token", EventKind::RestToken),
    ("http_v1", EventKind::HttpRequestV1),
    ("http_v1_default", EventKind::HttpRequestV1),
    ("http_v2", EventKind::HttpRequestV2),
    ("http_v2_base_path", EventKind::HttpRequestV2),
    ("http_v2_default", EventKind::HttpRequestV2),
    ("http_v2_minimal", EventKind::HttpRequestV2),
    ("rest_request", EventKind::RestRequest),
    ("rest_request_absent", EventKind::RestRequest),
    ("rest_request_edge", EventKind::RestRequest),
    ("rest_request_proxy", EventKind::RestRequest),
    ("rest_request_single_values", EventKind::RestRequest),
    ("rest_token", EventKind::RestToken),
    ("websocket_connect", EventKind::WebSocketConnect),
    ("websocket_no_query", EventKind::WebSocketConnect),
];

#[test]
fn every_fixture_is_read_and_printed_without_loss() {
    let folder = format!("{}/tests/fixtures/events", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), ALL.len(), "a fixture is not in the list");
    for (name, kind) in ALL {
        let json: Value = serde_json::from_str(&fixture(name)).unwrap();
        let event = event(name);
        assert_eq!(event.kind(), kind, "{name}");
        assert_eq!(serde_json::to_value(&event).unwrap(), json, "{name}");
        assert_eq!(serde_json::from_value::<AuthorizerEvent>(json).unwrap(), event, "{name}");
        for (other, _) in ALL.iter().filter(|(other, _)| *other != name) {
            assert_ne!(self::event(other), event, "{name} {other}");
        }
    }
}

#[test]
fn an_event_of_one_shape_is_not_read_as_another() {
    let [token, request, v2] = ["rest_token", "rest_request", "http_v2"].map(fixture);
    assert_eq!(serde_json::from_str::<TokenEvent>(&token).unwrap().authorization_token(), "Bearer aye-aye");
    assert_eq!(serde_json::from_str::<RequestEvent>(&request).unwrap().method(), "PATCH");
    assert_eq!(serde_json::from_str::<RequestEventV2>(&v2).unwrap().method(), "DELETE");
    assert!(serde_json::from_str::<TokenEvent>(&request).is_err());
    assert!(serde_json::from_str::<RequestEvent>(&v2).is_err());
    let error = serde_json::from_str::<RequestEventV2>(&token).unwrap_err().to_string();
    assert!(error.contains("with version `2.0`") && error.contains("RestToken"), "{error}");
}

#[test]
fn errors_say_where_and_what() {
    const ARN: &str = r#""methodArn":"arn:aws:execute-api:eu-central-1:111122223333:q7wcx2k9p1/prod/GET/""#;
    for (json, expected) in [
        (r#"[]"#.to_owned(), "malformed event: expected an object, found a list"),
        ("{".to_owned(), "malformed event: it is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{}".to_owned(), "malformed event at `type`: it is missing"),
        (r#"{"type":7}"#.to_owned(), "malformed event at `type`: expected a string, found a number"),
        (
            r#"{"type":"token"}"#.to_owned(),
            "malformed event at `type`: unknown type `token`, expected `TOKEN` or `REQUEST`",
        ),
        (r#"{"type":"REQUEST"}"#.to_owned(), "malformed event at `methodArn`: it is missing"),
        (format!(r#"{{"type":"TOKEN",{ARN}}}"#), "malformed event at `authorizationToken`: it is missing"),
        (
            format!(r#"{{"type":"REQUEST","version":"3.0",{ARN}}}"#),
            "malformed event at `version`: unknown version `3.0`, expected `1.0` or `2.0`",
        ),
        (
            format!(r#"{{"type":"REQUEST","version":2.0,{ARN}}}"#),
            "malformed event at `version`: expected a string, found a number",
        ),
        (
            format!(r#"{{"type":"REQUEST","version":"2.0",{ARN}}}"#),
            "malformed event at `routeArn`: it is missing",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"headers":"x"}}"#),
            "malformed event at `headers`: expected an object, found a string",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"headers":{{"a":["x"]}}}}"#),
            "malformed event at `headers.a`: expected a string, found a list",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"multiValueHeaders":{{"a":"x"}}}}"#),
            "malformed event at `multiValueHeaders.a`: expected a list of strings, found a string",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"headers":{{"a":"x\ny"}}}}"#),
            "malformed event at `headers.a`: the value is not one that a header can have",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"headers":{{"a b":"x"}}}}"#),
            "malformed event at `headers.a b`: it is not a header's name",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"requestContext":{{"identity":{{"sourceIp":1}}}}}}"#),
            "malformed event at `requestContext.identity.sourceIp`: expected a string, found a number",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"requestContext":{{"identity":{{"clientCert":"PEM"}}}}}}"#),
            "malformed event at `requestContext.identity.clientCert`: it is not a certificate",
        ),
        (
            format!(r#"{{"type":"REQUEST",{ARN},"requestContext":{{"requestTimeEpoch":-1}}}}"#),
            "malformed event at `requestContext.requestTimeEpoch`: it is not a number of milliseconds since 1970",
        ),
    ] {
        assert_eq!(AuthorizerEvent::from_json(&json).unwrap_err().to_string(), expected);
    }
}

#[test]
fn accessors_read_every_shape() {
    let token = event("rest_token");
    assert_eq!(
        (token.bearer_token(), token.method(), token.path()),
        (Some("aye-aye"), Some("GET"), Some("/boats/42"))
    );
    assert_eq!(token.identity_source().collect::<Vec<_>>(), ["Bearer aye-aye"]);
    assert_eq!((token.header("authorization"), token.route_key(), token.request_id()), (None, None, None));

    let rest = event("rest_request");
    assert_eq!(rest.bearer_token(), Some("aye-aye"));
    assert_eq!((rest.header("X-FLAG"), rest.query_parameter("tag")), (Some("two"), Some("c d")));
    assert_eq!(rest.header_values("x-flag").collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(rest.query_parameters().filter(|(name, _)| *name == "tag").count(), 2);
    assert_eq!(rest.path_parameter("harbour"), Some("caf%C3%A9%20+"));
    assert_eq!(rest.stage_variable("fleet"), Some("north"));
    assert_eq!(rest.source_ip(), Some([198, 51, 100, 7].into()));
    assert_eq!((rest.user_agent(), rest.request_id()), (Some("logbook/1.4"), Some("(id)")));
    assert_eq!(rest.route_key(), Some("/harbours/{harbour}/boats/{id}"));
    assert_eq!(rest.identity_source().count(), 0);

    let v1 = event("http_v1");
    assert_eq!(v1.identity_source().collect::<Vec<_>>(), ["Bearer aye-aye,north"]);
    assert_eq!((v1.header("x-flag"), v1.path_parameter("harbour")), (Some("two"), Some("café?")));
    let AuthorizerEvent::Request(v1) = v1 else { panic!("{v1:?}") };
    assert_eq!(
        (v1.path(), v1.authorization_token()),
        ("/harbours/café?/boats", Some("Bearer aye-aye,north"))
    );

    let v2 = event("http_v2");
    assert_eq!(v2.identity_source().collect::<Vec<_>>(), ["Bearer aye-aye", "north"]);
    assert_eq!((v2.header("x-flag"), v2.query_parameter("tag")), (Some("one,two"), Some("a,b,c d")));
    assert_eq!(v2.path(), Some("/harbours/caf%C3%A9%3F/boats"));
    assert_eq!(v2.client_certificate().map(ClientCertificate::subject_dn), Some("CN=skipper"));
    let AuthorizerEvent::RequestV2(v2) = v2 else { panic!("{v2:?}") };
    assert_eq!(v2.cookies().collect::<Vec<_>>(), ["crew=7", "watch=dog", "flag=a=b"]);
    assert_eq!(v2.header("cookie"), Some("crew=7; watch=dog; flag=a=b"));
    assert_eq!(
        (v2.raw_path(), v2.route_key()),
        ("/live/harbours/café?/boats", "DELETE /harbours/{harbour}/boats")
    );
    assert_eq!(v2.raw_query_string(), "fleet=north&tag=a%2Cb&tag=c+d");
    let since = v2.received_at().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since, Duration::from_millis(1_777_000_000_123));

    let socket = event("websocket_connect");
    assert_eq!((socket.method(), socket.path(), socket.route_key()), (None, None, Some("$connect")));
    assert_eq!(socket.query_parameter("ticket"), Some("t 1"));
}

#[test]
fn null_empty_and_absent_read_alike() {
    for name in ["console_request", "rest_request_absent", "http_v2_minimal"] {
        let event = event(name);
        assert_eq!(
            (event.query_parameters().count(), event.header("x"), event.stage_variable("x")),
            (0, None, None)
        );
        assert_eq!(event.identity_source().count(), 0);
    }
    let console = event("console_request");
    assert_eq!((console.source_ip(), console.headers().unwrap().len()), (None, 0));
    assert_eq!(console.arn().stage_arn().stage(), "ESTestInvoke-stage");
    let AuthorizerEvent::Request(absent) = event("rest_request_absent") else { panic!() };
    assert_eq!((absent.method().as_str(), absent.path(), absent.resource()), ("PUT", "/boats", ""));
    let partial = event("rest_request_single_values");
    assert_eq!((partial.header("x-only-here"), partial.header("x-null")), (Some("1"), None));
    assert_eq!((partial.query_parameter("only"), partial.query_parameter("tag")), (Some("here"), Some("b")));
}

#[test]
fn debug_shows_no_secret() {
    let stage = stage(ApiStage::rest, "prod").with_stage_variable("fleet", "north").unwrap();
    assert!(!format!("{stage:?}").contains("north"));
    for (name, _) in ALL {
        let text = format!("{:?}", event(name));
        for secret in ["aye", "crew=7", "t 1", "c d", "north", "BEGIN", "k-1"] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
}

/// What the server knows about a connection.
#[derive(Clone)]
struct Peer(IpAddr);

#[cfg(feature = "axum")]
fn certificate() -> ClientCertificate {
    ClientCertificate::from_pem("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
        .with_subject_dn("CN=skipper")
        .with_issuer_dn("CN=harbour master")
        .with_serial_number("0a:1b")
        .with_validity("May  4 12:30:02 2026 GMT", "Aug 15 09:36:04 2027 GMT")
}

type Seen = Arc<Mutex<Vec<AuthorizerEvent>>>;

/// Also what has no method and no path, as a WebSocket connection.
fn allow_what_is_asked(event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let policy = event.policy().allow_raw(event.arn().to_pattern()?).build()?;
    Ok(AuthorizerResponse::new("me", policy)?)
}

fn watching(seen: &Seen) -> impl Authorizer + use<> {
    let seen = Arc::clone(seen);
    authorizer_fn(move |event: AuthorizerEvent| {
        seen.lock().unwrap().push(event.clone());
        async move { allow_what_is_asked(&event) }
    })
}

fn configured(builder: AuthorizerLayerBuilder) -> AuthorizerLayer {
    builder
        .with_clock(ManualClock::new(Duration::from_millis(1_777_000_000_123)))
        .with_source_ip(|extensions| extensions.get::<Peer>().map(|peer| peer.0))
        .with_client_certificate(|extensions| extensions.get::<ClientCertificate>().cloned())
        .build()
        .unwrap()
}

fn stage(
    make: fn(&str, &str, &str, &str) -> Result<ApiStage, tower_lambda_authorizer::request::StageError>,
    stage: &str,
) -> ApiStage {
    make("eu-central-1", "111122223333", "q7wcx2k9p1", stage).unwrap()
}

#[cfg(feature = "axum")]
fn header(name: &str) -> IdentitySource {
    IdentitySource::header(name.parse::<http::HeaderName>().unwrap())
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::builder().method(method).uri(uri);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

/// One request through a layer without a router.
async fn through(layer: &AuthorizerLayer, request: Request<()>) {
    let calls = common::Counter::default();
    let response = layer.layer(common::counting(&calls)).oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), calls.count()), (200, 1));
}

/// Holds an event against a fixture. Ids are drawn by lot, so their form is checked and then they are replaced.
#[track_caller]
fn assert_is(seen: &Seen, name: &str) {
    let live = seen.lock().unwrap().pop().expect("the authorizer was not asked");
    let printed = serde_json::to_string(&live).unwrap();
    let mut json: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(json, serde_json::to_value(&live).unwrap());
    assert_reads_alike(&live, &AuthorizerEvent::from_json(&printed).unwrap());

    if let Some(context) = json.get_mut("requestContext") {
        let id = context["requestId"].as_str().unwrap().to_owned();
        assert_eq!((id.len(), live.request_id()), (36, Some(&*id)));
        for (member, stands_for, length) in [
            ("requestId", "(id)", 36),
            ("extendedRequestId", "(extended id)", 16),
            ("connectionId", "(connection id)", 16),
        ] {
            let Some(value) = context.get_mut(member) else { continue };
            let text = value.as_str().unwrap();
            if text == id {
                *value = "(id)".into();
            } else {
                assert_eq!(text.len(), length, "{member}: {text}");
                *value = stands_for.into();
            }
        }
    }
    let expected: Value = serde_json::from_str(&fixture(name)).unwrap();
    assert_eq!(json, expected, "{}", serde_json::to_string_pretty(&json).unwrap());
}

/// Whether an event came from a live request or over the wire makes no difference to an authorizer.
#[track_caller]
fn assert_reads_alike(live: &AuthorizerEvent, read: &AuthorizerEvent) {
    assert_eq!(live, read);
    assert_eq!((live.kind(), live.arn()), (read.kind(), read.arn()));
    assert_eq!((live.token(), live.route_key()), (read.token(), read.route_key()));
    assert_eq!(live.headers(), read.headers());
    let sorted = |event: &AuthorizerEvent| {
        let mut query: Vec<_> =
            event.query_parameters().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        query.sort_by(|(one, _), (another, _)| one.cmp(another));
        query
    };
    assert_eq!(sorted(live), sorted(read));
    for name in ["harbour", "id", "rest", "proxy"] {
        assert_eq!(live.path_parameter(name), read.path_parameter(name));
    }
    assert_eq!(live.stage_variable("fleet"), read.stage_variable("fleet"));
    assert_eq!((live.source_ip(), live.user_agent()), (read.source_ip(), read.user_agent()));
    assert_eq!(
        (live.request_id(), live.client_certificate()),
        (read.request_id(), read.client_certificate())
    );
    assert_eq!(live.identity_source().collect::<Vec<_>>(), read.identity_source().collect::<Vec<_>>());
    match (live, read) {
        (AuthorizerEvent::Request(live), AuthorizerEvent::Request(read)) => {
            assert_eq!((live.path(), live.method()), (read.path(), read.method()));
            assert_eq!(live.received_at(), read.received_at());
            assert_eq!(live.authorization_token(), read.authorization_token());
        }
        (AuthorizerEvent::RequestV2(live), AuthorizerEvent::RequestV2(read)) => {
            assert_eq!((live.raw_path(), live.method()), (read.raw_path(), read.method()));
            assert_eq!(live.raw_query_string(), read.raw_query_string());
            assert_eq!(live.cookies().collect::<Vec<_>>(), read.cookies().collect::<Vec<_>>());
            assert_eq!(live.received_at(), read.received_at());
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_token_event() {
    let seen = Seen::default();
    let layer = configured(AuthorizerLayer::token(watching(&seen), stage(ApiStage::rest, "prod")));
    through(&layer, request("GET", "/boats/42?x=1", &[("authorization", "Bearer aye-aye")])).await;
    assert_is(&seen, "rest_token");
}

#[tokio::test]
async fn a_rest_event_without_a_template() {
    let seen = Seen::default();
    let layer = configured(AuthorizerLayer::request(watching(&seen), stage(ApiStage::rest, "prod")));
    through(&layer, request("GET", "/any/where/", &[("connection", "close"), ("te", "trailers")])).await;
    assert_is(&seen, "rest_request_proxy");
}

#[tokio::test]
async fn a_rest_event_spells_identity_sources_as_configured() {
    let seen = Seen::default();
    let source = "method.request.header.X-API-Key".parse().unwrap();
    let layer = AuthorizerLayer::request(watching(&seen), stage(ApiStage::rest, "prod"));
    let layer = configured(layer.with_identity_sources([source]));
    through(&layer, request("GET", "/a", &[("x-api-key", "k-1"), ("x-other", "1")])).await;
    let json = serde_json::to_value(seen.lock().unwrap().pop().unwrap()).unwrap();
    assert_eq!(json["headers"], serde_json::json!({ "X-API-Key": "k-1", "x-other": "1" }));
    assert_eq!(json["multiValueHeaders"], serde_json::json!({ "X-API-Key": ["k-1"], "x-other": ["1"] }));
}

#[tokio::test]
async fn http_events_of_the_default_stage() {
    let seen = Seen::default();
    let default = stage(ApiStage::http, "$default");
    let v1 =
        AuthorizerLayer::request(watching(&seen), default.clone()).with_payload_format(PayloadFormat::V1);
    through(&configured(v1), request("POST", "/any", &[])).await;
    assert_is(&seen, "http_v1_default");

    let stage = default.with_custom_domain("boats.example.net").unwrap();
    let v2 = AuthorizerLayer::request(watching(&seen), stage);
    through(&configured(v2), request("GET", "/any%20where", &[("x-one", "1")])).await;
    assert_is(&seen, "http_v2_default");
}

#[tokio::test]
async fn odd_headers_read_alike_in_both_forms() {
    let seen = Seen::default();
    let layers = [
        AuthorizerLayer::request(watching(&seen), stage(ApiStage::rest, "prod")),
        AuthorizerLayer::request(watching(&seen), stage(ApiStage::http, "prod")),
        AuthorizerLayer::request(watching(&seen), stage(ApiStage::http, "prod"))
            .with_payload_format(PayloadFormat::V1),
    ];
    for layer in layers.map(configured) {
        for sent in [
            &[("user-agent", "\u{e9}")][..],
            &[("user-agent", "one"), ("user-agent", "\u{201c}")],
            &[("user-agent", "")],
            &[("cookie", "")],
            &[("cookie", ";; ;"), ("cookie", "")],
            &[("cookie", "a=\u{e9};;b"), ("cookie", " c ")],
            &[("x-flag", ""), ("x-flag", "\u{e9},"), ("x-flag", " a\tb")],
        ] {
            through(&layer, request("GET", "/", sent)).await;
            let live = seen.lock().unwrap().pop().unwrap();
            let read = AuthorizerEvent::from_json(&serde_json::to_string(&live).unwrap()).unwrap();
            assert_reads_alike(&live, &read);
        }
    }
}

#[tokio::test]
async fn a_map_that_holds_as_many_headers_as_it_can_is_no_panic() {
    let seen = Seen::default();
    let layer = configured(AuthorizerLayer::request(watching(&seen), stage(ApiStage::http, "prod")));
    let mut sent = request("GET", "http://boats.example.net/", &[]);
    let full = (0_u32..).find(|number| {
        let name: http::HeaderName = format!("x-{number}").parse().unwrap();
        sent.headers_mut().try_append(name, http::HeaderValue::from_static("v")).is_err()
    });
    assert!(full.is_some());
    through(&layer, sent).await;
}

/// A client chooses how many parameters it sends, and has not been asked who it is.
#[tokio::test]
async fn as_many_query_parameters_as_a_uri_holds_are_all_read() {
    let names: Vec<String> = (0..13_000).map(|number| format!("{number:04x}")).collect();
    for (kind, format) in [
        (stage(ApiStage::rest, "prod"), None),
        (stage(ApiStage::http, "prod"), Some(PayloadFormat::V1)),
        (stage(ApiStage::http, "prod"), Some(PayloadFormat::V2)),
    ] {
        let seen = Seen::default();
        let layer = AuthorizerLayer::request(watching(&seen), kind);
        let layer = match format {
            Some(format) => layer.with_payload_format(format),
            None => layer,
        };
        through(&configured(layer), request("GET", &format!("/?{}", names.join("&")), &[])).await;
        let live = seen.lock().unwrap().pop().unwrap();
        let read = AuthorizerEvent::from_json(&serde_json::to_string(&live).unwrap()).unwrap();
        assert_eq!(live.query_parameters().count(), names.len());
        assert_eq!(read.query_parameters().count(), names.len());
    }
}

#[tokio::test]
async fn a_websocket_event() {
    let seen = Seen::default();
    let layer = configured(AuthorizerLayer::request(watching(&seen), stage(ApiStage::websocket, "live")));
    let mut opening = request(
        "GET",
        "/chat?ticket=t+1",
        &[
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("user-agent", "logbook/1.4"),
            ("x-flag", "one"),
            ("x-flag", "two"),
        ],
    );
    opening.extensions_mut().insert(Peer([198, 51, 100, 7].into()));
    through(&layer, opening).await;
    assert_is(&seen, "websocket_connect");
}

#[cfg(feature = "axum")]
mod with_axum {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::any;
    use tower_lambda_authorizer::axum::protect;

    use super::*;

    async fn routed(router: Router, layer: AuthorizerLayer, request: Request<()>) {
        let response = protect(router, layer).oneshot(request.map(|()| Body::empty())).await.unwrap();
        assert_eq!(response.status(), 200);
    }

    fn with_peer(mut request: Request<()>, address: &str) -> Request<()> {
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        request
    }

    #[tokio::test]
    async fn a_rest_event_of_a_nested_route() {
        let seen = Seen::default();
        let stage = stage(ApiStage::rest, "prod").with_stage_variable("fleet", "north").unwrap();
        let layer =
            AuthorizerLayer::request(watching(&seen), stage).with_identity_sources([header("authorization")]);
        let boats = Router::new().route("/boats/{id}", any(async || "boat"));
        let sent = request(
            "PATCH",
            "/harbours/caf%c3%a9%20%2b/boats/42?tag=a%2Cb&empty&tag=c+d&plus=%2B",
            &[
                ("authorization", "Bearer aye-aye"),
                ("host", "boats.example.net"),
                ("user-agent", "logbook/1.4"),
                ("x-flag", "one"),
                ("cookie", "crew=7"),
                ("x-flag", "two"),
                ("cookie", "watch=dog"),
                ("content-length", "0"),
            ],
        );
        let router = Router::new().nest("/harbours/{harbour}", boats);
        routed(router, configured(layer), with_peer(sent, "::ffff:198.51.100.7")).await;
        assert_is(&seen, "rest_request");
    }

    #[tokio::test]
    async fn a_rest_event_behind_an_edge_a_domain_and_a_base_path() {
        let seen = Seen::default();
        let stage = stage(ApiStage::rest, "prod")
            .with_custom_domain("boats.example.net")
            .and_then(|stage| stage.with_base_path("/fleet"))
            .unwrap();
        let layer = AuthorizerLayer::request(watching(&seen), stage).with_title_case_headers();
        let router = Router::new().route("/fleet/files/{*rest}", any(async || "file"));
        // As a client of HTTP/2 sends it: the host is in the URI only.
        let mut sent =
            request("GET", "https://boats.example.net/fleet/files/logs/may/", &[("x-api-key", "k-1")]);
        sent.extensions_mut().insert(certificate());
        routed(router, configured(layer), sent).await;
        assert_is(&seen, "rest_request_edge");
    }

    #[tokio::test]
    async fn http_events_of_a_named_stage() {
        let seen = Seen::default();
        let named = stage(ApiStage::http, "live");
        let sources = || [header("authorization"), IdentitySource::query_string("fleet")];
        let router = || Router::new().route("/harbours/{harbour}/boats", any(async || "boats"));
        let headers = [
            ("x-flag", "one"),
            ("authorization", "Bearer aye-aye"),
            ("content-length", "0"),
            ("x-flag", "two"),
            ("user-agent", "logbook/1.4"),
        ];
        let v1 = AuthorizerLayer::request(watching(&seen), named.clone())
            .with_payload_format(PayloadFormat::V1)
            .with_identity_sources(sources());
        let sent = request("GET", "/harbours/caf%C3%A9%3F/boats?fleet=north&tag=a&tag=b", &headers);
        routed(router(), configured(v1), with_peer(sent, "2001:db8::7")).await;
        assert_is(&seen, "http_v1");

        let stage = named.with_stage_variable("fleet", "north").unwrap();
        let v2 = AuthorizerLayer::request(watching(&seen), stage).with_identity_sources(sources());
        let cookies = [("cookie", "crew=7;watch=dog"), ("cookie", "flag=a=b")];
        let sent = request(
            "DELETE",
            "/harbours/caf%C3%A9%3F/boats?fleet=north&tag=a%2Cb&tag=c+d",
            &[&headers[..], &cookies[..]].concat(),
        );
        let mut sent = with_peer(sent, "198.51.100.7");
        sent.extensions_mut().insert(certificate());
        routed(router(), configured(v2), sent).await;
        assert_is(&seen, "http_v2");
    }

    #[tokio::test]
    async fn format_2_has_the_stage_where_clients_have_the_base_path() {
        let seen = Seen::default();
        let stage = stage(ApiStage::http, "live")
            .with_custom_domain("boats.example.net")
            .and_then(|stage| stage.with_base_path("/fleet"))
            .unwrap();
        let layer = AuthorizerLayer::request(watching(&seen), stage);
        let router = Router::new().route("/{fleet}/boats/{id}", any(async || "boat"));
        routed(router, configured(layer), request("GET", "/fleet/boats/42", &[])).await;
        assert_is(&seen, "http_v2_base_path");
    }
}

/// Servers hold fewer, unless they are told otherwise.
#[tokio::test]
async fn a_request_with_as_many_headers_as_can_be_held_is_an_event() {
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        assert_eq!(event.header("cookie"), Some("a=b; c=d"));
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    });
    let service = AuthorizerLayer::request(authorizer, stage).build().unwrap();
    let service = service.layer(tower::service_fn(async |_: Request<()>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    for cookies in [&["a=b;c=d"][..], &["a=b", "c=d"]] {
        let mut request = Request::get("/a").body(()).unwrap();
        let headers = request.headers_mut();
        for cookie in cookies {
            headers.append("cookie", cookie.parse().unwrap());
        }
        for number in 0.. {
            let name: http::HeaderName = format!("x-{number}").parse().unwrap();
            if headers.try_insert(name, "a".parse().unwrap()).is_err() {
                break;
            }
        }
        assert!(headers.len() > 20_000);
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 200);
    }
}

#[test]
fn an_event_with_more_headers_than_can_be_held_is_an_error() {
    let parse = |count: usize, version: Value| {
        let headers: serde_json::Map<String, Value> =
            (0..count).map(|number| (format!("x-{number}"), Value::from("a"))).collect();
        let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/a";
        let event = serde_json::json!({
            "type": "REQUEST", "version": version, "methodArn": arn, "routeArn": arn, "headers": headers,
            "cookies": ["a=1"],
        });
        AuthorizerEvent::from_json(&event.to_string())
            .map(|event| event.headers().map_or(0, http::HeaderMap::len))
    };
    for version in [Value::Null, "1.0".into(), "2.0".into()] {
        let cookies = usize::from(version == "2.0");
        assert_eq!(parse(1_000, version.clone()).unwrap(), 1_000 + cookies);
        for count in [24_576, 32_768, 40_000] {
            // Up to how many there may be is for the map to say; that it says so, and does not panic, is what counts.
            if let Err(error) = parse(count, version.clone()) {
                assert!(error.to_string().contains("there are more than can be held"), "{count}: {error}");
            }
        }
        assert!(parse(40_000, version.clone()).is_err(), "{version}");
    }
}
