//! Building a layer: everything that can be wrong with a configuration is found here.

use std::sync::Arc;

use super::answer::Naming;
use super::{GatewayContextLayer, Reader};
use crate::clock::{Clock, SystemClock};
use crate::contract::reserved::{EXPIRES_AT, INTEGRATION_LATENCY};
use crate::contract::{ApiKind, PayloadFormat};
use crate::middleware::GatewayResponses;
use crate::request::{ApiStage, TargetRules};

/// Makes a [`GatewayContextLayer`]; begun with [`GatewayContextLayer::builder`].
///
/// ```
/// use tower_lambda_authorizer::ApiStage;
/// use tower_lambda_authorizer::contract::PayloadFormat;
/// use tower_lambda_authorizer::lambda::{GatewayContextError, GatewayContextLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
/// let layer = GatewayContextLayer::builder(stage.clone()).principal_from("userId").build()?;
///
/// let mistake = GatewayContextLayer::builder(stage).with_payload_format(PayloadFormat::V2).build();
/// assert!(matches!(mistake, Err(GatewayContextError::FormatOfHttpOnly)));
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct GatewayContextLayerBuilder<R = GatewayResponses> {
    options: Options,
    responses: R,
}

struct Options {
    stage: ApiStage,
    format: Option<PayloadFormat>,
    principal_from: Option<Box<str>>,
    without_principal: bool,
    target_rules: TargetRules,
    clock: Arc<dyn Clock>,
}

impl GatewayContextLayerBuilder {
    pub(super) fn new(stage: ApiStage) -> Self {
        let options = Options {
            stage,
            format: None,
            principal_from: None,
            without_principal: false,
            target_rules: TargetRules::default(),
            clock: Arc::new(SystemClock),
        };
        Self { options, responses: GatewayResponses::default() }
    }
}

impl<R> GatewayContextLayerBuilder<R> {
    /// HTTP APIs only: the format of the events that the API sends to this *handler*, 2.0 if not said otherwise. Its
    /// authorizer may have another.
    pub fn with_payload_format(mut self, format: PayloadFormat) -> Self {
        self.options.format = Some(format);
        self
    }

    /// Takes the principal's id from that value of the context, or from that claim: for authorizers that are not of
    /// this crate and say it there, as with format 2.0, where the gateway says nothing. The value stays in the context.
    pub fn principal_from(mut self, name: impl Into<String>) -> Self {
        self.options.principal_from = Some(name.into().into_boxed_str());
        self
    }

    /// Lets requests through about which the authorizer has named nobody: handlers then read an
    /// [`AuthorizerContext`](crate::AuthorizerContext) alone, or an `Option<Principal>`. Simple responses never name
    /// anybody.
    ///
    /// With format 2.0 an answer without principal and context looks like the event of a route whose authorizer has
    /// said nothing, and passes too. An event without any authorizer is refused all the same.
    pub fn without_principal(mut self) -> Self {
        self.options.without_principal = true;
        self
    }

    /// Accepts paths that escape letters, digits, `-`, `.`, `_` or `~`, and has them routed decoded. AWS has evaluated the policy for
    /// the path as it was sent, so that a Deny of `/admin` does not cover `/%61dmin` there: only for policies that deny no path.
    pub fn decode_unreserved_escapes(mut self) -> Self {
        self.options.target_rules.decode_unreserved = true;
        self
    }

    /// Accepts `%2F` in the paths of REST APIs; for the router it stays `%2F`. HTTP APIs show it decoded. AWS has evaluated the
    /// policy, and compares texts: a Deny of `/files/secret/*` does not cover `/files/secret%2Fkey`.
    /// A path with `%2F` in more than three segments is refused.
    pub fn allow_encoded_slash(mut self) -> Self {
        self.options.target_rules.allow_encoded_slash = true;
        self
    }

    /// Takes the time from `clock`.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.options.clock = Arc::new(clock);
        self
    }

    /// Shapes refusals with a strategy of yours. It is given the reason, and not the request.
    pub fn with_rejection_response<R2>(self, responses: R2) -> GatewayContextLayerBuilder<R2> {
        GatewayContextLayerBuilder { options: self.options, responses }
    }

    /// Makes the layer.
    ///
    /// # Errors
    ///
    /// If the configuration contradicts itself; the error says what to do.
    pub fn build(self) -> Result<GatewayContextLayer<R>, GatewayContextError> {
        let Self { options, responses } = self;
        let is_http = options.stage.kind() == ApiKind::Http;
        if options.format.is_some() && !is_http {
            return Err(GatewayContextError::FormatOfHttpOnly);
        }
        let naming = match (options.principal_from, options.without_principal) {
            (None, false) => Naming::Told,
            (None, true) => Naming::Optional,
            (Some(_), true) => return Err(GatewayContextError::PrincipalAndNone),
            (Some(name), false) if matches!(&*name, "" | EXPIRES_AT | INTEGRATION_LATENCY) => {
                return Err(GatewayContextError::PrincipalKey { name });
            }
            (Some(name), false) => Naming::From(name),
        };
        let format = if is_http { PayloadFormat::V2 } else { PayloadFormat::V1 };
        crate::telemetry::describe();
        let reader = Reader {
            stage: options.stage,
            format: options.format.unwrap_or(format),
            naming,
            target_rules: options.target_rules,
            clock: options.clock,
        };
        Ok(GatewayContextLayer { reader: Arc::new(reader), responses })
    }
}

impl<R> std::fmt::Debug for GatewayContextLayerBuilder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayContextLayerBuilder")
            .field("stage", &self.options.stage)
            .finish_non_exhaustive()
    }
}

/// A configuration that contradicts itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GatewayContextError {
    /// A payload format is chosen where there is nothing to choose.
    FormatOfHttpOnly,
    /// A principal is looked for, and there need not be one.
    PrincipalAndNone,
    /// The principal is looked for where it cannot be.
    PrincipalKey {
        /// What was given.
        name: Box<str>,
    },
}

impl std::fmt::Display for GatewayContextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FormatOfHttpOnly => {
                f.write_str("only HTTP APIs have payload formats: leave `with_payload_format` out")
            }
            Self::PrincipalAndNone => {
                f.write_str("`principal_from` and `without_principal` contradict each other: leave one out")
            }
            Self::PrincipalKey { name } => {
                write!(
                    f,
                    "`{name}` names no principal: name the value of the context, or the claim, that does"
                )
            }
        }
    }
}

impl std::error::Error for GatewayContextError {}
