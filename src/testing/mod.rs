//! For tests: tokens, key sets, and an issuer on the loopback interface that fails when told to.
//!
//! Everything here is made for the tests of services that use this crate. Its keys are published with its source, so
//! a service that trusts one of them trusts everybody.
//!
//! Time is set with a [`ManualClock`](crate::clock::ManualClock): give it to whatever takes a clock, and
//! [`advance`](crate::clock::ManualClock::advance) it past an expiry instead of waiting for one.
#![cfg_attr(any(feature = "jwt", feature = "jwt-rust-crypto"), doc = "```")]
#![cfg_attr(not(any(feature = "jwt", feature = "jwt-rust-crypto")), doc = "```ignore")]
//! use tower_lambda_authorizer::clock::ManualClock;
//! use tower_lambda_authorizer::testing::{FakeIssuer, TestKey, claims, jwks};
//!
//! let key = TestKey::rs256("key-1");
//! let issuer = FakeIssuer::start()?;
//! issuer.set_keys(jwks([&key]));
//!
//! let clock = ManualClock::default();
//! let token = key.token(&claims(issuer.issuer(), "my-api", &clock));
//! assert_eq!(token.split('.').count(), 3);
//! # Ok::<(), std::io::Error>(())
//! ```

mod fake_answer;
mod fake_issuer;

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod claims;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod key;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod material;
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
mod token;

pub use fake_answer::FakeAnswer;
pub use fake_issuer::FakeIssuer;

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))))]
pub use self::{
    claims::{claims, cognito_access_claims, cognito_id_claims},
    key::{TestKey, WEAK_RSA_JWK, WEAK_RSA_TOKEN, jwks},
    token::TestToken,
};
