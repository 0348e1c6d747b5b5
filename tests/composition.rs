//! Several authorizers: whose turn it is, and that no way around one of them leads in.

mod common;

use std::time::Duration;

use common::{Counter, counting, stage};
use http::header::{AUTHORIZATION, COOKIE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::authorizer::{
    AnyOf, AnyOfError, Credential, SharedAuthorizer, any_of, map_response,
};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::contract::{Challenge, TokenEvent};
use tower_lambda_authorizer::middleware::{ConfigError, Rejection, RejectionKind, all_of};
use tower_lambda_authorizer::policy::{AnyMethod, ResourcePattern, Statement};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

/// A member that knows one good credential, fails in every way there is, and counts.
#[derive(Clone)]
struct Member {
    name: &'static str,
    asked: Counter,
}

impl Member {
    fn new(name: &'static str) -> Self {
        Self { name, asked: Counter::default() }
    }

    fn allow(&self, event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::new(self.name, policy)?.with_context(self.name, true))
    }
}

impl Authorizer for Member {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.asked.hit();
        let shown = match self.name {
            "token" => event.bearer_token(),
            "basic" => event.token(),
            "key" => event.header("x-api-key"),
            "query" => event.query_parameter("key"),
            "cookie" => event.header("cookie").and_then(|cookies| cookies.strip_prefix("session=")),
            _ => Some("good"),
        };
        match shown {
            Some("good" | "Basic good") => self.allow(&event),
            Some("deny") => {
                let policy = event.policy().allow(AnyMethod, "/*").deny(AnyMethod, "/*").build()?;
                Ok(AuthorizerResponse::new(self.name, policy)?)
            }
            Some("nothing") => Ok(AuthorizerResponse::new(self.name, event.policy().build()?)?),
            Some("failure") => Err(AuthorizerError::failure("out of order")),
            Some("panic") => panic!("a member panics, as it should in this test"),
            Some("hang") => std::future::pending().await,
            _ => Err(AuthorizerError::unauthorized()),
        }
    }

    fn challenge(&self) -> Option<Challenge> {
        match self.name {
            "token" => Some(Challenge::bearer()),
            "basic" => Challenge::new("Basic realm=\"x\"").ok(),
            _ => None,
        }
    }
}

/// What came of a request: status, kind of refusal, who was let in, and how often the handler was called.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: u16,
    kind: Option<RejectionKind>,
    principal: String,
    calls: usize,
}

impl Outcome {
    fn allowed(principal: &str) -> Self {
        Self { status: 200, kind: None, principal: principal.to_owned(), calls: 1 }
    }

    fn refused(kind: RejectionKind) -> Self {
        Self { status: kind.status().as_u16(), kind: Some(kind), principal: String::new(), calls: 0 }
    }
}

async fn ask(layer: &AuthorizerLayer, request: Request<()>) -> Outcome {
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
    let status = response.status().as_u16();
    let principal = if kind.is_none() { response.into_body() } else { String::new() };
    Outcome { status, kind, principal, calls: calls.count() }
}

fn request(target: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::get(target).body(()).unwrap();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request
}

fn token_or_key() -> (Member, Member, AnyOf) {
    let (token, key) = (Member::new("token"), Member::new("key"));
    let authorizer = any_of()
        .member(Credential::bearer(), token.clone())
        .member(Credential::header("X-Api-Key"), key.clone())
        .build()
        .unwrap();
    (token, key, authorizer)
}

fn layer(authorizer: impl Authorizer) -> AuthorizerLayer {
    AuthorizerLayer::request(authorizer, stage()).with_timeout(Duration::from_millis(20)).build().unwrap()
}

#[tokio::test]
async fn the_credential_that_is_shown_chooses_who_is_asked() {
    let (token, key, authorizer) = token_or_key();
    let layer = layer(authorizer);
    assert_eq!(
        ask(&layer, request("/", &[("authorization", "Bearer good")])).await,
        Outcome::allowed("token")
    );
    assert_eq!((token.asked.count(), key.asked.count()), (1, 0));
    assert_eq!(ask(&layer, request("/", &[("x-api-key", "good")])).await, Outcome::allowed("key"));
    assert_eq!((token.asked.count(), key.asked.count()), (1, 1));
    // The scheme is told apart from another one, in any case.
    let both = [("authorization", "bEARER good"), ("x-api-key", "bad")];
    assert_eq!(ask(&layer, request("/", &both)).await, Outcome::allowed("token"));
    let other = [("authorization", "Basic good"), ("x-api-key", "good")];
    assert_eq!(ask(&layer, request("/", &other)).await, Outcome::allowed("key"));
}

#[tokio::test]
async fn nothing_a_member_does_wrong_hands_the_request_on() {
    for (token, kind) in [
        ("Bearer bad", RejectionKind::Unauthorized),
        ("Bearer", RejectionKind::Unauthorized),
        ("Bearer deny", RejectionKind::ExplicitDeny),
        ("Bearer nothing", RejectionKind::ImplicitDeny),
        ("Bearer failure", RejectionKind::AuthorizerFailure),
        ("Bearer panic", RejectionKind::AuthorizerPanic),
        ("Bearer hang", RejectionKind::AuthorizerTimeout),
    ] {
        let (asked, key, authorizer) = token_or_key();
        let headers = [("authorization", token), ("x-api-key", "good")];
        assert_eq!(ask(&layer(authorizer), request("/", &headers)).await, Outcome::refused(kind), "{token}");
        assert_eq!((asked.asked.count(), key.asked.count()), (1, 0), "{token}");
    }
}

/// As a Lambda function, whose type nobody tells: a token out of another header would be nobody's.
#[tokio::test]
async fn an_event_that_cannot_show_a_credential_is_a_mistake() {
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/x";
    let event = |token: &str| AuthorizerEvent::from(TokenEvent::new(arn.parse().unwrap(), token));
    let anonymous = Member::new("anonymous");
    for credential in
        [Credential::header("x-api-key"), Credential::cookie("s"), Credential::query_parameter("k")]
    {
        let members = || any_of().member(Credential::bearer(), Member::new("token"));
        let authorizer =
            members().member(credential.clone(), Member::new("key")).or_anonymous(anonymous.clone());
        let authorizer = authorizer.build().unwrap();
        for token in ["Bearer good", "bad", ""] {
            let error = authorizer.authorize(event(token)).await.unwrap_err();
            assert!(error.to_string().contains("make it one of type REQUEST"), "{credential}: {error}");
        }
        let plain = members().or_anonymous(anonymous.clone()).build().unwrap();
        assert!(plain.authorize(event("Bearer good")).await.is_ok());
    }
    assert_eq!(anonymous.asked.count(), 0);
}

/// As an authorizer itself names the place of its tokens: such a token is there, whichever header it came in.
#[cfg(all(feature = "jwt", feature = "testing"))]
#[tokio::test]
async fn a_token_that_came_in_another_header_is_not_absent() {
    use tower_lambda_authorizer::Authorizer;
    use tower_lambda_authorizer::jwt::{Issuer, JwtAuthorizer, KeySet, TokenSource};
    use tower_lambda_authorizer::testing::{TestKey, jwks};

    let keys = KeySet::from_jwks(jwks([&TestKey::rs256("k1")]).as_bytes()).unwrap();
    let jwt = JwtAuthorizer::builder()
        .with_issuer(Issuer::new("https://id.example.com/", keys).with_audience("api"))
        .with_token_source(TokenSource::header("x-token").with_bare_tokens())
        .build()
        .unwrap();
    let (anonymous, lax) = (Member::new("anonymous"), Member::new("lax"));
    let credential = jwt.credentials().remove(0);
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/x";
    let event = |token: &str| AuthorizerEvent::from(TokenEvent::new(arn.parse().unwrap(), token));
    let before = any_of().member(credential.clone(), jwt.clone()).member(Credential::bearer(), lax.clone());
    let alone = any_of().member(credential, jwt);
    for authorizer in [before, alone] {
        let authorizer = authorizer.or_anonymous(anonymous.clone()).build().unwrap();
        for token in ["garbage", "Bearer not.a.token", "Bearer good", " "] {
            assert!(authorizer.authorize(event(token)).await.unwrap_err().is_unauthorized(), "{token}");
        }
    }
    assert_eq!((anonymous.asked.count(), lax.asked.count()), (0, 0));
}

#[tokio::test]
async fn a_credential_that_cannot_be_read_is_not_absent() {
    let long = "x".repeat(8 * 1024 + 1);
    let hostile: &[(&str, &[(&'static str, &str)])] = &[
        ("/", &[("authorization", "Bearer bad"), ("authorization", "Bearer bad")]),
        ("/", &[("authorization", ""), ("authorization", "Bearer good")]),
        ("/", &[("authorization", "Bearer gööd")]),
        ("/", &[("authorization", "Bearer\tgood")]),
        ("/", &[("authorization", &long)]),
        ("/", &[("authorization", ",Bearer bad")]),
        ("/", &[("authorization", "Digest x, bearer good")]),
        ("/?key=good&key=good", &[]),
        ("/?key=&key=good", &[]),
        ("/?key=%00", &[]),
        ("/?key=%ff", &[]),
        ("/", &[("cookie", "session=good; session=good")]),
        ("/", &[("cookie", "session=good"), ("cookie", "session=bad")]),
        ("/", &[("cookie", "session=gööd")]),
    ];
    for (target, headers) in hostile {
        let members = ["token", "query", "cookie", "key"].map(Member::new);
        let [token, query, cookie, key] = members.clone();
        let authorizer = any_of()
            .member(Credential::bearer(), token)
            .member(Credential::query_parameter("key"), query)
            .member(Credential::cookie("session"), cookie)
            .member(Credential::header("x-api-key"), key)
            .or_anonymous(Member::new("anonymous"))
            .build()
            .unwrap();
        let mut request = request(target, headers);
        request.headers_mut().insert("x-api-key", HeaderValue::from_static("good"));
        let outcome = ask(&layer(authorizer), request).await;
        assert_eq!(outcome, Outcome::refused(RejectionKind::Unauthorized), "{target} {headers:?}");
        assert!(members.iter().all(|member| member.asked.count() == 0), "{target} {headers:?}");
    }
}

#[tokio::test]
async fn an_empty_credential_is_an_absent_one() {
    for (target, headers) in [
        ("/", [("authorization", ""), ("x-api-key", "good")]),
        ("/?key=", [("cookie", "session="), ("x-api-key", "good")]),
        ("/?key", [("cookie", "sessions=good; other"), ("x-api-key", "good")]),
    ] {
        let authorizer = any_of()
            .member(Credential::bearer(), Member::new("token"))
            .member(Credential::query_parameter("key"), Member::new("query"))
            .member(Credential::cookie("session"), Member::new("cookie"))
            .member(Credential::header("x-api-key"), Member::new("key"))
            .build()
            .unwrap();
        let outcome = ask(&layer(authorizer), request(target, &headers)).await;
        assert_eq!(outcome, Outcome::allowed("key"), "{target} {headers:?}");
    }
}

#[tokio::test]
async fn every_place_of_a_credential_is_found() {
    for (name, credential, target, header) in [
        ("token", Credential::bearer(), "/", ("authorization", "Bearer good")),
        ("basic", Credential::authorization("basic"), "/", ("authorization", "Basic good")),
        ("key", Credential::header("x-api-key"), "/", ("x-api-key", "good")),
        ("cookie", Credential::cookie("session"), "/", ("cookie", "session=good")),
        ("query", Credential::query_parameter("key"), "/?a=b&key=go%6Fd", ("x-other", "1")),
    ] {
        for stage in [stage(), ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()]
        {
            let authorizer = any_of().member(credential.clone(), Member::new(name)).build().unwrap();
            let layer = AuthorizerLayer::request(authorizer, stage).build().unwrap();
            assert_eq!(ask(&layer, request(target, &[header])).await, Outcome::allowed(name));
            assert_eq!(
                ask(&layer, request("/", &[])).await,
                Outcome::refused(RejectionKind::Unauthorized),
                "{credential}"
            );
        }
    }
}

#[tokio::test]
async fn whoever_shows_nothing_is_anonymous_and_whoever_shows_something_bad_is_not() {
    let anonymous = Member::new("anonymous");
    let authorizer = any_of()
        .member(Credential::bearer(), Member::new("token"))
        .member(Credential::header("x-api-key"), Member::new("key"))
        .or_anonymous(anonymous.clone())
        .build()
        .unwrap();
    let layer = layer(authorizer);
    assert_eq!(ask(&layer, request("/", &[])).await, Outcome::allowed("anonymous"));
    assert_eq!(ask(&layer, request("/", &[("x-other", "good")])).await, Outcome::allowed("anonymous"));
    assert_eq!(ask(&layer, request("/", &[("authorization", "")])).await, Outcome::allowed("anonymous"));
    assert_eq!(ask(&layer, request("/", &[("x-api-key", "good")])).await, Outcome::allowed("key"));
    assert_eq!(anonymous.asked.count(), 3);
    for bad in ["Bearer bad", "Bearer", "Basic good", "Digest x", "good", "Bearergood", "x Bearer good"] {
        let outcome = ask(&layer, request("/", &[("authorization", bad)])).await;
        assert_eq!(outcome, Outcome::refused(RejectionKind::Unauthorized), "{bad}");
    }
    let outcome = ask(&layer, request("/", &[("authorization", "Basic x"), ("x-api-key", "bad")])).await;
    assert_eq!(outcome, Outcome::refused(RejectionKind::Unauthorized));
    assert_eq!(anonymous.asked.count(), 3);
}

#[tokio::test]
async fn a_client_is_told_what_the_one_it_chose_wants() {
    let plain = any_of()
        .member(Credential::header("x-api-key"), Member::new("key"))
        .member(Credential::bearer(), Member::new("token"))
        .member(Credential::authorization("Basic"), Member::new("basic"));
    let own = plain.clone().with_challenge(Challenge::new("Own").unwrap());
    for (builder, header, expected) in [
        (&plain, ("x-other", "1"), "Bearer"),
        (&plain, ("authorization", "Bearer bad"), "Bearer"),
        (&plain, ("authorization", "Basic bad"), "Basic realm=\"x\""),
        (&own, ("x-other", "1"), "Own"),
        (&own, ("x-api-key", "bad"), "Own"),
        (&own, ("authorization", "Basic bad"), "Basic realm=\"x\""),
    ] {
        let layer = layer(builder.clone().build().unwrap());
        let calls = Counter::default();
        let response = layer.layer(counting(&calls)).oneshot(request("/", &[header])).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], expected, "{header:?}");
    }
}

#[test]
fn a_member_that_nobody_could_reach_is_a_mistake() {
    let member = || Member::new("token");
    let built = |builder: tower_lambda_authorizer::authorizer::AnyOfBuilder| builder.build().map(|_| ());
    assert_eq!(built(any_of()), Err(AnyOfError::NoMember));
    assert_eq!(built(any_of().or_anonymous(member())), Err(AnyOfError::NoMember));
    for credential in [
        Credential::header("x api"),
        Credential::header(""),
        Credential::authorization("Bearer x"),
        Credential::cookie("a=b"),
        Credential::query_parameter(""),
    ] {
        let error = built(any_of().member(credential.clone(), member()));
        assert_eq!(error, Err(AnyOfError::InvalidCredential { credential }));
    }
    for (first, second) in [
        (Credential::bearer(), Credential::authorization("BEARER")),
        (Credential::header(AUTHORIZATION), Credential::bearer()),
        (Credential::header(COOKIE), Credential::cookie("session")),
        (Credential::header("X-A"), Credential::header("x-a")),
    ] {
        let error = built(any_of().member(first.clone(), member()).member(second.clone(), member()));
        let expected = AnyOfError::NeverAsked { credential: second.clone(), by: first.clone() };
        assert_eq!(error, Err(expected));
        let turned = any_of().member(second.clone(), member()).member(first.clone(), member());
        assert_eq!(built(turned).is_ok(), !(first == second), "{second} before {first}");
    }
}

#[tokio::test]
async fn a_token_authorizer_chooses_by_scheme() {
    let authorizer = any_of()
        .member(Credential::bearer(), Member::new("token"))
        .member(Credential::authorization("Basic"), Member::new("basic"))
        .or_anonymous(Member::new("anonymous"))
        .build()
        .unwrap();
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_token_header(HeaderName::from_static("x-token"))
        .with_cache(MemoryCache::default())
        .build()
        .unwrap();
    assert_eq!(ask(&layer, request("/", &[("x-token", "Bearer good")])).await, Outcome::allowed("token"));
    assert_eq!(ask(&layer, request("/", &[("x-token", "Basic good")])).await, Outcome::allowed("basic"));
    let refused = Outcome::refused(RejectionKind::Unauthorized);
    assert_eq!(ask(&layer, request("/", &[("x-token", "Digest good")])).await, refused);
    // It is not asked without a token, so nobody is anonymous.
    let missing = Outcome::refused(RejectionKind::MissingIdentity);
    assert_eq!(ask(&layer, request("/", &[("authorization", "Bearer good")])).await, missing);
}

#[tokio::test]
async fn an_event_chooses_alike_wherever_it_comes_from() {
    for (file, member) in [
        ("rest_request.json", "token"),
        ("http_v1.json", "token"),
        ("http_v2.json", "token"),
        ("websocket_connect.json", "anonymous"),
        ("rest_token.json", "token"),
    ] {
        let path = format!("{}/tests/fixtures/events/{file}", env!("CARGO_MANIFEST_DIR"));
        let event = AuthorizerEvent::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        let chosen = |name: &'static str| {
            authorizer_fn(move |event: AuthorizerEvent| async move {
                Ok(AuthorizerResponse::new(name, event.policy().build()?)?)
            })
        };
        let authorizer = any_of()
            .member(Credential::header(AUTHORIZATION), chosen("token"))
            .or_anonymous(chosen("anonymous"))
            .build()
            .unwrap();
        let response = authorizer.authorize(event).await.unwrap();
        assert_eq!(response.principal_id(), Some(member), "{file}");
    }
}

fn sources() -> [IdentitySource; 2] {
    [IdentitySource::header(AUTHORIZATION), IdentitySource::header(HeaderName::from_static("x-api-key"))]
}

#[test]
fn a_cache_that_does_not_know_every_credential_is_not_built() {
    let cached = |authorizer: SharedAuthorizer| {
        AuthorizerLayer::request(authorizer, stage()).with_cache(MemoryCache::default())
    };
    let (_, _, authorizer) = token_or_key();
    let [token, key] = sources();
    let nested = any_of().member(Credential::cookie("session"), authorizer.clone()).build().unwrap();
    let mapped = map_response(std::sync::Arc::new(authorizer.clone()), Ok);
    let authorizer = SharedAuthorizer::new(authorizer);
    let outside = |credential| Some(ConfigError::CredentialOutsideIdentity { credential });
    for (layer, expected) in [
        (cached(authorizer.clone()).with_identity_sources([token.clone(), key.clone()]), None),
        (
            cached(authorizer.clone()).with_identity_sources([token.clone()]),
            outside(Credential::header("x-api-key")),
        ),
        (cached(authorizer.clone()).with_identity_sources([key.clone()]), outside(Credential::bearer())),
        (
            cached(SharedAuthorizer::new(nested)).with_identity_sources(sources()),
            outside(Credential::cookie("session")),
        ),
        (cached(SharedAuthorizer::new(mapped)).with_identity_sources([key]), outside(Credential::bearer())),
        (AuthorizerLayer::request(authorizer.clone(), stage()), None),
        (
            AuthorizerLayer::token(authorizer, stage()),
            Some(ConfigError::CredentialOutsideToken { credential: Credential::header("x-api-key") }),
        ),
    ] {
        assert_eq!(layer.build().err(), expected);
    }
}

#[test]
fn accepting_requests_without_identity_is_for_those_who_can() {
    let member = || Member::new("token");
    let built = AuthorizerLayer::token(member(), stage()).accept_missing_identity().build();
    assert_eq!(built.err(), Some(ConfigError::MissingIdentityOfRequestOnly));
    let built =
        AuthorizerLayer::request(member(), stage()).accept_missing_identity().require_identity().build();
    assert_eq!(built.err(), Some(ConfigError::MissingIdentityBothWays));
    let built = AuthorizerLayer::request(member(), stage()).require_identity().build();
    assert_eq!(built.err(), Some(ConfigError::NoIdentityToRequire));
    assert!(AuthorizerLayer::token(member(), stage()).require_identity().build().is_ok());
}

#[tokio::test]
async fn a_cached_answer_to_one_credential_serves_neither_another_nor_none() {
    let anonymous = Member::new("anonymous");
    let (token, key) = (Member::new("token"), Member::new("key"));
    let authorizer = any_of()
        .member(Credential::header("x-api-key"), key.clone())
        .member(Credential::bearer(), token.clone())
        .or_anonymous(anonymous.clone())
        .build()
        .unwrap();
    for stage in [stage(), ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()] {
        let layer = AuthorizerLayer::request(authorizer.clone(), stage)
            .with_identity_sources(sources())
            .accept_missing_identity()
            .with_cache(MemoryCache::default())
            .build()
            .unwrap();
        let before = [&token, &key, &anonymous].map(|member| member.asked.count());
        let both = [("authorization", "Bearer good"), ("x-api-key", "good")];
        let [bearer, api_key] = both;
        let swapped = [("authorization", "good"), ("x-api-key", "Bearer good")];
        for _ in 0..3 {
            assert_eq!(ask(&layer, request("/", &both)).await, Outcome::allowed("key"));
            assert_eq!(ask(&layer, request("/", &[bearer])).await, Outcome::allowed("token"));
            assert_eq!(ask(&layer, request("/", &[api_key])).await, Outcome::allowed("key"));
            assert_eq!(ask(&layer, request("/", &[])).await, Outcome::allowed("anonymous"));
            assert_eq!(ask(&layer, request("/", &[("x-api-key", "")])).await, Outcome::allowed("anonymous"));
            let refused = Outcome::refused(RejectionKind::Unauthorized);
            assert_eq!(ask(&layer, request("/", &swapped)).await, refused);
            let twice = ask(&layer, request("/", &[bearer, bearer])).await;
            assert_eq!(twice, Outcome::refused(RejectionKind::AmbiguousIdentity));
        }
        let after = [&token, &key, &anonymous].map(|member| member.asked.count());
        // One load each; what is refused is asked every time, and never kept, and so is what comes with an empty value.
        assert_eq!([0, 1, 2].map(|index| after[index] - before[index]), [1, 5, 4]);
        assert_eq!(layer.cache_statistics().hits, 8);
        layer.invalidate_identity(["", "good"]);
        assert_eq!(ask(&layer, request("/", &[api_key])).await, Outcome::allowed("key"));
        assert_eq!(key.asked.count() - before[1], 6);
    }
}

#[tokio::test]
async fn an_event_lists_the_identities_that_are_there() {
    let listed = authorizer_fn(async |event: AuthorizerEvent| {
        let values: Vec<&str> = event.identity_source().collect();
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::new(format!("[{}]", values.join("|")), policy)?)
    });
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let layer = AuthorizerLayer::request(listed, stage)
        .with_identity_sources(sources())
        .accept_missing_identity()
        .build()
        .unwrap();
    assert_eq!(ask(&layer, request("/", &[("x-api-key", "k")])).await, Outcome::allowed("[k]"));
    assert_eq!(ask(&layer, request("/", &[])).await, Outcome::allowed("[]"));
    let both = [("authorization", "t"), ("x-api-key", "k")];
    assert_eq!(ask(&layer, request("/", &both)).await, Outcome::allowed("[t|k]"));
}

#[tokio::test]
async fn all_have_to_allow_and_the_last_one_names_the_principal() {
    let (first, second, third) = (Member::new("key"), Member::new("token"), Member::new("query"));
    let member = |member: &Member| AuthorizerLayer::request(member.clone(), stage()).build().unwrap();
    let layer = all_of(member(&first), all_of(member(&second), member(&third)));
    let (good, bad) = ("good", "bad");
    for (key, token, query, expected) in [
        (good, good, good, Outcome::allowed("query")),
        (bad, good, good, Outcome::refused(RejectionKind::Unauthorized)),
        (good, bad, good, Outcome::refused(RejectionKind::Unauthorized)),
        (good, good, bad, Outcome::refused(RejectionKind::Unauthorized)),
        ("deny", good, good, Outcome::refused(RejectionKind::ExplicitDeny)),
        (good, "nothing", good, Outcome::refused(RejectionKind::ImplicitDeny)),
        (good, good, "failure", Outcome::refused(RejectionKind::AuthorizerFailure)),
        (good, "panic", good, Outcome::refused(RejectionKind::AuthorizerPanic)),
    ] {
        let before = [&first, &second, &third].map(|member| member.asked.count());
        let calls = Counter::default();
        let request = request(
            &format!("/?key={query}"),
            &[("x-api-key", key), ("authorization", &format!("Bearer {token}"))],
        );
        let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
        let kind = response.extensions().get::<Rejection>().map(Rejection::kind);
        let got = (response.status().as_u16(), kind, calls.count());
        assert_eq!(got, (expected.status, expected.kind, expected.calls), "{key} {token} {query}");
        if kind.is_none() {
            assert_eq!(response.into_body(), expected.principal);
        }
        // Nobody is asked about what somebody before has refused.
        let after = [&first, &second, &third].map(|member| member.asked.count());
        let asked = [0, 1, 2].map(|index| after[index] - before[index]);
        assert_eq!(asked, [1, usize::from(key == good), usize::from(key == good && token == good)]);
    }
}

#[tokio::test]
async fn what_one_of_several_said_is_not_merged_into_what_another_says() {
    let nobody = authorizer_fn(async |event: AuthorizerEvent| {
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::without_principal(policy).with_context("plan", "free"))
    });
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let key = AuthorizerLayer::request(Member::new("key"), stage.clone()).build().unwrap();
    let nobody = AuthorizerLayer::request(nobody, stage).build().unwrap();
    let service = all_of(key, nobody).layer(tower::service_fn(async |request: Request<()>| {
        let principal = request.extensions().get::<tower_lambda_authorizer::Principal>();
        let context = request.extensions().get::<tower_lambda_authorizer::AuthorizerContext>().unwrap();
        let names: Vec<&str> = context.values().iter().map(|(name, _)| name).collect();
        Ok::<_, std::convert::Infallible>(http::Response::new(format!("{} {names:?}", principal.is_some())))
    }));
    let response = service.oneshot(request("/", &[("x-api-key", "good")])).await.unwrap();
    assert_eq!(response.into_body(), "false [\"plan\"]");
}

#[tokio::test]
async fn a_changed_answer_is_the_answer() {
    let asked = Counter::default();
    let counter = asked.clone();
    let narrowed = map_response(Member::new("token"), move |response| {
        counter.hit();
        let policy = response.policy().cloned().unwrap();
        let nobody_deletes = Statement::deny(ResourcePattern::raw("arn:aws:execute-api:*:*:*/*/DELETE/*")?);
        Ok(response.with_policy(policy.with_statement(nobody_deletes)).with_context("plan", "free"))
    });
    let layer = AuthorizerLayer::token(narrowed, stage()).with_cache(MemoryCache::default()).build().unwrap();
    let delete = |mut request: Request<()>| {
        *request.method_mut() = Method::DELETE;
        request
    };
    for _ in 0..2 {
        let good = || request("/", &[("authorization", "Bearer good")]);
        assert_eq!(ask(&layer, good()).await, Outcome::allowed("token"));
        assert_eq!(ask(&layer, delete(good())).await, Outcome::refused(RejectionKind::ExplicitDeny));
    }
    assert_eq!(asked.count(), 1, "what is kept is the changed answer");
    for (token, kind) in [
        ("Bearer bad", RejectionKind::Unauthorized),
        ("Bearer failure", RejectionKind::AuthorizerFailure),
        ("Bearer panic", RejectionKind::AuthorizerPanic),
    ] {
        assert_eq!(ask(&layer, request("/", &[("authorization", token)])).await, Outcome::refused(kind));
    }
    assert_eq!(asked.count(), 1, "an error is no answer");
}

#[tokio::test]
async fn whoever_changes_an_answer_may_refuse_and_may_not_panic_its_way_in() {
    let refusing = map_response(Member::new("token"), |_| Err(AuthorizerError::unauthorized()));
    let panicking = map_response(Member::new("token"), |_| panic!("as it should in this test"));
    let good = || request("/", &[("authorization", "Bearer good")]);
    let refused = Outcome::refused(RejectionKind::Unauthorized);
    assert_eq!(ask(&layer(refusing), good()).await, refused);
    assert_eq!(ask(&layer(panicking), good()).await, Outcome::refused(RejectionKind::AuthorizerPanic));
    assert_eq!(map_response(Member::new("token"), Ok).challenge(), Some(Challenge::bearer()));
}

#[tokio::test]
async fn a_simple_answer_with_a_policy_is_no_simple_answer() {
    let yes = authorizer_fn(async |event: AuthorizerEvent| {
        let nothing = event.policy().build()?;
        Ok(AuthorizerResponse::simple(true).with_policy(nothing))
    });
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
    let layer = AuthorizerLayer::request(yes, stage).with_simple_responses().build().unwrap();
    assert_eq!(ask(&layer, request("/", &[])).await, Outcome::refused(RejectionKind::InvalidResponse));
}
