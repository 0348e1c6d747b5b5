//! For axum: the paved path around a whole router, and the extractors.

mod extract;
mod protect;
mod serve;

pub use extract::MissingAuthorization;
pub use protect::{CanonicalFuture, CanonicalRouter, Protected, protect};
pub use serve::WithPeerAddress;
