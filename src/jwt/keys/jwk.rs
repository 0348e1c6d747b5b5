//! Keys out of a JWKS document.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ed25519::ed25519;
use super::error::{KeySetError, SkipReason, SkippedKey};
use super::{Key, KeySet, Name};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::crypto::{MAX_RSA_BITS, Material};
use crate::jwt::json;

/// The longest `kid`, in bytes; a token cannot name a longer one.
pub(in crate::jwt) const MAX_KID: usize = 256;

/// The smallest RSA keys, in bits.
const MIN_RSA_BITS: usize = 2048;

/// The members of which any makes a key a private one.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

pub(super) fn set(document: &[u8]) -> Result<KeySet, KeySetError> {
    if document.len() > KeySet::MAX_BYTES {
        return Err(KeySetError::TooLarge);
    }
    let Document(texts) = serde_json::from_slice(document).map_err(|_| KeySetError::NotJwks)?;
    if texts.len() > KeySet::MAX_KEYS {
        return Err(KeySetError::TooManyKeys);
    }
    let mut found: Vec<Found> =
        texts.iter().enumerate().map(|(position, text)| Found::read(position, text)).collect();
    let mut named: HashMap<Box<str>, usize> = HashMap::new();
    for kid in found.iter().filter(|found| found.is_candidate()).filter_map(|found| found.kid.clone()) {
        *named.entry(kid).or_default() += 1;
    }
    let mut set = KeySet::default();
    for Found { position, kid, key } in found.drain(..) {
        let is_ambiguous = kid.as_ref().is_some_and(|kid| named.get(kid).is_some_and(|times| *times > 1));
        match key {
            Ok(_) if is_ambiguous => {
                set.skipped.push(SkippedKey { position, kid, reason: SkipReason::DuplicateKid });
            }
            Ok(key) => set.keys.push(key),
            Err(reason) => set.skipped.push(SkippedKey { position, kid, reason }),
        }
    }
    Ok(set)
}

/// One key of a document, usable or not.
struct Found {
    position: usize,
    kid: Option<Box<str>>,
    key: Result<Key, SkipReason>,
}

impl Found {
    fn read(position: usize, text: &RawValue) -> Self {
        let Some(object) = json::object(text.get().as_bytes()) else {
            return Self { position, kid: None, key: Err(SkipReason::Malformed) };
        };
        let kid: Option<Box<str>> = object.get("kid").and_then(Value::as_str).map(Into::into);
        // What is kept for reports is bounded like what is kept for use.
        let kid = kid.filter(|kid| kid.len() <= MAX_KID);
        Self { position, key: key(&object, kid.as_deref()), kid }
    }

    /// Whether a token that names this key may mean it. A key for encryption may share its name with one for
    /// signatures; any other makes the name ambiguous, also if it cannot be used itself.
    fn is_candidate(&self) -> bool {
        !matches!(self.key, Err(SkipReason::NotForSignatures))
    }
}

fn key(object: &Map<String, Value>, kid: Option<&str>) -> Result<Key, SkipReason> {
    let name = match (object.get("kid"), kid) {
        (None, _) => Name::Unnamed,
        (Some(_), Some(kid)) => Name::Kid(kid.into()),
        (Some(_), None) => return Err(SkipReason::Malformed),
    };
    check_purpose(object)?;
    let kind = text(object, "kty")?;
    if kind == "oct" {
        return Err(SkipReason::Secret);
    }
    let material = match kind {
        "EC" => match text(object, "crv")? {
            "P-256" => Material::P256(point(object, 32)?),
            "P-384" => Material::P384(point(object, 48)?),
            _ => return Err(SkipReason::UnknownType),
        },
        "OKP" => match text(object, "crv")? {
            "Ed25519" => ed25519(&bytes(object, "x")?)?,
            _ => return Err(SkipReason::UnknownType),
        },
        "RSA" => rsa(&bytes(object, "n")?, &bytes(object, "e")?)?,
        _ => return Err(SkipReason::UnknownType),
    };
    if PRIVATE.iter().any(|member| object.contains_key(*member)) {
        return Err(SkipReason::PrivateKey);
    }
    let only = match object.get("alg") {
        None => None,
        Some(Value::String(name)) => {
            let algorithm = Algorithm::named(name).filter(|known| known.family() == material.family());
            Some(algorithm.ok_or(SkipReason::Algorithm)?)
        }
        Some(_) => return Err(SkipReason::Malformed),
    };
    Key::new(name, &material, only)
}

/// What a key says about what it is for.
fn check_purpose(object: &Map<String, Value>) -> Result<(), SkipReason> {
    match object.get("use") {
        None => {}
        Some(Value::String(purpose)) if purpose == "sig" => {}
        Some(Value::String(_)) => return Err(SkipReason::NotForSignatures),
        Some(_) => return Err(SkipReason::Malformed),
    }
    match object.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().all(Value::is_string) => {
            let verifies = operations.iter().any(|operation| operation == "verify");
            if verifies { Ok(()) } else { Err(SkipReason::NotForSignatures) }
        }
        Some(_) => Err(SkipReason::Malformed),
    }
}

/// An RSA key of a size that is neither weak nor a burden.
pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Material, SkipReason> {
    let (n, e) = (without_zeros(n), without_zeros(e));
    let bits = |number: &[u8]| {
        let zeros = number.first().map_or(0, |byte| byte.leading_zeros());
        (number.len() * 8).saturating_sub(usize::try_from(zeros).unwrap_or_default())
    };
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits(n)) {
        return Err(SkipReason::RsaSize);
    }
    // The odd ones of two bits or more: 3 is the least.
    if !is_odd(e) || !(2..=33).contains(&bits(e)) {
        return Err(SkipReason::RsaExponent);
    }
    if !is_odd(n) {
        return Err(SkipReason::Malformed);
    }
    Ok(Material::Rsa { n: n.into(), e: e.into() })
}

/// Some issuers put a zero in front, as DER has it.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// `x` and `y`, each of the size of the curve's numbers, as an uncompressed point.
fn point(object: &Map<String, Value>, size: usize) -> Result<Box<[u8]>, SkipReason> {
    let (x, y) = (bytes(object, "x")?, bytes(object, "y")?);
    if x.len() != size || y.len() != size {
        return Err(SkipReason::Malformed);
    }
    Ok([&[4], &*x, &*y].concat().into())
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, SkipReason> {
    object.get(name).and_then(Value::as_str).ok_or(SkipReason::Malformed)
}

fn bytes(object: &Map<String, Value>, name: &str) -> Result<Vec<u8>, SkipReason> {
    URL_SAFE_NO_PAD.decode(text(object, name)?).map_err(|_| SkipReason::Malformed)
}

/// The list `keys`, each key as it stands there: a mistake in one is not one in the others.
struct Document<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Document<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a list `keys`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document<'de>, A::Error> {
                let mut keys = None;
                while let Some(name) = members.next_key::<String>()? {
                    if name != "keys" {
                        members.next_value::<IgnoredAny>()?;
                    } else if keys.replace(members.next_value()?).is_some() {
                        return Err(A::Error::duplicate_field("keys"));
                    }
                }
                keys.map(Document).ok_or_else(|| A::Error::missing_field("keys"))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    const P256: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;

    fn jwks(keys: &[&str]) -> KeySet {
        KeySet::from_jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    fn reason(key: &str) -> Option<SkipReason> {
        let set = jwks(&[key]);
        assert_eq!(set.len() + set.skipped().len(), 1, "{key}");
        set.skipped().first().map(SkippedKey::reason)
    }

    fn number(bits: usize) -> String {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] >>= (8 - bits % 8) % 8;
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn what_is_no_set_is_an_error() {
        let read = |text: &str| KeySet::from_jwks(text.as_bytes()).map(|set| set.len());
        for bad in ["", "[]", "{}", "null", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"keys":[]} x"#] {
            assert_eq!(read(bad), Err(KeySetError::NotJwks), "{bad}");
        }
        assert_eq!(read(r#"{"keys":[],"keys":[]}"#), Err(KeySetError::NotJwks));
        assert_eq!(read(r#"{"keys":[],"issued":[1,{}]}"#), Ok(0));
        let many = |count: usize| read(&format!(r#"{{"keys":[{}]}}"#, vec!["1"; count].join(",")));
        assert_eq!((many(100), many(101)), (Ok(0), Err(KeySetError::TooManyKeys)));
        let large = format!(r#"{{"keys":[]{}}}"#, " ".repeat(KeySet::MAX_BYTES));
        assert_eq!(read(&large), Err(KeySetError::TooLarge));
    }

    #[test]
    fn only_keys_that_check_signatures_are_taken() {
        assert_eq!(reason(&format!("{{{ED}}}")), None);
        assert_eq!(
            reason(&format!(r#"{{{ED},"use":"sig","key_ops":["sign","verify"],"alg":"EdDSA"}}"#)),
            None
        );
        assert_eq!(reason(&format!("{{{P256}}}")), None);
        for (more, why) in [
            (r#""use":"enc""#, SkipReason::NotForSignatures),
            (r#""use":1"#, SkipReason::Malformed),
            (r#""key_ops":["encrypt"]"#, SkipReason::NotForSignatures),
            (r#""key_ops":"verify""#, SkipReason::Malformed),
            (r#""alg":"ES256""#, SkipReason::Algorithm),
            (r#""alg":"none""#, SkipReason::Algorithm),
            (r#""alg":"HS256""#, SkipReason::Algorithm),
            (r#""alg":null"#, SkipReason::Malformed),
            (r#""d":"AAAA""#, SkipReason::PrivateKey),
            (r#""kid":1"#, SkipReason::Malformed),
            (r#""crv":"Ed25519""#, SkipReason::Malformed),
        ] {
            assert_eq!(reason(&format!("{{{ED},{more}}}")), Some(why), "{more}");
        }
        for (key, why) in [
            (r#"{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#, SkipReason::Secret),
            (r#"{"kty":"AKP"}"#, SkipReason::UnknownType),
            (r#"{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#, SkipReason::UnknownType),
            (r#"{"kty":"OKP","crv":"Ed448","x":"AA"}"#, SkipReason::UnknownType),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, SkipReason::Malformed),
            ("1", SkipReason::Malformed),
            ("{}", SkipReason::Malformed),
        ] {
            assert_eq!(reason(key), Some(why), "{key}");
        }
        // Not on the curve, too short, and padded.
        for point in [
            ("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"),
            ("AA", "AA"),
            ("AA==", "AA=="),
        ] {
            let key = format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, point.0, point.1);
            assert_eq!(reason(&key), Some(SkipReason::Malformed), "{key}");
        }
    }

    #[test]
    fn rsa_keys_are_neither_weak_nor_a_burden() {
        let rsa =
            |bits: usize, e: &str| reason(&format!(r#"{{"kty":"RSA","n":"{}","e":"{e}"}}"#, number(bits)));
        for (bits, why) in [
            (512, Some(SkipReason::RsaSize)),
            (2047, Some(SkipReason::RsaSize)),
            (2048, None),
            (4096, None),
            (MAX_RSA_BITS, None),
            (MAX_RSA_BITS + 1, Some(SkipReason::RsaSize)),
        ] {
            assert_eq!(rsa(bits, "AQAB"), why, "{bits}");
        }
        for (e, why) in [("Aw", None), ("AAEAAQ", None), ("AQ", Some(SkipReason::RsaExponent))] {
            assert_eq!(rsa(2048, e), why, "{e}");
        }
        for e in ["", "AA", "Ag", "AQAA", "BAAAAAE"] {
            assert_eq!(rsa(2048, e), Some(SkipReason::RsaExponent), "{e}");
        }
    }

    #[test]
    fn a_name_that_two_keys_have_means_neither() {
        let (a, b) = (format!(r#"{{{ED},"kid":"a"}}"#), format!(r#"{{{P256},"kid":"b"}}"#));
        let again = format!(r#"{{{P256},"kid":"a"}}"#);
        let set = jwks(&[&a, &b, &again]);
        assert_eq!(set.kids().collect::<Vec<_>>(), ["b"]);
        assert!(set.skipped().iter().all(|key| key.reason() == SkipReason::DuplicateKid));
        let for_encryption = format!(r#"{{{P256},"kid":"a","use":"enc"}}"#);
        assert_eq!(jwks(&[&a, &for_encryption]).kids().collect::<Vec<_>>(), ["a"]);
        let leaked = format!(r#"{{{ED},"kid":"a","d":"AA"}}"#);
        assert!(jwks(&[&a, &leaked]).is_empty());
    }

    #[test]
    fn a_key_is_found_by_its_name_only() {
        let (a, b) = (format!(r#"{{{ED},"kid":"a"}}"#), format!("{{{P256}}}"));
        let two = jwks(&[&a, &b]);
        assert!(two.find(Some("a")).is_some() && two.find(Some("A")).is_none() && two.find(None).is_none());
        let named = jwks(&[&a]);
        assert!(named.find(None).is_some() && named.find(Some("b")).is_none());
        let unnamed = jwks(&[&b]);
        assert!(unnamed.find(None).is_some() && unnamed.find(Some("b")).is_none());
        let secret = KeySet::from_hmac_secret(&[7; 48]).unwrap();
        assert!(secret.find(Some("whatever")).is_some());
        assert_eq!(secret.algorithms().collect::<Vec<_>>(), [Algorithm::Hs256, Algorithm::Hs384]);
        assert_eq!(KeySet::from_hmac_secret(&[7; 31]).unwrap_err(), KeySetError::ShortSecret);
        for pem in
            ["-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n", "\n -----BEGIN RSA PUBLIC KEY-----\nMIIB"]
        {
            assert_eq!(KeySet::from_hmac_secret(pem.as_bytes()).unwrap_err(), KeySetError::SecretIsPem);
        }
        let secret = secret.with_kid("s").unwrap();
        assert!(secret.find(Some("whatever")).is_none() && secret.find(Some("s")).is_some());
        let both = secret.clone().with_keys_of(named).unwrap();
        assert_eq!(both.kids().collect::<Vec<_>>(), ["s", "a"]);
        assert_eq!(both.clone().with_keys_of(both.clone()).unwrap_err(), KeySetError::RepeatedKid);
        assert_eq!(both.with_keys_of(unnamed).unwrap_err(), KeySetError::MissingKid);
    }

    #[test]
    fn keys_are_not_printed() {
        let set = jwks(&[&format!(r#"{{{ED},"kid":"a"}}"#)]);
        assert_eq!(format!("{set:?}"), r#"KeySet { keys: 1, kids: ["a"], skipped: [] }"#);
    }
}
