//! The layer.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use tower_layer::Layer;

use super::beside::Beside;
use super::builder::AuthorizerLayerBuilder;
use super::caching::Caching;
use super::gateway::{AuthorizerKind, Gateway};
use super::responses::GatewayResponses;
use super::service::AuthorizerService;
use crate::authorizer::Authorizer;
use crate::cache::CacheStatistics;
use crate::contract::{ApiKind, PayloadFormat};
use crate::request::ApiStage;

/// Puts an authorizer in front of a service. Cloning it shares everything: the authorizer, its cache, its limits.
///
/// See the [module documentation](super) for what passes and what does not.
#[derive(Clone)]
#[must_use]
pub struct AuthorizerLayer<R = GatewayResponses> {
    pub(super) gateway: Arc<Gateway>,
    pub(super) responses: R,
    /// Who else has a say, if anybody.
    pub(super) beside: Option<Arc<Beside>>,
}

impl AuthorizerLayer {
    /// An authorizer of type `TOKEN`: it is given the value of one header, `Authorization` if not said otherwise,
    /// and nothing else of the request. Requests without that header are refused without asking it. Only REST APIs
    /// have such authorizers.
    pub fn token(authorizer: impl Authorizer, stage: ApiStage) -> AuthorizerLayerBuilder {
        AuthorizerLayerBuilder::new(authorizer, stage, AuthorizerKind::Token { header: AUTHORIZATION })
    }

    /// An authorizer of type `REQUEST`: it is given the whole head of the request.
    ///
    /// Name the parts of the request that identify a caller with
    /// [`with_identity_sources`](AuthorizerLayerBuilder::with_identity_sources): they are what answers are cached
    /// under, and requests that lack one are refused without asking the authorizer, if there is a cache or
    /// [`require_identity`](AuthorizerLayerBuilder::require_identity) was called.
    pub fn request(authorizer: impl Authorizer, stage: ApiStage) -> AuthorizerLayerBuilder {
        let format = match stage.kind() {
            ApiKind::Http => PayloadFormat::V2,
            _ => PayloadFormat::V1,
        };
        AuthorizerLayerBuilder::new(authorizer, stage, AuthorizerKind::Request { format })
    }
}

impl<R> AuthorizerLayer<R> {
    pub(super) fn new(gateway: Gateway, responses: R) -> Self {
        Self { gateway: Arc::new(gateway), responses, beside: None }
    }

    /// Forgets every cached answer of this layer, of its [alternatives](Self::with_alternative) and of its
    /// [shadow](Self::with_shadow), as do the two methods below. An answer that is being awaited is used by whoever waits for it,
    /// and is not kept.
    pub fn invalidate_all(&self) {
        self.invalidate(|_| true, |_| true);
    }

    /// Forgets what is cached about a principal, under whatever identity.
    pub fn invalidate_principal(&self, principal_id: &str) {
        self.invalidate(|_| true, |principal| principal == Some(principal_id));
    }

    /// Forgets what is cached about one identity: a value for each identity source, in their order, and an empty one for
    /// a source that is [absent](AuthorizerLayerBuilder::accept_missing_identity).
    pub fn invalidate_identity<'v>(&self, values: impl IntoIterator<Item = &'v str>) {
        let values: Vec<&str> = values.into_iter().collect();
        self.invalidate(|identity| identity == values, |_| true);
    }

    /// What the cache was good for so far; all zero without one. Alternatives count for themselves.
    #[must_use]
    pub fn cache_statistics(&self) -> CacheStatistics {
        self.gateway.caching.as_ref().map(Caching::statistics).unwrap_or_default()
    }

    fn invalidate(&self, identity: impl Fn(&[&str]) -> bool, principal: impl Fn(Option<&str>) -> bool) {
        let mut invalidate_in = |gateway: &Arc<Gateway>| {
            let Some(caching) = &gateway.caching else { return };
            caching.invalidate(&|key, authorization| {
                let values: Vec<&str> = key.identity().map(|(_, value)| value).collect();
                key.is_of(&gateway.space) && identity(&values) && principal(authorization.principal_id())
            });
        };
        invalidate_in(&self.gateway);
        if let Some(beside) = &self.beside {
            beside.for_each_gateway(&mut invalidate_in);
        }
    }
}

impl<S, R: Clone> Layer<S> for AuthorizerLayer<R> {
    type Service = AuthorizerService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthorizerService::new(inner, self.clone())
    }
}

impl<R> std::fmt::Debug for AuthorizerLayer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizerLayer")
            .field("stage", &self.gateway.stage)
            .field("kind", &self.gateway.kind)
            .field("identity_sources", &self.gateway.space.sources)
            .field("cached", &self.gateway.caching.is_some())
            .finish_non_exhaustive()
    }
}
