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
