//! What is measured.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response, StatusCode};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as TheirAlgorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::json;
use tower::{Layer, Service};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::SystemClock;
use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtAuthorizer, KeySet};
use tower_lambda_authorizer::middleware::AuthorizerService;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::testing::{TestKey, claims};
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example.com";
const SECRET: [u8; 64] = *b"0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF";

/// Cases that are compared with the first of them.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) work: Box<dyn Work>,
}

/// Work that is made ready before it is measured.
pub(crate) trait Work {
    fn prepare(&mut self, times: usize);
    fn run(&mut self);
}

pub(crate) fn groups() -> Result<Vec<Group>, Box<dyn Error>> {
    // `decode` asks the process for a provider; our authorizer does not.
    DEFAULT_PROVIDER.install_default().map_err(|_| "there is a provider already")?;
    let pairs = [
        (TestKey::rs256("k"), Algorithm::Rs256),
        (TestKey::ps256("k"), Algorithm::Ps256),
        (TestKey::es256("k"), Algorithm::Es256),
        (TestKey::es384("k"), Algorithm::Es384),
        (TestKey::eddsa("k"), Algorithm::EdDsa),
    ];
    let mut groups = Vec::new();
    for (key, algorithm) in pairs {
        let keys = KeySet::from_pem(key.public_pem().as_bytes())?.with_kid("k")?;
        let pem = key.public_pem();
        let theirs = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => DecodingKey::from_ec_pem(pem.as_bytes())?,
            Algorithm::EdDsa => DecodingKey::from_ed_pem(pem.as_bytes())?,
            _ => DecodingKey::from_rsa_pem(pem.as_bytes())?,
        };
        groups.push(uncached(&key, algorithm, keys, theirs)?);
    }
    let keys = KeySet::from_hmac_secret(&SECRET)?.with_kid("k")?;
    let theirs = DecodingKey::from_secret(&SECRET);
    groups.push(uncached(&TestKey::hs256("k", SECRET), Algorithm::Hs256, keys, theirs)?);
    groups.push(cached()?);
    Ok(groups)
}

/// A token of ten claims.
fn token(key: &TestKey) -> String {
    let mut claims = claims(ISSUER, AUDIENCE, &SystemClock::default());
    claims["sub"] = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee".into();
    claims["jti"] = "aaaaaaaa-bbbb-cccc-dddd-000000000003".into();
    claims["client_id"] = "7abcdefghijklmnopqrstuvwxy".into();
    claims["scope"] = "orders/read orders/write profile email".into();
    claims["cognito:groups"] = json!(["readers", "writers"]);
    claims["email"] = "alice@example.com".into();
    claims["auth_time"] = claims["iat"].clone();
    key.token(&claims)
}

fn uncached(
    key: &TestKey,
    algorithm: Algorithm,
    keys: KeySet,
    theirs: DecodingKey,
) -> Result<Group, Box<dyn Error>> {
    let token = token(key);
    let issuer = Issuer::new(ISSUER, keys).with_algorithms([algorithm]).with_audience(AUDIENCE);
    let authorizer = JwtAuthorizer::new(issuer)?;
    let layer = AuthorizerLayer::token(authorizer.clone(), stage()?).build()?;
    let name = format!("{algorithm}, {} bytes", token.len());
    let mut validation = Validation::new(key.algorithm().parse::<TheirAlgorithm>()?);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    Ok(Group {
        name,
        cases: vec![
            case(
                "bare jsonwebtoken decode",
                Decoded { token: token.clone(), key: theirs, validation, times: 0 },
            ),
            case("JwtAuthorizer, given the event", Authorized::new(authorizer, &token)?),
            case("the whole layer, uncached", Layered::new(&layer, &token)),
        ],
    })
}

/// Answers that are kept cost the same, whoever made them.
fn cached() -> Result<Group, Box<dyn Error>> {
    let key = TestKey::rs256("k");
    let token = token(&key);
    let issuer = Issuer::new(ISSUER, KeySet::from_pem(key.public_pem().as_bytes())?).with_audience(AUDIENCE);
    let jwt =
        AuthorizerLayer::token(JwtAuthorizer::new(issuer)?, stage()?).with_cache(MemoryCache::default());
    let trivial = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::new("alice", event.policy().allow(AnyMethod, "/*").build()?)?)
    });
    let trivial = AuthorizerLayer::token(trivial, stage()?).with_cache(MemoryCache::default());
    Ok(Group {
        name: "cached".to_owned(),
        cases: vec![
            case("a hit, of an authorizer that does nothing", Layered::new(&trivial.build()?, &token)),
            case("a hit, of a JwtAuthorizer", Layered::new(&jwt.build()?, &token)),
        ],
    })
}

fn case(name: &'static str, work: impl Work + 'static) -> Case {
    Case { name, work: Box::new(work) }
}

fn stage() -> Result<ApiStage, Box<dyn Error>> {
    Ok(ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?)
}

/// What a program that decodes by itself reads.
#[derive(Deserialize)]
#[expect(dead_code, reason = "to be read is all they are for")]
struct TheirClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    auth_time: u64,
    jti: String,
    client_id: String,
    scope: String,
    email: String,
    #[serde(rename = "cognito:groups")]
    groups: Vec<String>,
}

struct Decoded {
    token: String,
    key: DecodingKey,
    validation: Validation,
    times: usize,
}

impl Work for Decoded {
    fn prepare(&mut self, times: usize) {
        self.times = times;
    }

    fn run(&mut self) {
        for _ in 0..self.times {
            let decoded = decode::<TheirClaims>(&self.token, &self.key, &self.validation);
            assert!(black_box(decoded).is_ok());
        }
    }
}

struct Authorized {
    authorizer: JwtAuthorizer,
    event: AuthorizerEvent,
    events: Vec<AuthorizerEvent>,
}

impl Authorized {
    fn new(authorizer: JwtAuthorizer, token: &str) -> Result<Self, Box<dyn Error>> {
        let event = json!({
            "type": "TOKEN",
            "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/42",
            "authorizationToken": format!("Bearer {token}"),
        });
        Ok(Self { authorizer, event: AuthorizerEvent::from_json(&event.to_string())?, events: Vec::new() })
    }
}

impl Work for Authorized {
    fn prepare(&mut self, times: usize) {
        self.events.extend((0..times).map(|_| self.event.clone()));
    }

    fn run(&mut self) {
        for event in self.events.drain(..) {
            assert!(black_box(now(self.authorizer.authorize(event))).is_ok());
        }
    }
}

struct Layered {
    service: AuthorizerService<Nothing>,
    request: Request<()>,
    requests: Vec<Request<()>>,
}

impl Layered {
    fn new(layer: &AuthorizerLayer, token: &str) -> Self {
        let request = Request::get("/users/42")
            .header("host", "api.example.com")
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .header("accept", "application/json, text/plain, */*")
            .header("accept-language", "en-GB,en;q=0.7,de;q=0.3")
            .header("accept-encoding", "gzip, deflate, br, zstd")
            .header("authorization", format!("Bearer {token}"))
            .header("origin", "https://app.example.com")
            .header("referer", "https://app.example.com/orders")
            .header("x-request-id", "7b0c4a7c-5f0e-4b7e-9a3c-0d6f3a1f2b11")
            .header("cookie", "session=abcdef; theme=dark")
            .body(())
            .expect("a good request");
        Self { service: layer.layer(Nothing), request, requests: Vec::new() }
    }
}

impl Work for Layered {
    fn prepare(&mut self, times: usize) {
        self.requests.extend((0..times).map(|_| self.request.clone()));
    }

    fn run(&mut self) {
        for request in self.requests.drain(..) {
            let response = now(self.service.call(request));
            assert_eq!(black_box(response).map(|response| response.status()), Ok(StatusCode::OK));
        }
    }
}

/// Nothing here waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

#[derive(Clone, Copy)]
struct Nothing;

impl Service<Request<()>> for Nothing {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(String::new())))
    }
}
