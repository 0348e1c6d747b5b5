//! Where a caller's credential stands in an event, and whether it is there.

use crate::contract::AuthorizerEvent;

/// The longest value that is looked at, in bytes: as long as an identity may be.
const MAX_VALUE: usize = 8 * 1024;

/// A place of a request in which callers show one kind of credential.
///
/// What [`any_of`](super::any_of()) chooses its members by. A credential is *absent* only if nothing, or an empty value,
/// stands in its place. One that is there twice, that is not plain text or that is longer than 8 KiB is not absent but
/// unusable, and nobody is asked about it.
///
/// ```
/// use tower_lambda_authorizer::authorizer::Credential;
///
/// let token = Credential::bearer();
/// let key = Credential::header("x-api-key");
/// let session = Credential::cookie("session");
/// assert_eq!(token.to_string(), "Authorization: Bearer");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential(Place);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    /// A header, by its name in lower case.
    Header(Box<str>),
    /// The `Authorization` header with one scheme, in lower case.
    Scheme(Box<str>),
    Cookie(Box<str>),
    QueryParameter(Box<str>),
    /// A header, by its name in lower case, or the token of an authorizer of type `TOKEN`.
    #[cfg_attr(
        not(any(feature = "jwt", feature = "jwt-rust-crypto")),
        expect(dead_code, reason = "for authorizers of JWTs")
    )]
    TokenHeader(Box<str>),
}

/// What stands in a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Presence {
    Absent,
    /// Something else: another scheme.
    Other,
    Present,
    /// Something that two programs may read in two ways.
    Unusable(&'static str),
}

const AUTHORIZATION: &str = "authorization";
const COOKIE: &str = "cookie";

impl Credential {
    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer() -> Self {
        Self::authorization("Bearer")
    }

    /// The `Authorization` header with this scheme, such as `Basic`, in any case. Also the token of an authorizer of
    /// type `TOKEN`, whichever header it came in.
    #[must_use]
    pub fn authorization(scheme: &str) -> Self {
        Self(Place::Scheme(scheme.to_ascii_lowercase().into()))
    }

    /// A header, whatever stands in it.
    #[must_use]
    pub fn header(name: impl AsRef<str>) -> Self {
        Self(Place::Header(name.as_ref().to_ascii_lowercase().into()))
    }

    /// A cookie. Names are case-sensitive.
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie(name.into().into_boxed_str()))
    }

    /// A query parameter. Names are case-sensitive.
    #[must_use]
    pub fn query_parameter(name: impl Into<String>) -> Self {
        Self(Place::QueryParameter(name.into().into_boxed_str()))
    }

    /// A header, by its name in lower case, or a token that came without headers.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(crate) fn token_header(name: &str) -> Self {
        Self(Place::TokenHeader(name.into()))
    }

    /// The header it stands in, in lower case, if it stands in one.
    pub(crate) fn header_name(&self) -> Option<&str> {
        match &self.0 {
            Place::Header(name) | Place::TokenHeader(name) => Some(name),
            Place::Scheme(_) => Some(AUTHORIZATION),
            Place::Cookie(_) => Some(COOKIE),
            Place::QueryParameter(_) => None,
        }
    }

    /// The query parameter it is, if it is one.
    pub(crate) fn query_name(&self) -> Option<&str> {
        match &self.0 {
            Place::QueryParameter(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the event of a `TOKEN` authorizer can show it.
    pub(crate) fn is_token(&self) -> bool {
        matches!(self.0, Place::TokenHeader(_)) || self.header_name() == Some(AUTHORIZATION)
    }

    /// Whether a request can have it at all.
    pub(super) fn is_valid(&self) -> bool {
        match &self.0 {
            Place::Header(name) | Place::Scheme(name) | Place::Cookie(name) | Place::TokenHeader(name) => {
                !name.is_empty() && name.bytes().all(is_token_byte)
            }
            Place::QueryParameter(name) => !name.is_empty(),
        }
    }

    /// Whether wherever the other is, this is too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self == other
            || matches!((&self.0, &other.0), (Place::Header(name), Place::Scheme(_)) if &**name == AUTHORIZATION)
            || matches!((&self.0, &other.0), (Place::Header(name), Place::Cookie(_)) if &**name == COOKIE)
    }

    pub(super) fn presence(&self, event: &AuthorizerEvent) -> Presence {
        match &self.0 {
            Place::Header(name) | Place::TokenHeader(name) => match header(event, name, self.is_token()) {
                Ok(None) => Presence::Absent,
                Ok(Some(_)) => Presence::Present,
                Err(reason) => Presence::Unusable(reason),
            },
            Place::Scheme(scheme) => match header(event, AUTHORIZATION, true) {
                Ok(None) => Presence::Absent,
                Ok(Some(value)) => {
                    // HTTP APIs join headers with commas: behind one may stand what was a header of its own.
                    let is_one = |part: &str| {
                        let found = part.trim_start().split(' ').next().unwrap_or_default();
                        found.eq_ignore_ascii_case(scheme)
                    };
                    match value.split(',').position(is_one) {
                        None => Presence::Other,
                        Some(0) => Presence::Present,
                        Some(_) => Presence::Unusable(REPEATED),
                    }
                }
                Err(reason) => Presence::Unusable(reason),
            },
            Place::Cookie(name) => match header(event, COOKIE, false) {
                Ok(header) => {
                    let pairs = header.unwrap_or_default().split(';').filter_map(|pair| pair.split_once('='));
                    once(pairs.filter(|(found, _)| found.trim() == &**name).map(|(_, value)| value.trim()))
                }
                Err(reason) => Presence::Unusable(reason),
            },
            Place::QueryParameter(name) => {
                let parameters = event.query_parameters().filter(|(found, _)| *found == &**name);
                once(parameters.map(|(_, value)| value))
            }
        }
    }
}

const REPEATED: &str = "is there more than once";
const NOT_TEXT: &str = "is not plain text";
const TOO_LONG: &str = "is longer than 8 KiB";

/// The one value of a header that is not empty.
fn header<'e>(
    event: &'e AuthorizerEvent,
    name: &str,
    is_token: bool,
) -> Result<Option<&'e str>, &'static str> {
    let Some(headers) = event.headers() else {
        // An authorizer of type `TOKEN` is given a token and nothing else, whichever header it came in.
        let token = event.token().filter(|token| is_token && !token.is_empty());
        return token.map(|token| checked(token.as_bytes())).transpose();
    };
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if value.is_empty() => Ok(None),
        (Some(value), None) => checked(value.as_bytes()).map(Some),
        (Some(_), Some(_)) => Err(REPEATED),
    }
}

fn checked(value: &[u8]) -> Result<&str, &'static str> {
    if value.len() > MAX_VALUE {
        return Err(TOO_LONG);
    }
    let text = std::str::from_utf8(value).ok();
    text.filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~'))).ok_or(NOT_TEXT)
}

fn once<'v>(mut values: impl Iterator<Item = &'v str>) -> Presence {
    match (values.next(), values.next()) {
        (None, _) | (Some(""), None) => Presence::Absent,
        (Some(value), None) if value.len() > MAX_VALUE => Presence::Unusable(TOO_LONG),
        (Some(value), None) if value.chars().any(|c| c.is_control() || c == '\u{fffd}') => {
            Presence::Unusable(NOT_TEXT)
        }
        (Some(_), None) => Presence::Present,
        (Some(_), Some(_)) => Presence::Unusable(REPEATED),
    }
}

/// A byte of a token, as HTTP has it: of names and schemes.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Prints where it stands.
impl std::fmt::Display for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Place::Header(name) | Place::TokenHeader(name) => write!(f, "header {name}"),
            Place::Scheme(scheme) => {
                let (first, rest) = scheme.split_at_checked(1).unwrap_or((scheme, ""));
                write!(f, "Authorization: {}{rest}", first.to_ascii_uppercase())
            }
            Place::Cookie(name) => write!(f, "cookie {name}"),
            Place::QueryParameter(name) => write!(f, "query parameter {name}"),
        }
    }
}
