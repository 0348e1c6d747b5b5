//! What a layer may be given beyond the plain case.

use std::sync::Arc;

use http::Extensions;

use super::{AuthorizerLayerBuilder, ConfigError};
use crate::contract::ClientCertificate;
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

    /// Changes requests that are let through, before the inner service sees them: headers and query parameters from
    /// what the authorizer said, as HTTP APIs do. See [`mapping`](crate::mapping). Any kind of API may have one.
    pub fn with_parameter_mapping(mut self, mapping: ParameterMapping) -> Self {
        self.mapping = Some(mapping);
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
