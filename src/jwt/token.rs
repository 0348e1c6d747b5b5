//! The compact form of a signed token, taken apart. Nothing is believed here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::error::JwtReason;
use super::json;
use super::keys::MAX_KID;

/// A token whose signature was not checked.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// Header and payload as they were sent: what is signed.
    pub(super) message: &'a str,
    pub(super) payload: Map<String, Value>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart. Header members that name keys or where they are (`jwk`, `jku`, `x5c`, `x5u`, `x5t`) are
    /// not read: keys come from the configuration.
    pub(super) fn parse(text: &'a str, max_bytes: usize) -> Result<Self, JwtReason> {
        if text.len() > max_bytes {
            return Err(JwtReason::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(JwtReason::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwtReason::Malformed)?;
        if payload.contains('.') {
            return Err(JwtReason::Malformed);
        }
        let mut header = object(header)?;
        if ["b64", "crit", "zip"].iter().any(|member| header.contains_key(*member)) {
            return Err(JwtReason::Extension);
        }
        match header.get("typ") {
            None => {}
            Some(Value::String(kind)) if is_known_type(kind) => {}
            Some(_) => return Err(JwtReason::Type),
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        let algorithm = algorithm.ok_or(JwtReason::Algorithm)?;
        let kid = match header.remove("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAX_KID => Some(kid),
            Some(_) => return Err(JwtReason::Malformed),
        };
        Ok(Self { algorithm, kid, message, payload: object(payload)?, signature: bytes(signature)? })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, JwtReason> {
    json::object(&bytes(part)?).ok_or(JwtReason::Malformed)
}

/// Without padding, and without bits that belong to no byte: there is one spelling of everything.
fn bytes(part: &str) -> Result<Vec<u8>, JwtReason> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtReason::Malformed)
}

fn is_known_type(kind: &str) -> bool {
    let prefix = "application/";
    let bare = match kind.split_at_checked(prefix.len()) {
        Some((front, bare)) if front.eq_ignore_ascii_case(prefix) => bare,
        _ => kind,
    };
    bare.eq_ignore_ascii_case("jwt") || bare.eq_ignore_ascii_case("at+jwt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str, payload: &str) -> Result<(Algorithm, Option<String>), JwtReason> {
        let [header, payload] = [header, payload].map(|text| URL_SAFE_NO_PAD.encode(text));
        let text = format!("{header}.{payload}.AAAA");
        Token::parse(&text, 8192).map(|token| (token.algorithm, token.kid))
    }

    #[test]
    fn headers_are_read_strictly() {
        assert_eq!(parse(r#"{"alg":"RS256"}"#, "{}"), Ok((Algorithm::Rs256, None)));
        let more =
            r#"{"alg":"ES256","kid":"a","jku":"https://x","jwk":{},"x5c":[],"typ":"Application/AT+jwt"}"#;
        assert_eq!(parse(more, "{}"), Ok((Algorithm::Es256, Some("a".to_owned()))));
        for (header, why) in [
            (r#"{"alg":"none"}"#, JwtReason::Algorithm),
            (r#"{"alg":"rs256"}"#, JwtReason::Algorithm),
            (r#"{"alg":["RS256"]}"#, JwtReason::Algorithm),
            (r#"{}"#, JwtReason::Algorithm),
            (r#"{"alg":"RS256","alg":"RS256"}"#, JwtReason::Malformed),
            (r#"{"alg":"RS256","kid":1}"#, JwtReason::Malformed),
            (r#"{"alg":"RS256","kid":null}"#, JwtReason::Malformed),
            (r#"{"alg":"RS256","crit":[]}"#, JwtReason::Extension),
            (r#"{"alg":"RS256","b64":true}"#, JwtReason::Extension),
            (r#"{"alg":"RS256","zip":"DEF"}"#, JwtReason::Extension),
            (r#"{"alg":"RS256","typ":"dpop+jwt"}"#, JwtReason::Type),
            (r#"{"alg":"RS256","typ":"application/application/jwt"}"#, JwtReason::Type),
            (r#"{"alg":"RS256","typ":""}"#, JwtReason::Type),
            (r#"{"alg":"RS256","typ":null}"#, JwtReason::Type),
            ("[]", JwtReason::Malformed),
            ("{", JwtReason::Malformed),
        ] {
            assert_eq!(parse(header, "{}"), Err(why), "{header}");
        }
        let long =
            |length: usize| parse(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(length)), "{}");
        assert!(long(256).is_ok());
        assert_eq!(long(257), Err(JwtReason::Malformed));
    }

    #[test]
    fn there_is_one_spelling_of_a_token() {
        let [header, payload] = [r#"{"alg":"RS256"}"#, "{}"].map(|text| URL_SAFE_NO_PAD.encode(text));
        let is_read = |text: &str| Token::parse(text, 8192).is_ok();
        assert!(is_read(&format!("{header}.{payload}.AAA")));
        for bad in [
            String::new(),
            "..".to_owned(),
            header.clone(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}.AAAA.AAAA"),
            format!("{header}.{payload}.AAAA."),
            format!(".{header}.{payload}.AAAA"),
            format!("{header}.{payload}.AAB"),
            format!("{header}.{payload}.AAA="),
            format!("{header}.{payload}.AA+/"),
            format!("{header}.{payload}.A AA"),
            format!("{header}.{payload}.AAA\n"),
            format!("{header}..AAAA"),
            format!("{header}.{}.AAAA", URL_SAFE_NO_PAD.encode("[]")),
            format!("{header}.{}.AAAA", URL_SAFE_NO_PAD.encode(r#"{"a":{"b":1,"b":1}}"#)),
        ] {
            assert!(!is_read(&bad), "{bad}");
        }
        let just = format!("{header}.{payload}.AAAA");
        assert!(Token::parse(&just, just.len()).is_ok());
        assert_eq!(Token::parse(&just, just.len() - 1).err(), Some(JwtReason::TooLong));
    }
}
