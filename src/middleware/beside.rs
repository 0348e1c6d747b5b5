//! What stands beside a layer: others that decide in its place, and one that only watches.

use std::sync::Arc;

use http::Request;

use super::builder::ConfigError;
use super::gateway::Gateway;
use super::head::RequestHead;
use super::layer::AuthorizerLayer;
use super::shadow::Shadow;
use crate::mapping::ParameterMapping;

/// Most layers have none of it.
#[derive(Clone, Default)]
pub(crate) struct Beside {
    alternatives: Vec<Alternative>,
    shadow: Option<Shadow>,
}

/// Another authorizer that decides some of the requests.
#[derive(Clone)]
struct Alternative {
    gateway: Arc<Gateway>,
    beside: Option<Arc<Beside>>,
    chooses: Arc<Choose>,
}

type Choose = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;

impl Beside {
    /// Who decides a request, and who watches. There is always one to decide.
    pub(crate) fn choose<'a, B>(
        &'a self,
        gateway: &'a Arc<Gateway>,
        request: &Request<B>,
    ) -> (&'a Arc<Gateway>, Option<&'a Shadow>) {
        let head = RequestHead::new(request);
        let (mut gateway, mut beside, mut shadow) = (gateway, Some(self), self.shadow.as_ref());
        while let Some(alternative) = beside.and_then(|beside| beside.alternative(&head)) {
            gateway = &alternative.gateway;
            beside = alternative.beside.as_deref();
            shadow = beside.and_then(|beside| beside.shadow.as_ref()).or(shadow);
        }
        (gateway, shadow)
    }

    fn alternative(&self, head: &RequestHead<'_>) -> Option<&Alternative> {
        self.alternatives.iter().find(|alternative| (alternative.chooses)(head))
    }

    /// All who may decide.
    pub(crate) fn for_each_gateway(&self, visit: &mut dyn FnMut(&Arc<Gateway>)) {
        for alternative in &self.alternatives {
            visit(&alternative.gateway);
            if let Some(beside) = &alternative.beside {
                beside.for_each_gateway(visit);
            }
        }
        if let Some(shadow) = &self.shadow {
            shadow.for_each_gateway(visit);
        }
    }
}

impl<R> AuthorizerLayer<R> {
    /// Has another layer decide the requests that `chooses` says yes to; all others are decided by this one. Exactly one
    /// of the two decides each request, so a predicate that errs lets nobody in: it only picks the wrong guard.
    ///
    /// It is how a new authorizer is rolled out to a share of the callers, and how some routes have an authorizer of
    /// their own inside of [`protect`](crate::axum::protect). Each has its own identity sources, cache and limits.
    /// Refusals are shaped by this layer's strategy. Of several alternatives, the first that is chosen decides.
    ///
    /// Where one of them lets more in than the other, let the stricter one be this one, and have the other chosen by the
    /// templates that it is meant for: fallbacks, what stands behind `nest_service`, and what a layer outside of the router
    /// sees, have no template.
    ///
    /// ```
    /// use http::header::AUTHORIZATION;
    /// # use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    /// # let administrators = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
    /// # let (next, customers) = (administrators, administrators);
    /// let next = AuthorizerLayer::token(next, stage.clone()).build()?;
    /// let customers = AuthorizerLayer::token(customers, stage.clone())
    ///     .build()?
    ///     .with_alternative(next, |head| head.falls_within(5, &AUTHORIZATION))?;
    /// let layer = AuthorizerLayer::token(administrators, stage)
    ///     .build()?
    ///     .with_alternative(customers, |head| head.template().is_some_and(|route| route.starts_with("/shop/")))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the other layer stands in front of another stage, or if only one of the two overwrites or removes some header
    /// or query parameter: what clients send there would reach the service wherever the other decides.
    pub fn with_alternative<R2>(
        mut self,
        other: AuthorizerLayer<R2>,
        chooses: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        if !self.gateway.stage.is_same_place(&other.gateway.stage) {
            return Err(ConfigError::OtherStage);
        }
        // What stands beside either of them has been compared with it.
        let (ours, theirs) = (self.gateway.mapping.as_ref(), other.gateway.mapping.as_ref());
        if let Some(parameter) = ParameterMapping::taken_by_one(ours, theirs) {
            return Err(ConfigError::OtherMapping { parameter });
        }
        let AuthorizerLayer { gateway, beside, .. } = other;
        let alternative = Alternative { gateway, beside, chooses: Arc::new(chooses) };
        Arc::make_mut(self.beside.get_or_insert_default()).alternatives.push(alternative);
        Ok(self)
    }

    /// Has a candidate judge what this layer decides, and changes nothing of it. See [`Shadow`].
    ///
    /// # Errors
    ///
    /// If the candidate stands in front of another stage, or could never be asked.
    pub fn with_shadow(mut self, shadow: Shadow) -> Result<Self, ConfigError> {
        if !self.gateway.stage.is_same_place(shadow.stage()) {
            return Err(ConfigError::OtherStage);
        }
        if !shadow.can_run() {
            return Err(ConfigError::ShadowWithoutRoom);
        }
        Arc::make_mut(self.beside.get_or_insert_default()).shadow = Some(shadow);
        Ok(self)
    }
}
