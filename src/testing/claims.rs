//! Payloads of tokens as issuers write them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Clock;

const LIFE: Duration = Duration::from_secs(3600);

/// Claims of a token that `issuer` made for `audience` just now, for the subject `alice`; good for an hour of `clock`.
///
/// ```
/// use tower_lambda_authorizer::clock::ManualClock;
/// use tower_lambda_authorizer::testing::{TestKey, claims};
///
/// let mut claims = claims("https://issuer.example", "my-api", &ManualClock::default());
/// claims["scope"] = "orders/read orders/write".into();
/// let token = TestKey::es256("key-1").token(&claims);
/// ```
#[must_use]
pub fn claims(issuer: &str, audience: &str, clock: &impl Clock) -> Value {
    let now = clock.wall().as_secs();
    json!({ "iss": issuer, "sub": "alice", "aud": audience, "iat": now, "exp": now + LIFE.as_secs() })
}

/// Claims of an ID token of the Cognito user pool `pool`, such as `us-east-1_Ab129faBb`, for the app client `client`.
///
/// The issuer is in the region that the pool's id begins with.
///
/// ```
/// use tower_lambda_authorizer::clock::ManualClock;
/// use tower_lambda_authorizer::testing::cognito_id_claims;
///
/// let claims = cognito_id_claims("us-east-1_Ab129faBb", "client-1", &ManualClock::default());
/// assert_eq!(claims["iss"], "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab129faBb");
/// assert_eq!((&claims["token_use"], &claims["aud"]), (&"id".into(), &"client-1".into()));
/// ```
#[must_use]
pub fn cognito_id_claims(pool: &str, client: &str, clock: &impl Clock) -> Value {
    let mut claims = cognito_claims(pool, clock);
    for (name, value) in [
        ("token_use", json!("id")),
        ("aud", json!(client)),
        ("cognito:username", json!("alice")),
        ("email", json!("alice@example.com")),
        ("email_verified", json!(true)),
    ] {
        set(&mut claims, name, value);
    }
    claims
}

/// Claims of an access token of the Cognito user pool `pool` for the app client `client`. It has no audience, and its
/// scope is `aws.cognito.signin.user.admin`, as that of a user who signed in through the API.
#[must_use]
pub fn cognito_access_claims(pool: &str, client: &str, clock: &impl Clock) -> Value {
    let mut claims = cognito_claims(pool, clock);
    for (name, value) in [
        ("token_use", json!("access")),
        ("client_id", json!(client)),
        ("username", json!("alice")),
        ("scope", json!("aws.cognito.signin.user.admin")),
        ("version", json!(2)),
    ] {
        set(&mut claims, name, value);
    }
    claims
}

/// What the two kinds of token have in common.
fn cognito_claims(pool: &str, clock: &impl Clock) -> Value {
    let region = pool.split_once('_').map_or(pool, |(region, _)| region);
    let now = clock.wall().as_secs();
    json!({
        "iss": format!("https://cognito-idp.{region}.amazonaws.com/{pool}"),
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-000000000001",
        "event_id": "aaaaaaaa-bbbb-cccc-dddd-000000000002",
        "jti": "aaaaaaaa-bbbb-cccc-dddd-000000000003",
        "auth_time": now,
        "iat": now,
        "exp": now + LIFE.as_secs(),
    })
}

fn set(claims: &mut Value, name: &str, value: Value) {
    if let Value::Object(claims) = claims {
        claims.insert(name.into(), value);
    }
}
