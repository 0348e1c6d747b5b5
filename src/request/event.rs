//! From a live request to the event of a `REQUEST` authorizer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, HeaderName, Request};

use super::identity::IdentitySource;
use super::identity_value::{Identity, IdentityValue};
use super::query;
use super::route;
use super::stage::ApiStage;
use crate::contract::{
    ApiKind, AuthorizerEvent, ClientCertificate, EventKind, EventSetting, HeaderSpelling, LiveParts,
    PayloadFormat, Readers, RequestEvent, RequestEventV2,
};
use crate::policy::ExecuteApiArn;

pub(crate) use crate::contract::RequestId;

impl RequestId {
    /// A new id.
    pub(crate) fn random() -> Self {
        Self::from_bits(fastrand::u128(..))
    }
}

/// What all events of one layer have in common.
pub(crate) struct EventMaker {
    setting: Arc<EventSetting>,
    client_certificate: Option<Arc<FindCertificate>>,
}

/// How to find the certificate that a client showed.
pub(crate) type FindCertificate = dyn Fn(&Extensions) -> Option<ClientCertificate> + Send + Sync;

/// What a layer has worked out about a request by the time it needs an event.
pub(crate) struct Asked<'a> {
    pub(crate) arn: ExecuteApiArn,
    /// The whole path, in the spelling of ARNs.
    pub(crate) path: &'a str,
    pub(crate) template: Option<&'a str>,
    pub(crate) identity: Option<&'a Identity<'a>>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) request_id: RequestId,
    /// Since the Unix epoch.
    pub(crate) time: Duration,
}

impl EventMaker {
    pub(crate) fn new(
        stage: &ApiStage,
        format: PayloadFormat,
        sources: &[IdentitySource],
        title_case: bool,
        client_certificate: Option<Arc<FindCertificate>>,
    ) -> Self {
        let kind = match (stage.kind(), format) {
            (ApiKind::Rest, _) => EventKind::RestRequest,
            (ApiKind::WebSocket, _) => EventKind::WebSocketConnect,
            (ApiKind::Http, PayloadFormat::V1) => EventKind::HttpRequestV1,
            (ApiKind::Http, PayloadFormat::V2) => EventKind::HttpRequestV2,
        };
        let setting = EventSetting {
            kind,
            domain_name: stage.domain_name().into(),
            mapped: stage.is_mapped(),
            stage_variables: stage.stage_variables(),
            spelling: HeaderSpelling {
                configured: sources.iter().filter_map(configured_spelling).collect(),
                title_case,
            },
            readers: Readers {
                query: query::decode_all,
                template: |template| route::resource(Some(template)),
                path_parameters: route::parameters,
            },
        };
        Self { setting: Arc::new(setting), client_certificate }
    }

    /// Makes the event: little more than counting references, as all else is worked out when it is asked for.
    pub(crate) fn request_event<B>(
        &self,
        stage: &ApiStage,
        request: &Request<B>,
        asked: Asked<'_>,
    ) -> AuthorizerEvent {
        let kind = self.setting.kind;
        let is_routed = kind != EventKind::WebSocketConnect;
        let parts = LiveParts {
            full_path: Some(asked.path).filter(|path| is_routed && asked.arn.path() != Some(path)),
            template: asked.template.filter(|_| is_routed).and_then(|template| {
                let own = stage.strip_template(template)?;
                // A catch-all may have matched the base path alone.
                let fits = || asked.arn.path().is_some_and(|path| route::fits(own, path));
                (stage.base_path().is_none() || fits()).then_some(own)
            }),
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            identity_source: asked.identity.and_then(|identity| identity_source(kind, identity)),
            client_certificate: self.client_certificate.as_ref().and_then(|find| find(request.extensions())),
            arn: asked.arn,
            source_ip: asked.source_ip,
            request_id: asked.request_id,
            time: asked.time,
        };
        match kind {
            EventKind::HttpRequestV2 => RequestEventV2::live(&self.setting, parts).into(),
            _ => RequestEvent::live(&self.setting, parts).into(),
        }
    }
}

/// The values of the identity sources, where the event shows them; `None` where none are configured.
fn identity_source(kind: EventKind, identity: &Identity<'_>) -> Option<Box<[Box<str>]>> {
    let values: Vec<_> = match kind {
        // One that was absent and may be is no value.
        EventKind::HttpRequestV1 | EventKind::HttpRequestV2 => {
            identity.values().iter().map(IdentityValue::text).filter(|value| !value.is_empty()).collect()
        }
        _ => return None,
    };
    match kind {
        _ if values.is_empty() => None,
        EventKind::HttpRequestV1 => Some([values.join(",").into()].into()),
        _ => Some(values.into_iter().map(Box::from).collect()),
    }
}

/// The header of an identity source, and how it is spelled there.
fn configured_spelling(source: &IdentitySource) -> Option<(HeaderName, Box<str>)> {
    let spelling = source.configured_name();
    source.is_header().then(|| Some((spelling.parse().ok()?, spelling.into())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_have_the_same_id() {
        assert_ne!(RequestId::random(), RequestId::random());
    }

    #[test]
    fn the_base_path_is_cut_off_templates_by_segments() {
        let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")
            .and_then(|stage| stage.with_base_path("/v1/api"))
            .unwrap();
        for (template, rest) in [
            ("/v1/api/users/{id}", "/users/{id}"),
            ("/{version}/{*rest}", "/{*rest}"),
            ("/{*rest}", "/{*rest}"),
            ("/v1/api", "/"),
            ("/v1/api/", "/"),
            ("/v1/{api}/a{*rest}", "/a{*rest}"),
        ] {
            assert_eq!(stage.strip_template(template), Some(rest));
        }
        for template in ["/v{*rest}", "/v1/api{*rest}", "/{version}/a{*rest}"] {
            assert_eq!(stage.strip_template(template), None);
        }
    }
}
