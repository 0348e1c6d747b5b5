//! Where a request carries its token.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::config_error::JwtConfigError;
use super::error::JwtReason;
use crate::authorizer::Credential;
use crate::contract::AuthorizerEvent;

/// Where a request carries its token: `Authorization: Bearer …` if nothing else is said.
///
/// A `TOKEN` authorizer is given its token by the gateway, whatever header it came in. A request that carries two is
/// refused, and so is a header with two in it.
///
/// ```
/// use tower_lambda_authorizer::jwt::TokenSource;
///
/// let of_browsers = TokenSource::query_parameter("access_token");
/// let of_old_clients = TokenSource::header("x-token").with_bare_tokens();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct TokenSource {
    place: Place,
    takes_bearer: bool,
    takes_bare: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    Header(Option<HeaderName>),
    Query(String),
}

impl TokenSource {
    /// The header `Authorization`, with the scheme `Bearer` in any case.
    pub const fn authorization() -> Self {
        Self { place: Place::Header(Some(AUTHORIZATION)), takes_bearer: true, takes_bare: false }
    }

    /// Another header, with the scheme `Bearer`.
    pub fn header(name: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        Self { place: Place::Header(name), takes_bearer: true, takes_bare: false }
    }

    /// A query parameter, without a scheme: for the clients that cannot send headers, such as browsers that open a
    /// WebSocket. Addresses are logged in many places; let such tokens live for seconds.
    pub fn query_parameter(name: impl Into<String>) -> Self {
        Self { place: Place::Query(name.into()), takes_bearer: false, takes_bare: true }
    }

    /// Takes tokens without a scheme, too.
    pub const fn with_bare_tokens(mut self) -> Self {
        self.takes_bare = true;
        self
    }

    pub(super) fn check(&self) -> Result<(), JwtConfigError> {
        match &self.place {
            Place::Header(None) => Err(JwtConfigError::Source),
            Place::Query(name) if name.is_empty() => Err(JwtConfigError::Source),
            Place::Header(Some(_)) | Place::Query(_) => Ok(()),
        }
    }

    /// Where a cache has to look, too.
    pub(super) fn credential(&self) -> Option<Credential> {
        match &self.place {
            Place::Header(name) => name.as_ref().map(|name| Credential::token_header(name.as_str())),
            Place::Query(name) => Some(Credential::query_parameter(name.as_str())),
        }
    }

    /// The one token there is.
    pub(super) fn find<'e>(&self, event: &'e AuthorizerEvent) -> Result<&'e str, JwtReason> {
        match (&self.place, event) {
            (Place::Header(_), AuthorizerEvent::Token(event)) => self.read(event.authorization_token()),
            (Place::Header(name), _) => {
                let headers = event.headers().zip(name.as_ref());
                let (headers, name) = headers.ok_or(JwtReason::Missing)?;
                let value = only(headers.get_all(name).iter())?;
                // What is no text is no token either.
                self.read(value.to_str().map_err(|_| JwtReason::Malformed)?)
            }
            (Place::Query(name), _) => {
                let found = event.query_parameters().filter(|(known, _)| known == name);
                self.read(only(found.map(|(_, value)| value))?)
            }
        }
    }

    fn read<'e>(&self, value: &'e str) -> Result<&'e str, JwtReason> {
        let value = value.trim_matches(' ');
        let (scheme, token) = match value.split_once(' ') {
            Some((scheme, token)) => (Some(scheme), token.trim_matches(' ')),
            None => (None, value),
        };
        // A comma joins what were two headers; a space inside is a second word.
        if token.contains([' ', ',']) {
            return Err(JwtReason::Several);
        }
        match scheme {
            Some(scheme) if self.takes_bearer && scheme.eq_ignore_ascii_case("bearer") => Ok(token),
            // Credentials of another kind are no token.
            Some(_) => Err(JwtReason::Missing),
            None if token.is_empty() || (self.takes_bearer && token.eq_ignore_ascii_case("bearer")) => {
                Err(JwtReason::Missing)
            }
            None if self.takes_bare => Ok(token),
            None => Err(JwtReason::Missing),
        }
    }
}

impl Default for TokenSource {
    fn default() -> Self {
        Self::authorization()
    }
}

fn only<T>(mut values: impl Iterator<Item = T>) -> Result<T, JwtReason> {
    let first = values.next().ok_or(JwtReason::Missing)?;
    if values.next().is_some() {
        return Err(JwtReason::Several);
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_is_taken_and_two_are_not() {
        let bearer = TokenSource::authorization();
        let either = TokenSource::authorization().with_bare_tokens();
        let bare = TokenSource::query_parameter("t");
        for (source, value, token) in [
            (&bearer, "Bearer a.b.c", Ok("a.b.c")),
            (&bearer, "bEARER   a.b.c ", Ok("a.b.c")),
            (&bearer, "a.b.c", Err(JwtReason::Missing)),
            (&bearer, "Bearer", Err(JwtReason::Missing)),
            (&bearer, "Bearer ", Err(JwtReason::Missing)),
            (&bearer, "", Err(JwtReason::Missing)),
            (&bearer, "Basic a", Err(JwtReason::Missing)),
            (&bearer, "Bearer\ta", Err(JwtReason::Missing)),
            (&bearer, "Bearer a, Bearer b", Err(JwtReason::Several)),
            (&bearer, "Bearer a,Bearer b", Err(JwtReason::Several)),
            (&bearer, "Bearer a b", Err(JwtReason::Several)),
            (&bearer, "Bearer Bearer a", Err(JwtReason::Several)),
            (&either, "Bearer a", Ok("a")),
            (&either, "a.b.c", Ok("a.b.c")),
            (&either, "a,b", Err(JwtReason::Several)),
            (&either, "Basic a", Err(JwtReason::Missing)),
            (&either, "bearer", Err(JwtReason::Missing)),
            (&bare, "a.b.c", Ok("a.b.c")),
            (&bare, "Bearer a.b.c", Err(JwtReason::Missing)),
            (&bare, "a,b", Err(JwtReason::Several)),
        ] {
            assert_eq!(source.read(value), token, "{value:?}");
        }
    }
}
