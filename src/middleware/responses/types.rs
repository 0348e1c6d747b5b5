//! The types of gateway responses.

use std::str::FromStr;

use http::StatusCode;

use crate::middleware::RejectionKind;

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:expr;)*) => {
        /// The types of gateway responses that API Gateway has, with its names and statuses.
        ///
        /// An authorizer layer itself sends [`Unauthorized`](Self::Unauthorized), [`AccessDenied`](Self::AccessDenied),
        /// [`AuthorizerConfigurationError`](Self::AuthorizerConfigurationError),
        /// [`AuthorizerFailure`](Self::AuthorizerFailure), [`ResourceNotFound`](Self::ResourceNotFound), and what falls
        /// back to [`Default4xx`](Self::Default4xx) and [`Default5xx`](Self::Default5xx). The others may be configured,
        /// so that a configuration can be taken over as it is.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum GatewayResponseType {
            $($(#[$doc])* $variant,)*
        }

        impl GatewayResponseType {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that AWS gives it, such as `ACCESS_DENIED`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The status that is sent if none is configured. The two defaults have none of their own.
            #[must_use]
            pub const fn default_status(self) -> Option<StatusCode> {
                match self {
                    $(Self::$variant => $status,)*
                }
            }
        }
    };
}

types! {
    /// The policy does not allow the request.
    AccessDenied = "ACCESS_DENIED", Some(StatusCode::FORBIDDEN);
    /// The API is configured wrongly.
    ApiConfigurationError = "API_CONFIGURATION_ERROR", Some(StatusCode::INTERNAL_SERVER_ERROR);
    /// The authorizer failed, or its answer is not acceptable.
    AuthorizerConfigurationError = "AUTHORIZER_CONFIGURATION_ERROR", Some(StatusCode::INTERNAL_SERVER_ERROR);
    /// The authorizer could not be asked.
    AuthorizerFailure = "AUTHORIZER_FAILURE", Some(StatusCode::INTERNAL_SERVER_ERROR);
    /// The body does not fit its model.
    BadRequestBody = "BAD_REQUEST_BODY", Some(StatusCode::BAD_REQUEST);
    /// A required parameter is missing.
    BadRequestParameters = "BAD_REQUEST_PARAMETERS", Some(StatusCode::BAD_REQUEST);
    /// What every type with a 4xx status falls back to that is not configured itself.
    Default4xx = "DEFAULT_4XX", None;
    /// What every type with a 5xx status falls back to that is not configured itself.
    Default5xx = "DEFAULT_5XX", None;
    /// AWS credentials have expired.
    ExpiredToken = "EXPIRED_TOKEN", Some(StatusCode::FORBIDDEN);
    /// The backend failed.
    IntegrationFailure = "INTEGRATION_FAILURE", Some(StatusCode::GATEWAY_TIMEOUT);
    /// The backend did not answer in time.
    IntegrationTimeout = "INTEGRATION_TIMEOUT", Some(StatusCode::GATEWAY_TIMEOUT);
    /// The API key is missing or invalid.
    InvalidApiKey = "INVALID_API_KEY", Some(StatusCode::FORBIDDEN);
    /// The AWS signature is invalid.
    InvalidSignature = "INVALID_SIGNATURE", Some(StatusCode::FORBIDDEN);
    /// There is no such resource, or AWS credentials are missing.
    MissingAuthenticationToken = "MISSING_AUTHENTICATION_TOKEN", Some(StatusCode::FORBIDDEN);
    /// The quota of the usage plan is used up.
    QuotaExceeded = "QUOTA_EXCEEDED", Some(StatusCode::TOO_MANY_REQUESTS);
    /// The request is too large. It cannot be configured.
    RequestTooLarge = "REQUEST_TOO_LARGE", Some(StatusCode::PAYLOAD_TOO_LARGE);
    /// There is no such resource.
    ResourceNotFound = "RESOURCE_NOT_FOUND", Some(StatusCode::NOT_FOUND);
    /// Too many requests.
    Throttled = "THROTTLED", Some(StatusCode::TOO_MANY_REQUESTS);
    /// The caller has no valid credentials.
    Unauthorized = "UNAUTHORIZED", Some(StatusCode::UNAUTHORIZED);
    /// The media type of the body is not supported.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", Some(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    /// AWS WAF blocks the request.
    WafFiltered = "WAF_FILTERED", Some(StatusCode::FORBIDDEN);
}

impl std::fmt::Display for GatewayResponseType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no type of gateway response has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownResponseType(());

impl std::fmt::Display for UnknownResponseType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "there is no such type of gateway response: write it as AWS does, for example `ACCESS_DENIED`",
        )
    }
}

impl std::error::Error for UnknownResponseType {}

impl FromStr for GatewayResponseType {
    type Err = UnknownResponseType;

    fn from_str(name: &str) -> Result<Self, UnknownResponseType> {
        Self::ALL.iter().copied().find(|known| known.as_str() == name).ok_or(UnknownResponseType(()))
    }
}

impl RejectionKind {
    /// The type of gateway response by which it is shaped. What API Gateway has no type for is shaped by one of the
    /// two defaults.
    #[must_use]
    pub const fn response_type(self) -> GatewayResponseType {
        match self {
            Self::AmbiguousIdentity
            | Self::ExpiredAnswer
            | Self::MissingAuthorizer
            | Self::MissingIdentity
            | Self::Unauthorized => GatewayResponseType::Unauthorized,
            Self::ExplicitDeny | Self::ForeignEvent | Self::ImplicitDeny => GatewayResponseType::AccessDenied,
            Self::AuthorizerFailure
            | Self::AuthorizerPanic
            | Self::AuthorizerTimeout
            | Self::InvalidResponse
            | Self::UnavailableKey => GatewayResponseType::AuthorizerConfigurationError,
            Self::Overloaded => GatewayResponseType::AuthorizerFailure,
            Self::OutsideBasePath => GatewayResponseType::ResourceNotFound,
            Self::InvalidTarget | Self::TargetTooLong => GatewayResponseType::Default4xx,
            Self::TargetMoved => GatewayResponseType::Default5xx,
        }
    }
}
