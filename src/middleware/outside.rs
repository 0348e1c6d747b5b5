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

    pub(crate) fn refusal<B, ReqB>(&self, rejection: Rejection, request: &Request<ReqB>) -> Response<B>
    where
        R: ResponseForRejection<B>,
    {
        let (cache, stopwatch) = (CacheOutcome::None, Stopwatch::default());
        let mark = insight::decided(&self.gateway, request, Err(&rejection), cache, None, stopwatch);
        refusal(&self.gateway, &self.responses, rejection, request, mark)
    }
}
