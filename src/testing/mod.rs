//! For tests.
//!
//! | to test | use |
//! |---|---|
//! | a policy | [`assert_allows!`] and [`assert_denies!`], which print the explanation when they fail |
//! | an authorizer | [`TestRequest`], which makes events of every shape |
//! | an authorizer behind a layer, request by request | [`VerdictTable`] |
//! | a service behind a layer | [`MockAuthorizer`] |
//! | a handler | [`TestPrincipal`], which makes what handlers read |
//! | what depends on time | [`ManualClock`](crate::clock::ManualClock) |
//! | a service that takes tokens | `TestKey`, `jwks`, and a [`FakeIssuer`] that fails when told to |
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

mod assertion;
mod conditions;
mod mock;
mod principal;
mod request;
mod table;

pub use assertion::{Judged, assert_allows, assert_denies, check_allows, check_denies};
pub use conditions::TestConditions;
pub use mock::MockAuthorizer;
pub use principal::TestPrincipal;
pub use request::{TestRequest, TestRequestError};
pub use table::{VerdictError, VerdictRow, VerdictTable, Verdicts};
