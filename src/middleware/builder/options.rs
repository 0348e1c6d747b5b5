//! What a layer may be given beyond the plain case.

use super::{AuthorizerLayerBuilder, ConfigError};
use crate::contract::PayloadFormat;
use crate::mapping::ParameterMapping;
use crate::request::TokenExpression;

impl<R> AuthorizerLayerBuilder<R> {
    /// `TOKEN` only: refuses tokens that do not look like `expression` with 401, and asks nobody about them:
    /// `identityValidationExpression`.
    ///
    /// The *whole* header value must match, the word `Bearer` included if there is one: `^Bearer [-0-9a-zA-Z._]*$`.
    /// Look-around and back references are not understood, and what a Java engine would read in another way is
    /// refused, so that no expression accepts more here than on AWS.
    pub fn with_identity_validation_expression(mut self, expression: &str) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// HTTP APIs only: the format of events; [`PayloadFormat::V2`] if not said.
    pub fn with_payload_format(mut self, format: PayloadFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// HTTP APIs with format 2.0 only: accepts [simple responses](crate::AuthorizerResponse::simple), no policies.
    pub fn with_simple_responses(mut self) -> Self {
        self.simple_responses = true;
        self
    }

    /// Allows a cache of simple responses without the route among the identity sources: an identity that is let
    /// through once is then let through *everywhere* until its answer expires.
    pub fn share_simple_responses_between_routes(mut self) -> Self {
        self.shares_routes = true;
        self
    }

    /// Says whether clients reach this service over TLS: `aws:SecureTransport`. Not said, policies that depend on it
    /// cannot be decided in a request's favour.
    pub fn with_secure_transport(mut self, secure: bool) -> Self {
        self.secure_transport = Some(secure);
        self
    }

    /// Changes requests that are let through, before the inner service sees them: headers and query parameters from
    /// what the authorizer said, as HTTP APIs do. See [`mapping`](crate::mapping). Any kind of API may have one.
    pub fn with_parameter_mapping(mut self, mapping: ParameterMapping) -> Self {
        self.mapping = Some(mapping);
        self
    }
}

pub(super) fn compile(
    expression: Option<&str>,
    is_token: bool,
) -> Result<Option<TokenExpression>, ConfigError> {
    match expression {
        Some(_) if !is_token => Err(ConfigError::ExpressionOfTokenOnly),
        Some(expression) => TokenExpression::new(expression).map(Some).map_err(ConfigError::Expression),
        None => Ok(None),
    }
}
