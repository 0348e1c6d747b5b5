//! The maps of a printed event: headers and parameters, with one value each or with all.

use std::borrow::Cow;

use http::HeaderName;
use http::header::COOKIE;
use serde::ser::{Serialize, Serializer};

use super::head::{Head, last};
use super::header::{HeaderSpelling, text};
use crate::contract::EventKind;

/// `headers`: the last value of each in REST and WebSocket APIs, all of them with commas in HTTP APIs.
pub(super) fn single_headers<'a>(head: &'a Head, spelling: &'a HeaderSpelling) -> impl Serialize + use<'a> {
    let value = move |name: &HeaderName| {
        let mut values = head.headers.get_all(name).iter().map(text);
        match head.kind {
            EventKind::HttpRequestV1 => {
                let mut joined = values.next().unwrap_or_default();
                for value in values {
                    joined.to_mut().push(',');
                    joined.to_mut().push_str(&value);
                }
                joined
            }
            _ => values.next_back().unwrap_or_default(),
        }
    };
    map(move || names(head, spelling).map(move |(name, spelled)| (spelled, value(name))))
}

/// `multiValueHeaders`: all values of each, in their order.
pub(super) fn all_headers<'a>(head: &'a Head, spelling: &'a HeaderSpelling) -> impl Serialize + use<'a> {
    let values = move |name: &HeaderName| head.headers.get_all(name).iter().map(text).collect::<Vec<_>>();
    map(move || names(head, spelling).map(move |(name, spelled)| (spelled, values(name))))
}

/// The names of the headers, and how they are printed. Format 2.0 has cookies elsewhere.
fn names<'a>(
    head: &'a Head,
    spelling: &'a HeaderSpelling,
) -> impl Iterator<Item = (&'a HeaderName, Cow<'a, str>)> {
    let is_elsewhere = |name: &HeaderName| head.kind == EventKind::HttpRequestV2 && *name == COOKIE;
    head.headers.keys().filter(move |name| !is_elsewhere(name)).map(|name| match head.kind {
        EventKind::HttpRequestV1 | EventKind::HttpRequestV2 => (name, Cow::Borrowed(name.as_str())),
        _ => (name, spelling.of(name)),
    })
}

/// Each parameter once, with its last value, where it is named first.
pub(super) fn last_values(query: &[(String, String)]) -> impl Serialize {
    map(move || once_each(query).map(|name| (name, last(query, name))))
}

/// Each parameter once, with all its values, where it is named first.
pub(super) fn all_values(query: &[(String, String)]) -> impl Serialize {
    map(move || {
        once_each(query).map(|name| {
            let values = query.iter().filter(move |(known, _)| known == name);
            (name, values.map(|(_, value)| value).collect::<Vec<_>>())
        })
    })
}

fn once_each(query: &[(String, String)]) -> impl Iterator<Item = &str> {
    let is_first = |at: usize, name: &str| !query.iter().take(at).any(|(known, _)| known == name);
    query.iter().enumerate().filter(move |(at, (name, _))| is_first(*at, name)).map(|(_, (name, _))| &**name)
}

/// An object of what an iterator says.
pub(super) fn map<F, I, K, V>(entries: F) -> impl Serialize
where
    F: Fn() -> I,
    I: Iterator<Item = (K, V)>,
    K: Serialize,
    V: Serialize,
{
    struct Entries<F>(F);

    impl<F, I, K, V> Serialize for Entries<F>
    where
        F: Fn() -> I,
        I: Iterator<Item = (K, V)>,
        K: Serialize,
        V: Serialize,
    {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map((self.0)())
        }
    }

    Entries(entries)
}
