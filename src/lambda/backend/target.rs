//! The path that the gateway has asked its authorizer about, and the path that is about to be served.
//!
//! `lambda_http` makes a URI of an event: it puts the stage in front of the path, unless it seems to be there already,
//! and has the whole of it read like a browser's address. On the way a path may become another. It keeps the event's
//! own path beside the request, so that this is seen here, and the request is given back the path that was asked about.

use std::borrow::Cow;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Request};
use lambda_http::RequestExt;

use super::asked;
use crate::contract::EventKind;
use crate::middleware::{Rejection, RejectionKind};
use crate::policy::{is_reserved, is_unreserved, push_escape};
use crate::request::{ApiStage, TargetRules, check_request_line, locate, read_path, rewrite_path};

/// Has the request served under the path that the gateway has asked about, without the stage, in its one spelling.
pub(super) fn restore<B>(
    request: &mut Request<B>,
    kind: EventKind,
    stage: &ApiStage,
    rules: TargetRules,
) -> Result<(), Rejection> {
    let refuse = |reason: &'static str| Rejection::with_detail(RejectionKind::InvalidTarget, reason);
    let moved = |reason: &'static str| Rejection::with_detail(RejectionKind::TargetMoved, reason);

    check_request_line(request.method(), request.uri()).map_err(|error| refuse(error.reason()))?;
    check_origin(request.headers())?;

    let raw = request.extensions().raw_http_path();
    let named = match stage.arn().stage() {
        "$default" => None,
        name => Some(name),
    };
    let own = Own::read(raw, kind, named, rules)?;
    let path = match kind {
        // Behind a mapped domain, format 2.0 has the stage where clients have the base path.
        EventKind::HttpRequestV2 => {
            asked::check_route(request, &own.canonical)?;
            stage.with_base_path_before(&own.as_sent)
        }
        EventKind::WebSocketConnect => Cow::Borrowed("/"),
        _ => {
            asked::check(request, kind, stage, own.raw, &own.canonical)?;
            Cow::Borrowed(own.routed(rules))
        }
    }
    .into_owned();

    let located = locate(request.uri(), request.extensions())
        .map_err(|_| moved("the path was rewritten after an outer router had seen it"))?;
    let served = located.path;
    let with_stage =
        named.and_then(|stage| served.strip_prefix('/')?.strip_prefix(stage)).map(|rest| match rest {
            "" => "/",
            rest => rest,
        });
    let is_same = |served: &str| own.is_served_as(served, rules);
    if !(is_same(served) || with_stage.is_some_and(is_same)) {
        return Err(moved("the path is not the one that the gateway has asked about"));
    }

    let is_routed = located.is_routed() || served != request.uri().path();
    if is_routed {
        return match served == path {
            true => Ok(()),
            false => Err(moved(
                "the layer stands behind a router, which has seen another path: wrap the router with it",
            )),
        };
    }
    rewrite_path(request, &path).ok_or_else(|| refuse("there is no URI with that path"))
}

/// The event's own path.
struct Own<'e> {
    /// As it stands in the event.
    raw: &'e str,
    /// Without the stage, in the one spelling.
    canonical: String,
    /// The same with the escapes of reserved characters that it came with.
    as_sent: String,
    is_decoded: bool,
}

impl<'e> Own<'e> {
    fn read(
        raw: &'e str,
        kind: EventKind,
        stage: Option<&str>,
        rules: TargetRules,
    ) -> Result<Self, Rejection> {
        let refuse = |reason: &'static str| Rejection::with_detail(RejectionKind::InvalidTarget, reason);
        let is_decoded = matches!(kind, EventKind::HttpRequestV1 | EventKind::HttpRequestV2);
        let path = match (kind, stage) {
            // A message over a connection has no path.
            (EventKind::WebSocketConnect, _) if raw.is_empty() => "/",
            (EventKind::WebSocketConnect, _) => return Err(refuse("a connection has no path")),
            (EventKind::HttpRequestV2, Some(stage)) => {
                match raw.strip_prefix('/').and_then(|raw| raw.strip_prefix(stage)) {
                    Some("") => "/",
                    Some(rest) if rest.starts_with('/') => rest,
                    _ => {
                        let detail = "the event's path does not begin with the stage";
                        return Err(Rejection::with_detail(RejectionKind::TargetMoved, detail));
                    }
                }
            }
            _ => raw,
        };
        let path = if is_decoded { Cow::Owned(escaped(path)) } else { Cow::Borrowed(path) };
        let read = read_path(&path, rules).map_err(|error| refuse(error.reason()))?;
        let canonical = read.canonical().to_owned();
        Ok(Self { raw, canonical, as_sent: read.as_sent.into_owned(), is_decoded })
    }

    /// The spelling to be routed. AWS has evaluated the policy, for the path as it was sent: another spelling may lead elsewhere.
    /// What no URI holds has to have another.
    fn routed(&self, rules: TargetRules) -> &str {
        let is_path = |raw| PathAndQuery::try_from(raw).is_ok_and(|path| path.path() == raw);
        let as_it_is = !self.is_decoded && !rules.decode_unreserved && is_path(self.raw);
        if as_it_is { self.raw } else { &self.as_sent }
    }

    /// Whether a URI's path is this path: when decoded once, where the event has it decoded; else when both are in their
    /// one spelling.
    fn is_served_as(&self, served: &str, rules: TargetRules) -> bool {
        if self.is_decoded {
            return percent_encoding::percent_decode_str(served).eq(self.raw.bytes());
        }
        read_path(served, rules).is_ok_and(|served| served.canonical() == self.canonical)
    }
}

/// The one spelling of a path that was decoded. A slash that was escaped cannot be told from another any more.
fn escaped(decoded: &str) -> String {
    let mut path = String::with_capacity(decoded.len() + 8);
    for byte in decoded.bytes() {
        if byte == b'/' || is_unreserved(byte) || is_reserved(byte) {
            path.push(char::from(byte));
        } else {
            push_escape(byte, &mut path);
        }
    }
    path
}

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Two headers become part of the URI as they are: whatever is no scheme and no host could bring a path or a query.
fn check_origin(headers: &HeaderMap) -> Result<(), Rejection> {
    let is_host = |host: &[u8]| {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(b);
        !host.is_empty() && host.iter().all(plain)
    };
    let is_scheme =
        |scheme: &[u8]| scheme.eq_ignore_ascii_case(b"https") || scheme.eq_ignore_ascii_case(b"http");
    let hosts = headers.get_all(HOST).iter().all(|host| is_host(host.as_bytes()));
    let schemes = headers.get_all(FORWARDED_PROTO).iter().all(|scheme| is_scheme(scheme.as_bytes()));
    if hosts && schemes {
        return Ok(());
    }
    let detail = "`Host` or `X-Forwarded-Proto` is more than a host or a scheme";
    Err(Rejection::with_detail(RejectionKind::InvalidTarget, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: TargetRules = TargetRules { decode_unreserved: false, allow_encoded_slash: false };

    #[test]
    fn a_decoded_path_is_escaped_once() {
        assert_eq!(escaped("/a b/100%/é*?{x}"), "/a%20b/100%25/%C3%A9%2A%3F%7Bx%7D");
        assert_eq!(escaped("/!$&'()+,;=:@"), "/!$&'()+,;=:@");
    }

    #[test]
    fn an_event_of_format_2_names_its_stage_before_the_path() {
        let read = |raw, stage| Own::read(raw, EventKind::HttpRequestV2, stage, STRICT);
        for (raw, stage, path) in [
            ("/prod/users", Some("prod"), "/users"),
            ("/prod", Some("prod"), "/"),
            ("/prod/", Some("prod"), "/"),
            ("/prod/prod/x", Some("prod"), "/prod/x"),
            ("/prod/users", None, "/prod/users"),
        ] {
            assert_eq!(read(raw, stage).map(|own| own.canonical).ok().as_deref(), Some(path), "{raw}");
        }
        for raw in ["/users", "/production/users", "", "prod/users"] {
            let kind = read(raw, Some("prod")).map(|_| ()).unwrap_err().kind();
            assert_eq!(kind, RejectionKind::TargetMoved, "{raw}");
        }
    }

    #[test]
    fn only_hosts_and_schemes_become_part_of_a_uri() {
        let check = |name: &HeaderName, value: &str| {
            check_origin(&HeaderMap::from_iter([(name.clone(), value.parse().unwrap())])).is_ok()
        };
        for host in ["example.com", "a_b.example.com:8080", "[::1]:3000"] {
            assert!(check(&HOST, host), "{host}");
        }
        for host in ["", "h/admin?", "h#", "u:p@h", "h\\x", "h x", "h%2fadmin", "é"] {
            assert!(!check(&HOST, host), "{host}");
        }
        assert!(check(&FORWARDED_PROTO, "https") && check(&FORWARDED_PROTO, "HTTP"));
        for scheme in ["", "https://evil/admin?", "https, http", "file", "https:"] {
            assert!(!check(&FORWARDED_PROTO, scheme), "{scheme}");
        }
    }
}
