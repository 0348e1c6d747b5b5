//! Events that arrive as JSON.
//!
//! What is `null`, what is an empty object and what is not there all read as nothing: API Gateway and its console are
//! not of one mind about it. Members that nothing here asks for are kept and not looked at.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderName, Method};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};

use super::certificate::ClientCertificate;
use super::head::{Head, Late, Origin, Pairs, Parsed};
use super::{AuthorizerEvent, EventError, RequestEvent, RequestEventV2, TokenEvent, header};
use crate::contract::EventKind;
use crate::contract::distinct::Distinct;
use crate::policy::ExecuteApiArn;

impl AuthorizerEvent {
    /// Reads an event of any shape.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or not an event, or a member of it is there twice. The error names the member that is wrong.
    pub fn from_json(text: &str) -> Result<Self, EventError> {
        let Distinct(json) = serde_json::from_str(text)
            .map_err(|error| EventError::new("", format!("it is not JSON: {error}")))?;
        Self::from_value(json)
    }

    fn from_value(json: Value) -> Result<Self, EventError> {
        let event = Object::whole(&json)?;
        match event.text("type")? {
            Some("TOKEN") => {
                let (arn, token) = token(&event)?;
                Ok(TokenEvent::parsed(arn, token, json).into())
            }
            Some("REQUEST") => {
                let kind = request_kind(&event)?;
                let head = head(kind, &event)?.of(json);
                Ok(match kind {
                    EventKind::HttpRequestV2 => RequestEventV2 { head }.into(),
                    _ => RequestEvent { head }.into(),
                })
            }
            Some(other) => {
                let message = format!("unknown type `{other}`, expected `TOKEN` or `REQUEST`");
                Err(EventError::new("type", message))
            }
            None => Err(EventError::missing("type")),
        }
    }
}

impl<'de> Deserialize<'de> for AuthorizerEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Distinct(json) = Distinct::deserialize(deserializer)?;
        Self::from_value(json).map_err(D::Error::custom)
    }
}

macro_rules! deserialize_one_shape {
    ($($event:ident: $pattern:pat => $found:expr, $expected:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $event {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match AuthorizerEvent::deserialize(deserializer)? {
                    $pattern => Ok($found),
                    other => Err(D::Error::custom(format_args!(
                        concat!("expected ", $expected, ", found an event of kind `{:?}`"),
                        other.kind()
                    ))),
                }
            }
        }
    )*};
}

deserialize_one_shape! {
    TokenEvent: AuthorizerEvent::Token(event) => event, "an event of type `TOKEN`";
    RequestEvent: AuthorizerEvent::Request(event) => *event,
        "an event of type `REQUEST` without version or with version `1.0`";
    RequestEventV2: AuthorizerEvent::RequestV2(event) => *event,
        "an event of type `REQUEST` with version `2.0`";
}

fn token(event: &Object<'_>) -> Result<(ExecuteApiArn, Box<str>), EventError> {
    let arn = arn(event, "methodArn")?;
    let token = event.text("authorizationToken")?.ok_or_else(|| EventError::missing("authorizationToken"))?;
    Ok((arn, token.into()))
}

/// REST and WebSocket events carry no version; only WebSocket events are about a route that is no method and path.
fn request_kind(event: &Object<'_>) -> Result<EventKind, EventError> {
    match event.text("version")? {
        Some("2.0") => Ok(EventKind::HttpRequestV2),
        Some("1.0") => Ok(EventKind::HttpRequestV1),
        Some(other) => {
            Err(EventError::new("version", format!("unknown version `{other}`, expected `1.0` or `2.0`")))
        }
        None if arn(event, "methodArn")?.method().is_none() => Ok(EventKind::WebSocketConnect),
        None => Ok(EventKind::RestRequest),
    }
}

fn arn(event: &Object<'_>, name: &str) -> Result<ExecuteApiArn, EventError> {
    let text = event.text(name)?.ok_or_else(|| EventError::missing(name))?;
    text.parse().map_err(|error| EventError::new(name, format!("{error}")))
}

/// A head that lacks the JSON it was read from.
struct Unfinished(Head, Pairs, Option<Box<str>>);

impl Unfinished {
    fn of(self, json: Value) -> Head {
        let Self(mut head, stage_variables, user_agent) = self;
        head.origin = Origin::Json(Parsed { json: Arc::new(json), stage_variables, user_agent });
        head
    }
}

fn head(kind: EventKind, event: &Object<'_>) -> Result<Unfinished, EventError> {
    let is_v2 = kind == EventKind::HttpRequestV2;
    let arn = arn(event, if is_v2 { "routeArn" } else { "methodArn" })?;
    let context = event.object("requestContext")?;
    let client = if is_v2 { context.object("http")? } else { context.object("identity")? };

    let method = match if is_v2 { client.text("method")? } else { event.text("httpMethod")? } {
        Some(method) => Method::from_bytes(method.as_bytes())
            .map_err(|_| EventError::new("httpMethod", "it is not a method"))?,
        None => arn.method().and_then(|method| method.parse().ok()).unwrap_or_default(),
    };
    let route = match kind {
        EventKind::HttpRequestV2 => event.text("routeKey")?.or(context.text("routeKey")?),
        EventKind::WebSocketConnect => context.text("routeKey")?.or(Some(arn.resource())),
        _ => event.text("resource")?.or(context.text("resourcePath")?),
    };
    let path = match kind {
        EventKind::HttpRequestV2 => event.text("rawPath")?.or(client.text("path")?),
        EventKind::WebSocketConnect => None,
        _ => event.text("path")?.or(arn.path()),
    };
    let certificate = if is_v2 { &context.object("authentication")? } else { &client };
    let late = Late {
        path: filled(path.unwrap_or_default().into()),
        path_parameters: filled(event.texts("pathParameters")?),
        query: filled(query(event, is_v2)?),
        request_id: filled(context.text("requestId")?.unwrap_or_default().into()),
        route: filled(route.unwrap_or_default().into()),
        ..Late::default()
    };
    let headers = headers(event, is_v2)?;
    let user_agent = client.text("userAgent")?.map(Box::from);
    let head = Head {
        kind,
        method,
        headers,
        // The console sends a name in the place of an address.
        source_ip: client.text("sourceIp")?.and_then(|address| address.parse().ok()),
        client_certificate: certificate.certificate("clientCert")?,
        identity_source: identity_source(kind, event)?,
        time: context.millis(if is_v2 { "timeEpoch" } else { "requestTimeEpoch" })?,
        arn,
        origin: Origin::Json(Parsed { json: Arc::default(), stage_variables: Vec::new(), user_agent: None }),
        late,
    };
    Ok(Unfinished(head, event.texts("stageVariables")?, user_agent))
}

fn filled<T>(value: T) -> OnceLock<T> {
    OnceLock::from(value)
}

/// A list in format 2.0, one text in format 1.0.
fn identity_source(kind: EventKind, event: &Object<'_>) -> Result<Option<Box<[Box<str>]>>, EventError> {
    match kind {
        EventKind::HttpRequestV2 => match event.get("identitySource") {
            None => Ok(None),
            Some(list) => strings("identitySource", list).map(|values| Some(values.map(Box::from).collect())),
        },
        EventKind::HttpRequestV1 => {
            let token = event.text("authorizationToken")?.or(event.text("identitySource")?);
            Ok(token.map(|token| [Box::from(token)].into()))
        }
        _ => Ok(None),
    }
}

/// All values where the event has them, else the one it has.
fn multi_values<'v>(
    event: &Object<'v>,
    all: &str,
    single: &str,
    folded: fn(&'v str) -> Cow<'v, str>,
) -> Result<Vec<(&'v str, &'v str)>, EventError> {
    let (all, single) = (event.object(all)?, event.object(single)?);
    let mut found = Vec::new();
    for (name, values) in all.entries() {
        found.extend(strings(&all.at(name), values)?.map(|value| (name, value)));
    }
    let known: HashSet<_> = found.iter().map(|(name, _)| folded(name)).collect();
    for (name, _) in single.entries() {
        let value = single.text(name)?;
        if !known.contains(&folded(name)) {
            found.extend(value.map(|value| (name, value)));
        }
    }
    Ok(found)
}

fn query(event: &Object<'_>, is_v2: bool) -> Result<Vec<(String, String)>, EventError> {
    let all = if is_v2 { "" } else { "multiValueQueryStringParameters" };
    let pairs = multi_values(event, all, "queryStringParameters", Cow::Borrowed)?;
    Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn headers(event: &Object<'_>, is_v2: bool) -> Result<HeaderMap, EventError> {
    let all = if is_v2 { "" } else { "multiValueHeaders" };
    let pairs = multi_values(event, all, "headers", |name| name.to_ascii_lowercase().into())?;
    let too_many = |_| EventError::new("headers", "there are more than can be held");
    let mut headers = HeaderMap::try_with_capacity(pairs.len()).map_err(too_many)?;
    for (name, value) in pairs {
        let wrong = |what| EventError::new(format!("headers.{name}"), what);
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("it is not a header's name"))?;
        let value = header::value(value).map_err(|_| wrong("the value is not one that a header can have"))?;
        headers.try_append(key, value).map_err(too_many)?;
    }
    if let (true, Some(cookies)) = (is_v2, event.get("cookies")) {
        let cookies = strings("cookies", cookies)?.collect::<Vec<_>>().join("; ");
        let cookies = header::value(&cookies)
            .map_err(|_| EventError::new("cookies", "they are not what a header can have"))?;
        if !cookies.is_empty() {
            headers.try_insert(COOKIE, cookies).map_err(too_many)?;
        }
    }
    Ok(headers)
}

fn strings<'v>(at: &str, list: &'v Value) -> Result<std::vec::IntoIter<&'v str>, EventError> {
    let Value::Array(list) = list else {
        return match list {
            Value::Null => Ok(Vec::new().into_iter()),
            _ => Err(EventError::wrong_type(at, "a list of strings", list)),
        };
    };
    let text = |value: &'v Value| match value {
        Value::String(text) => Ok(&**text),
        _ => Err(EventError::wrong_type(at, "a list of strings", value)),
    };
    list.iter().map(text).collect::<Result<Vec<_>, _>>().map(Vec::into_iter)
}

/// An object of the event and where it stands; one that is not there has no members.
struct Object<'v> {
    path: String,
    members: Option<&'v Map<String, Value>>,
}

impl<'v> Object<'v> {
    fn whole(event: &'v Value) -> Result<Self, EventError> {
        match event {
            Value::Object(members) => Ok(Self { path: String::new(), members: Some(members) }),
            _ => Err(EventError::wrong_type("", "an object", event)),
        }
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A member that is there and is not `null`.
    fn get(&self, name: &str) -> Option<&'v Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&'v str>, EventError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(EventError::wrong_type(self.at(name), "a string", other)),
        }
    }

    fn object(&self, name: &str) -> Result<Self, EventError> {
        let members = match self.get(name) {
            None => None,
            Some(Value::Object(members)) => Some(members),
            Some(other) => return Err(EventError::wrong_type(self.at(name), "an object", other)),
        };
        Ok(Self { path: self.at(name), members })
    }

    fn entries(&self) -> impl Iterator<Item = (&'v str, &'v Value)> + use<'v> {
        self.members.into_iter().flatten().map(|(name, value)| (&**name, value))
    }

    /// A map of strings.
    fn texts(&self, name: &str) -> Result<Pairs, EventError> {
        let object = self.object(name)?;
        let mut pairs = Vec::new();
        for (name, _) in object.entries() {
            pairs.extend(object.text(name)?.map(|value| (name.into(), value.into())));
        }
        Ok(pairs)
    }

    fn millis(&self, name: &str) -> Result<Option<Duration>, EventError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(millis) => Ok(Some(Duration::from_millis(millis))),
                None => Err(EventError::new(self.at(name), "it is not a number of milliseconds since 1970")),
            },
        }
    }

    fn certificate(&self, name: &str) -> Result<Option<ClientCertificate>, EventError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => ClientCertificate::deserialize(value)
                .map(Some)
                // What serde says repeats what it found.
                .map_err(|_| EventError::new(self.at(name), "it is not a certificate")),
        }
    }
}
