//! The maps of a printed event: headers and parameters, with one value each or with all.

use std::borrow::Cow;
use std::collections::HashMap;

use http::HeaderName;
use http::header::COOKIE;
use serde::ser::{Serialize, Serializer};

use super::head::Head;
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
    map(move || grouped(query).into_iter().map(|(name, values)| (name, values.last().copied())))
}

/// Each parameter once, with all its values, where it is named first.
pub(super) fn all_values(query: &[(String, String)]) -> impl Serialize {
    map(move || grouped(query).into_iter())
}

/// Each parameter once, where it is named first, with all its values. In one pass: a client chooses how many there are.
pub(super) fn grouped(query: &[(String, String)]) -> Vec<(&str, Vec<&str>)> {
    let mut places = HashMap::with_capacity(query.len());
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::with_capacity(query.len());
    for (name, value) in query {
        let place = *places.entry(&**name).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => groups.push((name, vec![value])),
        }
    }
    groups
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
