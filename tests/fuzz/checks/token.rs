//! No text is taken for a token but those that were really signed, and a signature makes no good claims of bad ones.
//!
//! The input is a token. Or it is two lines, a header and a payload, for a token that is signed with a key that is
//! trusted: then it has to be one that the rules allow, as a slow reader sees it.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtAuthorizer, KeySet};
use tower_lambda_authorizer::testing::{TestKey, TestToken, jwks};

const ISS: &str = "https://issuer.example";
const AUD: &str = "tests";
const NOW: f64 = 1_767_225_600.0;
/// As configured where nothing is said.
const LEEWAY: f64 = 5.0;

static AUTHORIZER: LazyLock<JwtAuthorizer> = LazyLock::new(|| {
    let keys = jwks([&TestKey::rs256("rsa"), &TestKey::es256("p256"), &TestKey::eddsa("ed")]);
    let issuer = Issuer::new(ISS, KeySet::from_jwks(keys.as_bytes()).expect("a key set"))
        .with_algorithms([Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa])
        .with_audience(AUD);
    let builder = JwtAuthorizer::builder().with_clock(ManualClock::default());
    builder.with_issuer(issuer).build().expect("an authorizer")
});

/// Every genuine token there is: their signatures are the same each time.
static GENUINE: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let claims =
        r#"{"iss":"https://issuer.example","aud":"tests","sub":"me","iat":1767225600,"exp":1767229200}"#;
    let sign = |key: TestKey| {
        let header = format!(r#"{{"alg":"{}","kid":"{}","typ":"JWT"}}"#, key.algorithm(), key.kid());
        TestToken::from_text(claims).with_header_text(header).signed_by(&key)
    };
    HashSet::from([sign(TestKey::rs256("rsa")), sign(TestKey::eddsa("ed"))])
});

fn is_accepted(token: &str) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(AUTHORIZER.verify(token)).poll(&mut cx) {
        Poll::Ready(Ok(_)) => true,
        Poll::Ready(Err(error)) => {
            let message = format!("{error} {error:?}");
            assert!(message.len() < 1024 && !message.chars().any(char::is_control), "{message:?}");
            false
        }
        Poll::Pending => panic!("nobody has anything to wait for"),
    }
}

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    if let Some((header, payload)) = text.split_once('\n') {
        let token = TestToken::from_text(payload).with_header_text(header).signed_by(&TestKey::eddsa("ed"));
        if is_accepted(&token) {
            assert!(names_the_key(header) && is_good(payload), "{header}\n{payload}");
        }
        return true;
    }
    let is_genuine = GENUINE.contains(text);
    assert_eq!(is_accepted(text), is_genuine, "{text}");
    is_genuine || text.contains('.')
}

/// Header and payload have been read by somebody who allows no repeated names, so the last is the only one.
fn names_the_key(header: &str) -> bool {
    let Ok(header) = serde_json::from_str::<Value>(header) else { return false };
    let is_plain = ["b64", "crit", "zip"].iter().all(|name| header.get(name).is_none());
    let typ = header.get("typ").map_or(Some("jwt".to_owned()), |typ| typ.as_str().map(str::to_lowercase));
    let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    is_plain && header["alg"] == "EdDSA" && header["kid"] == "ed" && matches!(typ, Some("jwt" | "at+jwt"))
}

fn is_good(payload: &str) -> bool {
    let Ok(claims) = serde_json::from_str::<Value>(payload) else { return false };
    let time = |name: &str| claims.get(name).map(|value| value.as_f64());
    let is_audience = match &claims["aud"] {
        Value::String(one) => one == AUD,
        Value::Array(several) => {
            several.iter().all(Value::is_string) && several.iter().any(|one| *one == AUD)
        }
        _ => false,
    };
    let begins = |name: &str| time(name).is_none_or(|time| time.is_some_and(|time| time <= NOW + LEEWAY));
    claims["iss"] == ISS
        && is_audience
        && time("exp").flatten().is_some_and(|time| time > NOW - LEEWAY)
        && begins("nbf")
        && begins("iat")
}
