//! The layer in all its forms.

use std::net::IpAddr;

use axum::Router;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use tower::Layer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::{AuthorizerCache, MemoryCache};
use tower_lambda_authorizer::contract::ResponseRules;
use tower_lambda_authorizer::policy::{PolicyDocument, PolicyError};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

use super::policies::{self, STAGE};
use super::{Case, ask, finished, head, request, router};

/// An answer of two statements for everybody.
pub(crate) const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/*"},
    {"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/*/secrets"}]}"#;

/// Two statements that deny everybody.
pub(crate) const DENY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/*"},
    {"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/42"}]}"#;

pub(crate) fn stage() -> ApiStage {
    ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").expect("a good stage")
}

/// Gives everybody the same policy.
pub(crate) fn always(policy: &str) -> impl Authorizer {
    let policy = PolicyDocument::from_json(policy).expect("a good policy");
    authorizer_fn(move |_event| {
        let answer = AuthorizerResponse::new("user-42", policy.clone());
        async move { Ok(answer?) }
    })
}

/// A layer whose cache knows a thousand tokens, the one of the requests among them.
pub(crate) fn cached(policy: &str) -> AuthorizerLayer {
    filled(AuthorizerLayer::token(always(policy), stage()).with_cache(MemoryCache::default()).build())
}

fn conditional(condition: &str) -> AuthorizerLayer {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"{STAGE}GET/users/*"{condition}}},
            {{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"{STAGE}GET/users/*/secrets"}}]}}"#
    );
    let layer = AuthorizerLayer::token(always(&policy), stage())
        .with_cache(MemoryCache::default())
        .with_secure_transport(true)
        .with_source_ip(|_| Some(IpAddr::from([203, 0, 113, 9])));
    filled(layer.build())
}

fn filled<E: std::fmt::Debug>(layer: Result<AuthorizerLayer, E>) -> AuthorizerLayer {
    let layer = layer.expect("a good layer");
    let service = layer.layer(finished());
    for token in 0..1000 {
        ask(&service, request(&head(token)));
    }
    layer
}

/// Makes two statements for each request.
async fn answer(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    Ok(AuthorizerResponse::new("user-42", policy(&event)?)?.with_context("tenant", "acme"))
}

fn policy(event: &AuthorizerEvent) -> Result<PolicyDocument, PolicyError> {
    event.policy().allow(Method::GET, "/users/*").deny(Method::GET, "/users/*/secrets").build()
}

/// What a function in another process would do: the event is printed, the answer is read.
async fn over_json(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    std::hint::black_box(serde_json::to_vec(&event).map_err(AuthorizerError::failure)?);
    let answer =
        format!(r#"{{"principalId":"user-42","policyDocument":{ALLOW},"context":{{"tenant":"acme"}}}}"#);
    let rules = ResponseRules::rest();
    AuthorizerResponse::from_json(std::hint::black_box(&answer), &rules).map_err(AuthorizerError::failure)
}

/// A layer whose authorizer makes a policy of its own for each token.
pub(crate) fn building(cache: impl AuthorizerCache) -> AuthorizerLayer {
    let layer = AuthorizerLayer::token(authorizer_fn(answer), stage()).with_cache(cache);
    layer.build().expect("a good layer")
}

pub(crate) fn over_json_v2() -> AuthorizerLayer {
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").expect("a good stage");
    let sources = [IdentitySource::header(AUTHORIZATION)];
    let layer = AuthorizerLayer::request(authorizer_fn(over_json), stage).with_identity_sources(sources);
    layer.build().expect("a good layer")
}

/// The forms whose cost is promised.
pub(crate) fn hits() -> Vec<Case> {
    let (allow, deny) = (cached(ALLOW), cached(DENY));
    vec![
        Case::service("hit, allowed, outside", allow.layer(finished()), StatusCode::OK),
        Case::service("hit, denied, outside", deny.layer(finished()), StatusCode::FORBIDDEN),
        in_router("hit, allowed, Router::layer", &allow),
        Case::service("hit, allowed, protect", protect(router(), allow), StatusCode::OK),
        Case::service("hit, denied, protect", protect(router(), deny), StatusCode::FORBIDDEN),
    ]
}

/// Hits on answers that take longer to ask.
pub(crate) fn policies() -> Vec<Case> {
    let mut cases = Vec::new();
    for count in [1, 10, 100] {
        let layer = cached(&policies::text("Head", "GET/users/*", count));
        cases.push(Case::service(
            format!("hit, {count} statements, outside"),
            layer.layer(finished()),
            StatusCode::OK,
        ));
    }
    for (name, condition) in [
        ("IpAddress", r#","Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}"#),
        ("StringLike", r#","Condition":{"StringLike":{"aws:UserAgent":"Mozilla/*"}}"#),
        ("Bool", r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#),
        ("DateLessThan", r#","Condition":{"DateLessThan":{"aws:CurrentTime":"2099-01-01T00:00:00Z"}}"#),
    ] {
        let layer = conditional(condition);
        cases.push(Case::service(format!("hit, {name}, outside"), layer.layer(finished()), StatusCode::OK));
    }
    cases
}

/// An authorizer that is asked each time, and answers at once.
pub(crate) fn uncached() -> Vec<Case> {
    fn build(authorizer: impl Authorizer) -> AuthorizerLayer {
        AuthorizerLayer::token(authorizer, stage()).build().expect("a good layer")
    }
    let trivial = AuthorizerLayer::token(always(ALLOW), stage()).build().expect("a good layer");
    let request = AuthorizerLayer::request(always(ALLOW), stage()).build().expect("a good layer");
    let json = AuthorizerLayer::request(authorizer_fn(over_json), stage()).build().expect("a good layer");
    vec![
        Case::service("uncached, the same answer to all, outside", trivial.layer(finished()), StatusCode::OK),
        Case::service(
            "uncached, a policy built, outside",
            build(authorizer_fn(answer)).layer(finished()),
            StatusCode::OK,
        ),
        Case::service("uncached, REQUEST, outside", request.layer(finished()), StatusCode::OK),
        Case::service(
            "uncached, over JSON (TOKEN), outside",
            build(authorizer_fn(over_json)).layer(finished()),
            StatusCode::OK,
        ),
        Case::service("uncached, over JSON (REST), outside", json.layer(finished()), StatusCode::OK),
        Case::service(
            "uncached, over JSON (HTTP 2.0), outside",
            over_json_v2().layer(finished()),
            StatusCode::OK,
        ),
    ]
}

pub(crate) fn in_router(name: &str, layer: &AuthorizerLayer) -> Case {
    Case::service(name, Router::with_state(router().layer(layer.clone()), ()), StatusCode::OK)
}
