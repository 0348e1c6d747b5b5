//! What the gateway says about a request, if it is the right gateway.

use std::collections::HashMap;

use http::Extensions;
use lambda_http::aws_lambda_events::apigw::ApiGatewayRequestAuthorizer;
use lambda_http::request::RequestContext;
use serde_json::Value;

use crate::contract::reserved::{CLAIMS, SCOPES};
use crate::contract::{ApiKind, EventKind, PayloadFormat};
use crate::middleware::{Rejection, RejectionKind};
use crate::request::ApiStage;

/// An event of the API and stage that were configured.
pub(super) struct Received<'e> {
    pub(super) kind: EventKind,
    pub(super) told: Told<'e>,
    /// Whether an answer that is too old ends it. The end of a connection is told in any case.
    pub(super) can_expire: bool,
}

/// What an event has for an authorizer's answer.
pub(super) enum Told<'e> {
    /// The claims of a token that the gateway has checked.
    Claims(Vec<(&'e str, &'e Value)>),
    /// The same, from format 2.0, where all values are text.
    ClaimsAsText(&'e HashMap<String, String>),
    /// The context of a Lambda authorizer.
    Context(Vec<(&'e str, &'e Value)>),
    /// A Lambda authorizer's answer that says nothing. With format 2.0 it cannot be told whether there was one.
    Empty,
    /// No authorizer.
    Nothing,
}

/// Holds an event against the configuration.
pub(super) fn received<'e>(
    stage: &ApiStage,
    format: PayloadFormat,
    extensions: &'e Extensions,
) -> Result<Received<'e>, Rejection> {
    let foreign = |detail: &'static str| Rejection::with_detail(RejectionKind::ForeignEvent, detail);

    let context =
        extensions.get::<RequestContext>().ok_or_else(|| foreign("there is no event of a gateway"))?;
    let (kind, api_id, stage_name, told) = match (context, stage.kind(), format) {
        (RequestContext::ApiGatewayV1(context), ApiKind::Rest, _) => {
            (EventKind::RestRequest, &context.apiid, &context.stage, Ok(flat(&context.authorizer)))
        }
        (RequestContext::ApiGatewayV1(context), ApiKind::Http, PayloadFormat::V1) => {
            (EventKind::HttpRequestV1, &context.apiid, &context.stage, Ok(flat(&context.authorizer)))
        }
        (RequestContext::ApiGatewayV2(context), ApiKind::Http, PayloadFormat::V2) => {
            let told = nested(context.authorizer.as_ref());
            (EventKind::HttpRequestV2, &context.apiid, &context.stage, told)
        }
        (RequestContext::WebSocket(context), ApiKind::WebSocket, _) => {
            (EventKind::WebSocketConnect, &context.apiid, &context.stage, Ok(flat(&context.authorizer)))
        }
        _ => return Err(foreign("the event is of another kind")),
    };
    if api_id.as_deref() != Some(stage.arn().api_id()) {
        return Err(foreign("the event is of another API"));
    }
    if stage_name.as_deref() != Some(stage.arn().stage()) {
        return Err(foreign("the event is of another stage"));
    }
    Ok(Received { kind, told: told?, can_expire: !ends_connection(context) })
}

fn ends_connection(context: &RequestContext) -> bool {
    match context {
        RequestContext::WebSocket(context) => context.event_type.as_deref() == Some("DISCONNECT"),
        _ => false,
    }
}

/// Everything side by side: REST and WebSocket APIs, and format 1.0.
fn flat(authorizer: &ApiGatewayRequestAuthorizer) -> Told<'_> {
    // Without an authorizer, format 1.0 has both of them, as null.
    let means_nothing = |name: &str, value: &Value| value.is_null() && matches!(name, CLAIMS | SCOPES);
    // A Lambda authorizer's context may have something of that name, too. It never stands alone: what the gateway, or a
    // function of this crate, adds stands beside it.
    let is_alone = || authorizer.fields.keys().all(|name| matches!(&**name, CLAIMS | SCOPES));
    if let Some(Value::Object(claims)) = authorizer.fields.get(CLAIMS)
        && is_alone()
    {
        return Told::Claims(claims.iter().map(|(name, value)| (&**name, value)).collect());
    }
    let fields: Vec<_> = authorizer
        .fields
        .iter()
        .map(|(name, value)| (&**name, value))
        .filter(|(name, value)| !means_nothing(name, value))
        .collect();
    if fields.is_empty() { Told::Nothing } else { Told::Context(fields) }
}

/// One object of them for each kind of authorizer: format 2.0.
fn nested(authorizer: Option<&ApiGatewayRequestAuthorizer>) -> Result<Told<'_>, Rejection> {
    let refused = |detail: &'static str| Rejection::with_detail(RejectionKind::MissingAuthorizer, detail);
    let Some(authorizer) = authorizer else { return Ok(Told::Nothing) };
    match (&authorizer.iam, &authorizer.jwt) {
        (Some(_), _) => Err(refused("an IAM authorizer says nothing that is read here")),
        (None, Some(_)) if !authorizer.fields.is_empty() => Err(refused("two authorizers have answered")),
        (None, Some(jwt)) => Ok(Told::ClaimsAsText(&jwt.claims)),
        (None, None) if authorizer.fields.is_empty() => Ok(Told::Empty),
        (None, None) => {
            let fields = authorizer.fields.iter().map(|(name, value)| (&**name, value));
            Ok(Told::Context(fields.collect()))
        }
    }
}
