//! Any bytes are refused as a key set, or are one of which only such keys are taken as the rules allow.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use tower_lambda_authorizer::jwt::{KeySet, KeySetError};

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let set = match KeySet::from_jwks(bytes) {
        Ok(set) => set,
        Err(error) => {
            assert!(error != KeySetError::TooLarge || bytes.len() > KeySet::MAX_BYTES);
            let message = format!("{error} {error:?}");
            assert!(message.len() < 1024 && !message.chars().any(char::is_control), "{message:?}");
            return true;
        }
    };
    // What nobody looks at may be something that this reader does not read.
    let Ok(document) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(bytes) else { return true };
    let keys: Vec<&RawValue> = serde_json::from_str(document["keys"].get()).expect("a list");
    let keys: Vec<Option<Value>> = keys.iter().map(|key| serde_json::from_str(key.get()).ok()).collect();
    assert!(keys.len() <= KeySet::MAX_KEYS);
    assert_eq!(set.len() + set.skipped().len(), keys.len(), "each key is taken or skipped");

    let shown = format!("{set:?}");
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    let is_skipped = |position| set.skipped().iter().any(|skipped| skipped.position() == position);
    let taken = keys.iter().enumerate().filter(|(position, _)| !is_skipped(*position));
    let taken: Vec<&Value> = taken.map(|(_, key)| key.as_ref().expect("JSON")).collect();
    assert_eq!(taken.len(), set.len(), "no key is skipped twice");
    for key in &taken {
        assert!(may_be_taken(key), "{key}");
    }
    let names: Vec<&str> = taken.iter().filter_map(|key| key["kid"].as_str()).collect();
    assert_eq!(set.kids().collect::<Vec<_>>(), names);
    for name in &names {
        assert!(name.len() <= 256 && names.iter().filter(|other| other == &name).count() == 1, "{name}");
    }
    true
}

/// By the rules as they are documented; a key that may be taken need not be.
fn may_be_taken(key: &Value) -> bool {
    let decoded = |name: &str| {
        let text = key[name].as_str()?;
        // Base64url without padding.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_plain.then_some(text.len() * 6 / 8)
    };
    let is_kind = match (key["kty"].as_str(), key["crv"].as_str()) {
        (Some("RSA"), _) => decoded("n").is_some_and(|bytes| bytes >= 256) && decoded("e").is_some(),
        (Some("EC"), Some("P-256")) => decoded("x") == Some(32) && decoded("y") == Some(32),
        (Some("EC"), Some("P-384")) => decoded("x") == Some(48) && decoded("y") == Some(48),
        (Some("OKP"), Some("Ed25519")) => decoded("x") == Some(32),
        _ => false,
    };
    let algorithms: &[&str] = match key["kty"].as_str() {
        Some("RSA") => &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        Some("EC") if key["crv"] == "P-256" => &["ES256"],
        Some("EC") => &["ES384"],
        _ => &["EdDSA"],
    };
    let alg = key.get("alg").is_none_or(|alg| algorithms.iter().any(|known| alg == known));
    let usage = key.get("use").is_none_or(|usage| usage == "sig");
    let operations = key.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|operations| operations.iter().any(|one| one == "verify"))
    });
    let is_private = ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| key.get(name).is_some());
    let is_named = key.get("kid").is_none_or(Value::is_string);
    is_kind && alg && usage && operations && is_named && !is_private
}
