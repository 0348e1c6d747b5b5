//! Identity sources as AWS spells them.

use std::str::FromStr;

use http::HeaderName;

use super::identity::IdentitySource;
use super::variable::ContextVariable;

/// What a source of the request starts with: on REST, HTTP and WebSocket APIs.
const REQUEST: [&str; 3] = ["method.request.", "$request.", "route.request."];

/// Variables that are another with every request, so that nothing could ever be found again under them.
const PASSING: [&str; 8] = [
    "awsEndpointRequestId",
    "connectedAt",
    "connectionId",
    "extendedRequestId",
    "messageId",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
];

impl IdentitySource {
    /// Reads a list with commas between, as REST APIs have it in one text:
    /// `method.request.header.Auth, context.httpMethod`.
    ///
    /// # Errors
    ///
    /// If one of them is no identity source, or there is none.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, IdentitySourceError> {
        text.split(',').map(|source| source.trim_matches(' ').parse()).collect()
    }
}

/// | kind of API | spellings |
/// |---|---|
/// | REST | `method.request.header.X`, `method.request.querystring.X`, `stageVariables.X`, `context.X` |
/// | HTTP | `$request.header.X`, `$request.querystring.X`, `$stageVariables.X`, `$context.X` |
/// | WebSocket | `route.request.header.X`, `route.request.querystring.X`, `stageVariables.X`, `context.X` |
///
/// Names are letters, digits, `-`, `.` and `_`; after `context.`, one of [`ContextVariable`].
impl FromStr for IdentitySource {
    type Err = IdentitySourceError;

    fn from_str(text: &str) -> Result<Self, IdentitySourceError> {
        let found = || Box::from(text);
        if text.is_empty() {
            return Err(IdentitySourceError::Empty);
        }
        let plain = |name: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            !name.is_empty() && name.bytes().all(plain)
        };
        let named =
            |name| if plain(name) { Ok(name) } else { Err(IdentitySourceError::Name { found: found() }) };

        if let Some(rest) = REQUEST.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            if let Some(name) = rest.strip_prefix("header.") {
                let name = named(name)?;
                let parsed = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| IdentitySourceError::Name { found: found() })?;
                return Ok(Self::header_as_written(parsed, name));
            }
            if let Some(name) = rest.strip_prefix("querystring.") {
                return Ok(Self::query_string(named(name)?));
            }
            let place = rest.split_once('.').map_or(rest, |(place, _)| place);
            return Err(match place {
                "body" | "path" => IdentitySourceError::NotAnIdentity { found: found() },
                _ => IdentitySourceError::Place { found: found() },
            });
        }
        let plain_or_dollar = text.strip_prefix('$').unwrap_or(text);
        if let Some(name) = plain_or_dollar.strip_prefix("stageVariables.") {
            return Ok(Self::stage_variable(named(name)?));
        }
        if let Some(name) = plain_or_dollar.strip_prefix("context.") {
            let name = named(name)?;
            return match ContextVariable::named(name) {
                Some(variable) => Ok(Self::context(variable)),
                None if PASSING.contains(&name) => {
                    Err(IdentitySourceError::PassingVariable { found: found() })
                }
                None => Err(IdentitySourceError::UnknownVariable { found: found() }),
            };
        }
        Err(IdentitySourceError::Place { found: found() })
    }
}

/// A text that names no identity source.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdentitySourceError {
    /// There is nothing, or nothing between two commas.
    Empty,
    /// The name is missing or holds a character that names do not hold.
    Name {
        /// What was given.
        found: Box<str>,
    },
    /// A path or body: they say what is asked for, not who is asking.
    NotAnIdentity {
        /// What was given.
        found: Box<str>,
    },
    /// A request id or a time: no two requests have the same.
    PassingVariable {
        /// What was given.
        found: Box<str>,
    },
    /// It does not start as an identity source does.
    Place {
        /// What was given.
        found: Box<str>,
    },
    /// The gateway does not know this variable when it looks for the caller's identity.
    UnknownVariable {
        /// What was given.
        found: Box<str>,
    },
}

impl std::fmt::Display for IdentitySourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("an identity source is empty: name one, as in `method.request.header.NAME`")
            }
            Self::Name { found } => write!(
                f,
                "`{found}` does not end in a name: use letters, digits, `-`, `.` and `_`, \
                 and put commas between several identity sources"
            ),
            Self::NotAnIdentity { found } => write!(
                f,
                "`{found}` cannot be an identity source: use a header, a query parameter, a stage variable or a \
                 context variable; `context.path` tells answers apart by path"
            ),
            Self::PassingVariable { found } => write!(
                f,
                "`{found}` is another with every request, so that no cached answer is ever found: leave it out"
            ),
            Self::Place { found } => write!(
                f,
                "`{found}` is not an identity source: write `method.request.header.NAME`, \
                 `method.request.querystring.NAME`, `stageVariables.NAME` or `context.NAME` (REST APIs), \
                 `$request.header.NAME` and so on (HTTP APIs), or `route.request.header.NAME` and so on \
                 (WebSocket APIs)"
            ),
            Self::UnknownVariable { found } => {
                write!(f, "`{found}` is not known before the authorizer is asked: use one of ")?;
                for (at, variable) in ContextVariable::ALL.into_iter().enumerate() {
                    write!(f, "{}`context.{variable}`", if at == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for IdentitySourceError {}
