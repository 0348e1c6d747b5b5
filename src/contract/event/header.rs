//! Headers on their way into an event: which arrive, how names are spelled, how values read.

use std::borrow::Cow;

use http::header::{COOKIE, Entry, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::contract::EventKind;

/// How header names are spelled in printed events, where the kind of API leaves it open.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderSpelling {
    /// Names in a spelling of their own: those of identity sources.
    pub(crate) configured: Vec<(HeaderName, Box<str>)>,
    /// `X-Forwarded-For` rather than `x-forwarded-for`, as behind an edge-optimised endpoint.
    pub(crate) title_case: bool,
}

impl HeaderSpelling {
    pub(super) fn of<'a>(&'a self, name: &'a HeaderName) -> Cow<'a, str> {
        if let Some((_, spelling)) = self.configured.iter().find(|(known, _)| known == name) {
            return Cow::Borrowed(spelling);
        }
        if !self.title_case {
            return Cow::Borrowed(name.as_str());
        }
        let mut starts = true;
        let letters = name.as_str().chars().map(|letter| {
            let capital = std::mem::replace(&mut starts, letter == '-');
            if capital { letter.to_ascii_uppercase() } else { letter }
        });
        Cow::Owned(letters.collect())
    }
}

/// The headers as an authorizer of this kind sees them. In the plain case they are cloned and nothing else.
pub(crate) fn headers_of(kind: EventKind, headers: &HeaderMap, authority: Option<&str>) -> HeaderMap {
    let mut seen = headers.clone();
    if kind == EventKind::RestRequest {
        for name in headers.keys().filter(|name| stays_at_the_gateway(name)) {
            seen.remove(name);
        }
    }
    // HTTP/2 clients send `:authority` in its place.
    if let (Some(authority), false) = (authority, headers.contains_key(HOST))
        && let Ok(host) = HeaderValue::from_str(authority)
    {
        // A map that is full stays as it is.
        let _ = seen.try_insert(HOST, host);
    }
    if seen.len() != seen.keys_len() {
        // HTTP/2 clients may split the cookie header; it is one value for all that.
        join(&mut seen, &COOKIE, b"; ");
        if kind == EventKind::HttpRequestV2 {
            let names: Vec<HeaderName> = seen.keys().cloned().collect();
            for name in names {
                join(&mut seen, &name, b",");
            }
        }
    }
    if kind == EventKind::HttpRequestV2
        && let Some(cookies) = seen.get(COOKIE)
    {
        let plain = rejoined(&text(cookies));
        if plain.is_empty() {
            seen.remove(COOKIE);
        } else if plain.as_bytes() != cookies.as_bytes()
            && let Ok(plain) = value(&plain)
        {
            // A map that is full cannot insert, not even in the place of another.
            if let Some(sent) = seen.get_mut(COOKIE) {
                *sent = plain;
            }
        }
    }
    seen
}

/// What a REST API keeps for itself.
fn stays_at_the_gateway(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "content-length"
            | "content-md5"
            | "expect"
            | "max-forwards"
            | "proxy-authenticate"
            | "server"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "www-authenticate"
    )
}

fn join(headers: &mut HeaderMap, name: &HeaderName, separator: &[u8]) {
    let mut values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if values.len() < 2 {
        return;
    }
    if *name == COOKIE {
        // As in identity sources: what is empty is nothing.
        values.retain(|value| !value.is_empty());
    }
    // Valid values with a valid separator between them are a valid value.
    if let Ok(joined) = HeaderValue::from_bytes(&values.join(separator)) {
        if let Ok(Entry::Occupied(mut entry)) = headers.try_entry(name) {
            entry.insert(joined);
        } else {
            // A map that is full has no room before the others are gone.
            headers.remove(name);
            let _ = headers.try_insert(name, joined);
        }
    }
}

/// The pairs of a cookie header.
pub(super) fn cookies(header: &str) -> impl Iterator<Item = &str> {
    header.split(';').map(|pair| pair.trim_matches([' ', '\t'])).filter(|pair| !pair.is_empty())
}

fn rejoined(header: &str) -> String {
    cookies(header).collect::<Vec<_>>().join("; ")
}

/// A value as JSON has it. Bytes outside of ASCII are read as ISO 8859-1, each as one character, so that no two
/// values read alike.
pub(super) fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(value.as_bytes().iter().copied().map(char::from).collect()),
    }
}

/// The way back.
pub(super) fn value(text: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(letter).ok()).collect();
    match latin {
        Some(bytes) if !text.is_ascii() => HeaderValue::from_bytes(&bytes),
        _ => HeaderValue::from_bytes(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn names_are_spelled_as_configured() {
        let configured = vec![(HeaderName::from_static("x-api-key"), "X-API-Key".into())];
        let lower = HeaderSpelling { configured: configured.clone(), title_case: false };
        let title = HeaderSpelling { configured, title_case: true };
        let [key, other] = ["x-api-key", "x-forwarded-for"].map(HeaderName::from_static);
        assert_eq!((lower.of(&key), lower.of(&other)), ("X-API-Key".into(), "x-forwarded-for".into()));
        assert_eq!((title.of(&key), title.of(&other)), ("X-API-Key".into(), "X-Forwarded-For".into()));
    }

    #[test]
    fn a_split_cookie_header_is_one_value() {
        let sent = map(&[("cookie", b"a=1;b=2"), ("x", b"1"), ("cookie", b"c=3"), ("x", b"2")]);
        let rest = headers_of(EventKind::RestRequest, &sent, None);
        assert_eq!(rest, map(&[("cookie", b"a=1;b=2; c=3"), ("x", b"1"), ("x", b"2")]));
        let http = headers_of(EventKind::HttpRequestV2, &sent, None);
        assert_eq!(http, map(&[("cookie", b"a=1; b=2; c=3"), ("x", b"1,2")]));
    }

    #[test]
    fn a_rest_api_keeps_the_headers_of_the_connection() {
        let sent =
            map(&[("connection", b"close"), ("content-length", b"0"), ("te", b"trailers"), ("x", b"1")]);
        assert_eq!(headers_of(EventKind::RestRequest, &sent, None), map(&[("x", b"1")]));
        assert_eq!(headers_of(EventKind::WebSocketConnect, &sent, None), sent);
    }

    #[test]
    fn the_authority_is_the_host() {
        let seen = headers_of(EventKind::RestRequest, &map(&[]), Some("api.example.com"));
        assert_eq!(seen, map(&[("host", b"api.example.com")]));
        let sent = map(&[("host", b"a")]);
        assert_eq!(headers_of(EventKind::RestRequest, &sent, Some("b")), sent);
    }

    #[test]
    fn no_two_values_read_alike() {
        for bytes in [&b"plain"[..], b"\xc3\xa9", b"\xe9", b"a\tb"] {
            let sent = HeaderValue::from_bytes(bytes).unwrap();
            assert_eq!(value(&text(&sent)).unwrap(), sent);
        }
        assert_eq!(text(&HeaderValue::from_bytes(b"\xe9").unwrap()), "é");
        assert_eq!(value("“").unwrap().as_bytes(), "“".as_bytes());
        assert!(value("a\nb").is_err());
    }
}
