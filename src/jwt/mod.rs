//! JWTs and Cognito.

mod algorithm;
mod crypto;
mod json;
mod keys;

pub use algorithm::Algorithm;
pub use keys::{KeySet, KeySetError, Keys, SkipReason, SkippedKey};
