//! What the conditions of a policy know about a live request: values, what is absent, and what nobody can know.

mod common;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Counter, counting, stage};
use http::{HeaderValue, Request, StatusCode};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::{AuthorizerLayer, AuthorizerResponse, authorizer_fn};

/// Statements on everything: effect and condition.
fn policy(statements: &[(&str, &str)]) -> String {
    let statements: Vec<_> = statements
        .iter()
        .map(|(effect, condition)| {
            format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#)
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// A layer whose authorizer answers with `policy`, and how often it was asked. Its clock stands at 2026-01-01.
fn layer(policy: &str) -> (AuthorizerLayerBuilder, Counter) {
    let (policy, asked) = (policy.to_owned(), Counter::default());
    let count = asked.clone();
    let authorizer = authorizer_fn(move |_| {
        count.hit();
        let policy = PolicyDocument::from_json(&policy).unwrap();
        async move { Ok(AuthorizerResponse::new("me", policy)?) }
    });
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_clock(ManualClock::default())
        .with_source_ip(|extensions| extensions.get::<IpAddr>().copied());
    (layer, asked)
}

/// A request with these headers, from `peer` if it is not empty.
fn request(peer: &str, headers: &[(&'static str, &[u8])]) -> Request<()> {
    let mut request = Request::get("/a").header("authorization", "t").body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    if let Ok(peer) = peer.parse::<IpAddr>() {
        request.extensions_mut().insert(peer);
    }
    request
}

/// The status, and what a refusal says.
async fn ask(layer: &AuthorizerLayer, request: Request<()>) -> (StatusCode, Option<Rejection>) {
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    assert_eq!(calls.count() == 1, response.status() == StatusCode::OK);
    (response.status(), response.extensions().get::<Rejection>().cloned())
}

type Headers = &'static [(&'static str, &'static [u8])];

#[tokio::test]
async fn conditions_know_the_request_at_hand() {
    // Condition; peer; headers; whether it holds.
    #[rustfmt::skip]
    let rows: [(&str, &str, Headers, bool); 25] = [
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "203.0.113.9", &[], true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "::ffff:203.0.113.9", &[], true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, "198.51.100.9", &[("x-forwarded-for", b"203.0.113.9")], false),
        (r#""StringEquals":{"aws:SourceIp":"203.0.113.9"}"#, "::ffff:203.0.113.9", &[], true),
        (r#""StringLike":{"aws:UserAgent":"curl/*"}"#, "", &[("user-agent", b"curl/8")], true),
        (r#""StringLike":{"AWS:useragent":"curl/*"}"#, "", &[("user-agent", b"curl/8")], true),
        (r#""StringLike":{"aws:UserAgent":"*"}"#, "", &[], false),
        (r#""Null":{"aws:UserAgent":"true"}"#, "", &[], true),
        (r#""Null":{"aws:UserAgent":"false"}"#, "", &[("user-agent", b"")], true),
        (r#""StringEquals":{"aws:Referer":"https://example.com/"}"#, "", &[("referer", b"https://example.com/")], true),
        (r#""StringNotEquals":{"aws:Referer":"https://example.com/"}"#, "", &[], true),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2025-12-31T23:59:59Z"}"#, "", &[], true),
        (r#""DateEquals":{"aws:CurrentTime":"2026-01-01"}"#, "", &[], true),
        (r#""DateLessThan":{"aws:CurrentTime":"2026-01-01"}"#, "", &[], false),
        (r#""DateEquals":{"aws:EpochTime":"1767225600"}"#, "", &[], true),
        (r#""NumericEquals":{"aws:EpochTime":"1767225600"}"#, "", &[], true),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, "", &[], true),
        (r#""Bool":{"aws:SecureTransport":"false"}"#, "", &[("x-forwarded-proto", b"http")], false),
        (r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#, "", &[], true),
        // Behind a Lambda authorizer nothing is signed, and this API is not a private one.
        (r#""Null":{"aws:username":"true","aws:PrincipalArn":"true","aws:PrincipalTag/team":"true"}"#, "", &[], true),
        (r#""Null":{"aws:MultiFactorAuthPresent":"true","aws:userid":"true","aws:PrincipalOrgID":"true"}"#, "", &[], true),
        (r#""Null":{"aws:SourceVpc":"true","aws:SourceVpce":"true","aws:VpcSourceIp":"true"}"#, "", &[], true),
        (r#""Null":{"execute-api:viaDomainArn":"true","aws:SourceArn":"true"}"#, "", &[], true),
        (r#""StringEquals":{"aws:UserAgent":"${aws:Referer}"}"#, "", &[("user-agent", b"a"), ("referer", b"a")], true),
        (r#""StringEquals":{"aws:UserAgent":"${aws:Referer}"}"#, "", &[("user-agent", b"a")], false),
    ];
    for (condition, peer, headers, holds) in rows {
        let decided = async |effect: &str| {
            let statements = [(effect, condition), ("Allow", "")];
            let used = if effect == "Allow" { &statements[..1] } else { &statements };
            let layer = layer(&policy(used)).0.with_secure_transport(true).build().unwrap();
            ask(&layer, request(peer, headers)).await.1.map(|rejection| rejection.kind())
        };
        let allow = (!holds).then_some(RejectionKind::ImplicitDeny);
        assert_eq!(decided("Allow").await, allow, "{condition} {peer} {headers:?}");
        let deny = holds.then_some(RejectionKind::ExplicitDeny);
        assert_eq!(decided("Deny").await, deny, "{condition} {peer} {headers:?}");
    }
}

#[tokio::test]
async fn what_nobody_can_know_allows_nothing_and_its_key_is_named() {
    const SAID_TWICE: Headers = &[("user-agent", b"a"), ("user-agent", b"a")];
    const NOT_UTF_8: Headers = &[("user-agent", b"caf\xe9")];
    const TWO_REFERERS: Headers = &[("referer", b"https://a/"), ("referer", b"https://b/")];
    // Condition; headers; the key. The peer is not known, and neither is the transport.
    #[rustfmt::skip]
    let rows: [(&str, Headers, &str); 16] = [
        (r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#, &[], "aws:SourceIp"),
        (r#""NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, &[], "aws:SourceIp"),
        (r#""IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}"#, &[], "aws:SourceIp"),
        (r#""Null":{"aws:SourceIp":"true"}"#, &[], "aws:SourceIp"),
        (r#""Null":{"aws:SourceIp":"false"}"#, &[], "aws:SourceIp"),
        (r#""Null":{"aws:SourceIp":["true","false"]}"#, &[], "aws:SourceIp"),
        (r#""ForAnyValue:NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, &[], "aws:SourceIp"),
        (r#""ForAllValues:IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, &[], "aws:SourceIp"),
        (r#""Bool":{"aws:SecureTransport":"false"}"#, &[], "aws:SecureTransport"),
        (r#""Bool":{"aws:SecureTransport":["true","false"]}"#, &[], "aws:SecureTransport"),
        (r#""StringLike":{"aws:UserAgent":"*"}"#, SAID_TWICE, "aws:UserAgent"),
        (r#""StringNotEquals":{"aws:UserAgent":"b"}"#, SAID_TWICE, "aws:UserAgent"),
        (r#""StringLike":{"aws:UserAgent":"*"}"#, NOT_UTF_8, "aws:UserAgent"),
        (r#""StringLike":{"aws:Referer":"*"}"#, TWO_REFERERS, "aws:Referer"),
        // A value that the operator cannot read is as good as unknown.
        (r#""NumericLessThan":{"aws:UserAgent":"5"}"#, &[("user-agent", b"four")], "aws:UserAgent"),
        (r#""NumericNotEquals":{"aws:UserAgent":"5"}"#, &[("user-agent", b"5e0")], "aws:UserAgent"),
    ];
    let kind = async |statements: &[(&str, &str)], headers| {
        let layer = layer(&policy(statements)).0.build().unwrap();
        ask(&layer, request("", headers)).await.1.map(|rejection| (rejection.kind(), rejection.to_string()))
    };
    for (condition, headers, key) in rows {
        let of = async |statements: &[(&str, &str)]| kind(statements, headers).await.map(|(kind, _)| kind);
        let (deny, allow) = (("Deny", condition), ("Allow", condition));
        // A denial that may apply: an error that says why, in logs.
        let (refused, text) = kind(&[deny, ("Allow", "")], headers).await.unwrap();
        assert_eq!(refused, RejectionKind::UnavailableKey, "{condition}");
        assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(text.contains(&format!("an unavailable key: `{key}`")), "{condition}: {text}");
        // No permission that is certain: an implicit denial, whatever else may be.
        assert_eq!(of(&[allow]).await, Some(RejectionKind::ImplicitDeny), "{condition}");
        assert_eq!(of(&[allow, deny]).await, Some(RejectionKind::ImplicitDeny), "{condition}");
        // A denial that is certain: an explicit one.
        let certain = [allow, ("Allow", ""), deny, ("Deny", "")];
        assert_eq!(of(&certain).await, Some(RejectionKind::ExplicitDeny), "{condition}");
        // A condition beside it that is certainly false settles the statement.
        let settled = format!(r#"{condition},"StringEquals":{{"aws:RequestedRegion":"eu-west-1"}}"#);
        if !condition.contains(r#""StringEquals""#) {
            assert_eq!(of(&[("Deny", &settled), ("Allow", "")]).await, None, "{condition}");
        }
        // And a certain permission beside an uncertain one is enough.
        assert_eq!(of(&[allow, ("Allow", "")]).await, None, "{condition}");
    }
}

#[tokio::test]
async fn a_remembered_policy_is_judged_by_the_request_and_the_time_at_hand() {
    let clock = ManualClock::default();
    let (layer, asked) = layer(&policy(&[(
        "Allow",
        r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringLike":{"aws:UserAgent":"curl/*"},
           "DateLessThan":{"aws:CurrentTime":"2026-01-01T00:01:00Z"},
           "DateGreaterThanEquals":{"aws:EpochTime":"1767225600"}"#,
    )]));
    let layer = layer.with_clock(clock.clone()).with_cache(MemoryCache::default()).build().unwrap();
    let curl: Headers = &[("user-agent", b"curl/8")];
    for (peer, headers, status) in [
        ("203.0.113.9", curl, StatusCode::OK),
        ("198.51.100.9", curl, StatusCode::FORBIDDEN),
        ("203.0.113.9", &[("user-agent", b"wget")], StatusCode::FORBIDDEN),
        ("203.0.113.9", &[], StatusCode::FORBIDDEN),
        ("203.0.113.9", curl, StatusCode::OK),
    ] {
        assert_eq!(ask(&layer, request(peer, headers)).await.0, status, "{peer} {headers:?}");
    }
    clock.advance(Duration::from_secs(59));
    assert_eq!(ask(&layer, request("203.0.113.9", curl)).await.0, StatusCode::OK);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&layer, request("203.0.113.9", curl)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(asked.count(), 1);
}

/// Counts how often each of two clocks is read.
#[derive(Clone, Default)]
struct CountingClock(ManualClock, Arc<[AtomicUsize; 2]>);

impl CountingClock {
    fn take(&self) -> [usize; 2] {
        self.1.each_ref().map(|count| count.swap(0, Ordering::SeqCst))
    }
}

impl Clock for CountingClock {
    fn monotonic(&self) -> Duration {
        self.1[0].fetch_add(1, Ordering::SeqCst);
        self.0.monotonic()
    }

    fn wall(&self) -> Duration {
        self.1[1].fetch_add(1, Ordering::SeqCst);
        self.0.wall()
    }
}

#[tokio::test]
async fn now_is_a_whole_second_whatever_it_is_compared_as() {
    let clock = ManualClock::new(Duration::from_millis(1_767_225_600_500));
    for (condition, is_met) in [
        (r#""DateEquals":{"aws:EpochTime":"1767225600"}"#, true),
        (r#""DateLessThanEquals":{"aws:EpochTime":"1767225600"}"#, true),
        (r#""NumericEquals":{"aws:EpochTime":"1767225600"}"#, true),
        (r#""NumericLessThanEquals":{"aws:EpochTime":"1767225600"}"#, true),
        (r#""DateEquals":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}"#, true),
        (r#""DateNotEquals":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}"#, false),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}"#, false),
    ] {
        let (layer, _) = layer(&policy(&[("Allow", condition)]));
        let layer = layer.with_clock(clock.clone()).build().unwrap();
        let expected = if is_met { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(ask(&layer, request("", &[])).await.0, expected, "{condition}");
    }
}

#[tokio::test]
async fn a_number_is_a_moment_if_its_digits_are() {
    for (number, expected) in [
        (1_700_000_000_i64, StatusCode::OK),
        (10_000, StatusCode::FORBIDDEN),
        (2024, StatusCode::FORBIDDEN),
        (1_700_000_000_000, StatusCode::FORBIDDEN),
    ] {
        let (layer, _) = layer(&policy(&[("Allow", r#""DateGreaterThan":{"app:since":"2020-01-01"}"#)]));
        let layer = layer.with_condition_keys(move |_, _| number.into()).build().unwrap();
        assert_eq!(ask(&layer, request("", &[])).await.0, expected, "{number}");
    }
}

#[tokio::test]
async fn a_remembered_answer_costs_one_reading_of_the_clock_whatever_its_conditions_ask() {
    let clock = CountingClock::default();
    let (layer, asked) = layer(&policy(&[
        ("Deny", r#""DateGreaterThan":{"aws:CurrentTime":"2030-01-01"}"#),
        ("Deny", r#""NumericGreaterThan":{"aws:EpochTime":"1900000000"}"#),
        ("Allow", r#""DateGreaterThan":{"aws:CurrentTime":"2020-01-01","aws:EpochTime":"1577836800"}"#),
    ]));
    let layer = layer.with_clock(clock.clone()).with_cache(MemoryCache::default()).build().unwrap();
    assert_eq!(ask(&layer, request("", &[])).await.0, StatusCode::OK);
    clock.take();
    for _ in 0..10 {
        assert_eq!(ask(&layer, request("", &[])).await.0, StatusCode::OK);
        assert_eq!(clock.take(), [1, 0]);
    }
    // The wall clock is looked at once a second, by whoever comes first.
    clock.0.advance(Duration::from_secs(1));
    for wall in [1, 0, 0] {
        assert_eq!(ask(&layer, request("", &[])).await.0, StatusCode::OK);
        assert_eq!(clock.take(), [1, wall]);
    }
    assert_eq!(asked.count(), 1);
}
