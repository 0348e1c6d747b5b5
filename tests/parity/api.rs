//! The APIs of the table.

use http::{HeaderName, Request};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::contract::{EventKind, PayloadFormat};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{ApiStage, Authorizer, AuthorizerLayer};

/// A stage, the kind of its authorizer, and what both are told besides.
pub(crate) struct Api {
    pub(crate) kind: EventKind,
    pub(crate) stage: ApiStage,
    pub(crate) format: PayloadFormat,
    pub(crate) simple: bool,
    pub(crate) cached: bool,
    pub(crate) allows_encoded_slash: bool,
    based: bool,
    pub(crate) clock: ManualClock,
}

const ACCOUNT: &str = "123456789012";

impl Api {
    pub(crate) fn named(name: &str) -> Self {
        let rest = || ApiStage::rest("us-east-1", ACCOUNT, "abcdef123", "prod").unwrap();
        let http = || ApiStage::http("us-east-1", ACCOUNT, "httpapi01", "$default").unwrap();
        let (kind, stage) = match name.split('+').next().unwrap() {
            "token" => (EventKind::RestToken, rest()),
            "rest" => (EventKind::RestRequest, rest()),
            "http1" => (EventKind::HttpRequestV1, http()),
            "http2" | "simple" => (EventKind::HttpRequestV2, http()),
            "ws" => {
                let stage = ApiStage::websocket("us-east-1", ACCOUNT, "socket001", "live").unwrap();
                (EventKind::WebSocketConnect, stage)
            }
            "cn" => {
                let stage = ApiStage::rest("cn-north-1", ACCOUNT, "abcdef123", "v1").unwrap();
                (EventKind::RestRequest, stage.with_partition("aws-cn").unwrap())
            }
            "http1-named" | "http2-named" => {
                let stage = ApiStage::http("eu-central-1", ACCOUNT, "httpapi02", "users").unwrap();
                let is_v1 = name.starts_with("http1");
                (if is_v1 { EventKind::HttpRequestV1 } else { EventKind::HttpRequestV2 }, stage)
            }
            other => panic!("there is no API called {other}"),
        };
        let format = match kind {
            EventKind::HttpRequestV2 => PayloadFormat::V2,
            _ => PayloadFormat::V1,
        };
        let has = |option: &str| name.split('+').skip(1).any(|named| named == option);
        let stage = if has("based") { stage.with_base_path("/api").unwrap() } else { stage };
        Self {
            kind,
            stage,
            format,
            simple: name.starts_with("simple"),
            cached: has("cached"),
            allows_encoded_slash: has("slashes"),
            based: has("based"),
            clock: ManualClock::default(),
        }
    }

    /// Behind a mapped domain, format 2.0 has the stage in the place of the base path.
    pub(crate) fn as_the_event_has_it(&self, request: &Request<()>) -> Request<()> {
        let mut request = request.clone();
        let target = request.uri().to_string();
        if let (true, Some(rest)) =
            (self.kind == EventKind::HttpRequestV2 && self.based, target.strip_prefix("/api"))
        {
            *request.uri_mut() = rest.parse().unwrap();
        }
        request
    }

    pub(crate) fn layer(&self, authorizer: impl Authorizer) -> AuthorizerLayer {
        let stage = self.stage.clone();
        let key = HeaderName::from_static("authorization");
        let mut builder = match self.kind {
            EventKind::RestToken => AuthorizerLayer::token(authorizer, stage),
            _ => AuthorizerLayer::request(authorizer, stage)
                .with_identity_sources([IdentitySource::header(key)])
                .require_identity(),
        };
        builder = builder.with_clock(self.clock.clone());
        if self.kind == EventKind::HttpRequestV1 {
            builder = builder.with_payload_format(PayloadFormat::V1);
        }
        if self.simple {
            builder = builder.with_simple_responses();
        }
        if self.cached {
            builder = builder.with_cache(MemoryCache::default());
        }
        if self.simple && self.cached {
            builder = builder.share_simple_responses_between_routes();
        }
        if self.allows_encoded_slash {
            builder = builder.allow_encoded_slash();
        }
        builder.build().unwrap()
    }
}
