//! Tokens, as they should be and as they should not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::key::TestKey;

/// A token that is still to be signed, with any header and any payload.
///
/// The header begins as `{"alg":…,"kid":…,"typ":"JWT"}` with the algorithm and the id of the key that signs it.
///
/// ```
/// use serde_json::json;
/// use tower_lambda_authorizer::testing::{TestKey, TestToken};
///
/// let key = TestKey::rs256("key-1");
/// let claims = json!({ "sub": "alice" });
/// let confused = TestToken::new(&claims).with_header("crit", json!(["b64"])).signed_by(&key);
/// let keyless = TestToken::new(&claims).without_header("kid").signed_by(&key);
/// let twice = TestToken::from_text(r#"{"sub":"alice","sub":"bob"}"#).signed_by(&key);
/// let forged = TestToken::new(&claims).forged_by(&key);
/// let unsigned = TestToken::new(&claims).with_header("alg", "none").unsigned();
/// # for token in [confused, keyless, twice, forged, unsigned] {
/// #     assert_eq!(token.split('.').count(), 3);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestToken {
    payload: String,
    header: HeaderText,
}

#[derive(Clone, Debug)]
enum HeaderText {
    Whole(String),
    /// What differs from a common header; nothing in the place of a value takes a member away.
    Changed(Vec<(String, Option<Value>)>),
}

impl TestToken {
    /// A token with these claims.
    ///
    /// # Panics
    ///
    /// If they cannot be printed as JSON.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without its token has nothing to go on with")]
    pub fn new(claims: &impl Serialize) -> Self {
        match serde_json::to_string(claims) {
            Ok(payload) => Self::from_text(payload),
            Err(error) => panic!("these claims are no JSON: {error}"),
        }
    }

    /// A token with this payload, whatever it says.
    #[must_use]
    pub fn from_text(payload: impl Into<String>) -> Self {
        Self { payload: payload.into(), header: HeaderText::Changed(Vec::new()) }
    }

    /// Sets a member of the header.
    #[must_use]
    pub fn with_header(self, name: &str, value: impl Into<Value>) -> Self {
        self.changed(name, Some(value.into()))
    }

    /// Takes a member out of the header.
    #[must_use]
    pub fn without_header(self, name: &str) -> Self {
        self.changed(name, None)
    }

    /// Replaces the whole header by this text, whatever it says.
    #[must_use]
    pub fn with_header_text(mut self, header: impl Into<String>) -> Self {
        self.header = HeaderText::Whole(header.into());
        self
    }

    fn changed(mut self, name: &str, value: Option<Value>) -> Self {
        match &mut self.header {
            HeaderText::Changed(changes) => changes.push((name.into(), value)),
            HeaderText::Whole(_) => self.header = HeaderText::Changed(vec![(name.into(), value)]),
        }
        self
    }

    /// The token with the key's signature.
    ///
    /// # Panics
    ///
    /// If the crypto provider refuses to sign with the key, which it does not do with keys of this module.
    #[must_use]
    pub fn signed_by(&self, key: &TestKey) -> String {
        let message = self.message(Some(key));
        let signature = key.sign(message.as_bytes());
        join(message, &signature)
    }

    /// The token with a signature in which one bit is wrong.
    ///
    /// # Panics
    ///
    /// If the crypto provider refuses to sign with the key, which it does not do with keys of this module.
    #[must_use]
    pub fn forged_by(&self, key: &TestKey) -> String {
        let message = self.message(Some(key));
        let mut signature = key.sign(message.as_bytes());
        if let Some(last) = signature.last_mut() {
            *last ^= 1;
        }
        join(message, &signature)
    }

    /// The token with these bytes in the place of a signature. Its header names neither algorithm nor key unless they were
    /// set.
    #[must_use]
    pub fn with_signature(&self, signature: &[u8]) -> String {
        join(self.message(None), signature)
    }

    /// The token with an empty signature. Its header names neither algorithm nor key unless they were set.
    #[must_use]
    pub fn unsigned(&self) -> String {
        self.with_signature(&[])
    }

    fn message(&self, key: Option<&TestKey>) -> String {
        let header = match &self.header {
            HeaderText::Whole(text) => text.clone(),
            HeaderText::Changed(changes) => {
                let mut header = serde_json::Map::new();
                if let Some(key) = key {
                    header.insert("alg".into(), key.algorithm().into());
                    header.insert("kid".into(), key.kid().into());
                }
                header.insert("typ".into(), "JWT".into());
                for (name, value) in changes {
                    match value {
                        Some(value) => header.insert(name.clone(), value.clone()),
                        None => header.remove(name),
                    };
                }
                Value::Object(header).to_string()
            }
        };
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&self.payload))
    }
}

fn join(message: String, signature: &[u8]) -> String {
    message + "." + &URL_SAFE_NO_PAD.encode(signature)
}
