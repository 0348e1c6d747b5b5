//! From a mapping and a request to changes, and from changes to another request.

use std::borrow::Cow;

use http::header::CONNECTION;
use http::{HeaderName, HeaderValue, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ParameterMapping;
use super::rule::{Operation, Rule, Target};
use super::value::NotText;
use super::{header, query};
use crate::contract::AuthorizerContext;
use crate::request::{QueryRewrite, RequestView, decode_query, query_pairs};

/// What stays raw in a query: RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is to be done to a request that is let through. Everything that can go wrong has gone well by then.
pub(crate) struct Changes {
    headers: Vec<HeaderChange>,
    query: Option<QueryRewrite>,
}

struct HeaderChange {
    name: HeaderName,
    operation: Operation,
    value: Option<HeaderValue>,
}

/// Why a request cannot be changed as configured, and therefore is not let through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Unmappable {
    /// The authorizer said something that the service cannot be told.
    Answer(String),
    /// So did the client.
    Request(String),
}

impl ParameterMapping {
    /// Works out all values, from the request as it came in.
    pub(crate) fn plan(
        &self,
        view: &RequestView<'_, '_>,
        context: &AuthorizerContext,
    ) -> Result<Changes, Unmappable> {
        let mut headers = Vec::new();
        let mut query = Vec::new();
        for rule in &self.rules {
            let value =
                rule.value.resolve(view, context).map_err(|NotText| rule.unmappable("is not plain text"))?;
            match &rule.target {
                Target::Header(name) => {
                    rule.check_connection(view, name)?;
                    let value = value.map(|value| rule.header_value(&value)).transpose()?;
                    headers.push(HeaderChange { name: name.clone(), operation: rule.operation, value });
                }
                Target::QueryString(name) => query.push((&**name, rule.operation, value)),
            }
        }
        let query = if query.is_empty() { None } else { Some(rewrite_query(view, &query)?) };
        Ok(Changes { headers, query })
    }
}

impl Changes {
    pub(crate) fn apply<B>(self, request: &mut Request<B>) {
        let headers = request.headers_mut();
        for change in self.headers {
            if change.operation != Operation::Append {
                header::remove(headers, change.name.as_str());
            }
            if let Some(value) = change.value {
                // Into a map that is full nothing is put: the header is gone, and not the client's.
                let _ = headers.try_append(change.name, value);
            }
        }
        if let Some(query) = self.query {
            query.apply(request);
        }
    }
}

impl Rule {
    fn header_value(&self, value: &str) -> Result<HeaderValue, Unmappable> {
        let valid = header::is_value(value).then(|| HeaderValue::from_str(value).ok()).flatten();
        valid.ok_or_else(|| self.unmappable("is not one that a header may have"))
    }

    /// A header that the connection claims for itself would be gone after the next proxy.
    fn check_connection(&self, view: &RequestView<'_, '_>, name: &HeaderName) -> Result<(), Unmappable> {
        let names = |value: &HeaderValue| {
            let mut tokens = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            tokens.any(|token| {
                std::str::from_utf8(token).is_ok_and(|token| header::is_same(token, name.as_str()))
            })
        };
        if view.headers.get_all(CONNECTION).iter().any(names) {
            return Err(Unmappable::Request(format!("the connection claims the header of `{}`", self.key)));
        }
        Ok(())
    }

    fn unmappable(&self, reason: &str) -> Unmappable {
        let detail = format!("the value of `{}` {reason}", self.key);
        if self.value.is_of_authorizer() { Unmappable::Answer(detail) } else { Unmappable::Request(detail) }
    }
}

type QueryChange<'a> = (&'a str, Operation, Option<Cow<'a, str>>);

fn rewrite_query(
    view: &RequestView<'_, '_>,
    changes: &[QueryChange<'_>],
) -> Result<QueryRewrite, Unmappable> {
    let deleted = changes.iter().filter(|(_, operation, _)| *operation != Operation::Append);
    let deleted: Vec<_> = deleted.map(|(name, ..)| query::Known::new(name)).collect();
    let mut rewritten = String::new();
    // Many programs read the first thousand parameters only, and a client can send as many.
    push_changes(&mut rewritten, changes, Operation::Overwrite);
    for (name, value) in query_pairs(view.query().unwrap_or_default()) {
        let (Some(name), Some(value)) = (decode_query(name), decode_query(value)) else {
            return Err(Unmappable::Request("the query is not UTF-8".to_owned()));
        };
        let readings = query::Readings::of(&name);
        if !deleted.iter().any(|known| readings.are(known)) {
            push_pair(&mut rewritten, &name, &value);
        }
    }
    push_changes(&mut rewritten, changes, Operation::Append);
    QueryRewrite::new(view.uri, view.extensions, &rewritten)
        .ok_or_else(|| Unmappable::Request("the query is too long".to_owned()))
}

fn push_changes(query: &mut String, changes: &[QueryChange<'_>], wanted: Operation) {
    for (name, operation, value) in changes {
        if let Some(value) = value.as_ref().filter(|_| *operation == wanted) {
            push_pair(query, name, value);
        }
    }
}

fn push_pair(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(name, ESCAPED));
    query.push('=');
    query.extend(utf8_percent_encode(value, ESCAPED));
}
