//! A handler behind a real gateway.

mod answer;
mod asked;
mod builder;
mod received;
mod service;
mod target;

use std::sync::Arc;

pub use builder::{GatewayContextError, GatewayContextLayerBuilder};
use http::Request;
pub use service::{GatewayContextFuture, GatewayContextService};
use tower_layer::Layer;

use self::answer::Naming;
use crate::clock::Clock;
use crate::contract::{PayloadFormat, Principal};
use crate::middleware::{GatewayResponses, Rejection};
use crate::request::{ApiStage, TargetRules};

/// Stands where an [`AuthorizerLayer`](crate::AuthorizerLayer) stands elsewhere, in a handler that runs in Lambda with
/// [`lambda_http`] behind a real gateway: the gateway has asked the authorizer, and this layer has the handler read the
/// answer as the same [`Principal`] and [`AuthorizerContext`](crate::AuthorizerContext).
///
#[cfg_attr(feature = "axum", doc = "```no_run")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::{Router, routing::get};
/// use tower::Layer;
/// use tower_lambda_authorizer::lambda::GatewayContextLayer;
/// use tower_lambda_authorizer::{ApiStage, Principal};
///
/// #[tokio::main]
/// async fn main() -> Result<(), lambda_http::Error> {
///     let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
///     let layer = GatewayContextLayer::builder(stage).build()?;
///     let router = Router::new().route("/me", get(async |me: Principal| me.id().to_owned()));
///     lambda_http::run(layer.layer(router)).await
/// }
/// ```
///
/// # What passes
///
/// 1. The event is of the kind, the API and the stage that were configured. Otherwise 403: for other APIs, function URLs,
///    load balancers, and whatever did not come through `lambda_http`.
/// 2. The path is the one that the gateway has asked its authorizer about, and canonical (see
///    [`request`](crate::request)). Otherwise 400, or 500 where it was moved on the way. The router then sees it as the
///    client sent it: without the stage. With a [base path](ApiStage::with_base_path) it came through the domain that is
///    mapped, and not through the API's own address. Otherwise 404. Events of format 1.0 do not show the mapping on the route
///    `$default`: then it has to be the [domain](ApiStage::with_custom_domain) that is configured, or 404.
/// 3. An authorizer has answered. Otherwise 401. That is the case for routes that have none, and also where the event
///    cannot tell. An IAM authorizer is none.
/// 4. The answer names a principal. Otherwise 500, since that is a mistake in the configuration (see
///    [`principal_from`](GatewayContextLayerBuilder::principal_from)); 401 where a token does not.
/// 5. The answer has not expired, if it says when it does. Otherwise 401.
///
/// Then, and only then, the handler is called. Headers count for none of it.
///
/// # What a handler reads
///
/// | event | principal | context |
/// |---|---|---|
/// | REST, WebSocket | `principalId` | all values as text |
/// | HTTP, format 1.0 | `principalId` | with their types |
/// | HTTP, format 2.0 | `principalId`, which [`AuthorizerFunction`](super::AuthorizerFunction) adds | with their types |
/// | JWT or Cognito authorizer | the claim `sub` | the claims, as text |
///
/// [`Principal::statement`] and [`Principal::usage_identifier_key`] are `None` here, and [`Principal::is_cached`] is
/// false: the gateway does not tell.
#[derive(Clone)]
#[must_use]
pub struct GatewayContextLayer<R = GatewayResponses> {
    reader: Arc<Reader>,
    responses: R,
}

/// Everything but the shape of refusals.
struct Reader {
    stage: ApiStage,
    format: PayloadFormat,
    naming: Naming,
    target_rules: TargetRules,
    clock: Arc<dyn Clock>,
}

impl Reader {
    /// Who is calling, if the gateway says so. The request then has the path that the gateway has asked about.
    fn read<B>(&self, request: &mut Request<B>) -> Result<Principal, Rejection> {
        let received = received::received(&self.stage, self.format, request.extensions())?;
        let kind = received.kind;
        let principal = answer::read(received, &self.naming, &*self.clock);
        // A path that nobody can read is refused first, as it is elsewhere.
        target::restore(request, kind, &self.stage, self.target_rules)?;
        principal
    }
}

impl GatewayContextLayer {
    /// For a handler behind this stage. Its kind, its API id and its name are what events are held against.
    pub fn builder(stage: ApiStage) -> GatewayContextLayerBuilder {
        GatewayContextLayerBuilder::new(stage)
    }
}

impl<S, R: Clone> Layer<S> for GatewayContextLayer<R> {
    type Service = GatewayContextService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        GatewayContextService::new(inner, Arc::clone(&self.reader), self.responses.clone())
    }
}

impl<R> std::fmt::Debug for GatewayContextLayer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayContextLayer")
            .field("stage", &self.reader.stage)
            .field("format", &self.reader.format)
            .field("naming", &self.reader.naming)
            .finish_non_exhaustive()
    }
}
