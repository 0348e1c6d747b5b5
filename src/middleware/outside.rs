//! What a layer does outside of its service, where paths are brought to their one spelling.

use http::{Request, Response};

use super::future::refusal;
use super::gateway::Gateway;
use super::insight::{self, CacheOutcome, Stopwatch};
use super::layer::AuthorizerLayer;
use super::rejection::Rejection;
use super::responses::ResponseForRejection;

impl<R> AuthorizerLayer<R> {
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Whether the route that a router chose may have a part in what this layer does.
    #[cfg(feature = "axum")]
    pub(crate) fn reads_route<B>(&self) -> bool
    where
        R: ResponseForRejection<B>,
    {
        let Self { gateway, responses, beside } = self;
        // Predicates, alternatives with authorizers of any type, and whatever a candidate is.
        beside.is_some() || gateway.reads_route() || responses.shows_route()
    }

    pub(crate) fn refusal<B, ReqB>(&self, rejection: Rejection, request: &Request<ReqB>) -> Response<B>
    where
        R: ResponseForRejection<B>,
    {
        let (cache, stopwatch) = (CacheOutcome::None, Stopwatch::default());
        let mark = insight::decided(&self.gateway, request, Err(&rejection), cache, None, stopwatch);
        refusal(&self.gateway, &self.responses, rejection, request, mark)
    }
}
