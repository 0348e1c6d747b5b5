//! The guides, as one book.
//!
//! | if you want to | read |
//! |---|---|
//! | know the words and what happens to a request | [`concepts`] |
//! | say who may do what | [`authorizers`], [`policies`] |
//! | ask the authorizer less often | [`caching`] |
//! | run the same authorizer or handlers in Lambda | [`lambda`] |
//! | use an authorizer function that exists already | [`remote`] |
//! | accept JWTs or tokens of a Cognito user pool | [`jwt`] |
//! | test what you build | [`testing`] |
//! | know what happens in production | [`operating`] |
//! | come from API Gateway, tower-http or jwt-authorizer | [`migrating`] |
//! | find the answer to a question others had | [`questions`] |
//!
//! The same pages are in `docs/`, with others about the crate itself: what AWS does and what happens here, row by row;
//! how it is tested; how the code is laid out; what it costs; what it promises.

#[doc = concat!("[contract]: ", include_str!("../docs/contract.svg.uri"))]
#[doc = "[caching]: self::caching\n"]
#[doc = include_str!("../docs/CONCEPTS.md")]
pub mod concepts {}

#[doc = "[caching]: self::caching\n"]
#[doc = include_str!("../docs/AUTHORIZERS.md")]
pub mod authorizers {}

#[doc = include_str!("../docs/POLICY.md")]
pub mod policies {}

#[doc = include_str!("../docs/CACHING.md")]
pub mod caching {}

#[doc = include_str!("../docs/LAMBDA.md")]
pub mod lambda {}

#[doc = include_str!("../docs/REMOTE.md")]
pub mod remote {}

#[doc = include_str!("../docs/JWT.md")]
pub mod jwt {}

#[doc = include_str!("../docs/TESTING_SERVICES.md")]
pub mod testing {}

#[doc = include_str!("../docs/OPERATING.md")]
pub mod operating {}

#[doc = include_str!("../docs/MIGRATING.md")]
pub mod migrating {}

#[doc = "[caching]: self::caching\n[jwt]: self::jwt\n[policies]: self::policies\n"]
#[doc = include_str!("../docs/QUESTIONS.md")]
pub mod questions {}
