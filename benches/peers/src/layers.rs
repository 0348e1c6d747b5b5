//! Layers by others, and layers put together from parts by others.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::StatusCode;
use http::header::AUTHORIZATION;
use iam_rs::{Arn, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use jwt_authorizer::{AuthError, IntoLayer, JwtAuthorizer, Validation};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::Value;
use tower::{Layer, ServiceExt};

use crate::scene::layers::ALLOW;
use crate::scene::{Case, Head, finished, head_with, router};

/// What a handler is told.
#[derive(Clone)]
struct Caller {
    #[allow(dead_code, reason = "as handlers would read it")]
    id: Arc<str>,
}

/// What a cache keeps for each token.
struct Entry {
    caller: Caller,
    policy: PolicyEvaluator,
}

impl Entry {
    fn new() -> Arc<Self> {
        let policy: IAMPolicy = serde_json::from_str(ALLOW).expect("a good policy");
        Arc::new(Self {
            caller: Caller { id: "user-42".into() },
            policy: PolicyEvaluator::with_policies(vec![policy]),
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = jwts();
    let moka =
        moka::sync::Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(300)).build();
    let quick = Arc::new(quick_cache::sync::Cache::new(10_000));
    for token in 0..1000 {
        moka.insert(token_of(&crate::scene::head(token)), Entry::new());
        quick.insert(token_of(&crate::scene::head(token)), Entry::new());
    }
    let (cache, decided) = (moka.clone(), moka);
    cases.extend(both("from_fn + moka, no policy", move |request| known(request, |token| cache.get(token))));
    let cache = quick;
    cases.extend(both("from_fn + quick_cache, no policy", move |request| {
        known(request, |token| cache.get(token))
    }));
    cases.extend(both("from_fn + moka + iam-rs", move |request| {
        let entry = known(request, |token| decided.get(token))?;
        let arn = format!(
            "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/{}{}",
            request.method(),
            request.uri().path()
        );
        let asked = IAMRequest::new(principal(), "execute-api:Invoke", Arn::from_str(&arn).ok()?);
        entry
            .policy
            .evaluate(&asked)
            .is_ok_and(|result| result.decision == iam_rs::Decision::Allow)
            .then_some(entry)
    }));
    cases
}

/// iam-rs wants somebody to ask; the policies name nobody.
pub(crate) fn principal() -> Principal {
    Principal::Aws(PrincipalId::String("arn:aws:iam::123456789012:user/user-42".to_owned()))
}

fn known(request: &Request, find: impl Fn(&str) -> Option<Arc<Entry>>) -> Option<Arc<Entry>> {
    find(request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?)
}

fn token_of(head: &Head) -> String {
    let request = crate::scene::request(head);
    let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned()
}

/// A `from_fn` that lets pass what `decide` knows: outside of the router, and inside.
fn both(
    name: &str,
    decide: impl Fn(&Request) -> Option<Arc<Entry>> + Clone + Send + Sync + 'static,
) -> [Case; 2] {
    let layer = from_fn(move |mut request: Request, next: Next| {
        let found = decide(&request);
        async move {
            let Some(entry) = found else { return refusal(StatusCode::FORBIDDEN) };
            request.extensions_mut().insert(entry.caller.clone());
            next.run(request).await
        }
    });
    [
        Case::service(format!("{name}, outside"), layer.clone().layer(finished()), StatusCode::OK),
        Case::service(
            format!("{name}, Router::layer"),
            Router::with_state(router().layer(layer), ()),
            StatusCode::OK,
        ),
    ]
}

fn refusal(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// jwt-authorizer verifies the token of each request. It is made for axum 0.7, and its layer does not compile in
/// `Router::layer` of axum 0.8; outside of a router it works with responses that it can make of its errors.
fn jwts() -> Vec<Case> {
    let secret = "a secret of thirty-two bytes....";
    let private = RsaPrivateKey::new(&mut rand::thread_rng(), 2048).expect("a key");
    let public = private.to_public_key().to_public_key_pem(LineEnding::LF).expect("a public key");
    let private = private.to_pkcs1_der().expect("a private key");
    let private = EncodingKey::from_rsa_der(private.as_bytes());
    let rs256 = token(Algorithm::RS256, &private);
    let hs256 = token(Algorithm::HS256, &EncodingKey::from_secret(secret.as_bytes()));
    let [by_rsa, by_secret] =
        [JwtAuthorizer::<Value>::from_rsa_pem_text(&public), JwtAuthorizer::<Value>::from_secret(secret)]
            .map(|authorizer| {
                let validation = Validation::new().iss(&["https://issuer.example"]).aud(&["orders"]);
                tokio::runtime::Builder::new_current_thread()
                    .build()
                    .and_then(|runtime| {
                        runtime
                            .block_on(authorizer.validation(validation).build())
                            .map_err(std::io::Error::other)
                    })
                    .expect("a good authorizer")
            });
    [("jwt-authorizer RS256", by_rsa, rs256), ("jwt-authorizer HS256", by_secret, hs256)]
        .into_iter()
        .map(|(name, authorizer, token)| {
            let inner = ServiceExt::<Request>::map_response(finished(), Answer);
            let service = authorizer.into_layer().layer(inner);
            let service = ServiceExt::<Request>::map_response(service, |Answer(response)| response);
            Case::service_with(format!("{name}, outside"), service, head_with(&token), StatusCode::OK)
        })
        .collect()
}

/// A response that the layer of jwt-authorizer can refuse with.
struct Answer(Response);

impl From<AuthError> for Answer {
    fn from(_: AuthError) -> Self {
        Self(refusal(StatusCode::UNAUTHORIZED))
    }
}

/// A token of ten claims.
fn token(algorithm: Algorithm, key: &EncodingKey) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = serde_json::json!({
        "iss": "https://issuer.example",
        "aud": "orders",
        "sub": "0f6b1a52-9d4e-4c33-8f0a-2f5d1f4b7c11",
        "exp": now + 24 * 3600,
        "iat": now,
        "nbf": now,
        "jti": "5b2f0d0e-0c0a-4b57-a2ad-8e9d4f4b6c90",
        "scope": "orders:read orders:write users:read",
        "client_id": "4q5v0f1v4h0s7p1l3r6n2m8k9j",
        "tenant": "acme",
    });
    jsonwebtoken::encode(&Header::new(algorithm), &claims, key).expect("a token")
}
