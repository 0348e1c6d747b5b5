//! The authorizer for JWTs: what it accepts, what it answers, and what clients are told.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]

mod common;

use std::error::Error;
use std::time::Duration;

use common::{Counter, counting, get, stage};
use http::header::WWW_AUTHENTICATE;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::{ContextValue, EventKind, PayloadFormat, ResponseRules, TokenEvent};
use tower_lambda_authorizer::jwt::{
    Algorithm, Issuer, JwtAuthorizer, JwtAuthorizerBuilder, JwtConfigError, JwtError, JwtReason, KeySet,
    KeySetError, Rule, TokenSource,
};
use tower_lambda_authorizer::middleware::Rejection;
use tower_lambda_authorizer::policy::{AnyMethod, Decision};
use tower_lambda_authorizer::testing::{TestKey, TestToken, claims, jwks};
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
};

const ISSUER: &str = "https://id.example.com/";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn key() -> TestKey {
    TestKey::es256("k1")
}

fn keys(keys: &[&TestKey]) -> KeySet {
    KeySet::from_jwks(jwks(keys.iter().copied()).as_bytes()).unwrap()
}

fn issuer() -> Issuer {
    Issuer::new(ISSUER, keys(&[&key()])).with_algorithms([Algorithm::Es256]).with_audience("orders")
}

fn builder(clock: &ManualClock) -> JwtAuthorizerBuilder {
    JwtAuthorizer::builder().with_issuer(issuer()).with_clock(clock.clone())
}

fn common_claims(clock: &ManualClock) -> Value {
    claims(ISSUER, "orders", clock)
}

/// A token whose claims differ in these members; null takes one away.
fn token(clock: &ManualClock, changes: Value) -> String {
    key().token(&changed(common_claims(clock), changes))
}

fn changed(mut claims: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(&name),
            value => claims.as_object_mut().unwrap().insert(name, value),
        };
    }
    claims
}

fn event(resource: &str, header: &str) -> AuthorizerEvent {
    let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/{resource}");
    TokenEvent::new(arn.parse().unwrap(), header).into()
}

async fn ask(
    authorizer: &impl Authorizer,
    resource: &str,
    token: &str,
) -> Result<AuthorizerResponse, AuthorizerError> {
    authorizer.authorize(event(resource, &format!("Bearer {token}"))).await
}

fn allows(response: &AuthorizerResponse, resource: &str) -> bool {
    let arn =
        format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/{resource}").parse().unwrap();
    response.policy().unwrap().evaluate(&arn) == Decision::Allow
}

fn reason(error: &AuthorizerError) -> JwtReason {
    let source = error.source().expect("a refusal says why");
    source.downcast_ref::<JwtError>().expect("it is about a token").reason()
}

#[tokio::test]
async fn only_tokens_of_cognito_have_a_use() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock).build().unwrap();
    for token_use in [json!("id"), json!("access"), json!("refresh"), json!(1)] {
        let token = token(&clock, json!({"token_use": token_use}));
        assert!(ask(&authorizer, "GET/x", &token).await.is_ok(), "{token_use}");
    }
}

#[tokio::test]
async fn an_accepted_token_names_the_principal_and_is_good_until_it_expires() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock).build().unwrap();
    let response = ask(&authorizer, "GET/orders/1", &token(&clock, json!({}))).await.unwrap();
    assert_eq!(response.principal_id(), Some("alice"));
    assert_eq!(response.max_age(), Some(Duration::from_secs(3600)));
    assert!(response.context().is_empty());
    assert!(allows(&response, "GET/orders/1") && allows(&response, "DELETE/anything/else"));
    clock.advance(Duration::from_millis(3_599_500));
    let response = ask(&authorizer, "GET/x", &token(&ManualClock::default(), json!({}))).await.unwrap();
    assert_eq!(response.max_age(), Some(Duration::from_millis(500)));
    // In the leeway: good for this request, and never kept.
    clock.advance(Duration::from_millis(5_400));
    let response = ask(&authorizer, "GET/x", &token(&ManualClock::default(), json!({}))).await.unwrap();
    assert_eq!(response.max_age(), Some(Duration::ZERO));
    clock.advance(Duration::from_millis(100));
    let error = ask(&authorizer, "GET/x", &token(&ManualClock::default(), json!({}))).await.unwrap_err();
    assert_eq!(reason(&error), JwtReason::Expired);
}

#[tokio::test]
async fn every_claim_that_is_wrong_is_a_401_with_its_reason() {
    let clock = ManualClock::default();
    let now = clock.wall().as_secs();
    let authorizer = builder(&clock).build().unwrap();
    for (changes, expected) in [
        (json!({"exp": null}), Some(JwtReason::Claim)),
        (json!({"exp": "9999999999"}), Some(JwtReason::Claim)),
        (json!({"exp": 1e18}), Some(JwtReason::Claim)),
        (json!({"exp": now - 5}), Some(JwtReason::Expired)),
        (json!({"exp": now - 4}), None),
        (json!({"exp": now as f64 - 4.5}), None),
        (json!({"nbf": now + 5}), None),
        (json!({"nbf": now + 6}), Some(JwtReason::NotYetValid)),
        (json!({"nbf": "0"}), Some(JwtReason::Claim)),
        (json!({"iat": now + 6}), Some(JwtReason::IssuedInFuture)),
        (json!({"iat": now + 5}), None),
        (json!({"iat": null}), None),
        (json!({"iat": -1}), Some(JwtReason::Claim)),
        (json!({"iss": null}), Some(JwtReason::Issuer)),
        (json!({"iss": [ISSUER]}), Some(JwtReason::Issuer)),
        (json!({"iss": "https://id.example.com"}), Some(JwtReason::Issuer)),
        (json!({"iss": "https://ID.example.com/"}), Some(JwtReason::Issuer)),
        (json!({"aud": null}), Some(JwtReason::Audience)),
        (json!({"aud": "order"}), Some(JwtReason::Audience)),
        (json!({"aud": "orders,x"}), Some(JwtReason::Audience)),
        (json!({"aud": ["x", "orders"]}), None),
        (json!({"aud": []}), Some(JwtReason::Audience)),
        (json!({"aud": ["orders", 1]}), Some(JwtReason::Claim)),
        (json!({"aud": {"orders": 1}}), Some(JwtReason::Claim)),
        (json!({"aud": 1}), Some(JwtReason::Claim)),
        (json!({"sub": null}), Some(JwtReason::Principal)),
        (json!({"sub": ""}), Some(JwtReason::Principal)),
        (json!({"sub": 7}), Some(JwtReason::Principal)),
        (json!({"sub": "a\nb"}), Some(JwtReason::Principal)),
        (json!({"sub": "x".repeat(2049)}), Some(JwtReason::Principal)),
    ] {
        let found = ask(&authorizer, "GET/x", &token(&clock, changes.clone())).await;
        match expected {
            None => assert!(found.is_ok(), "{changes}: {found:?}"),
            Some(expected) => {
                let error = found.unwrap_err();
                assert!(error.is_unauthorized());
                assert_eq!(reason(&error), expected, "{changes}");
            }
        }
    }
}

#[tokio::test]
async fn a_signature_is_right_for_one_algorithm_and_one_key() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock).build().unwrap();
    let claims = common_claims(&clock);
    let tampered = {
        let good = token(&clock, json!({}));
        let (_, signature) = good.rsplit_once('.').unwrap();
        let other = TestToken::new(&changed(claims.clone(), json!({"sub": "mallory"}))).signed_by(&key());
        format!("{}.{signature}", other.rsplit_once('.').unwrap().0)
    };
    let confused = TestKey::hs256("k1", key().public_pem());
    for (token, expected) in [
        (tampered, JwtReason::Signature),
        (TestToken::new(&claims).forged_by(&key()), JwtReason::Signature),
        (key().other().token(&claims), JwtReason::Signature),
        (TestKey::es256("k2").token(&claims), JwtReason::Key),
        (TestKey::rs256("k1").token(&claims), JwtReason::Algorithm),
        (TestKey::es384("k1").token(&claims), JwtReason::Algorithm),
        (confused.token(&claims), JwtReason::Algorithm),
        (TestToken::new(&claims).with_header("alg", "none").unsigned(), JwtReason::Algorithm),
        (TestToken::new(&claims).with_header("alg", "ES256").unsigned(), JwtReason::Signature),
        (TestToken::new(&claims).with_header("crit", json!(["exp"])).signed_by(&key()), JwtReason::Extension),
        (TestToken::new(&claims).with_header("typ", "dpop+jwt").signed_by(&key()), JwtReason::Type),
        ("not a token".replace(' ', "."), JwtReason::Malformed),
        ("x".repeat(8193), JwtReason::TooLong),
    ] {
        let error = ask(&authorizer, "GET/x", &token).await.unwrap_err();
        assert_eq!(reason(&error), expected, "{token}");
    }
    let attackers = key().other();
    let own_key = TestToken::new(&claims).with_header("jwk", attackers.public_jwk()).signed_by(&attackers);
    assert_eq!(reason(&ask(&authorizer, "GET/x", &own_key).await.unwrap_err()), JwtReason::Signature);
    let without_kid = TestToken::new(&claims).without_header("kid").signed_by(&key());
    assert!(ask(&authorizer, "GET/x", &without_kid).await.is_ok());
}

#[tokio::test]
async fn every_algorithm_can_be_used_with_keys_of_its_kind() {
    let clock = ManualClock::default();
    let claims = common_claims(&clock);
    let all: [(TestKey, Algorithm); 12] = [
        (TestKey::rs256("k"), Algorithm::Rs256),
        (TestKey::rs384("k"), Algorithm::Rs384),
        (TestKey::rs512("k"), Algorithm::Rs512),
        (TestKey::ps256("k"), Algorithm::Ps256),
        (TestKey::ps384("k"), Algorithm::Ps384),
        (TestKey::ps512("k"), Algorithm::Ps512),
        (TestKey::es256("k"), Algorithm::Es256),
        (TestKey::es384("k"), Algorithm::Es384),
        (TestKey::eddsa("k"), Algorithm::EdDsa),
        (TestKey::hs256("k", SECRET), Algorithm::Hs256),
        (TestKey::hs384("k", SECRET), Algorithm::Hs384),
        (TestKey::hs512("k", SECRET), Algorithm::Hs512),
    ];
    for (key, algorithm) in &all {
        let published =
            [KeySet::from_jwks(jwks([key]).as_bytes()), KeySet::from_pem(key.public_pem().as_bytes())];
        let sets: Vec<_> = match algorithm.is_symmetric() {
            true => vec![KeySet::from_hmac_secret(SECRET).unwrap()],
            false => published.into_iter().map(Result::unwrap).collect(),
        };
        for set in sets {
            let issuer = Issuer::new(ISSUER, set).with_algorithms([*algorithm]).with_audience("orders");
            let authorizer =
                JwtAuthorizer::builder().with_issuer(issuer).with_clock(clock.clone()).build().unwrap();
            assert_eq!(authorizer.verify(&key.token(&claims)).await.unwrap().subject(), Some("alice"));
            for (other, name) in all.iter().filter(|(_, name)| name != algorithm) {
                let error = authorizer.verify(&other.token(&claims)).await.unwrap_err();
                assert_eq!(error.reason(), JwtReason::Algorithm, "{name} for {algorithm}");
            }
            let forged = TestToken::new(&claims).forged_by(key);
            assert_eq!(authorizer.verify(&forged).await.unwrap_err().reason(), JwtReason::Signature);
        }
    }
}

#[tokio::test]
async fn several_issuers_do_not_lend_each_other_their_keys() {
    let clock = ManualClock::default();
    let (one, two) = (TestKey::es256("a"), TestKey::es256("a").other());
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(Issuer::new("https://one.example", keys(&[&one])).with_audience("x"))
        .with_issuer(Issuer::new("https://two.example", keys(&[&two])).with_audience("y"))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let verify = async |key: &TestKey, issuer: &str, audience: &str| {
        authorizer
            .verify(&key.token(&claims(issuer, audience, &clock)))
            .await
            .err()
            .map(|error| error.reason())
    };
    assert_eq!(verify(&one, "https://one.example", "x").await, None);
    assert_eq!(verify(&two, "https://two.example", "y").await, None);
    assert_eq!(verify(&one, "https://two.example", "y").await, Some(JwtReason::Signature));
    assert_eq!(verify(&two, "https://two.example", "x").await, Some(JwtReason::Audience));
    assert_eq!(verify(&two, "https://three.example", "y").await, Some(JwtReason::Issuer));
}

#[tokio::test]
async fn claims_can_be_demanded() {
    let clock = ManualClock::default();
    let issuer = issuer()
        .with_client_id("app")
        .with_required_claim("email_verified", true)
        .with_required_claim("roles", "buyer")
        .with_required_claim_in("tenant", ["acme", "initech"])
        .with_optional_claim_in("tier", ["gold"])
        .with_present_claim("jti")
        .with_max_token_age(Duration::from_secs(60))
        .with_check(|claims| match claims.get_str("ban") {
            None => Ok(()),
            Some(_) => Err("banned".into()),
        });
    let authorizer = JwtAuthorizer::builder().with_issuer(issuer).with_clock(clock.clone()).build().unwrap();
    let good = json!({
        "client_id": "app", "email_verified": true, "roles": ["seller", "buyer"], "tenant": "acme", "jti": "1"
    });
    let with = |changes: Value| key().token(&changed(changed(common_claims(&clock), good.clone()), changes));
    assert!(authorizer.verify(&with(json!({"tier": "gold"}))).await.is_ok());
    for (changes, reason, claim) in [
        (json!({"client_id": null}), JwtReason::Client, None),
        (json!({"client_id": ["app"]}), JwtReason::Client, None),
        (json!({"aud": "other"}), JwtReason::Audience, None),
        (json!({"email_verified": "true"}), JwtReason::Claim, Some("email_verified")),
        (json!({"roles": "seller"}), JwtReason::Claim, Some("roles")),
        (json!({"roles": "seller buyer"}), JwtReason::Claim, Some("roles")),
        (json!({"tenant": "evil"}), JwtReason::Claim, Some("tenant")),
        (json!({"tier": "lead"}), JwtReason::Claim, Some("tier")),
        (json!({"jti": null}), JwtReason::Claim, Some("jti")),
        (json!({"iat": null}), JwtReason::Claim, Some("iat")),
        (json!({"iat": clock.wall().as_secs() - 66}), JwtReason::TooOld, None),
        (json!({"ban": "x"}), JwtReason::Rejected, None),
    ] {
        let error = authorizer.verify(&with(changes.clone())).await.unwrap_err();
        assert_eq!((error.reason(), error.claim()), (reason, claim), "{changes}");
    }
    let banned = authorizer.verify(&with(json!({"ban": "x"}))).await.unwrap_err();
    assert_eq!(banned.source().unwrap().to_string(), "banned");
}

#[tokio::test]
async fn rules_add_up_and_nothing_else_is_allowed() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock)
        .with_rule(Rule::everyone().allow(AnyMethod, "/users/{sub}/*"))
        .with_rule(Rule::scope("read").allow(Method::GET, "/orders/*").allow(Method::GET, "/orders"))
        .with_rule(Rule::group("admins").allow(AnyMethod, "/*"))
        .with_rule(Rule::claim("plan", "gold").allow(Method::POST, "/reports/{tenant}"))
        .build()
        .unwrap();
    let answer = async |changes: Value| ask(&authorizer, "GET/x", &token(&clock, changes)).await.unwrap();
    let reader = answer(json!({"scope": "write read"})).await;
    assert!(
        allows(&reader, "GET/orders")
            && allows(&reader, "GET/orders/1")
            && allows(&reader, "PUT/users/alice/x")
    );
    assert!(
        !allows(&reader, "PUT/orders/1") && !allows(&reader, "GET/users/bob/x") && !allows(&reader, "GET/x")
    );
    assert_eq!(reader.denial_challenge().unwrap().as_str(), r#"Bearer error="insufficient_scope""#);
    assert!(allows(&answer(json!({"cognito:groups": ["x", "admins"]})).await, "GET/anything"));
    assert!(!allows(&answer(json!({"cognito:groups": "x admins"})).await, "GET/anything"));
    let gold = answer(json!({"plan": "gold", "tenant": "a/*"})).await;
    assert!(allows(&gold, "POST/reports/a%2F%2A") && !allows(&gold, "POST/reports/a/b"));
    // Without what the path needs there is no such path.
    for tenant in [json!(null), json!(""), json!(".."), json!(["a"]), json!("a".repeat(129))] {
        let gold = answer(json!({"plan": "gold", "tenant": tenant})).await;
        assert_eq!(gold.policy().unwrap().statements().len(), 1, "{tenant}");
    }
    let socket = builder(&clock).with_rule(Rule::scope("chat").allow_connect()).build().unwrap();
    for (scope, is_allowed) in [("chat", true), ("x", false)] {
        let response = ask(&socket, "$connect", &token(&clock, json!({"scope": scope}))).await.unwrap();
        assert_eq!(allows(&response, "$connect"), is_allowed);
    }
    let nobody = builder(&clock).with_rule(Rule::scope("x").allow(AnyMethod, "/*")).build().unwrap();
    let denied = ask(&nobody, "GET/x", &token(&clock, json!({}))).await.unwrap();
    assert!(denied.policy().unwrap().statements().is_empty());
}

#[tokio::test]
async fn a_policy_can_be_made_of_the_claims() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock)
        .with_principal(|claims| Some(format!("{}#{}", claims.issuer()?, claims.subject()?)))
        .with_policy(|claims, policy| {
            policy.value("t", claims.get_str("tenant").unwrap_or("none")).allow(AnyMethod, "/{t}/*").build()
        })
        .build()
        .unwrap();
    let response = ask(&authorizer, "GET/x", &token(&clock, json!({"tenant": "acme"}))).await.unwrap();
    assert_eq!(response.principal_id(), Some("https://id.example.com/#alice"));
    assert!(allows(&response, "GET/acme/1") && !allows(&response, "GET/x"));
    // A claim that cannot stand in a path is the authorizer's failure here, and no answer.
    let error = ask(&authorizer, "GET/x", &token(&clock, json!({"tenant": ".."}))).await.unwrap_err();
    assert!(!error.is_unauthorized());
}

#[tokio::test]
async fn claims_in_the_context_are_accepted_by_every_kind_of_api() {
    let clock = ManualClock::default();
    let names = ["email", "level", "admin", "roles", "address", "nothing", "absent"];
    let authorizer = builder(&clock)
        .with_context_claims(names)
        .with_context_claim_as("cognito:groups", "groups")
        .build()
        .unwrap();
    let changes = json!({
        "email": "a@example.com", "level": 7, "admin": true, "roles": ["a", "b c", 1], "address": {"city": "X"},
        "cognito:groups": ["g"]
    });
    let mut claims = changed(common_claims(&clock), changes);
    claims["nothing"] = Value::Null;
    let response = ask(&authorizer, "GET/x", &key().token(&claims)).await.unwrap();
    let context: Vec<_> = response.context().iter().collect();
    let text = |text: &str| ContextValue::from(text);
    assert_eq!(
        context,
        [
            ("email", &text("a@example.com")),
            ("level", &ContextValue::from(7)),
            ("admin", &ContextValue::from(true)),
            ("roles", &text("[a b c 1]")),
            ("address", &text(r#"{"city":"X"}"#)),
            ("groups", &text("[g]")),
        ]
    );
    let http = [PayloadFormat::V1, PayloadFormat::V2].map(ResponseRules::http);
    for rules in [ResponseRules::rest(), ResponseRules::websocket()].into_iter().chain(http) {
        response.check(&rules).unwrap();
    }
    for reserved in ["principalId", "claims", "scopes", "integrationLatency", "authorizerExpiresAt", ""] {
        let wrong = builder(&clock).with_context_claim_as("email", reserved).build();
        assert!(matches!(wrong, Err(JwtConfigError::ContextName { .. })), "{reserved}");
    }
    assert!(builder(&clock).with_context_claims(["a", "a"]).build().is_err());
}

#[tokio::test]
async fn clients_are_told_as_much_as_rfc_6750_says() {
    let clock = ManualClock::default();
    let needing = issuer().with_required_scope("orders:read").with_required_scope("b");
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(needing)
        .with_realm("the \"orders\"")
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let calls = Counter::default();
    let layer = AuthorizerLayer::token(authorizer, stage()).build().unwrap();
    let service = layer.layer(counting(&calls));
    let expired = token(&clock, json!({"exp": 1}));
    let wrong = token(&clock, json!({"aud": "x"}));
    let unscoped = token(&clock, json!({"scope": "b"}));
    let realm = r#"Bearer realm="the \"orders\"""#;
    let invalid = |text: &str| format!(r#"{realm}, error="invalid_token", error_description="{text}""#);
    for (header, status, challenge) in [
        ("".to_owned(), StatusCode::UNAUTHORIZED, realm.to_owned()),
        ("Basic YTpi".to_owned(), StatusCode::UNAUTHORIZED, realm.to_owned()),
        (format!("Bearer {expired}"), StatusCode::UNAUTHORIZED, invalid("the token has expired")),
        (format!("Bearer {wrong}"), StatusCode::UNAUTHORIZED, invalid("the token is not valid")),
        ("Bearer a, Bearer b".to_owned(), StatusCode::UNAUTHORIZED, invalid("the token is not valid")),
        (
            format!("Bearer {unscoped}"),
            StatusCode::FORBIDDEN,
            format!(r#"{realm}, error="insufficient_scope", scope="orders:read b""#),
        ),
    ] {
        let response = service.clone().oneshot(get("/orders", &header)).await.unwrap();
        assert_eq!(response.status(), status, "{header}");
        assert_eq!(response.headers()[WWW_AUTHENTICATE], challenge, "{header}");
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert!(!format!("{rejection:?}").contains(&expired));
    }
    let scoped = token(&clock, json!({"scope": "b c orders:read"}));
    let response = service.oneshot(get("/orders", &format!("bearer {scoped}"))).await.unwrap();
    assert_eq!((response.status(), &**response.body(), calls.count()), (StatusCode::OK, "alice", 1));
}

#[tokio::test]
async fn an_answer_is_not_kept_beyond_its_token() {
    let clock = ManualClock::default();
    let asked = Counter::default();
    let counter = asked.clone();
    let issuer = issuer().with_check(move |_| {
        counter.hit();
        Ok(())
    });
    let authorizer = JwtAuthorizer::builder().with_issuer(issuer).with_clock(clock.clone()).build().unwrap();
    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_cache(MemoryCache::builder().build())
        .with_cache_ttl(Duration::from_secs(3600))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let service = layer.layer(counting(&Counter::default()));
    let short = format!("Bearer {}", token(&clock, json!({"exp": clock.wall().as_secs() + 60})));
    let status = async || service.clone().oneshot(get("/x", &short)).await.unwrap().status();
    assert_eq!((status().await, status().await, asked.count()), (StatusCode::OK, StatusCode::OK, 1));
    clock.advance(Duration::from_secs(59));
    assert_eq!((status().await, asked.count()), (StatusCode::OK, 1));
    // In the leeway it is asked about each time.
    clock.advance(Duration::from_secs(2));
    assert_eq!((status().await, status().await, asked.count()), (StatusCode::OK, StatusCode::OK, 3));
    clock.advance(Duration::from_secs(10));
    assert_eq!((status().await, asked.count()), (StatusCode::UNAUTHORIZED, 3));
}

#[tokio::test]
async fn one_authorizer_answers_every_kind_of_event() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock).build().unwrap();
    let token = token(&clock, json!({}));
    let fixtures = ["rest_token", "rest_request", "http_v1", "http_v2", "websocket_connect"];
    let mut kinds = Vec::new();
    for name in fixtures {
        let text = std::fs::read_to_string(format!(
            "{}/tests/fixtures/events/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        ));
        let mut json: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let header = json!(format!("Bearer {token}"));
        match name {
            "rest_token" => json["authorizationToken"] = header,
            _ => {
                json["headers"] = json!({"authorization": header.clone()});
                if json.get("multiValueHeaders").is_some() {
                    json["multiValueHeaders"] = json!({"authorization": [header]});
                }
            }
        }
        let event = AuthorizerEvent::from_json(&json.to_string()).unwrap();
        kinds.push(event.kind());
        let arn = event.arn().clone();
        let response = authorizer.authorize(event).await.unwrap();
        assert_eq!(response.policy().unwrap().evaluate(&arn), Decision::Allow, "{name}");
        for rules in [ResponseRules::rest(), ResponseRules::http(PayloadFormat::V2)] {
            response.check(&rules).unwrap();
        }
        if json.get("multiValueHeaders").is_some() {
            json["multiValueHeaders"] = json!({"authorization": ["Bearer a", "Bearer b"]});
            let event = AuthorizerEvent::from_json(&json.to_string()).unwrap();
            let error = authorizer.authorize(event).await.unwrap_err();
            assert_eq!(reason(&error), JwtReason::Several, "{name}");
        }
    }
    assert!(kinds.contains(&EventKind::WebSocketConnect) && kinds.contains(&EventKind::RestToken));
}

#[tokio::test]
async fn a_token_can_come_in_another_header_or_in_the_query() {
    let clock = ManualClock::default();
    let token = token(&clock, json!({}));
    let service = |source: TokenSource, identity: &str| {
        let authorizer = builder(&clock).with_token_source(source).build().unwrap();
        let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap();
        let layer = AuthorizerLayer::request(authorizer, stage)
            .with_identity_sources([identity.parse().unwrap()])
            .build()
            .unwrap();
        layer.layer(counting(&Counter::default()))
    };
    let in_query = service(TokenSource::query_parameter("t"), "$request.querystring.t");
    let status = async |uri: String| {
        in_query.clone().oneshot(Request::get(uri).body(()).unwrap()).await.unwrap().status()
    };
    assert_eq!(status(format!("/x?a=1&t={token}")).await, StatusCode::OK);
    assert_eq!(status(format!("/x?T={token}")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(format!("/x?t={token}&t={token}")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(format!("/x?t=Bearer+{token}")).await, StatusCode::UNAUTHORIZED);
    let in_header = service(TokenSource::header("X-Token").with_bare_tokens(), "$request.header.x-token");
    let status = async |values: &[&str]| {
        let mut request = Request::get("/x");
        for value in values {
            request = request.header("x-token", *value);
        }
        in_header.clone().oneshot(request.body(()).unwrap()).await.unwrap().status()
    };
    assert_eq!(status(&[&token]).await, StatusCode::OK);
    assert_eq!(status(&[&format!("Bearer {token}")]).await, StatusCode::OK);
    assert_eq!(status(&[&token, &token]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&[]).await, StatusCode::UNAUTHORIZED);
    for bad in [TokenSource::header("a b"), TokenSource::header(""), TokenSource::query_parameter("")] {
        assert_eq!(builder(&clock).with_token_source(bad).build().unwrap_err(), JwtConfigError::Source);
    }
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let clock = ManualClock::default();
    let problem = |issuer: Issuer| match JwtAuthorizer::new(issuer).unwrap_err() {
        JwtConfigError::Issuer { problem, .. } => problem,
        other => panic!("{other}"),
    };
    let bare = || Issuer::new(ISSUER, keys(&[&key()]));
    let secret = || Issuer::new(ISSUER, KeySet::from_hmac_secret(SECRET).unwrap()).with_audience("x");
    for (issuer, word) in [
        (bare(), "audience"),
        (bare().with_audience(""), "empty"),
        (bare().with_audience("x").with_algorithms([]), "algorithms"),
        (bare().with_audience("x").with_algorithms([Algorithm::Rs256]), "keys"),
        (bare().with_audience("x").with_algorithms([Algorithm::Es256, Algorithm::Hs256]), "HMAC"),
        (secret().with_algorithms([Algorithm::Es256]), "keys"),
        (bare().with_audience("x").with_leeway(Duration::from_secs(61)), "leeway"),
        (bare().with_audience("x").with_required_scope("a b"), "scope"),
        (bare().with_audience("x").with_present_claim(""), "claim"),
        (Issuer::new("", keys(&[&key()])).with_audience("x"), "name"),
        (Issuer::new(ISSUER, keys(&[])).with_audience("x"), "none of its keys"),
    ] {
        assert!(problem(issuer).contains(word), "{word}");
    }
    assert!(JwtAuthorizer::new(bare().accept_any_audience()).is_ok());
    assert!(JwtAuthorizer::new(secret()).is_ok());
    let build = |builder: JwtAuthorizerBuilder| builder.build().unwrap_err();
    assert_eq!(build(JwtAuthorizer::builder()), JwtConfigError::NoIssuer);
    let twice = builder(&clock).with_issuer(issuer());
    assert_eq!(build(twice), JwtConfigError::DuplicateIssuer { issuer: ISSUER.into() });
    assert_eq!(build(builder(&clock).with_max_token_bytes(0)), JwtConfigError::TokenLimit);
    assert_eq!(build(builder(&clock).with_max_token_bytes(65_537)), JwtConfigError::TokenLimit);
    assert!(matches!(build(builder(&clock).with_realm("é")), JwtConfigError::Challenge(_)));
    let rule = Rule::everyone().allow(Method::GET, "no slash");
    assert!(matches!(build(builder(&clock).with_rule(rule)), JwtConfigError::Rule(_)));
    let both = builder(&clock).with_rule(Rule::everyone()).with_policy(|_, policy| policy.build());
    assert_eq!(build(both), JwtConfigError::PolicyAndRules);
}

#[test]
fn only_public_keys_are_read_from_pem() {
    let pem = key().public_pem();
    assert_eq!(KeySet::from_pem(pem.as_bytes()).unwrap().len(), 1);
    assert_eq!(KeySet::from_pem(format!("\n{}\n", pem.replace('\n', "\r\n")).as_bytes()).unwrap().len(), 1);
    let labelled = |label: &str| pem.replace("PUBLIC KEY", label);
    for (text, error) in [
        (labelled("CERTIFICATE"), KeySetError::Certificate),
        (labelled("PRIVATE KEY"), KeySetError::PrivateKey),
        (labelled("EC PRIVATE KEY"), KeySetError::PrivateKey),
        (labelled("ENCRYPTED PRIVATE KEY"), KeySetError::PrivateKey),
        (labelled("DSA PUBLIC KEY"), KeySetError::NotPem),
        (format!("{pem}{pem}"), KeySetError::NotPem),
        (format!("{pem}x"), KeySetError::NotPem),
        (format!("x{pem}"), KeySetError::NotPem),
        (String::new(), KeySetError::NotPem),
    ] {
        assert_eq!(KeySet::from_pem(text.as_bytes()).unwrap_err(), error, "{text}");
    }
    let short: String =
        pem.lines().enumerate().filter(|(line, _)| *line != 2).map(|(_, line)| format!("{line}\n")).collect();
    assert!(matches!(
        KeySet::from_pem(short.as_bytes()),
        Err(KeySetError::Unusable(_) | KeySetError::NotPem)
    ));
    let file = std::env::temp_dir().join(format!("tower-lambda-authorizer-{}.pem", std::process::id()));
    std::fs::write(&file, pem).unwrap();
    assert_eq!(KeySet::from_file(&file).unwrap().len(), 1);
    std::fs::write(&file, jwks([&key(), &TestKey::rs256("r")])).unwrap();
    assert_eq!(KeySet::from_file(&file).unwrap().len(), 2);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(KeySet::from_file(&file).unwrap_err(), KeySetError::Unreadable(std::io::ErrorKind::NotFound));
}

#[tokio::test]
async fn nothing_of_a_token_is_printed() {
    let clock = ManualClock::default();
    let authorizer = builder(&clock).build().unwrap();
    let token = token(&clock, json!({"sub": "very-secret", "aud": "very-secret"}));
    let error = ask(&authorizer, "GET/x", &token).await.unwrap_err();
    let printed = format!("{error:?} {error} {:?} {authorizer:?}", error.source());
    assert!(!printed.contains("very-secret") && !printed.contains(&token[..20]), "{printed}");
    assert_eq!(error.source().unwrap().to_string(), "the token is meant for another audience");
}

#[tokio::test]
async fn an_answer_ends_with_the_age_that_a_token_may_have() {
    let clock = ManualClock::default();
    let authorizer = JwtAuthorizer::builder()
        .with_issuer(issuer().with_max_token_age(Duration::from_secs(600)))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let now = clock.wall().as_secs();
    let max_age = async |token: &str| {
        let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/a".parse().unwrap();
        let event = AuthorizerEvent::from(TokenEvent::new(arn, format!("Bearer {token}")));
        authorizer.authorize(event).await.unwrap().max_age()
    };
    for (changes, seconds) in [
        (json!({}), 600),
        (json!({"iat": now - 400}), 200),
        // The leeway is none for what is kept.
        (json!({"iat": now - 603}), 0),
        (json!({"exp": now + 60}), 60),
    ] {
        let expected = Some(Duration::from_secs(seconds));
        assert_eq!(max_age(&token(&clock, changes.clone())).await, expected, "{changes}");
    }

    let layer = AuthorizerLayer::token(authorizer, stage())
        .with_clock(clock.clone())
        .with_cache(MemoryCache::default())
        .with_cache_ttl(Duration::from_secs(3600))
        .build()
        .unwrap();
    let calls = Counter::default();
    let service = layer.layer(counting(&calls));
    let bearer = format!("Bearer {}", token(&clock, json!({})));
    for (later, status) in [(0, 200), (599, 200), (3000, 401)] {
        clock.advance(Duration::from_secs(later));
        let response = service.clone().oneshot(get("/a", &bearer)).await.unwrap();
        assert_eq!(response.status(), status, "{later}");
    }
    assert_eq!(calls.count(), 2);
}
