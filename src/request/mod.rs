//! From an HTTP request's head to the contract: which stage, which path, whose identity.
//!
//! All of it is synchronous and total: there is no request on which it fails to give an answer, and no request
//! whose body it looks at.
//!
//! # Targets
//!
//! A request target is accepted only if everybody reads it alike. Refused with 400 are targets that do not start
//! with `/`; empty segments (one at the end is a trailing slash and stays); `.` and `..`, also escaped and also
//! before a `;`; malformed escapes; escapes of letters, digits, `-`, `.`, `_` and `~`; escaped `/` and `\`; raw
//! `\`; anything raw that is not ASCII; control characters; what is not UTF-8 when decoded; user information; and
//! methods other than a letter followed by at most 31 letters, digits, `-` or `_`.
//!
//! What is accepted has one spelling in ARNs: letters, digits and `-._~!$&'()+,;=:@` stand for themselves,
//! everything else is escaped, in upper case. A path as it stands in an ARN can therefore never be mistaken for a
//! pattern.

mod event;
mod expression;
mod identity;
mod identity_value;
mod query;
mod rewrite;
mod route;
mod source;
mod spelling;
mod stage;
mod standing;
mod target;
mod variable;
mod view;

pub(crate) use event::{Asked, EventMaker, FindCertificate, RequestId};
pub use expression::ExpressionError;
pub(crate) use expression::TokenExpression;
pub use identity::IdentitySource;
pub(crate) use identity::{IdentityError, tell_routes_apart};
pub(crate) use identity_value::{Identity, IdentityValue};
pub(crate) use query::{decode as decode_query, last_value as last_query_value, pairs as query_pairs};
pub(crate) use rewrite::QueryRewrite;
#[cfg(feature = "lambda-http")]
pub(crate) use rewrite::rewrite_path;
pub(crate) use route::{Location, locate, parameters, resource, sent_path};
#[cfg(feature = "axum")]
pub(crate) use route::{SentPath, WithoutTemplate};
pub(crate) use source::SourceAddress;
#[cfg(feature = "testing")]
pub(crate) use source::tell_peer;
pub use spelling::IdentitySourceError;
pub use stage::{ApiStage, StageError};
pub(crate) use standing::Standing;
#[cfg(feature = "axum")]
pub(crate) use target::is_plain;
pub(crate) use target::{
    CanonicalPath, TargetRules, check_host, check_request_line, is_spelling_of, opens_websocket, read_path,
};
pub use variable::ContextVariable;
pub(crate) use view::RequestView;
