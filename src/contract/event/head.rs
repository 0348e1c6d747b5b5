//! What the events of `REQUEST` authorizers have in common.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

use super::certificate::ClientCertificate;
use super::header::HeaderSpelling;
use super::id::RequestId;
use crate::contract::EventKind;
use crate::policy::ExecuteApiArn;

pub(crate) type Pairs = Vec<(Box<str>, Box<str>)>;

/// The head of one request, as an authorizer sees it. What a live request does not have ready is worked out when it
/// is asked for.
#[derive(Clone)]
pub(crate) struct Head {
    pub(super) kind: EventKind,
    pub(super) arn: ExecuteApiArn,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) client_certificate: Option<ClientCertificate>,
    pub(super) identity_source: Option<Box<[Box<str>]>>,
    /// When the request came in, since the Unix epoch.
    pub(super) time: Option<Duration>,
    pub(super) origin: Origin,
    pub(super) late: Late,
}

/// Where an event comes from, and with that how it is printed.
#[derive(Clone)]
pub(super) enum Origin {
    Live(Live),
    Json(Parsed),
}

/// What is worked out late.
#[derive(Clone, Default)]
pub(super) struct Late {
    pub(super) path: OnceLock<Box<str>>,
    pub(super) path_parameters: OnceLock<Pairs>,
    pub(super) query: OnceLock<Vec<(String, String)>>,
    pub(super) request_id: OnceLock<Box<str>>,
    pub(super) route: OnceLock<Box<str>>,
    pub(super) user_agent: OnceLock<Box<str>>,
}

/// What is kept of a live request.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) setting: Arc<EventSetting>,
    uri: Uri,
    full_path: Option<Box<str>>,
    template: Option<Box<str>>,
    pub(super) request_id: RequestId,
}

/// What is kept of an event that came as JSON.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) json: Arc<Value>,
    pub(super) stage_variables: Pairs,
    pub(super) user_agent: Option<Box<str>>,
}

/// What is the same for all live events of one layer.
pub(crate) struct EventSetting {
    pub(crate) kind: EventKind,
    pub(crate) domain_name: Box<str>,
    /// Whether clients reach the stage through a domain that is mapped to it, so that its name is not in the path.
    pub(crate) mapped: bool,
    pub(crate) stage_variables: Arc<[(Box<str>, Box<str>)]>,
    pub(crate) spelling: HeaderSpelling,
    pub(crate) readers: Readers,
}

/// How the room above reads what is read late.
#[derive(Clone, Copy)]
pub(crate) struct Readers {
    /// All parameters of a query, decoded, in their order.
    pub(crate) query: fn(&str) -> Vec<(String, String)>,
    /// A template in API Gateway's spelling.
    pub(crate) template: fn(&str) -> Box<str>,
    /// The parameters of a path that was matched by a template, undecoded.
    pub(crate) path_parameters: fn(Option<&str>, &str) -> Pairs,
}

/// What the room above fills in.
pub(crate) struct LiveParts<'a> {
    pub(crate) arn: ExecuteApiArn,
    pub(crate) method: &'a Method,
    /// Its query counts, and its authority where there is no `Host`.
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// The whole path, if it is not the one in the ARN.
    pub(crate) full_path: Option<&'a str>,
    /// The template of the path in the ARN.
    pub(crate) template: Option<&'a str>,
    pub(crate) identity_source: Option<Box<[Box<str>]>>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) client_certificate: Option<ClientCertificate>,
    pub(crate) request_id: RequestId,
    pub(crate) time: Duration,
}

impl Head {
    pub(super) fn live(setting: &Arc<EventSetting>, parts: LiveParts<'_>) -> Self {
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        Self {
            kind: setting.kind,
            headers: super::header::headers_of(setting.kind, parts.headers, authority),
            arn: parts.arn,
            method: match setting.kind {
                // The handshake is a GET, also where HTTP/2 calls it CONNECT.
                EventKind::WebSocketConnect => Method::GET,
                _ => parts.method.clone(),
            },
            source_ip: parts.source_ip,
            client_certificate: parts.client_certificate,
            identity_source: parts.identity_source,
            time: Some(parts.time),
            origin: Origin::Live(Live {
                setting: Arc::clone(setting),
                uri: parts.uri.clone(),
                full_path: parts.full_path.map(Box::from),
                template: parts.template.map(Box::from),
                request_id: parts.request_id,
            }),
            late: Late::default(),
        }
    }

    pub(super) fn path(&self) -> &str {
        let late = || match &self.origin {
            Origin::Live(live) => live.path(&self.arn),
            Origin::Json(_) => Box::default(),
        };
        match &self.origin {
            // A REST API shows the path as it stands in the ARN; most of the time they are the same.
            Origin::Live(Live { setting, full_path: None, .. }) if setting.kind == EventKind::RestRequest => {
                self.arn.path().unwrap_or_default()
            }
            _ => self.late.path.get_or_init(late),
        }
    }

    pub(super) fn path_parameters(&self) -> &[(Box<str>, Box<str>)] {
        self.late.path_parameters.get_or_init(|| match &self.origin {
            Origin::Live(live) => live.path_parameters(&self.arn),
            Origin::Json(_) => Vec::new(),
        })
    }

    pub(super) fn query(&self) -> &[(String, String)] {
        self.late.query.get_or_init(|| match &self.origin {
            Origin::Live(live) => live.query(),
            Origin::Json(_) => Vec::new(),
        })
    }

    /// The resource template or the route key, whichever the event has.
    pub(super) fn route(&self) -> &str {
        self.late.route.get_or_init(|| match &self.origin {
            Origin::Live(live) => live.route(&self.method),
            Origin::Json(_) => Box::default(),
        })
    }

    /// Whether the path in the ARN is that of the route. HTTP APIs may have decoded a slash in a parameter.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) fn is_of_route(&self) -> bool {
        let is_http = matches!(self.kind, EventKind::HttpRequestV1 | EventKind::HttpRequestV2);
        let route = self.route();
        let template = route.split_once(' ').map_or(route, |(_, template)| template);
        if matches!(self.origin, Origin::Live(_)) || !is_http || !template.starts_with('/') {
            return true;
        }
        let path = self.arn.path().unwrap_or_default();
        crate::contract::is_filled(template, |name| last(self.path_parameters(), name), path)
    }

    /// The template of the route that was taken, where that says more than the path. What a catch-all hands on to is not told,
    /// save by HTTP APIs, which may have decoded the path since.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) fn taken_template(&self) -> Option<Box<str>> {
        let (template, is_decoded) = match &self.origin {
            Origin::Live(live) => (live.template.as_deref().map(live.setting.readers.template), false),
            Origin::Json(_) => {
                let route = self.route();
                let template = route.split_once(' ').map_or(route, |(_, template)| template);
                (Some(template.into()), self.kind != EventKind::RestRequest)
            }
        };
        template.filter(|template| is_decoded || !template.ends_with("+}"))
    }

    pub(super) fn request_id(&self) -> &str {
        self.late.request_id.get_or_init(|| match &self.origin {
            Origin::Live(live) => live.request_id.to_string().into(),
            Origin::Json(_) => Box::default(),
        })
    }

    pub(super) fn stage_variables(&self) -> &[(Box<str>, Box<str>)] {
        match &self.origin {
            Origin::Live(live) => &live.setting.stage_variables,
            Origin::Json(parsed) => &parsed.stage_variables,
        }
    }

    pub(super) fn user_agent(&self) -> Option<&str> {
        match &self.origin {
            // As it is printed, also where it is not text.
            Origin::Live(_) => {
                let sent = self.headers.get_all(USER_AGENT).iter().next_back()?;
                let read = || super::header::text(sent).into();
                sent.to_str().ok().or_else(|| Some(self.late.user_agent.get_or_init(read)))
            }
            Origin::Json(parsed) => parsed.user_agent.as_deref(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_all(name).iter().next_back()?.to_str().ok()
    }

    pub(super) fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    pub(super) fn identity_source(&self) -> impl Iterator<Item = &str> {
        self.identity_source.iter().flatten().map(|value| &**value)
    }

    /// The event as a value: what it was read from, or what it is printed as.
    pub(super) fn json(&self) -> Option<&Value> {
        match &self.origin {
            Origin::Live(_) => None,
            Origin::Json(parsed) => Some(&parsed.json),
        }
    }

    /// For `Debug`: what is asked, not with which credentials.
    pub(super) fn debug(&self, name: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(name)
            .field("kind", &self.kind)
            .field("arn", &self.arn)
            .field("route", &self.route())
            .field("headers", &Names(|| self.headers.keys().map(http::HeaderName::as_str)))
            .field("query", &Names(|| self.query().iter().map(|(name, _)| &**name)))
            .field("stage_variables", &Names(|| self.stage_variables().iter().map(|(name, _)| &**name)))
            .field("source_ip", &self.source_ip)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

impl Live {
    /// The whole path, or the one in the ARN: there the prefix of an API mapping is cut off.
    fn path(&self, arn: &ExecuteApiArn) -> Box<str> {
        let in_arn = arn.path().unwrap_or_default();
        let whole = self.full_path.as_deref().unwrap_or(in_arn);
        match self.setting.kind {
            EventKind::HttpRequestV1 => decoded(whole).into(),
            EventKind::HttpRequestV2 => match arn.stage_arn().stage() {
                "$default" => decoded(in_arn).into(),
                stage => format!("/{stage}{}", decoded(in_arn)).into(),
            },
            _ => whole.into(),
        }
    }

    fn path_parameters(&self, arn: &ExecuteApiArn) -> Pairs {
        let is_http = matches!(self.setting.kind, EventKind::HttpRequestV1 | EventKind::HttpRequestV2);
        if is_http && self.template.is_none() {
            // `$default` has no parameters.
            return Vec::new();
        }
        let found =
            (self.setting.readers.path_parameters)(self.template.as_deref(), arn.path().unwrap_or_default());
        if !is_http {
            return found;
        }
        found.into_iter().map(|(name, value)| (name, decoded(&value).into())).collect()
    }

    fn query(&self) -> Vec<(String, String)> {
        let pairs = (self.setting.readers.query)(self.raw_query());
        if self.setting.kind != EventKind::HttpRequestV2 {
            return pairs;
        }
        let grouped = super::map::grouped(&pairs).into_iter();
        grouped.map(|(name, values)| (name.to_owned(), values.join(","))).collect()
    }

    fn route(&self, method: &Method) -> Box<str> {
        let template = self.template.as_deref().map(self.setting.readers.template);
        match (self.setting.kind, template) {
            (EventKind::WebSocketConnect, _) => "$connect".into(),
            (EventKind::HttpRequestV1 | EventKind::HttpRequestV2, None) => "$default".into(),
            (EventKind::HttpRequestV2, Some(template)) => format!("{method} {template}").into(),
            (_, Some(template)) => template,
            (_, None) => "/{proxy+}".into(),
        }
    }

    pub(super) fn raw_query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }
}

/// Decodes escapes, once. What is accepted as a path is UTF-8 when decoded.
fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

pub(super) fn last<'a, T: AsRef<str>>(list: &'a [(T, T)], name: &str) -> Option<&'a str> {
    list.iter().rev().find(|(known, _)| known.as_ref() == name).map(|(_, value)| value.as_ref())
}

pub(super) fn pairs<T: AsRef<str>>(list: &[(T, T)]) -> impl Iterator<Item = (&str, &str)> {
    list.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
}

struct Names<F>(F);

impl<'a, I: Iterator<Item = &'a str>, F: Fn() -> I> std::fmt::Debug for Names<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((self.0)()).finish()
    }
}
