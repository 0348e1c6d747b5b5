//! The homes of one authorizer.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::IntoResponse;
use axum::{Json, Router};
use http::StatusCode;
use http_body_util::BodyExt;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::contract::{EventKind, ResponseRules};
use tower_lambda_authorizer::lambda::{AuthorizerFunction, GatewayContextLayer};
use tower_lambda_authorizer::{
    Authorizer, AuthorizerContext, AuthorizerError, AuthorizerEvent, AuthorizerResponse, Principal,
    authorizer_fn,
};

use crate::api::Api;
use crate::backend;

/// What a client sees, and whether the handler was called.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) handled: bool,
}

type Log<T> = Arc<Mutex<Vec<T>>>;

/// A handler as anybody writes it for axum: it tells what it reads.
fn router(api: &Api, handled: &Log<()>) -> Router {
    let (kind, format, handled) = (api.stage.kind(), api.format, Arc::clone(handled));
    let handler = async move |principal: Option<Principal>,
                              context: AuthorizerContext,
                              template: Option<MatchedPath>,
                              request: Request| {
        handled.lock().unwrap().push(());
        let mut context = context.to_request_context(kind, format);
        if let Some(flat) = context.as_object_mut() {
            flat.remove("integrationLatency");
        }
        Json(json!({
            "principal": principal.as_ref().map(Principal::id),
            "context": context,
            "method": request.method().as_str(),
            "path": request.uri().path(),
            // `lambda_http` writes the query anew.
            "query": request.uri().query().map(|query| query.replace("%20", "+")),
            "template": template.as_ref().map(MatchedPath::as_str),
        }))
        .into_response()
    };
    let any = axum::routing::any(handler.clone());
    Router::new()
        .route("/", any.clone())
        .route("/users/{id}", any.clone())
        .route("/users/{id}/files/{*path}", any)
        .fallback(handler)
}

async fn seen(response: http::Response<Body>, handled: &Log<()>) -> Seen {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let calls = std::mem::take(&mut *handled.lock().unwrap()).len();
    assert!(calls <= 1);
    Seen { status, body, handled: calls == 1 }
}

/// A layer around the router, asked as often as said; all answers are the same.
async fn in_layer(api: &Api, authorizer: impl Authorizer, request: &http::Request<()>, times: usize) -> Seen {
    let handled = Log::default();
    let service = protect(router(api, &handled), api.layer(authorizer));
    let mut first = None;
    for _ in 0..times {
        let response = service.clone().oneshot(request.clone().map(|()| Body::empty())).await;
        let seen = seen(response.unwrap(), &handled).await;
        assert_eq!(*first.get_or_insert(seen.clone()), seen, "asked once more");
    }
    first.unwrap()
}

pub(crate) async fn self_hosted(
    api: &Api,
    authorizer: impl Authorizer,
    request: &http::Request<()>,
) -> (Seen, Option<String>) {
    let events: Log<String> = Log::default();
    let (authorizer, log) = (Arc::new(authorizer), Arc::clone(&events));
    let noting = authorizer_fn(move |event: AuthorizerEvent| {
        log.lock().unwrap().push(serde_json::to_string(&event).unwrap());
        let authorizer = Arc::clone(&authorizer);
        async move { authorizer.authorize(event).await }
    });
    let seen = in_layer(api, noting, request, if api.cached { 3 } else { 1 }).await;
    let events = events.lock().unwrap();
    assert!(events.len() <= 1 || !api.cached || seen.status.is_server_error() || seen.status == 401);
    (seen, events.first().cloned())
}

/// Events and answers are printed and read again on their way, as if there were a wire.
pub(crate) async fn over_json(api: &Api, authorizer: impl Authorizer, request: &http::Request<()>) -> Seen {
    let (authorizer, rules) = (Arc::new(authorizer), api.rules());
    let printing = authorizer_fn(move |event: AuthorizerEvent| {
        let authorizer = Arc::clone(&authorizer);
        async move {
            let event = serde_json::to_string(&event).map_err(AuthorizerError::failure)?;
            let event = AuthorizerEvent::from_json(&event).map_err(AuthorizerError::failure)?;
            let answer = authorizer.authorize(event).await?.to_json();
            Ok(AuthorizerResponse::from_json(answer, &rules)?)
        }
    });
    in_layer(api, printing, request, 1).await
}

/// A function that is invoked with the event that the layer has made, and a gateway that acts upon what it reports.
pub(crate) async fn in_function(
    api: &Api,
    authorizer: impl Authorizer,
    request: &http::Request<()>,
) -> (Seen, Option<Value>) {
    let mut function = AuthorizerFunction::new(authorizer).with_clock(api.clock.clone());
    if api.simple {
        function = function.with_simple_responses();
    }
    let answers: Log<Value> = Log::default();
    let (log, rules) = (Arc::clone(&answers), api.rules());
    let gateway = authorizer_fn(move |event: AuthorizerEvent| {
        let (mut function, log) = (function.clone(), Arc::clone(&log));
        async move {
            let event = RawValue::from_string(serde_json::to_string(&event).unwrap()).unwrap();
            let invocation = LambdaEvent::new(event, Context::default());
            let answer = function.ready().await.unwrap().call(invocation).await;
            // All that a gateway hears of an error.
            let answer = answer.map_err(|error| {
                AuthorizerError::failure(lambda_runtime::Diagnostic::from(error).error_message)
            })?;
            let mut answer: Value = serde_json::from_str(answer.get()).unwrap();
            log.lock().unwrap().push(answer.clone());
            // To a gateway it is a name like any other.
            if let Some(context) = answer["context"].as_object_mut() {
                context.remove("authorizerExpiresAt");
            }
            Ok(AuthorizerResponse::from_json(answer.to_string(), &rules)?)
        }
    });
    let seen = in_layer(api, gateway, request, 1).await;
    let answer = answers.lock().unwrap().pop();
    (seen, answer)
}

/// The same router in Lambda, behind a gateway whose authorizer gave that answer.
pub(crate) async fn behind_gateway(api: &Api, request: &http::Request<()>, answer: &Value) -> Seen {
    let handled = Log::default();
    let mut layer = GatewayContextLayer::builder(api.stage.clone()).with_clock(api.clock.clone());
    if api.kind == EventKind::HttpRequestV1 {
        layer = layer.with_payload_format(api.format);
    }
    if api.allows_encoded_slash {
        layer = layer.allow_encoded_slash();
    }
    if answer.get("principalId").is_none() {
        layer = layer.without_principal();
    }
    let told = backend::authorizer(api.stage.kind(), api.format, answer);
    let request = api.as_the_event_has_it(request);
    let event = backend::event(&api.stage, api.format, &request, Some(told));
    let service = layer.build().unwrap().layer(router(api, &handled));
    seen(service.oneshot(backend::read(&event)).await.unwrap(), &handled).await
}

impl Api {
    pub(crate) fn rules(&self) -> ResponseRules {
        match self.kind {
            EventKind::HttpRequestV2 if self.simple => ResponseRules::http_simple(),
            EventKind::HttpRequestV1 | EventKind::HttpRequestV2 => ResponseRules::http(self.format),
            EventKind::WebSocketConnect => ResponseRules::websocket(),
            _ => ResponseRules::rest(),
        }
    }
}
