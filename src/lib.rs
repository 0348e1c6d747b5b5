//! A Tower layer that implements the AWS API Gateway Lambda authorizer contract.
#![deny(missing_docs)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "no input may panic this library"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod policy;
