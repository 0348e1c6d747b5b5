//! What the service behind the layer is told, and that no client can tell it instead.

mod common;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use common::{Counter, stage};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::authorizer::{Credential, any_of};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::mapping::{MappingError, ParameterMapping};
use tower_lambda_authorizer::middleware::{ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

fn mapping(rules: &[(&str, &str)]) -> ParameterMapping {
    rules.iter().fold(ParameterMapping::new(), |mapping, (key, value)| mapping.with(key, value).unwrap())
}

fn mistake(key: &str, value: &str) -> MappingError {
    ParameterMapping::new().with(key, value).unwrap_err()
}

fn allow(event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?
        .with_context("role", "admin")
        .with_context("level", 7)
        .with_context("vip", true)
        .with_context("nothing", Option::<i64>::None)
        .with_context("empty", "")
        .with_context("name", "usér")
        .with_context("attack", "x\r\nx-role: root")
        .with_context("padded", " x ")
        .with_context("a.b-c_d", "dotted"))
}

fn stage_with_variables() -> ApiStage {
    stage().with_stage_variable("tier", "gold").unwrap()
}

/// What the inner service sees of a request, on a miss and on a hit; or why it sees nothing.
async fn map(mapping: &ParameterMapping, request: Request<()>) -> Result<Parts, RejectionKind> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let calls = Counter::default();
    let authorizer = authorizer_fn({
        let calls = calls.clone();
        move |event: AuthorizerEvent| {
            calls.hit();
            async move {
                tokio::task::yield_now().await;
                allow(&event)
            }
        }
    });
    let layer = AuthorizerLayer::token(authorizer, stage_with_variables())
        .with_cache(MemoryCache::default())
        .with_source_ip(|extensions| extensions.get::<IpAddr>().copied())
        .with_parameter_mapping(mapping.clone())
        .build()
        .unwrap();
    let inner = tower::service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<()>| {
            seen.lock().unwrap().push(request.into_parts().0);
            std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
        }
    });
    let service = layer.layer(inner);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let mut request = request.clone();
        request.headers_mut().insert("authorization", HeaderValue::from_static("t"));
        let response = service.clone().oneshot(request).await.unwrap();
        if let Some(rejection) = response.extensions().get::<Rejection>() {
            assert_eq!(response.status(), rejection.status());
            kinds.push(rejection.kind());
        }
    }
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    if let [kind, again] = *kinds {
        assert_eq!((kind, seen.len()), (again, 0));
        return Err(kind);
    }
    assert_eq!((kinds.len(), seen.len(), calls.count()), (0, 2, 1), "one miss, one hit");
    let hit = seen.pop().unwrap();
    let miss = seen.pop().unwrap();
    assert_eq!((&hit.headers, &hit.uri), (&miss.headers, &miss.uri));
    Ok(hit)
}

fn get(target: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request =
        headers.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap()
}

fn header(parts: &Parts, name: &str) -> Vec<String> {
    parts.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_answer_that_names_nobody_leaves_no_name_of_the_client_s() {
    let rules = mapping(&[
        ("overwrite:header.x-user", "$context.authorizer.principalId"),
        ("overwrite:header.x-plan", "$context.authorizer.plan"),
    ]);
    let stage = || ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let nobody = |is_simple: bool| {
        authorizer_fn(move |event: AuthorizerEvent| async move {
            if is_simple {
                return Ok(AuthorizerResponse::simple(true));
            }
            let policy = event.policy().allow(AnyMethod, "/*").build()?;
            Ok::<_, AuthorizerError>(AuthorizerResponse::without_principal(policy))
        })
    };
    let refuses = authorizer_fn(async |_| Err(AuthorizerError::unauthorized()));
    let layers = [
        AuthorizerLayer::request(nobody(false), stage()),
        AuthorizerLayer::request(nobody(true), stage()).with_simple_responses(),
        AuthorizerLayer::request(
            any_of()
                .member(Credential::header("x-session"), refuses)
                .or_anonymous(nobody(false))
                .build()
                .unwrap(),
            stage(),
        ),
    ];
    for (number, layer) in layers.into_iter().enumerate() {
        let layer = layer.with_parameter_mapping(rules.clone()).build().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let inner = tower::service_fn({
            let seen = Arc::clone(&seen);
            move |request: Request<()>| {
                seen.lock().unwrap().push(request.into_parts().0);
                std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
            }
        });
        let spoof =
            get("/", &[("x-user", "root"), ("X_User", "root"), ("x.plan", "gold"), ("x-other", "stays")]);
        assert_eq!(layer.layer(inner).oneshot(spoof).await.unwrap().status(), StatusCode::OK, "{number}");
        let seen = seen.lock().unwrap();
        let names: Vec<_> = seen[0].headers.keys().map(|name| name.as_str()).collect();
        assert_eq!(names, ["x-other"], "{number}");
    }
}

#[tokio::test]
async fn every_kind_of_value() {
    let table = [
        ("$context.authorizer.principalId", Some("me")),
        ("$context.authorizer.lambda.principalId", Some("me")),
        ("$context.authorizer.role", Some("admin")),
        ("$context.authorizer.lambda.role", Some("admin")),
        ("$context.authorizer.a.b-c_d", Some("dotted")),
        ("$context.authorizer.level", Some("7")),
        ("$context.authorizer.vip", Some("true")),
        ("$context.authorizer.nothing", None),
        ("$context.authorizer.empty", None),
        ("$context.authorizer.Role", None),
        ("$context.authorizer.absent", None),
        ("$request.header.X-In", Some("1,2")),
        ("$request.header.absent", None),
        ("$request.querystring.q", Some("a b,c")),
        ("$request.querystring.Q", None),
        ("$request.path", Some("/p/a@b")),
        ("$request.path.proxy", Some("p/a@b")),
        ("$request.path.other", None),
        ("$stageVariables.tier", Some("gold")),
        ("$context.httpMethod", Some("GET")),
        ("$context.stage", Some("prod")),
        ("$context.identity.sourceIp", Some("192.0.2.1")),
        ("$context.identity.userAgent", None),
        ("plain text", Some("plain text")),
        ("${context.authorizer.role}", Some("admin")),
        ("${stageVariables.tier}-${context.authorizer.role}!", Some("gold-admin!")),
        ("pre ${request.path.proxy}", Some("pre p/a@b")),
        ("${context.authorizer.role}-${context.authorizer.absent}", None),
        ("x${context.authorizer.empty}", None),
        ("} {", Some("} {")),
    ];
    for (value, expected) in table {
        let mut request = get(
            "/p/a%40b?q=a+b&q=%63",
            &[("x-in", "1"), ("x-in", "2"), ("x-out", "spoofed"), ("user-agent", "")],
        );
        request.extensions_mut().insert("192.0.2.1".parse::<IpAddr>().unwrap());
        let parts = map(&mapping(&[("overwrite:header.x-out", value)]), request).await.unwrap();
        assert_eq!(header(&parts, "x-out"), Vec::from_iter(expected), "{value}");
        assert_eq!(parts.uri, "/p/a%40b?q=a+b&q=%63", "a request whose query is not mapped keeps it");
    }
}

#[tokio::test]
async fn nothing_of_the_clients_is_left() {
    let spoofs: &[&[(&str, &str)]] = &[
        &[],
        &[("x-user-id", "root")],
        &[("X-User-Id", "root")],
        &[("X_User_Id", "root")],
        &[("x.user.id", "root")],
        &[("X-User_ID", "root")],
        &[("x~user!id", "root")],
        &[("x-user-id", "root"), ("x-user-id", "admin")],
        &[("x-user-id", "root"), ("x_user_id", "root"), ("x_user_id", "admin"), ("x.user-id", "root")],
    ];
    for target in ["x-user-id", "X_User_Id", "x.user.id"] {
        let key = format!("overwrite:header.{target}");
        for spoof in spoofs {
            for (value, expected) in [
                ("$context.authorizer.principalId", vec!["me"]),
                ("$context.authorizer.absent", vec![]),
                ("$context.authorizer.empty", vec![]),
                ("$request.querystring.absent", vec![]),
            ] {
                let mut request = get("/", spoof);
                request.headers_mut().insert("x-other", HeaderValue::from_static("stays"));
                let parts = map(&mapping(&[(&key, value)]), request).await.unwrap();
                let left: Vec<_> =
                    parts.headers.iter().filter(|(name, _)| name.as_str().contains("user")).collect();
                assert_eq!(
                    left.iter().map(|(_, value)| value.to_str().unwrap()).collect::<Vec<_>>(),
                    expected
                );
                assert!(left.iter().all(|(name, _)| name.as_str() == target.to_lowercase()));
                assert_eq!(header(&parts, "x-other"), ["stays"]);
            }
            let parts =
                map(&mapping(&[(&format!("remove:header.{target}"), "")]), get("/", spoof)).await.unwrap();
            assert!(parts.headers.keys().all(|name| name.as_str() == "authorization"), "{:?}", parts.headers);
        }
    }
}

#[tokio::test]
async fn values_that_no_header_may_have_refuse_the_request() {
    for key in ["attack", "name", "padded"] {
        let rules = mapping(&[("overwrite:header.x-out", &format!("$context.authorizer.{key}"))]);
        assert_eq!(map(&rules, get("/", &[])).await.unwrap_err(), RejectionKind::InvalidResponse, "{key}");
        let rules = mapping(&[("overwrite:header.x-out", &format!("a${{context.authorizer.{key}}}b"))]);
        let inside = map(&rules, get("/", &[])).await;
        assert_eq!(inside.is_ok(), key == "padded", "spaces are refused at the ends only");
    }
    let rules = mapping(&[("overwrite:header.x-out", "$request.querystring.q")]);
    for query in ["a%0d%0ax-role:+root", "%00", "%c3%a9", "%ff", "+a", "%7f", "a%09b", &"a".repeat(8193)] {
        let target = format!("/?q={query}");
        assert_eq!(
            map(&rules, get(&target, &[])).await.unwrap_err(),
            RejectionKind::InvalidTarget,
            "{query}"
        );
    }
    let rules = mapping(&[("append:header.x-out", "$request.header.x-in")]);
    for value in [&b"\xe9"[..], b"\xc3\xa9", b"a\tb"] {
        let mut request = get("/", &[]);
        request.headers_mut().insert("x-in", HeaderValue::from_bytes(value).unwrap());
        assert_eq!(map(&rules, request).await.unwrap_err(), RejectionKind::InvalidTarget);
    }
    let rules = mapping(&[("overwrite:header.x-out", "$request.path.proxy")]);
    assert_eq!(map(&rules, get("/caf%c3%a9", &[])).await.unwrap_err(), RejectionKind::InvalidTarget);
}

#[tokio::test]
async fn a_connection_cannot_claim_a_mapped_header() {
    let rules = mapping(&[("overwrite:header.x-user", "$context.authorizer.principalId")]);
    for value in ["x-user", "close, X-User", "X_User ,close", "keep-alive,\tx-user"] {
        let got = map(&rules, get("/", &[("connection", value)])).await;
        assert_eq!(got.unwrap_err(), RejectionKind::InvalidTarget, "{value}");
    }
    for value in ["close", "x-user-agent, keep-alive", ""] {
        assert!(map(&rules, get("/", &[("connection", value)])).await.is_ok(), "{value}");
    }
}

#[tokio::test]
async fn appended_values_stand_beside_the_clients() {
    let rules =
        mapping(&[("append:header.via-gateway", "yes"), ("append:querystring.a", "$stageVariables.tier")]);
    let parts = map(&rules, get("/?a=1", &[("via-gateway", "no")])).await.unwrap();
    assert_eq!(header(&parts, "via-gateway"), ["no", "yes"]);
    assert_eq!(parts.uri, "/?a=1&a=gold");
    let parts = map(&rules, get("/", &[])).await.unwrap();
    assert_eq!((header(&parts, "via-gateway"), parts.uri.query()), (vec!["yes".to_owned()], Some("a=gold")));
}

#[tokio::test]
async fn queries_are_written_anew_and_paths_are_not_touched() {
    let user = ("overwrite:querystring.user", "$context.authorizer.principalId");
    let absent = ("overwrite:querystring.user", "$context.authorizer.absent");
    let name = ("overwrite:querystring.user", "$context.authorizer.name");
    let attack = ("overwrite:querystring.user", "$context.authorizer.attack");
    let remove = ("remove:querystring.user", "");
    let table = [
        (user, "/a%40b", "/a%40b?user=me"),
        (user, "/a?", "/a?user=me"),
        (user, "/a?user=root", "/a?user=me"),
        (user, "/a?user=root&x=1&%75ser=root&user", "/a?user=me&x=1"),
        (user, "/a?User=root&USER=root&x", "/a?user=me&x="),
        (user, "/a?+user=root&user%00x=root&user[]=root&user%5Bid%5D=root&users=1", "/a?user=me&users=1"),
        (absent, "/a?User=root&%20user=root", "/a"),
        (
            ("overwrite:querystring.user_id", "me"),
            "/a?user.id=root&user-id=root&user%20id=root",
            "/a?user_id=me",
        ),
        (("append:querystring.user", "me"), "/a?User=root", "/a?User=root&user=me"),
        (user, "/a?x=1;user=root", "/a?user=me&x=1%3Buser%3Droot"),
        (user, "/a?x=a+b%2f%2B&&y&%zz=/?", "/a?user=me&x=a%20b%2F%2B&y=&%25zz=%2F%3F"),
        (absent, "/a?user=root&x=1", "/a?x=1"),
        (absent, "/a?user=root", "/a"),
        (name, "/a?user=root", "/a?user=us%C3%A9r"),
        (attack, "/a", "/a?user=x%0D%0Ax-role%3A%20root"),
        (remove, "/a%40b/?user=root", "/a%40b/"),
        (remove, "/?x=%c3%a9&user=&y=%26", "/?x=%C3%A9&y=%26"),
    ];
    for (rule, target, expected) in table {
        let parts = map(&mapping(&[rule]), get(target, &[])).await.unwrap();
        assert_eq!(parts.uri, expected, "{rule:?} {target}");
    }
    for query in ["x=%ff", "%ff=1", "user=%ff"] {
        let got = map(&mapping(&[user]), get(&format!("/?{query}"), &[])).await;
        assert_eq!(got.unwrap_err(), RejectionKind::InvalidTarget, "{query}");
    }
    let absolute = map(&mapping(&[user]), get("http://example.com/a?b", &[])).await.unwrap();
    assert_eq!(absolute.uri, "http://example.com/a?user=me&b=");
}

/// Many programs read no more than the first thousand.
#[tokio::test]
async fn what_a_client_adds_does_not_push_a_mapped_parameter_out() {
    let rules = mapping(&[
        ("append:querystring.via", "gateway"),
        ("overwrite:querystring.user", "$context.authorizer.principalId"),
    ]);
    let parts = map(&rules, get(&format!("/a?{}", "a=&".repeat(1_000)), &[])).await.unwrap();
    let query = parts.uri.query().unwrap();
    assert!(query.starts_with("user=me&a=&a=&") && query.ends_with("&a=&via=gateway"), "{query}");
}

#[tokio::test]
async fn values_are_those_of_the_request_as_it_came_in() {
    let rules = mapping(&[
        ("overwrite:header.x-a", "$request.header.x-b"),
        ("overwrite:header.x-b", "$request.header.x-a"),
        ("overwrite:querystring.a", "$request.querystring.b"),
        ("overwrite:querystring.b", "$request.querystring.a"),
        ("remove:header.x-c", ""),
        ("append:header.x-d", "$request.header.x-c"),
    ]);
    let request = get("/?a=1&b=2", &[("x-a", "1"), ("x-b", "2"), ("x-c", "3")]);
    let parts = map(&rules, request).await.unwrap();
    assert_eq!([header(&parts, "x-a"), header(&parts, "x-b"), header(&parts, "x-d")], [["2"], ["1"], ["3"]]);
    assert_eq!((parts.uri.query(), parts.headers.contains_key("x-c")), (Some("a=2&b=1"), false));
}

#[tokio::test]
async fn a_refused_request_is_not_mapped_but_refused() {
    let nobody = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::new("me", event.policy().deny(AnyMethod, "/*").build()?)?)
    });
    let layer = AuthorizerLayer::token(nobody, stage())
        .with_parameter_mapping(mapping(&[("overwrite:header.x", "$context.authorizer.principalId")]))
        .build()
        .unwrap();
    let calls = Counter::default();
    let response = layer.layer(common::counting(&calls)).oneshot(common::get("/", "t")).await.unwrap();
    assert_eq!((response.status(), calls.count()), (StatusCode::FORBIDDEN, 0));
}

#[test]
fn keys_are_spelled_as_on_aws() {
    for key in
        ["append:header.x", "overwrite:header.X-Y_z", "append:querystring.x", "overwrite:querystring.a.b_c-d"]
    {
        assert!(ParameterMapping::new().with(key, "v").is_ok(), "{key}");
    }
    for key in [
        "",
        "header.x",
        "overwrite:x",
        "overwrite:header",
        "overwrite:header.",
        "overwrite:header.a b",
        "set:header.x",
        "overwrite: header.x",
        "Overwrite:header.x",
        "overwrite:querystring.",
        "overwrite:querystring.a=b",
        "overwrite:body.x",
        "overwrite:statuscode",
    ] {
        assert_eq!(mistake(key, "v"), MappingError::Key { key: key.into() });
    }
    for key in ["overwrite:path", "append:path", "remove:path", "overwrite:path.id"] {
        assert_eq!(mistake(key, "v"), MappingError::Path { key: key.into() });
    }
    assert!(matches!(mistake("overwrite:header.x", ""), MappingError::EmptyValue { .. }));
    assert!(matches!(mistake("remove:header.x", "v"), MappingError::ValueOfRemoval { .. }));
}

#[test]
fn reserved_and_hop_by_hop_headers_are_not_mapped() {
    let reserved = [
        "access-control-allow-origin",
        "apigw-requestid",
        "Authorization",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Location",
        "Forwarded",
        "Keep-Alive",
        "Origin",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "TE",
        "Trailers",
        "Transfer-Encoding",
        "Upgrade",
        "x-amz-date",
        "x-amzn-trace-id",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "Via",
        "Trailer",
        "Proxy-Connection",
        "Host",
        "transfer_encoding",
        "x.amzn.trace",
        "X_Forwarded_For",
    ];
    for name in reserved {
        for (operation, value) in [("append", "v"), ("overwrite", "v"), ("remove", "")] {
            let key = format!("{operation}:header.{name}");
            assert_eq!(mistake(&key, value), MappingError::ReservedHeader { key: key.as_str().into() });
        }
        assert!(ParameterMapping::new().with(&format!("overwrite:querystring.{name}"), "v").is_ok());
    }
}

#[test]
fn what_the_authorizer_says_is_never_appended() {
    for value in [
        "$context.authorizer.role",
        "$context.authorizer.principalId",
        "$context.authorizer.lambda.role",
        "x-${context.authorizer.role}",
        "${request.path}${context.authorizer.role}",
    ] {
        for target in ["header.x", "querystring.x"] {
            let error = mistake(&format!("append:{target}"), value);
            assert!(matches!(error, MappingError::AppendFromAuthorizer { .. }), "{value}");
            assert!(error.to_string().contains("use `overwrite`"));
        }
    }
}

#[test]
fn values_that_nobody_would_understand_are_refused() {
    for value in [
        "$",
        "$$",
        "$context",
        "$context.",
        "$context.authorizer",
        "$context.authorizer.",
        "$context.requestId",
        "$context.authorizer.lambda.",
        "$context.authorizer.a b",
        "$request.body",
        "$request.body.user",
        "$request.header.",
        "$request.header",
        "$request.queryString.x",
        "$request.path.",
        "$stageVariables.",
        "$contex.stage",
        "$context.stage-x y",
        "Bearer $context.authorizer.role",
        "${context.stage",
        "${}",
        "${$context.stage}",
        "a${context.stage}$b",
        "costs $5",
        "${context.stage} ${",
        "$request.path/x",
        "$context.Stage",
        "$method.request.header.x",
    ] {
        assert!(matches!(mistake("overwrite:header.x", value), MappingError::Variable { .. }), "{value}");
    }
    for value in ["a\r\nb", "é", " a", "a ", "a\tb", "a\r\n${context.stage}", "é${context.stage}"] {
        assert!(matches!(mistake("overwrite:header.x", value), MappingError::StaticText { .. }), "{value:?}");
    }
    assert!(ParameterMapping::new().with("overwrite:querystring.x", " é ").is_ok());
    assert!(matches!(mistake("overwrite:querystring.x", "a\nb"), MappingError::StaticText { .. }));
}

#[test]
fn one_parameter_has_one_rule() {
    let header = mapping(&[("overwrite:header.x-user", "a")]);
    for key in
        ["overwrite:header.x-user", "append:header.X-User", "overwrite:header.x_user", "append:header.x.user"]
    {
        assert!(matches!(header.clone().with(key, "b"), Err(MappingError::Repeated { .. })), "{key}");
    }
    assert!(header.clone().with("overwrite:querystring.x-user", "b").is_ok());
    let query = mapping(&[("overwrite:querystring.x", "a")]);
    assert!(matches!(query.clone().with("remove:querystring.x", ""), Err(MappingError::Repeated { .. })));
    assert!(matches!(query.clone().with("overwrite:querystring.X", "a"), Err(MappingError::Repeated { .. })));
    assert!(matches!(
        query.clone().with("overwrite:querystring._x", "a"),
        Err(MappingError::Repeated { .. })
    ));
    assert!(query.with("overwrite:querystring.xy", "a").is_ok());
}

#[test]
fn identity_sources_mean_the_same_to_everybody() {
    let sources =
        IdentitySource::parse_list("method.request.header.X-Key,method.request.querystring.key").unwrap();
    let build = |key: &str, value: &str| {
        let nobody = authorizer_fn(async |_| Err(AuthorizerError::unauthorized()));
        let layer =
            AuthorizerLayer::request(nobody, stage_with_variables()).with_identity_sources(sources.clone());
        layer.with_parameter_mapping(mapping(&[(key, value)])).build().err()
    };
    for (key, value) in [
        ("overwrite:header.x-key", "a"),
        ("append:header.x-key", "a"),
        ("overwrite:header.X_Key", "a"),
        ("overwrite:querystring.key", "a"),
        ("append:querystring.key", "a"),
        ("remove:querystring.key", ""),
        ("overwrite:querystring.Key", "a"),
    ] {
        let expected = ConfigError::Mapping(MappingError::IdentitySource { key: key.into() });
        assert_eq!(build(key, value), Some(expected));
    }
    for (key, value) in
        [("remove:header.x-key", ""), ("overwrite:querystring.keys", "a"), ("overwrite:header.key", "a")]
    {
        assert_eq!(build(key, value), None, "{key}");
    }
    assert_eq!(build("overwrite:header.x", "$stageVariables.tier"), None);
    let unknown = build("overwrite:header.x", "a${stageVariables.Tier}");
    assert!(matches!(unknown, Some(ConfigError::Mapping(MappingError::UnknownStageVariable { .. }))));
}

#[cfg(feature = "axum")]
mod with_axum {
    use axum::Router;
    use axum::extract::{OriginalUri, Path};
    use axum::routing::any;
    use tower_lambda_authorizer::axum::protect;

    use super::*;

    async fn show(
        OriginalUri(original): OriginalUri,
        Path(id): Path<String>,
        request: axum::extract::Request,
    ) -> String {
        let header = |name| request.headers().get(name).map_or("-", |value| value.to_str().unwrap());
        format!("{original} {} {id} {} {}", request.uri(), header("x-id"), header("x-route"))
    }

    #[tokio::test]
    async fn handlers_see_mapped_requests_also_under_nest() {
        let rules = mapping(&[
            ("overwrite:querystring.user", "$context.authorizer.principalId"),
            ("overwrite:header.x-id", "$request.path.id"),
            ("overwrite:header.x-route", "$context.routeKey"),
        ]);
        let authorizer = authorizer_fn(async |event: AuthorizerEvent| allow(&event));
        let layer =
            AuthorizerLayer::token(authorizer, stage()).with_parameter_mapping(rules).build().unwrap();
        let router = Router::new().nest("/v1", Router::new().route("/users/{id}", any(show)));
        let service = protect(router, layer);
        let request = Request::get("/v1/users/a%20b?user=root&x=1")
            .header("authorization", "t")
            .header("x_id", "root")
            .body(axum::body::Body::empty())
            .unwrap();
        let response = service.oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 10).await.unwrap();
        let seen = "/v1/users/a%20b?user=me&x=1 /users/a%20b?user=me&x=1 a b a b GET /v1/users/{id}";
        assert_eq!(std::str::from_utf8(&body), Ok(seen));
    }
}
