//! Conditions of policies, on what the layer knows about a request.

mod common;

use std::net::IpAddr;
use std::time::Duration;

use common::{Counter, counting, get, stage};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::{ConditionValue, PolicyDocument};
use tower_lambda_authorizer::{ApiStage, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

/// A layer whose authorizer answers with one statement per entry: an effect, and a condition or null.
fn layer(statements: &[(&str, Value)]) -> AuthorizerLayerBuilder {
    let statements: Vec<Value> = statements
        .iter()
        .map(|(effect, condition)| {
            let mut statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"});
            if !condition.is_null() {
                statement["Condition"] = condition.clone();
            }
            statement
        })
        .collect();
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let policy: PolicyDocument = text.parse().unwrap();
    let authorizer = authorizer_fn(move |_| {
        let policy = policy.clone();
        async move { Ok(AuthorizerResponse::new("me", policy)?) }
    });
    AuthorizerLayer::token(authorizer, stage())
}

async fn ask(layer: AuthorizerLayerBuilder, request: Request<()>) -> Result<(), Rejection> {
    let calls = Counter::default();
    let response = layer.build().unwrap().layer(counting(&calls)).oneshot(request).await.unwrap();
    match response.extensions().get::<Rejection>() {
        Some(rejection) => {
            assert_eq!(calls.count(), 0);
            assert_eq!(response.status(), rejection.status());
            Err(rejection.clone())
        }
        None => {
            assert_eq!((response.status(), calls.count()), (StatusCode::OK, 1));
            Ok(())
        }
    }
}

async fn is_allowed(layer: AuthorizerLayerBuilder, request: Request<()>) -> bool {
    ask(layer, request)
        .await
        .map_err(|rejection| assert_eq!(rejection.kind(), RejectionKind::ImplicitDeny))
        .is_ok()
}

fn allow(condition: Value) -> AuthorizerLayerBuilder {
    layer(&[("Allow", condition)])
}

fn with_header(name: &str, values: &[&str]) -> Request<()> {
    let mut request = get("/a", "t");
    for value in values {
        request.headers_mut().append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn the_source_address_is_the_peers() {
    let within = || json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}});
    for (peer, expected) in [
        ("192.0.2.7", true),
        ("::ffff:192.0.2.7", true),
        ("2001:db8::1", true),
        ("198.51.100.1", false),
        ("2001:db9::1", false),
    ] {
        let peer: IpAddr = peer.parse().unwrap();
        let found = is_allowed(allow(within()).with_source_ip(move |_| Some(peer)), get("/a", "t")).await;
        assert_eq!(found, expected, "{peer}");
    }
    let spoofed = with_header("x-forwarded-for", &["192.0.2.7"]);
    let elsewhere = |_: &http::Extensions| Some(IpAddr::from([198, 51, 100, 1]));
    assert!(!is_allowed(allow(within()).with_source_ip(elsewhere), spoofed).await);
}

#[tokio::test]
async fn behind_trusted_proxies_it_is_the_last_hop_that_is_none_of_them() {
    let within = || allow(json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}));
    let proxied = |peer: [u8; 4]| {
        within().with_trusted_proxies(["10.0.0.0/8"]).with_source_ip(move |_| Some(peer.into()))
    };
    let forwarded = |value: &str| with_header("x-forwarded-for", &[value]);
    assert!(is_allowed(proxied([10, 0, 0, 1]), forwarded("192.0.2.7")).await);
    assert!(is_allowed(proxied([10, 0, 0, 1]), forwarded("1.2.3.4, 192.0.2.7, 10.0.0.9")).await);
    assert!(!is_allowed(proxied([10, 0, 0, 1]), forwarded("192.0.2.7, 1.2.3.4")).await);
    assert!(!is_allowed(proxied([1, 2, 3, 4]), forwarded("192.0.2.7")).await, "not a proxy of ours");
    assert!(!is_allowed(proxied([10, 0, 0, 1]), forwarded("192.0.2.7, unknown")).await);
    assert_eq!(
        within().with_trusted_proxies(["10.0.0.0/33"]).build().err(),
        Some(ConfigError::TrustedProxy { network: "10.0.0.0/33".into() })
    );
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn connect_info_tells_the_peer() {
    let mut request = get("/a", "t");
    let peer: std::net::SocketAddr = "192.0.2.7:1234".parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    assert!(is_allowed(allow(json!({"IpAddress": {"aws:SourceIp": "192.0.2.7"}})), request).await);
}

#[tokio::test]
async fn headers_count_if_they_are_sent_once() {
    for (key, header) in [("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")] {
        let like = || allow(json!({"StringLike": {key: "good/*"}}));
        let unlike = || allow(json!({"StringNotLike": {key: "bad/*"}}));
        assert!(is_allowed(like(), with_header(header, &["good/1"])).await);
        assert!(!is_allowed(like(), with_header(header, &["Good/1"])).await);
        assert!(!is_allowed(like(), get("/a", "t")).await);
        assert!(is_allowed(unlike(), get("/a", "t")).await, "absent is not equal");
        assert!(!is_allowed(unlike(), with_header(header, &["good/1", "bad/1"])).await, "nobody knows which");
        assert!(
            !is_allowed(unlike(), with_header(header, &[&"x".repeat(8193)])).await,
            "too long to be looked at"
        );
        assert!(is_allowed(unlike(), with_header(header, &[&"x".repeat(8192)])).await);
    }
}

#[tokio::test]
async fn time_comes_from_the_clock() {
    let clock = ManualClock::new(Duration::from_secs(1_800_000_000));
    for (condition, expected) in [
        (json!({"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:01Z"}}), true),
        (json!({"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:00Z"}}), false),
        (json!({"DateGreaterThan": {"aws:EpochTime": "1799999999"}}), true),
        (json!({"NumericLessThanEquals": {"aws:EpochTime": 1_800_000_000}}), true),
        (json!({"NumericLessThan": {"aws:EpochTime": 1_800_000_000}}), false),
    ] {
        let found = is_allowed(allow(condition.clone()).with_clock(clock.clone()), get("/a", "t")).await;
        assert_eq!(found, expected, "{condition}");
    }
}

#[tokio::test]
async fn a_cached_policy_is_asked_with_the_time_of_each_request() {
    let clock = ManualClock::new(Duration::from_secs(1_800_000_000));
    let layer = allow(json!({"DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:10Z"}}))
        .with_cache(tower_lambda_authorizer::cache::MemoryCache::default())
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let status = async || service.clone().oneshot(get("/a", "t")).await.unwrap().status();
    assert_eq!(status().await, StatusCode::OK);
    clock.advance(Duration::from_secs(9));
    assert_eq!(status().await, StatusCode::OK);
    clock.advance(Duration::from_secs(1));
    assert_eq!(status().await, StatusCode::FORBIDDEN);
    assert_eq!(layer.cache_statistics().loads, 1);
}

#[tokio::test]
async fn region_and_transport_come_from_configuration() {
    let region = |name: &str| allow(json!({"StringEquals": {"aws:RequestedRegion": name}}));
    assert!(is_allowed(region("us-east-1"), get("/a", "t")).await);
    assert!(!is_allowed(region("eu-west-1"), get("/a", "t")).await);
    let secure = || allow(json!({"Bool": {"aws:SecureTransport": "true"}}));
    assert!(is_allowed(secure().with_secure_transport(true), get("/a", "t")).await);
    assert!(!is_allowed(secure().with_secure_transport(false), get("/a", "t")).await);
    assert!(!is_allowed(secure(), with_header("x-forwarded-proto", &["https"])).await);
}

#[tokio::test]
async fn a_deny_that_depends_on_what_nobody_knows_is_a_500_that_names_the_key() {
    for (condition, key) in [
        (json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), "aws:SourceIp"),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), "aws:SecureTransport"),
        (json!({"Null": {"aws:SourceIp": "true"}}), "aws:SourceIp"),
        (json!({"StringEqualsIfExists": {"app:tenant": "x"}}), "app:tenant"),
    ] {
        let layer = layer(&[("Allow", Value::Null), ("Deny", condition)])
            .with_condition_keys(|_, _| ConditionValue::Unavailable);
        let rejection = ask(layer, get("/a", "t")).await.unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::UnavailableKey);
        assert!(rejection.to_string().contains(key), "{rejection}");
    }
}

#[tokio::test]
async fn keys_of_ones_own_are_asked_for_only_where_a_statement_needs_them() {
    #[derive(Clone)]
    struct Tenant(&'static str);
    let asked = Counter::default();
    let own = |statements: &[(&str, Value)]| {
        let asked = asked.clone();
        layer(statements).with_condition_keys(move |key, extensions| {
            asked.hit();
            match (key.as_str(), extensions.get::<Tenant>()) {
                ("app:tenant", Some(Tenant(name))) => (*name).into(),
                ("aws:SourceVpce", _) => "vpce-1".into(),
                _ => ConditionValue::Absent,
            }
        })
    };
    let request = |tenant| {
        let mut request = get("/a", "t");
        request.extensions_mut().insert(Tenant(tenant));
        request
    };
    let gold = || json!({"StringEquals": {"App:Tenant": "gold"}});
    assert!(is_allowed(own(&[("Allow", gold())]), request("gold")).await);
    assert!(!is_allowed(own(&[("Allow", gold())]), request("tin")).await);
    assert!(!is_allowed(own(&[("Allow", gold())]), get("/a", "t")).await);
    assert!(
        is_allowed(own(&[("Allow", json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}))]), get("/a", "t"))
            .await
    );
    assert_eq!(asked.count(), 4);
    assert!(is_allowed(own(&[("Allow", Value::Null)]), request("gold")).await);
    assert_eq!(asked.count(), 4, "no statement asks for anything");
    // What the gateway knows cannot be claimed otherwise.
    let region = json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}});
    assert!(is_allowed(own(&[("Allow", region)]), get("/a", "t")).await);
    assert_eq!(asked.count(), 4);
}

#[tokio::test]
async fn a_websocket_authorizer_can_allow_to_connect() {
    let stage = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let authorizer = authorizer_fn(async |event| {
        let policy = event.policy().allow_connect().build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    });
    let upgrade = || {
        let mut request = with_header("upgrade", &["websocket"]);
        request.headers_mut().insert("connection", "upgrade".parse().unwrap());
        request
    };
    assert!(is_allowed(AuthorizerLayer::request(authorizer, stage), upgrade()).await);
}

#[tokio::test]
async fn a_key_in_a_message_is_short_and_printable() {
    for key in ["x\nforged line", "x\u{7f}", &"k".repeat(100_000)] {
        let condition = json!({"Bool": {key: "true"}});
        let layer = layer(&[("Allow", Value::Null), ("Deny", condition)]);
        let layer = layer.with_condition_keys(|_, _| ConditionValue::Unavailable);
        let rejection = ask(layer, get("/a", "t")).await.unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::UnavailableKey);
        let message = rejection.to_string();
        assert!(message.len() < 512 && !message.contains(char::is_control), "{message:?}");
    }
}
