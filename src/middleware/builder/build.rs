//! The checks, and the layer that has passed them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::AuthorizerLayerBuilder;
use super::error::ConfigError;
use crate::authorizer::Authorizer;
use crate::authorizer::Credential;
use crate::cache::KeySpace;
use crate::contract::{ApiKind, PayloadFormat, ResponseRules};
use crate::middleware::caching::Caching;
use crate::middleware::gateway::{AuthorizerKind, Gateway};
use crate::middleware::layer::AuthorizerLayer;
use crate::request::{EventMaker, IdentitySource, TokenExpression, tell_routes_apart};
use crate::telemetry;

/// The longest that API Gateway keeps an answer.
const MAX_TTL: Duration = Duration::from_secs(3600);
const DEFAULT_TTL: Duration = Duration::from_secs(300);

impl<R> AuthorizerLayerBuilder<R> {
    /// Makes the layer.
    ///
    /// # Errors
    ///
    /// If anything about the configuration is contradictory or unsafe; nothing is left to find out at request time.
    pub fn build(self) -> Result<AuthorizerLayer<R>, ConfigError> {
        let Self { options, responses } = self;
        #[cfg(feature = "debug-header")]
        super::debug_header::check(&options)?;
        let is_token = matches!(options.kind, AuthorizerKind::Token { .. });
        if is_token && options.stage.kind() != ApiKind::Rest {
            return Err(ConfigError::TokenOfRestOnly);
        }
        if options.format.is_some() && (is_token || options.stage.kind() != ApiKind::Http) {
            return Err(ConfigError::FormatOfHttpOnly);
        }
        let kind = match (options.kind, options.format) {
            (AuthorizerKind::Request { .. }, Some(format)) => AuthorizerKind::Request { format },
            (kind, _) => kind,
        };
        let format = kind.payload_format();
        if options.simple_responses && (options.stage.kind() != ApiKind::Http || format != PayloadFormat::V2)
        {
            return Err(ConfigError::SimpleResponsesOfHttpOnly);
        }
        let sources = match (&kind, options.token_header) {
            (AuthorizerKind::Request { .. }, Some(_)) => return Err(ConfigError::TokenHeaderOfTokenOnly),
            (AuthorizerKind::Token { .. }, Some(_)) if !options.sources.is_empty() => {
                return Err(ConfigError::TokenIdentity);
            }
            (AuthorizerKind::Token { .. }, Some(header)) => vec![IdentitySource::header(header)],
            (AuthorizerKind::Token { header }, None) if options.sources.is_empty() => {
                vec![IdentitySource::header(header.clone())]
            }
            _ => options.sources,
        };
        if is_token && !matches!(&*sources, [one] if one.is_header()) {
            return Err(ConfigError::TokenIdentity);
        }
        if let Some(mapping) = &options.mapping {
            mapping.check(&options.stage, &sources).map_err(ConfigError::Mapping)?;
        }
        let expression = compile(options.expression.as_deref(), is_token)?;
        if let Some(name) = sources.iter().find_map(|source| source.unknown_stage_variable(&options.stage)) {
            return Err(ConfigError::UnknownStageVariable { name: name.into() });
        }
        let mut known = HashSet::new();
        if let Some(source) = sources.iter().find(|source| !known.insert(*source)) {
            return Err(ConfigError::RepeatedIdentitySource { source_text: source.to_string() });
        }
        if options.ttl.is_some_and(|ttl| ttl > MAX_TTL) {
            return Err(ConfigError::LongTtl);
        }
        if options.ttl.is_some_and(|ttl| !ttl.is_zero()) && options.cache.is_none() {
            return Err(ConfigError::TtlWithoutCache);
        }
        if options.timeout.is_zero() {
            return Err(ConfigError::ZeroTimeout);
        }
        if options.max_loads == 0 || options.max_loads > Semaphore::MAX_PERMITS {
            return Err(ConfigError::MaxLoads);
        }
        let ttl = options.ttl.unwrap_or(DEFAULT_TTL);
        let caching = options.cache.filter(|_| !ttl.is_zero()).map(|cache| Caching::new(cache, ttl));
        let identifies = sources.iter().any(IdentitySource::identifies_caller);
        if caching.is_some() && !identifies && !options.shares_answers {
            return Err(ConfigError::CacheWithoutIdentity);
        }
        let mixes_routes = !options.shares_routes && !tell_routes_apart(&sources);
        if caching.is_some() && options.simple_responses && mixes_routes {
            return Err(ConfigError::SimpleResponsesWithoutRoute);
        }
        if options.accepts_missing && is_token {
            return Err(ConfigError::MissingIdentityOfRequestOnly);
        }
        if options.accepts_missing && options.requires_identity {
            return Err(ConfigError::MissingIdentityBothWays);
        }
        if options.requires_identity && sources.is_empty() {
            return Err(ConfigError::NoIdentityToRequire);
        }
        if is_token || caching.is_some() {
            let outside = |credential: &Credential| match is_token {
                true => !credential.is_token(),
                false => !sources.iter().any(|source| holds(source, credential)),
            };
            if let Some(credential) = options.authorizer.credentials().into_iter().find(outside) {
                return Err(match is_token {
                    true => ConfigError::CredentialOutsideToken { credential },
                    false => ConfigError::CredentialOutsideIdentity { credential },
                });
            }
        }
        let asks_without_identity = !is_token
            && options.stage.kind() == ApiKind::Rest
            && caching.is_none()
            && !options.requires_identity;
        let events =
            EventMaker::new(&options.stage, format, &sources, options.title_case, options.client_certificate);
        let source_address = options
            .source_address
            .behind(options.trusted_proxies)
            .map_err(|network| ConfigError::TrustedProxy { network })?;
        let gateway = Gateway {
            events,
            rules: ResponseRules::of(options.stage.kind(), format, options.simple_responses),
            challenge: options.authorizer.challenge(),
            space: Arc::new(KeySpace { stage: options.stage.arn().clone(), sources }),
            expression,
            mapping: options.mapping,
            stage: options.stage,
            authorizer: options.authorizer,
            kind,
            keeps_paths_apart: options.simple_responses && !options.shares_routes,
            asks_without_identity,
            absence_identifies: options.accepts_missing,
            caching,
            timeout: options.timeout,
            permits: Arc::new(Semaphore::new(options.max_loads)),
            watch: (options.clock)(),
            target_rules: options.target_rules,
            head_as_get: options.head_as_get,
            source_address,
            secure_transport: options.secure_transport,
            condition_keys: options.condition_keys,
            debug_header: options.debug_header,
        };
        telemetry::describe();
        Ok(AuthorizerLayer::new(gateway, responses))
    }
}

fn compile(expression: Option<&str>, is_token: bool) -> Result<Option<TokenExpression>, ConfigError> {
    match expression {
        Some(_) if !is_token => Err(ConfigError::ExpressionOfTokenOnly),
        Some(expression) => TokenExpression::new(expression).map(Some).map_err(ConfigError::Expression),
        None => Ok(None),
    }
}

/// Whether requests with different credentials have different values there.
fn holds(source: &IdentitySource, credential: &Credential) -> bool {
    let header = source.header_name().is_some_and(|name| Some(name.as_str()) == credential.header_name());
    let query = source.query_name().is_some_and(|name| Some(name) == credential.query_name());
    header || query
}
