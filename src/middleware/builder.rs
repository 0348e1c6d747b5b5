//! Building a layer: everything that can be wrong with a configuration is found here.

mod options;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, HeaderName};
use tokio::sync::Semaphore;

use super::caching::Caching;
use super::gateway::{AuthorizerKind, Gateway};
use super::layer::AuthorizerLayer;
use super::responses::GatewayResponses;
use crate::authorizer::{Authorizer, SharedAuthorizer};
use crate::cache::{AuthorizerCache, KeySpace};
use crate::clock::{Clock, SystemClock, Watch};
use crate::contract::{ApiKind, ClientCertificate, PayloadFormat, ResponseRules};
use crate::mapping::{MappingError, ParameterMapping};
use crate::request::{
    ApiStage, EventMaker, ExpressionError, FindCertificate, IdentitySource, SourceAddress, TargetRules,
};

/// The longest that API Gateway keeps an answer, in seconds.
const MAX_TTL: Duration = Duration::from_secs(3600);
const DEFAULT_TTL: Duration = Duration::from_secs(300);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_MAX_LOADS: usize = 1024;

/// Makes an [`AuthorizerLayer`]; begun with [`AuthorizerLayer::token`] or [`AuthorizerLayer::request`].
///
/// ```
/// use std::time::Duration;
/// use tower_lambda_authorizer::cache::MemoryCache;
/// use tower_lambda_authorizer::middleware::ConfigError;
/// use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
/// let nobody = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
///
/// let layer = AuthorizerLayer::token(nobody, stage.clone())
///     .with_cache(MemoryCache::default())
///     .with_cache_ttl(Duration::from_secs(60))
///     .build()?;
///
/// let mistake = AuthorizerLayer::request(nobody, stage).with_cache(MemoryCache::default()).build();
/// assert!(matches!(mistake, Err(ConfigError::CacheWithoutIdentity)));
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct AuthorizerLayerBuilder<R = GatewayResponses> {
    authorizer: SharedAuthorizer,
    stage: ApiStage,
    kind: AuthorizerKind,
    format: Option<PayloadFormat>,
    title_case: bool,
    client_certificate: Option<Arc<FindCertificate>>,
    simple_responses: bool,
    sources: Vec<IdentitySource>,
    expression: Option<Box<str>>,
    mapping: Option<ParameterMapping>,
    requires_identity: bool,
    shares_answers: bool,
    shares_routes: bool,
    cache: Option<Arc<dyn AuthorizerCache>>,
    ttl: Option<Duration>,
    timeout: Duration,
    max_loads: usize,
    clock: Box<dyn FnOnce() -> Watch + Send>,
    target_rules: TargetRules,
    head_as_get: bool,
    source_address: SourceAddress,
    secure_transport: Option<bool>,
    responses: R,
}

impl AuthorizerLayerBuilder {
    pub(super) fn new(authorizer: impl Authorizer, stage: ApiStage, kind: AuthorizerKind) -> Self {
        Self {
            authorizer: SharedAuthorizer::new(authorizer),
            stage,
            kind,
            format: None,
            title_case: false,
            client_certificate: None,
            simple_responses: false,
            sources: Vec::new(),
            expression: None,
            mapping: None,
            requires_identity: false,
            shares_answers: false,
            shares_routes: false,
            cache: None,
            ttl: None,
            timeout: DEFAULT_TIMEOUT,
            max_loads: DEFAULT_MAX_LOADS,
            clock: Box::new(|| Watch::new(SystemClock)),
            target_rules: TargetRules::default(),
            head_as_get: false,
            source_address: SourceAddress::default(),
            secure_transport: None,
            responses: GatewayResponses::default(),
        }
    }
}

impl<R> AuthorizerLayerBuilder<R> {
    /// `TOKEN` only: the header that holds the token, if it is not `Authorization`.
    pub fn with_token_header(mut self, name: HeaderName) -> Self {
        self.sources = vec![IdentitySource::header(name)];
        self
    }

    /// What identifies a caller: one header for a `TOKEN` authorizer, anything for a `REQUEST` authorizer. All of
    /// them together are the key of a cached answer, so leave none out that the authorizer looks at.
    pub fn with_identity_sources(mut self, sources: impl IntoIterator<Item = IdentitySource>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// REST and WebSocket APIs only: prints header names as `X-Forwarded-For` rather than `x-forwarded-for`, as they
    /// arrive through an edge-optimised endpoint. Look-ups in an event ignore case either way.
    pub fn with_title_case_headers(mut self) -> Self {
        self.title_case = true;
        self
    }

    /// Finds the certificate that the client showed, for servers that do mutual TLS. Events show it; it is no
    /// identity source, and nothing here verifies it.
    pub fn with_client_certificate(
        mut self,
        find: impl Fn(&Extensions) -> Option<ClientCertificate> + Send + Sync + 'static,
    ) -> Self {
        self.client_certificate = Some(Arc::new(find));
        self
    }

    /// Refuses requests that lack an identity source even where API Gateway would ask the authorizer: a `REQUEST`
    /// authorizer without a cache.
    pub fn require_identity(mut self) -> Self {
        self.requires_identity = true;
        self
    }

    /// Keeps answers in `cache`, for 300 seconds if [`with_cache_ttl`](Self::with_cache_ttl) does not say otherwise.
    ///
    /// What is kept is the policy. An authorizer that allows just the ARN it was asked about will then refuse the
    /// same caller's other requests: see [`cache`](crate::cache).
    pub fn with_cache(mut self, cache: impl AuthorizerCache) -> Self {
        self.cache = Some(Arc::new(cache));
        self
    }

    /// How long an answer is kept, at most an hour; zero keeps none. An answer with a shorter
    /// [maximum age](crate::AuthorizerResponse::with_max_age) is kept for that long.
    pub fn with_cache_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Allows a cache without an identity source of the request: the first answer then holds for *every* caller.
    pub fn share_answers_between_all_callers(mut self) -> Self {
        self.shares_answers = true;
        self
    }

    /// How long an authorizer may take; 10 seconds if not said, as API Gateway gives it.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many authorizers may run at once; 1,024 if not said. Further requests are refused with 500.
    pub fn with_max_loads(mut self, loads: usize) -> Self {
        self.max_loads = loads;
        self
    }

    /// Takes the time from `clock`.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(move || Watch::new(clock));
        self
    }

    /// Lets an Allow for `GET` count for `HEAD`, which axum serves with the same handler. A Deny for either counts
    /// in any case.
    pub fn head_as_get(mut self) -> Self {
        self.head_as_get = true;
        self
    }

    /// Accepts paths that escape letters, digits, `-`, `.`, `_` or `~`, and reads them decoded. Only
    /// [`protect`](crate::axum::protect) can do that, since it alone can have the decoded path routed; a layer
    /// that is used in another way still refuses them.
    #[cfg(feature = "axum")]
    pub fn decode_unreserved_escapes(mut self) -> Self {
        self.target_rules.decode_unreserved = true;
        self
    }

    /// Accepts `%2F` in paths. It is data and stays `%2F`, in the ARN and for the router.
    pub fn allow_encoded_slash(mut self) -> Self {
        self.target_rules.allow_encoded_slash = true;
        self
    }

    /// Finds the address of the connection's peer, for servers that do not serve with axum's connect info.
    ///
    /// Take it from the accepted socket, not from a header: whatever a client can write is not its address.
    pub fn with_source_ip(
        mut self,
        find: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.source_address = SourceAddress::Custom(Arc::new(find));
        self
    }

    /// Shapes refusals with a strategy of yours.
    pub fn with_rejection_response<R2>(self, responses: R2) -> AuthorizerLayerBuilder<R2> {
        AuthorizerLayerBuilder {
            authorizer: self.authorizer,
            stage: self.stage,
            kind: self.kind,
            format: self.format,
            title_case: self.title_case,
            client_certificate: self.client_certificate,
            simple_responses: self.simple_responses,
            sources: self.sources,
            expression: self.expression,
            mapping: self.mapping,
            requires_identity: self.requires_identity,
            shares_answers: self.shares_answers,
            shares_routes: self.shares_routes,
            cache: self.cache,
            ttl: self.ttl,
            timeout: self.timeout,
            max_loads: self.max_loads,
            clock: self.clock,
            target_rules: self.target_rules,
            head_as_get: self.head_as_get,
            source_address: self.source_address,
            secure_transport: self.secure_transport,
            responses,
        }
    }

    /// Makes the layer.
    ///
    /// # Errors
    ///
    /// If anything about the configuration is contradictory or unsafe; nothing is left to find out at request time.
    pub fn build(self) -> Result<AuthorizerLayer<R>, ConfigError> {
        let is_token = matches!(self.kind, AuthorizerKind::Token { .. });
        if is_token && self.stage.kind() != ApiKind::Rest {
            return Err(ConfigError::TokenOfRestOnly);
        }
        if self.format.is_some() && (is_token || self.stage.kind() != ApiKind::Http) {
            return Err(ConfigError::FormatOfHttpOnly);
        }
        let kind = match (self.kind, self.format) {
            (AuthorizerKind::Request { .. }, Some(format)) => AuthorizerKind::Request { format },
            (kind, _) => kind,
        };
        let format = kind.payload_format();
        if self.simple_responses && (self.stage.kind() != ApiKind::Http || format != PayloadFormat::V2) {
            return Err(ConfigError::SimpleResponsesOfHttpOnly);
        }
        let sources = match &kind {
            AuthorizerKind::Token { header } if self.sources.is_empty() => {
                vec![IdentitySource::header(header.clone())]
            }
            _ => self.sources,
        };
        if is_token && !matches!(&*sources, [one] if one.is_header()) {
            return Err(ConfigError::TokenIdentity);
        }
        if let Some(mapping) = &self.mapping {
            mapping.check(&self.stage, &sources).map_err(ConfigError::Mapping)?;
        }
        let expression = options::compile(self.expression.as_deref(), is_token)?;
        if let Some(name) = sources.iter().find_map(|source| source.unknown_stage_variable(&self.stage)) {
            return Err(ConfigError::UnknownStageVariable { name: name.into() });
        }
        let mut known = HashSet::new();
        if let Some(source) = sources.iter().find(|source| !known.insert(*source)) {
            return Err(ConfigError::RepeatedIdentitySource { source_text: source.to_string() });
        }
        if self.ttl.is_some_and(|ttl| ttl > MAX_TTL) {
            return Err(ConfigError::LongTtl);
        }
        if self.ttl.is_some_and(|ttl| !ttl.is_zero()) && self.cache.is_none() {
            return Err(ConfigError::TtlWithoutCache);
        }
        if self.timeout.is_zero() {
            return Err(ConfigError::ZeroTimeout);
        }
        if self.max_loads == 0 || self.max_loads > Semaphore::MAX_PERMITS {
            return Err(ConfigError::MaxLoads);
        }
        let ttl = self.ttl.unwrap_or(DEFAULT_TTL);
        let caching = self.cache.filter(|_| !ttl.is_zero()).map(|cache| Caching::new(cache, ttl));
        let identifies = sources.iter().any(IdentitySource::identifies_caller);
        if caching.is_some() && !identifies && !self.shares_answers {
            return Err(ConfigError::CacheWithoutIdentity);
        }
        let mixes_routes = !self.shares_routes && !sources.iter().any(IdentitySource::names_route);
        if caching.is_some() && self.simple_responses && mixes_routes {
            return Err(ConfigError::SimpleResponsesWithoutRoute);
        }
        let asks_without_identity =
            !is_token && self.stage.kind() == ApiKind::Rest && caching.is_none() && !self.requires_identity;
        let format = match &kind {
            AuthorizerKind::Request { format } => *format,
            AuthorizerKind::Token { .. } => PayloadFormat::V1,
        };
        let events = EventMaker::new(&self.stage, format, &sources, self.title_case, self.client_certificate);
        let gateway = Gateway {
            events,
            rules: ResponseRules::of(self.stage.kind(), format, self.simple_responses),
            challenge: self.authorizer.challenge(),
            space: Arc::new(KeySpace { stage: self.stage.arn().clone(), sources }),
            expression,
            mapping: self.mapping,
            stage: self.stage,
            authorizer: self.authorizer,
            kind,
            asks_without_identity,
            caching,
            timeout: self.timeout,
            permits: Arc::new(Semaphore::new(self.max_loads)),
            watch: (self.clock)(),
            target_rules: self.target_rules,
            head_as_get: self.head_as_get,
            source_address: self.source_address,
            secure_transport: self.secure_transport,
        };
        Ok(AuthorizerLayer::new(gateway, self.responses))
    }
}

impl<R> std::fmt::Debug for AuthorizerLayerBuilder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerLayerBuilder")
            .field("stage", &self.stage)
            .field("kind", &self.kind)
            .field("identity_sources", &self.sources)
            .finish_non_exhaustive()
    }
}

/// A configuration that would not be safe, or not be what it seems.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Answers would be kept without knowing whose they are.
    CacheWithoutIdentity,
    /// The identity validation expression cannot be used.
    Expression(ExpressionError),
    /// Only tokens are checked against an expression.
    ExpressionOfTokenOnly,
    /// A payload format is chosen where there is nothing to choose.
    FormatOfHttpOnly,
    /// Answers would be kept for more than an hour.
    LongTtl,
    /// The parameter mapping does not fit the rest of the layer.
    Mapping(MappingError),
    /// No authorizer could ever run, or more than there can be.
    MaxLoads,
    /// An identity source is named twice.
    RepeatedIdentitySource {
        /// Which.
        source_text: String,
    },
    /// Simple responses are switched on where API Gateway has none.
    SimpleResponsesOfHttpOnly,
    /// A simple response would be kept without knowing which route it is about.
    SimpleResponsesWithoutRoute,
    /// A `TOKEN` authorizer has exactly one identity source: a header.
    TokenIdentity,
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

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CacheWithoutIdentity => f.write_str(
                "a cache needs an identity source that tells callers apart, or the first answer would hold for every caller: \
                 add one with `with_identity_sources`, or call `share_answers_between_all_callers`",
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
            Self::RepeatedIdentitySource { source_text } => {
                write!(f, "the identity source `{source_text}` is named twice: name it once")
            }
            Self::SimpleResponsesOfHttpOnly => f.write_str(
                "only HTTP APIs with format 2.0 have simple responses: remove `with_simple_responses`, or change that",
            ),
            Self::SimpleResponsesWithoutRoute => f.write_str(
                "a cached simple response would hold for every route: add the route to the identity sources, \
                 or call `share_simple_responses_between_routes`",
            ),
            Self::TokenIdentity => f.write_str(
                "an authorizer of type TOKEN has one header as its identity source: \
                 use `with_token_header`, or make it an authorizer of type REQUEST",
            ),
            Self::TokenOfRestOnly => f.write_str(
                "only REST APIs have authorizers of type TOKEN: use `AuthorizerLayer::request`, or `ApiStage::rest`",
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
