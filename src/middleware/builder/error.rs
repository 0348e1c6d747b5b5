//! What can be wrong with a configuration.

use crate::authorizer::Credential;
use crate::mapping::MappingError;
use crate::request::ExpressionError;

/// A configuration that would not be safe, or not be what it seems.
///
/// `Debug` says the same as `Display`: it is what a `main` that returns the error prints.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Answers would be kept without knowing whose they are.
    CacheWithoutIdentity,
    /// The authorizer looks at a credential that the layer does not: an answer to it would be kept for requests without
    /// it.
    CredentialOutsideIdentity {
        /// Which.
        credential: Credential,
    },
    /// The authorizer looks at a credential that no `TOKEN` authorizer is told.
    CredentialOutsideToken {
        /// Which.
        credential: Credential,
    },
    /// Every client of a proxy would be shown what was decided.
    #[cfg(feature = "debug-header")]
    #[cfg_attr(docsrs, doc(cfg(feature = "debug-header")))]
    DebugHeaderBehindProxies,
    /// More than this machine could be shown what was decided.
    #[cfg(feature = "debug-header")]
    #[cfg_attr(docsrs, doc(cfg(feature = "debug-header")))]
    DebugHeaderOutside {
        /// Where the service is said to listen.
        address: std::net::SocketAddr,
    },
    /// The identity validation expression cannot be used.
    Expression(ExpressionError),
    /// Only tokens are checked against an expression.
    ExpressionOfTokenOnly,
    /// A payload format is chosen where there is nothing to choose.
    FormatOfHttpOnly,
    /// Answers would be kept for more than an hour.
    LongTtl,
    /// Requests without an identity are both accepted and refused.
    MissingIdentityBothWays,
    /// A `TOKEN` authorizer is never asked without a token.
    MissingIdentityOfRequestOnly,
    /// Requests without an identity are refused, and nothing says what that is.
    NoIdentityToRequire,
    /// Of two layers that decide beside each other only one takes a parameter away from clients, who could then set it
    /// wherever the other decides.
    OtherMapping {
        /// Which, as in `header.x-user`.
        parameter: Box<str>,
    },
    /// Two layers that belong together stand in front of different stages.
    OtherStage,
    /// The parameter mapping does not fit the rest of the layer.
    Mapping(MappingError),
    /// No authorizer could ever run, or more than there can be.
    MaxLoads,
    /// An identity source is named twice.
    RepeatedIdentitySource {
        /// Which.
        source_text: String,
    },
    /// A shadow would never see a request, or its share is none.
    ShadowWithoutRoom,
    /// Simple responses are switched on where API Gateway has none.
    SimpleResponsesOfHttpOnly,
    /// A simple response would be kept without knowing which route it is about.
    SimpleResponsesWithoutRoute,
    /// A token header is named for an authorizer that is not of type `TOKEN`.
    TokenHeaderOfTokenOnly,
    /// A `TOKEN` authorizer has exactly one identity source: a header.
    TokenIdentity,
    /// A trusted proxy is neither an address nor a network.
    TrustedProxy {
        /// What was given.
        network: Box<str>,
    },
    /// An authorizer of type `TOKEN` stands before something other than a REST API.
    TokenOfRestOnly,
    /// A time to live is set, and there is nothing that could keep answers so long.
    TtlWithoutCache,
    /// An identity source names a stage variable that the stage has not.
    UnknownStageVariable {
        /// Its name.
        name: Box<str>,
    },
    /// No authorizer could ever answer in time.
    ZeroTimeout,
}

impl std::fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConfigError({self})")
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CacheWithoutIdentity => f.write_str(
                "a cache needs an identity source that tells callers apart, or the first answer would hold for every caller: \
                 add one with `with_identity_sources`, or call `share_answers_between_all_callers`",
            ),
            Self::CredentialOutsideIdentity { credential } => write!(
                f,
                "the authorizer looks at the credential `{credential}`, which is no identity source: \
                 add it with `with_identity_sources`, and call `accept_missing_identity` if it may be missing"
            ),
            Self::CredentialOutsideToken { credential } => write!(
                f,
                "the authorizer looks at the credential `{credential}`, and an authorizer of type TOKEN is told the token \
                 and nothing else: use `AuthorizerLayer::request`"
            ),
            #[cfg(feature = "debug-header")]
            Self::DebugHeaderBehindProxies => f.write_str(
                "behind a proxy every client seems to be on its machine: remove `with_debug_header` or `with_trusted_proxies`",
            ),
            #[cfg(feature = "debug-header")]
            Self::DebugHeaderOutside { address } => write!(
                f,
                "`{address}` can be reached from other machines: listen on a loopback address, \
                 or call `insecure_with_debug_header` where everybody may know what is decided"
            ),
            Self::Expression(error) => error.fmt(f),
            Self::ExpressionOfTokenOnly => f.write_str(
                "only authorizers of type TOKEN have an identity validation expression: \
                 remove `with_identity_validation_expression`, or use `AuthorizerLayer::token`",
            ),
            Self::FormatOfHttpOnly => f.write_str(
                "only `REQUEST` authorizers of HTTP APIs have a payload format to choose: \
                 remove `with_payload_format`, or use `ApiStage::http`",
            ),
            Self::LongTtl => f.write_str("answers are kept for at most an hour: lower `with_cache_ttl`"),
            Self::Mapping(error) => error.fmt(f),
            Self::MaxLoads => f.write_str("at least one authorizer must be able to run: raise `with_max_loads`"),
            Self::MissingIdentityBothWays => f.write_str(
                "requests without an identity are accepted and refused: \
                 remove `accept_missing_identity` or `require_identity`",
            ),
            Self::MissingIdentityOfRequestOnly => f.write_str(
                "an authorizer of type TOKEN is never asked without a token: \
                 remove `accept_missing_identity`, or use `AuthorizerLayer::request`",
            ),
            Self::NoIdentityToRequire => f.write_str(
                "`require_identity` has nothing to require: name an identity source with `with_identity_sources`",
            ),
            Self::OtherMapping { parameter } => write!(
                f,
                "only one of the two layers overwrites or removes `{parameter}`, and what a client sends there would \
                 pass the other: give the other `remove:{parameter}`"
            ),
            Self::OtherStage => f.write_str(
                "the two layers stand in front of different stages: build both with the same `ApiStage`",
            ),
            Self::RepeatedIdentitySource { source_text } => {
                write!(f, "the identity source `{source_text}` is named twice: name it once")
            }
            Self::ShadowWithoutRoom => f.write_str(
                "a shadow needs room for one comparison and a share from 1 to 100 percent: \
                 change `with_max_running` or `with_share`",
            ),
            Self::SimpleResponsesOfHttpOnly => f.write_str(
                "only HTTP APIs with format 2.0 have simple responses: remove `with_simple_responses`, or change that",
            ),
            Self::SimpleResponsesWithoutRoute => f.write_str(
                "a cached simple response would hold for every route: add the route to the identity sources, \
                 or call `share_simple_responses_between_routes`",
            ),
            Self::TokenHeaderOfTokenOnly => f.write_str(
                "only authorizers of type TOKEN have a token header: name the header with `with_identity_sources`",
            ),
            Self::TokenIdentity => f.write_str(
                "an authorizer of type TOKEN has one header as its identity source: \
                 use `with_token_header`, or make it an authorizer of type REQUEST",
            ),
            Self::TokenOfRestOnly => f.write_str(
                "only REST APIs have authorizers of type TOKEN: use `AuthorizerLayer::request`, or `ApiStage::rest`",
            ),
            Self::TrustedProxy { network } => write!(
                f,
                "`{network}` is neither an address nor a network: write `192.0.2.1` or `10.0.0.0/8`"
            ),
            Self::TtlWithoutCache => {
                f.write_str("there is no cache to keep answers in: add one with `with_cache`")
            }
            Self::UnknownStageVariable { name } => write!(
                f,
                "the identity source `stageVariables.{name}` has no value: \
                 set it with `ApiStage::with_stage_variable`"
            ),
            Self::ZeroTimeout => f.write_str("no authorizer answers in no time: raise `with_timeout`"),
        }
    }
}

impl std::error::Error for ConfigError {}
