//! Events as JSON, as API Gateway writes it.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{COOKIE, USER_AGENT};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use super::head::{Head, Live, Origin, pairs};
use super::map::{all_headers, all_values, last_values, map, single_headers};
use super::{AuthorizerEvent, RequestEvent, RequestEventV2, TokenEvent, header};
use crate::contract::EventKind;

/// Every member of `identity` that needs an AWS identity: none ever has one here.
const NO_IDENTITY: [&str; 10] = [
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
];

/// API Gateway says so whatever the client speaks.
const PROTOCOL: &str = "HTTP/1.1";

impl Serialize for AuthorizerEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Request(event) => event.serialize(serializer),
            Self::RequestV2(event) => event.serialize(serializer),
            Self::Token(event) => event.serialize(serializer),
        }
    }
}

impl Serialize for TokenEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(json) = &self.json {
            return json.serialize(serializer);
        }
        let mut event = serializer.serialize_map(Some(3))?;
        event.serialize_entry("type", "TOKEN")?;
        event.serialize_entry("methodArn", self.arn())?;
        event.serialize_entry("authorizationToken", self.authorization_token())?;
        event.end()
    }
}

impl Serialize for RequestEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = &self.head;
        let live = match &head.origin {
            Origin::Json(parsed) => return parsed.json.serialize(serializer),
            Origin::Live(live) => live,
        };
        let spelling = &live.setting.spelling;
        let mut event = serializer.serialize_map(None)?;
        event.serialize_entry("type", "REQUEST")?;
        event.serialize_entry("methodArn", &head.arn)?;
        if head.kind == EventKind::HttpRequestV1 {
            event.serialize_entry("version", "1.0")?;
            event.serialize_entry("identitySource", &head.identity_source().next())?;
            event.serialize_entry("authorizationToken", &head.identity_source().next())?;
        }
        if head.kind != EventKind::WebSocketConnect {
            event.serialize_entry("resource", head.route())?;
            event.serialize_entry("path", head.path())?;
            event.serialize_entry("httpMethod", head.method.as_str())?;
            event.serialize_entry("pathParameters", &map(|| pairs(head.path_parameters())))?;
        }
        event.serialize_entry("headers", &single_headers(head, spelling))?;
        event.serialize_entry("multiValueHeaders", &all_headers(head, spelling))?;
        event.serialize_entry("queryStringParameters", &last_values(head.query()))?;
        event.serialize_entry("multiValueQueryStringParameters", &all_values(head.query()))?;
        event.serialize_entry("stageVariables", &map(|| pairs(head.stage_variables())))?;
        let context = match head.kind {
            EventKind::WebSocketConnect => Context::WebSocket { head, live },
            _ => Context::Resource { head, live },
        };
        event.serialize_entry("requestContext", &context)?;
        event.end()
    }
}

impl Serialize for RequestEventV2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = &self.head;
        let live = match &head.origin {
            Origin::Json(parsed) => return parsed.json.serialize(serializer),
            Origin::Live(live) => live,
        };
        let mut event = serializer.serialize_map(None)?;
        event.serialize_entry("version", "2.0")?;
        event.serialize_entry("type", "REQUEST")?;
        event.serialize_entry("routeArn", &head.arn)?;
        event.serialize_entry("identitySource", &head.identity_source)?;
        event.serialize_entry("routeKey", head.route())?;
        event.serialize_entry("rawPath", head.path())?;
        event.serialize_entry("rawQueryString", live.raw_query())?;
        if let Some(cookies) = head.headers.get(COOKIE) {
            let cookies = header::text(cookies);
            event.serialize_entry("cookies", &header::cookies(&cookies).collect::<Vec<_>>())?;
        }
        event.serialize_entry("headers", &single_headers(head, &live.setting.spelling))?;
        if !head.query().is_empty() {
            event.serialize_entry("queryStringParameters", &map(|| pairs(head.query())))?;
        }
        event.serialize_entry("requestContext", &Context::Route { head, live })?;
        if !head.path_parameters().is_empty() {
            event.serialize_entry("pathParameters", &map(|| pairs(head.path_parameters())))?;
        }
        if !head.stage_variables().is_empty() {
            event.serialize_entry("stageVariables", &map(|| pairs(head.stage_variables())))?;
        }
        event.end()
    }
}

/// `requestContext` in its three forms.
enum Context<'a> {
    /// Of a REST API, or format 1.0.
    Resource {
        head: &'a Head,
        live: &'a Live,
    },
    /// Of format 2.0.
    Route {
        head: &'a Head,
        live: &'a Live,
    },
    WebSocket {
        head: &'a Head,
        live: &'a Live,
    },
}

impl Serialize for Context<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut context = serializer.serialize_map(None)?;
        let (Self::Resource { head, live } | Self::Route { head, live } | Self::WebSocket { head, live }) =
            *self;
        let stage = head.arn.stage_arn();
        context.serialize_entry("apiId", stage.api_id())?;
        context.serialize_entry("stage", stage.stage())?;
        context.serialize_entry("domainName", &live.setting.domain_name)?;
        context.serialize_entry("requestId", head.request_id())?;
        match self {
            Self::Resource { .. } => resource_context(&mut context, head, live)?,
            Self::Route { .. } => route_context(&mut context, head, live)?,
            Self::WebSocket { .. } => websocket_context(&mut context, head, live)?,
        }
        context.end()
    }
}

fn resource_context<M: SerializeMap>(context: &mut M, head: &Head, live: &Live) -> Result<(), M::Error> {
    let (stage, method) = (head.arn.stage_arn(), head.method.as_str());
    context.serialize_entry("accountId", stage.account_id())?;
    context.serialize_entry("domainPrefix", domain_prefix(live))?;
    match (head.kind, head.route()) {
        (EventKind::HttpRequestV1, "$default") => context.serialize_entry("resourceId", "$default")?,
        (EventKind::HttpRequestV1, template) => {
            context.serialize_entry("resourceId", &format_args!("{method} {template}"))?;
        }
        // API Gateway draws an id by lot; here the template is the id.
        (_, template) => context.serialize_entry("resourceId", template)?,
    }
    context.serialize_entry("resourcePath", head.route())?;
    context.serialize_entry("httpMethod", method)?;
    match stage.stage() {
        stage if live.setting.mapped || stage == "$default" => {
            context.serialize_entry("path", head.path())?;
        }
        stage => context.serialize_entry("path", &format_args!("/{stage}{}", head.path()))?,
    }
    context.serialize_entry("protocol", PROTOCOL)?;
    context.serialize_entry("extendedRequestId", &extended_request_id(head, live))?;
    time(context, head, "requestTime", "requestTimeEpoch")?;
    context.serialize_entry("identity", &Identity(head))
}

fn route_context<M: SerializeMap>(context: &mut M, head: &Head, live: &Live) -> Result<(), M::Error> {
    context.serialize_entry("accountId", head.arn.stage_arn().account_id())?;
    context.serialize_entry("domainPrefix", domain_prefix(live))?;
    context.serialize_entry("routeKey", head.route())?;
    if let Some(certificate) = &head.client_certificate {
        context.serialize_entry("authentication", &map(|| [("clientCert", certificate)].into_iter()))?;
    }
    time(context, head, "time", "timeEpoch")?;
    context.serialize_entry("http", &Http(head))
}

fn websocket_context<M: SerializeMap>(context: &mut M, head: &Head, live: &Live) -> Result<(), M::Error> {
    context.serialize_entry("routeKey", head.route())?;
    context.serialize_entry("eventType", "CONNECT")?;
    context.serialize_entry("messageDirection", "IN")?;
    context.serialize_entry("connectionId", &live.request_id.connection())?;
    context.serialize_entry("connectedAt", &head.time.map(millis))?;
    context.serialize_entry("extendedRequestId", &extended_request_id(head, live))?;
    time(context, head, "requestTime", "requestTimeEpoch")?;
    context.serialize_entry("identity", &Identity(head))
}

/// The first label of the domain.
fn domain_prefix(live: &Live) -> &str {
    live.setting.domain_name.split('.').next().unwrap_or_default()
}

/// A REST API has a second id; elsewhere it is the same as the first.
fn extended_request_id<'a>(head: &'a Head, live: &Live) -> Cow<'a, str> {
    match head.kind {
        EventKind::RestRequest => Cow::Owned(live.request_id.extended()),
        _ => Cow::Borrowed(head.request_id()),
    }
}

fn time<M: SerializeMap>(context: &mut M, head: &Head, text: &str, epoch: &str) -> Result<(), M::Error> {
    let Some(time) = head.time else { return Ok(()) };
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    if let Ok(timestamp) = jiff::Timestamp::from_second(seconds) {
        context.serialize_entry(text, &timestamp.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())?;
    }
    context.serialize_entry(epoch, &millis(time))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `requestContext.identity`.
struct Identity<'a>(&'a Head);

impl Serialize for Identity<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = self.0;
        let mut identity = serializer.serialize_map(None)?;
        if head.kind != EventKind::WebSocketConnect {
            for name in NO_IDENTITY {
                identity.serialize_entry(name, &Value::Null)?;
            }
            if head.kind == EventKind::HttpRequestV1 {
                identity.serialize_entry("cognitoAmr", &Value::Null)?;
            }
        }
        client(&mut identity, head)?;
        if let Some(certificate) = &head.client_certificate {
            identity.serialize_entry("clientCert", certificate)?;
        }
        identity.end()
    }
}

/// `requestContext.http`.
struct Http<'a>(&'a Head);

impl Serialize for Http<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = self.0;
        let mut http = serializer.serialize_map(None)?;
        http.serialize_entry("method", head.method.as_str())?;
        http.serialize_entry("path", head.path())?;
        http.serialize_entry("protocol", PROTOCOL)?;
        client(&mut http, head)?;
        http.end()
    }
}

/// Who is at the other end: never a made-up address.
fn client<M: SerializeMap>(object: &mut M, head: &Head) -> Result<(), M::Error> {
    match head.source_ip {
        Some(address) => object.serialize_entry("sourceIp", &address)?,
        None => object.serialize_entry("sourceIp", "")?,
    }
    let user_agent = head.headers.get_all(USER_AGENT).iter().next_back();
    object.serialize_entry("userAgent", &user_agent.map(header::text))
}

macro_rules! equal_as_json {
    ($($event:ident: $json:expr),*) => {$(
        impl PartialEq for $event {
            fn eq(&self, other: &Self) -> bool {
                let json: fn(&Self) -> Option<&Value> = $json;
                match (json(self), json(other)) {
                    (Some(one), Some(another)) => one == another,
                    _ => matches!(
                        (serde_json::to_value(self), serde_json::to_value(other)),
                        (Ok(one), Ok(another)) if one == another
                    ),
                }
            }
        }

        impl Eq for $event {}
    )*};
}

equal_as_json!(
    TokenEvent: |event| event.json.as_deref(),
    RequestEvent: |event| event.head.json(),
    RequestEventV2: |event| event.head.json()
);
