//! The guides, as one book.
//!
//! | if you want to | read |
//! |---|---|
//! | have something that runs, in seven steps | [`quick_start`] |
//! | know the words, and what happens to a request | [`concepts`] |
//! | say who may do what | [`authorizers`], [`policies`] |
//! | ask the authorizer less often | [`caching`] |
//! | protect your own service | [`services`] |
//! | run the same authorizer or handlers in Lambda | [`lambda`] |
//! | use an authorizer function that exists already | [`remote`] |
//! | accept JWTs or tokens of a Cognito user pool | [`jwt`] |
//! | test what you build | [`testing`] |
//! | know what happens in production | [`operating`] |
//! | come from API Gateway, tower-http or jwt-authorizer | [`migrating`] |
//! | find the answer to a question others had | [`questions`] |
//! | know what a message wants of you | [`mistakes`] |
//!
//! And about the crate itself:
//!
//! | if you want to know | read |
//! |---|---|
//! | what is promised, and how to report that it is broken | [`promises`] |
//! | who is trusted with what, and how that was attacked | [`security`] |
//! | what AWS does and what happens here, row by row | [`contract`] |
//! | how it is tested | [`tests`] |
//! | how the code is laid out, and where to change what | [`architecture`] |
//! | why it is as it is | [`design`] |
//!
//! The same pages are files of the repository, most of them in `docs/`.

/// A page of the book is a file. On the repository's pages its links lead to files; here, where the first definition of
/// a link counts, they lead to chapters.
macro_rules! chapters {
    ($($(#[doc = $before:expr])* $name:ident: $file:literal;)*) => {$(
        #[doc = concat!(
            "[architecture]: self::architecture\n",
            "[authorizers]: self::authorizers\n",
            "[caching]: self::caching\n",
            "[concepts]: self::concepts\n",
            "[contract]: self::contract\n",
            "[design]: self::design\n",
            "[jwt]: self::jwt\n",
            "[lambda]: self::lambda\n",
            "[migrating]: self::migrating\n",
            "[mistakes]: self::mistakes\n",
            "[operating]: self::operating\n",
            "[policies]: self::policies\n",
            "[promises]: self::promises\n",
            "[questions]: self::questions\n",
            "[quick_start]: self::quick_start\n",
            "[remote]: self::remote\n",
            "[security]: self::security\n",
            "[services]: self::services\n",
            "[testing]: self::testing\n",
            "[tests]: self::tests\n",
        )]
        $(#[doc = $before])*
        #[doc = include_str!(concat!("../", $file))]
        pub mod $name {}
    )*};
}

chapters! {
    quick_start: "docs/QUICKSTART.md";
    #[doc = concat!("[picture]: ", include_str!("../docs/contract.svg.uri"))]
    concepts: "docs/CONCEPTS.md";
    authorizers: "docs/AUTHORIZERS.md";
    policies: "docs/POLICY.md";
    caching: "docs/CACHING.md";
    services: "docs/SERVICES.md";
    lambda: "docs/LAMBDA.md";
    remote: "docs/REMOTE.md";
    jwt: "docs/JWT.md";
    testing: "docs/TESTING_SERVICES.md";
    operating: "docs/OPERATING.md";
    migrating: "docs/MIGRATING.md";
    questions: "docs/QUESTIONS.md";
    mistakes: "docs/MISTAKES.md";
    promises: "SECURITY.md";
    security: "docs/SECURITY.md";
    contract: "docs/CONTRACT.md";
    tests: "docs/TESTING.md";
    architecture: "docs/ARCHITECTURE.md";
    design: "docs/DESIGN.md";
}
