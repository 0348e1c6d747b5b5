//! What a backend behind API Gateway would be given.

use serde_json::{Map, Value};

use super::reserved::{INTEGRATION_LATENCY, PRINCIPAL_ID};
use super::{ApiKind, Context, ContextValue, PayloadFormat};

pub(super) fn request_context(
    context: &Context,
    principal_id: Option<&str>,
    kind: ApiKind,
    format: PayloadFormat,
) -> Value {
    match (kind, format) {
        (ApiKind::Rest | ApiKind::WebSocket, _) => flat(context, principal_id, as_text),
        (ApiKind::Http, PayloadFormat::V1) => flat(context, principal_id, |value| value.into()),
        (ApiKind::Http, PayloadFormat::V2) => {
            let lambda = if context.is_empty() { Value::Null } else { Value::Object(context.into()) };
            Value::Object(Map::from_iter([("lambda".to_owned(), lambda)]))
        }
    }
}

fn flat(context: &Context, principal_id: Option<&str>, value: fn(&ContextValue) -> Value) -> Value {
    let mut map: Map<_, _> = context.iter().map(|(name, v)| (name.to_owned(), value(v))).collect();
    if let Some(principal_id) = principal_id {
        map.insert(PRINCIPAL_ID.to_owned(), principal_id.into());
    }
    // Nothing was called over a network, so nothing was waited for.
    map.insert(INTEGRATION_LATENCY.to_owned(), 0.into());
    Value::Object(map)
}

/// Scalars become text, null stays.
fn as_text(value: &ContextValue) -> Value {
    match value.to_text() {
        Some(text) => Value::String(text.into_owned()),
        None => value.into(),
    }
}
