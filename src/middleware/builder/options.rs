//! What a layer may be told.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, HeaderName};

use super::AuthorizerLayerBuilder;
use crate::cache::AuthorizerCache;
use crate::clock::{Clock, Watch};
use crate::contract::{ClientCertificate, PayloadFormat};
use crate::mapping::ParameterMapping;
use crate::policy::{ConditionKey, ConditionValue};
use crate::request::{IdentitySource, SourceAddress};

impl<R> AuthorizerLayerBuilder<R> {
    /// `TOKEN` only: the header that holds the token, if it is not `Authorization`.
    pub fn with_token_header(mut self, name: HeaderName) -> Self {
        self.options.token_header = Some(name);
        self
    }

    /// What identifies a caller: one header for a `TOKEN` authorizer, anything for a `REQUEST` authorizer. All of
    /// them together are the key of a cached answer, so leave none out that the authorizer looks at.
    pub fn with_identity_sources(mut self, sources: impl IntoIterator<Item = IdentitySource>) -> Self {
        self.options.sources = sources.into_iter().collect();
        self
    }

    /// REST and WebSocket APIs only: prints header names as `X-Forwarded-For` rather than `x-forwarded-for`, as they
    /// arrive through an edge-optimised endpoint. Look-ups in an event ignore case either way.
    pub fn with_title_case_headers(mut self) -> Self {
        self.options.title_case = true;
        self
    }

    /// Finds the certificate that the client showed, for servers that do mutual TLS. Events show it; it is no
    /// identity source, and nothing here verifies it.
    pub fn with_client_certificate(
        mut self,
        find: impl Fn(&Extensions) -> Option<ClientCertificate> + Send + Sync + 'static,
    ) -> Self {
        self.options.client_certificate = Some(Arc::new(find));
        self
    }

    /// Refuses requests that lack an identity source even where API Gateway would ask the authorizer: a `REQUEST`
    /// authorizer without a cache.
    pub fn require_identity(mut self) -> Self {
        self.options.requires_identity = true;
        self
    }

    /// `REQUEST` only: asks the authorizer about requests that lack identity sources, too, in every kind of API and also
    /// with a cache. There an absent source is a value of its own, so that an answer to one credential is never reused
    /// for another, nor for none. For authorizers that [choose by credential](crate::authorizer::any_of()).
    ///
    /// API Gateway has no such switch: it refuses these requests, save those of a REST API without a cache. A source that
    /// is there twice, or that is not plain text, is 401 here as anywhere.
    ///
    /// ```
    /// use http::HeaderName;
    /// use http::header::AUTHORIZATION;
    /// use tower_lambda_authorizer::authorizer::{Credential, any_of};
    /// use tower_lambda_authorizer::cache::MemoryCache;
    /// use tower_lambda_authorizer::request::IdentitySource;
    /// # use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tokens = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
    /// # let keys = tokens;
    /// # let stage = ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default")?;
    /// let authorizer = any_of()
    ///     .member(Credential::bearer(), tokens)
    ///     .member(Credential::header("x-api-key"), keys)
    ///     .build()?;
    /// let key = IdentitySource::header(HeaderName::from_static("x-api-key"));
    /// let layer = AuthorizerLayer::request(authorizer, stage)
    ///     .with_identity_sources([IdentitySource::header(AUTHORIZATION), key])
    ///     .accept_missing_identity()
    ///     .with_cache(MemoryCache::default())
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn accept_missing_identity(mut self) -> Self {
        self.options.accepts_missing = true;
        self
    }

    /// Keeps answers in `cache`, for 300 seconds if [`with_cache_ttl`](Self::with_cache_ttl) does not say otherwise.
    ///
    /// What is kept is the policy. An authorizer that allows just the ARN it was asked about will then refuse the
    /// same caller's other requests: see [`cache`](crate::cache).
    pub fn with_cache(mut self, cache: impl AuthorizerCache) -> Self {
        self.options.cache = Some(Arc::new(cache));
        self
    }

    /// How long an answer is kept, at most an hour; zero keeps none. An answer with a shorter
    /// [maximum age](crate::AuthorizerResponse::with_max_age) is kept for that long.
    pub fn with_cache_ttl(mut self, ttl: Duration) -> Self {
        self.options.ttl = Some(ttl);
        self
    }

    /// Allows a cache without an identity source of the request: the first answer then holds for *every* caller.
    pub fn share_answers_between_all_callers(mut self) -> Self {
        self.options.shares_answers = true;
        self
    }

    /// How long an authorizer may take; 10 seconds if not said, as API Gateway gives it.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How many authorizers may run at once; 1,024 if not said. Further requests are refused with 500.
    pub fn with_max_loads(mut self, loads: usize) -> Self {
        self.options.max_loads = loads;
        self
    }

    /// Takes the time from `clock`.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.options.clock = Box::new(move || Watch::new(clock));
        self
    }

    /// Lets an Allow for `GET` count for `HEAD`, which axum serves with the same handler. A Deny for either counts
    /// in any case.
    pub fn head_as_get(mut self) -> Self {
        self.options.head_as_get = true;
        self
    }

    /// Accepts paths that escape letters, digits, `-`, `.`, `_` or `~`, and reads them decoded. Only
    /// [`protect`](crate::axum::protect) can do that, since it alone can have the decoded path routed; a layer
    /// that is used in another way still refuses them. So does a `protect` inside of a router, behind `nest_service` or as its
    /// fallback: that router has read the path as it was sent, and found none of its routes in it.
    #[cfg(feature = "axum")]
    pub fn decode_unreserved_escapes(mut self) -> Self {
        self.options.target_rules.decode_unreserved = true;
        self
    }

    /// Accepts `%2F` in paths. It is data and stays `%2F`, in the ARN and for the router. A Deny is tested with `/` in its
    /// place, too, because a handler behind a catch-all route is given both alike: write the Deny with `/`. Several side
    /// by side count as one for it, as they do for a file system. A path with `%2F` in more than three segments is refused.
    pub fn allow_encoded_slash(mut self) -> Self {
        self.options.target_rules.allow_encoded_slash = true;
        self
    }

    /// Finds the address of the connection's peer, for servers that do not serve with axum's connect info.
    ///
    /// Take it from the accepted socket, not from a header: whatever a client can write is not its address.
    pub fn with_source_ip(
        mut self,
        find: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.options.source_address = SourceAddress::custom(find);
        self
    }

    /// `TOKEN` only: refuses tokens that do not look like `expression` with 401, and asks nobody about them:
    /// `identityValidationExpression`.
    ///
    /// The *whole* header value must match, the word `Bearer` included if there is one: `^Bearer [-0-9a-zA-Z._]*$`.
    /// Look-around and back references are not understood, and what a Java engine would read in another way is
    /// refused, so that no expression accepts more here than on AWS.
    pub fn with_identity_validation_expression(mut self, expression: &str) -> Self {
        self.options.expression = Some(expression.into());
        self
    }

    /// HTTP APIs only: the format of events; [`PayloadFormat::V2`] if not said.
    pub fn with_payload_format(mut self, format: PayloadFormat) -> Self {
        self.options.format = Some(format);
        self
    }

    /// HTTP APIs with format 2.0 only: accepts [simple responses](crate::AuthorizerResponse::simple), no policies. A cached one is
    /// for one method and path, also where the route is among the identity sources.
    pub fn with_simple_responses(mut self) -> Self {
        self.options.simple_responses = true;
        self
    }

    /// Allows a cache of simple responses without the route among the identity sources: an identity that is let
    /// through once is then let through *everywhere* until its answer expires. With the route among them, everywhere on that route.
    pub fn share_simple_responses_between_routes(mut self) -> Self {
        self.options.shares_routes = true;
        self
    }

    /// Says whether clients reach this service over TLS: `aws:SecureTransport`. Not said, policies that depend on it
    /// cannot be decided in a request's favour.
    pub fn with_secure_transport(mut self, secure: bool) -> Self {
        self.options.secure_transport = Some(secure);
        self
    }

    /// Changes requests that are let through, before the inner service sees them: headers and query parameters from
    /// what the authorizer said, as HTTP APIs do. See [`mapping`](crate::mapping). Any kind of API may have one.
    pub fn with_parameter_mapping(mut self, mapping: ParameterMapping) -> Self {
        self.options.mapping = Some(mapping);
        self
    }

    /// Believes what these proxies say about who is behind them: networks such as `10.0.0.0/8`, or single addresses.
    ///
    /// Only if the connection's peer is one of them is `X-Forwarded-For` looked at, from its end: the last address in it
    /// that is not one of them is the client's. No header, or an entry that is no address, makes the client unknown.
    /// Without this, the peer is the client and no header counts.
    pub fn with_trusted_proxies<T: Into<Box<str>>>(mut self, networks: impl IntoIterator<Item = T>) -> Self {
        self.options.trusted_proxies = networks.into_iter().map(Into::into).collect();
        self
    }

    /// Supplies the values of condition keys that the gateway itself does not know: your own, and those of private
    /// APIs such as `aws:SourceVpce`. It is asked only when a statement that otherwise applies names such a key.
    ///
    /// Take the values from configuration, or from extensions that the server sets: no client may choose them. A
    /// value that should be there and is not known is [`ConditionValue::Unavailable`], not `Absent`.
    ///
    /// ```
    /// # use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
    /// use tower_lambda_authorizer::policy::{ConditionKey, ConditionValue};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(String);
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    /// # let authorizer = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
    /// let layer = AuthorizerLayer::token(authorizer, stage)
    ///     .with_condition_keys(|key, extensions| match key.as_str() {
    ///         "app:tenant" => match extensions.get::<Tenant>() {
    ///             Some(Tenant(name)) => name.as_str().into(),
    ///             None => ConditionValue::Unavailable,
    ///         },
    ///         _ => ConditionValue::Absent,
    ///     })
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn with_condition_keys(
        mut self,
        find: impl for<'a> Fn(&ConditionKey, &'a Extensions) -> ConditionValue<'a> + Send + Sync + 'static,
    ) -> Self {
        self.options.condition_keys = Some(Arc::new(find));
        self
    }
}
