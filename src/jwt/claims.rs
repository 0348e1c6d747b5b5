//! What an issuer says in a token whose signature was right.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::error::{JwtError, JwtReason};

/// The latest time there is: the end of the year 9999.
const LATEST: u64 = 253_402_300_799;

/// The claims of a token that was checked.
///
/// ```
/// # use tower_lambda_authorizer::jwt::Claims;
/// #[derive(serde::Deserialize)]
/// struct Profile {
///     email: String,
/// }
///
/// fn profile(claims: &Claims) -> Option<String> {
///     let profile: Profile = claims.deserialize().ok()?;
///     claims.has_scope("email").then_some(profile.email)
/// }
/// ```
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    pub(super) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// The claim called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The claim called `name`, if it is text.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// All claims.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// The claims as a type of yours.
    ///
    /// # Errors
    ///
    /// If they do not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone()))
    }

    /// `iss`: who made the token.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.get_str("iss")
    }

    /// `sub`: whom it is about.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.get_str("sub")
    }

    /// `aud`: whom it is for.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.values("aud")
    }

    /// The words of `scope`, or of `scp` where there is no `scope`; either may also be a list.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let name = if self.0.contains_key("scope") { "scope" } else { "scp" };
        self.values(name).flat_map(|text| text.split(' ')).filter(|scope| !scope.is_empty())
    }

    /// Whether `scope` is one of the [scopes](Self::scopes).
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|known| known == scope)
    }

    /// `cognito:groups`.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.values("cognito:groups")
    }

    /// `exp`, since the Unix epoch.
    #[must_use]
    pub fn expires_at(&self) -> Option<Duration> {
        self.time("exp").ok().flatten()
    }

    /// `iat`, since the Unix epoch.
    #[must_use]
    pub fn issued_at(&self) -> Option<Duration> {
        self.time("iat").ok().flatten()
    }

    /// The text of a claim, or all the texts of a list.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let value = self.get(name);
        let one = value.and_then(Value::as_str);
        let many = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        one.into_iter().chain(many)
    }

    /// Whether a claim is that value, or a list with it.
    pub(super) fn has_value(&self, name: &str, value: &Value) -> bool {
        match self.get(name) {
            Some(Value::Array(values)) => values.contains(value) || value.as_array() == Some(values),
            Some(found) => found == value,
            None => false,
        }
    }

    /// A time, whole seconds or with a fraction. It is an error if it is there and is none.
    pub(super) fn time(&self, name: &str) -> Result<Option<Duration>, JwtError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => match seconds(number) {
                Some(time) => Ok(Some(time)),
                None => Err(JwtError::of_claim(JwtReason::Claim, name)),
            },
            Some(_) => Err(JwtError::of_claim(JwtReason::Claim, name)),
        }
    }

    /// The audiences, which are a text or a list of texts and nothing else; none if there is no `aud`.
    pub(super) fn strict_audiences(&self) -> Result<Option<Vec<&str>>, JwtError> {
        let wrong = || JwtError::of_claim(JwtReason::Claim, "aud");
        match self.get("aud") {
            None => Ok(None),
            Some(Value::String(audience)) => Ok(Some(vec![audience])),
            Some(Value::Array(audiences)) => audiences
                .iter()
                .map(|audience| audience.as_str().ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    }
}

/// A number of seconds that a clock can show.
fn seconds(number: &Number) -> Option<Duration> {
    let time = match number.as_u64() {
        Some(whole) => Duration::from_secs(whole),
        None => Duration::try_from_secs_f64(number.as_f64()?).ok()?,
    };
    (time <= Duration::from_secs(LATEST)).then_some(time)
}

/// Prints the names only: the values may be anything an issuer knows about a person.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        match value {
            Value::Object(claims) => Claims::new(claims),
            _ => panic!("not an object"),
        }
    }

    #[test]
    fn times_are_numbers_that_a_clock_can_show() {
        let time = |value: Value| claims(json!({ "exp": value })).time("exp").ok().flatten();
        assert_eq!(time(json!(0)), Some(Duration::ZERO));
        assert_eq!(time(json!(1_767_225_600)), Some(Duration::from_secs(1_767_225_600)));
        assert_eq!(time(json!(1.5)), Some(Duration::from_millis(1500)));
        assert_eq!(time(json!(1e3)), Some(Duration::from_secs(1000)));
        assert_eq!(time(json!(LATEST)), Some(Duration::from_secs(LATEST)));
        for bad in [
            json!(LATEST + 1),
            json!(u64::MAX),
            json!(1e300),
            json!(-1),
            json!(-0.5),
            json!("1"),
            json!(null),
            json!([1]),
            json!(true),
        ] {
            assert!(claims(json!({ "exp": bad })).time("exp").is_err(), "{bad}");
        }
        assert_eq!(claims(json!({})).time("exp").unwrap(), None);
    }

    #[test]
    fn scopes_are_words() {
        let scopes = |value: Value| claims(value).scopes().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(scopes(json!({"scope": " a  b c/d "})), ["a", "b", "c/d"]);
        assert_eq!(scopes(json!({"scp": ["a", "b c", 1]})), ["a", "b", "c"]);
        assert_eq!(scopes(json!({"scope": "", "scp": "a"})), [""; 0]);
        assert_eq!(scopes(json!({"scope": 1})), [""; 0]);
        assert!(!claims(json!({"scope": "admin:all"})).has_scope("admin"));
    }

    #[test]
    fn values_are_compared_whole() {
        let claims = claims(json!({"a": "x", "b": ["x", 1], "c": 1, "d": true, "e": "1"}));
        let has = |name: &str, value: Value| claims.has_value(name, &value);
        assert!(has("a", json!("x")) && has("b", json!("x")) && has("b", json!(1)) && has("d", json!(true)));
        assert!(has("b", json!(["x", 1])));
        assert!(
            !has("c", json!("1"))
                && !has("e", json!(1))
                && !has("d", json!("true"))
                && !has("f", json!(null))
        );
        assert_eq!(format!("{claims:?}"), r#"{"a", "b", "c", "d", "e"}"#);
    }
}
