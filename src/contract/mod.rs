//! What crosses between gateway and authorizer, and what a handler reads afterwards.
//!
//! | direction | type |
//! |---|---|
//! | gateway → authorizer | [`AuthorizerEvent`]: a [`TokenEvent`], a [`RequestEvent`] or a [`RequestEventV2`] |
//! | authorizer → gateway | [`AuthorizerResponse`]: principal, policy and context |
//! | gateway → handler | [`Principal`] and [`AuthorizerContext`], in the request's extensions |
//!
//! Nothing here is asynchronous and nothing here decides: an event says what is asked, a response says what the
//! authorizer thinks of it, and the verdict is the policy's.

mod authorization;
mod challenge;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto", feature = "lambda-http"))]
pub(crate) mod claim_date;
mod context;
mod distinct;
mod event;
mod kind;
mod lenient;
mod principal;
pub(crate) mod reserved;
mod response;
mod room;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto", feature = "lambda-http"))]
mod template;
mod wire;

pub use authorization::Authorization;
pub(crate) use authorization::{Expiry, Ruling};
pub use challenge::{Challenge, ChallengeError};
pub use context::{Context, ContextValue};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
pub(crate) use distinct::Distinct;
pub use event::{AuthorizerEvent, ClientCertificate, EventError, RequestEvent, RequestEventV2, TokenEvent};
pub(crate) use event::{EventSetting, HeaderSpelling, LiveParts, Readers, RequestId};
pub use kind::{ApiKind, EventKind, PayloadFormat};
pub use principal::{AuthorizerContext, Principal};
pub use response::{AuthorizerResponse, ResponseError, ResponseRules};
pub(crate) use room::make_room;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto", feature = "lambda-http"))]
pub(crate) use template::is_filled;

/// What `Debug` prints in the place of a secret.
pub(crate) const REDACTED: &str = "…";
