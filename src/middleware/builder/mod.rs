//! Building a layer: everything that can be wrong with a configuration is found here.

mod build;
#[cfg(feature = "debug-header")]
mod debug_header;
mod error;
mod options;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

pub use error::ConfigError;

use super::condition_keys::FindConditionKey;
use super::gateway::AuthorizerKind;
use super::insight::DebugHeader;
use super::responses::GatewayResponses;
use crate::authorizer::{Authorizer, SharedAuthorizer};
use crate::cache::AuthorizerCache;
use crate::clock::{SystemClock, Watch};
use crate::contract::PayloadFormat;
use crate::mapping::ParameterMapping;
use crate::request::{ApiStage, FindCertificate, IdentitySource, SourceAddress, TargetRules};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_MAX_LOADS: usize = 1024;

/// Makes an [`AuthorizerLayer`](crate::AuthorizerLayer); begun with [`AuthorizerLayer::token`](crate::AuthorizerLayer::token) or
/// [`AuthorizerLayer::request`](crate::AuthorizerLayer::request).
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
    options: Options,
    responses: R,
}

/// Everything but the shape of refusals.
struct Options {
    authorizer: SharedAuthorizer,
    stage: ApiStage,
    kind: AuthorizerKind,
    format: Option<PayloadFormat>,
    title_case: bool,
    client_certificate: Option<Arc<FindCertificate>>,
    simple_responses: bool,
    token_header: Option<HeaderName>,
    sources: Vec<IdentitySource>,
    expression: Option<Box<str>>,
    mapping: Option<ParameterMapping>,
    requires_identity: bool,
    accepts_missing: bool,
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
    trusted_proxies: Vec<Box<str>>,
    secure_transport: Option<bool>,
    condition_keys: Option<Arc<FindConditionKey>>,
    debug_header: DebugHeader,
    /// Where the service is said to listen, if only those may be shown decisions who can connect to there.
    #[cfg(feature = "debug-header")]
    debug_address: Option<std::net::SocketAddr>,
}

impl AuthorizerLayerBuilder {
    pub(super) fn new(authorizer: impl Authorizer, stage: ApiStage, kind: AuthorizerKind) -> Self {
        let options = Options {
            authorizer: SharedAuthorizer::new(authorizer),
            stage,
            kind,
            format: None,
            title_case: false,
            client_certificate: None,
            simple_responses: false,
            token_header: None,
            sources: Vec::new(),
            expression: None,
            mapping: None,
            requires_identity: false,
            accepts_missing: false,
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
            trusted_proxies: Vec::new(),
            secure_transport: None,
            condition_keys: None,
            debug_header: Default::default(),
            #[cfg(feature = "debug-header")]
            debug_address: None,
        };
        Self { options, responses: GatewayResponses::default() }
    }
}

impl<R> AuthorizerLayerBuilder<R> {
    /// Shapes refusals with a strategy of yours.
    pub fn with_rejection_response<R2>(self, responses: R2) -> AuthorizerLayerBuilder<R2> {
        AuthorizerLayerBuilder { options: self.options, responses }
    }
}

impl<R> std::fmt::Debug for AuthorizerLayerBuilder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerLayerBuilder")
            .field("stage", &self.options.stage)
            .field("kind", &self.options.kind)
            .field("identity_sources", &self.options.sources)
            .finish_non_exhaustive()
    }
}
