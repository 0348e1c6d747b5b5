//! What is wrong with a route.

use std::error::Error;
use std::fmt;

/// Routes that cannot be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RouteScopesError {
    /// The route is there already: its template.
    Repeated(Box<str>),
    /// A scope is empty, over 256 bytes, or holds something other than visible ASCII, `"` or `\`.
    Scope(Box<str>),
    /// A template that no path of an ARN fits.
    Template(Box<str>),
}

impl fmt::Display for RouteScopesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated(template) => write!(f, "the route {template:?} is there twice"),
            Self::Scope(scope) => {
                write!(f, "{scope:?} is no scope: expected visible ASCII without `\"` and `\\`")
            }
            Self::Template(template) => write!(
                f,
                "no path fits the template {template:?}: expected `/`, then segments that are names spelt as in an \
                 ARN, with no more escapes than are needed and no `%2F`, `{{name}}` or, at the end, `{{name+}}`"
            ),
        }
    }
}

impl Error for RouteScopesError {}
