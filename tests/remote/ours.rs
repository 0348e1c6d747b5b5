//! Authorizers that run as functions of this crate, asked from afar: the same answers as in a layer of their own.

#[path = "../parity/api.rs"]
#[expect(dead_code, reason = "the table of all homes uses the rest")]
mod api;
#[path = "../parity/authorizers.rs"]
mod authorizers;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use http::Request;
use http::header::{AUTHORIZATION, CONNECTION, UPGRADE};
use serde_json::json;
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::contract::EventKind;
use tower_lambda_authorizer::lambda::AuthorizerFunction;
use tower_lambda_authorizer::remote::RemoteAuthorizer;
use tower_lambda_authorizer::{Authorizer, AuthorizerEvent, authorizer_fn};

use crate::common::{Counter, counting};

const APIS: [&str; 8] = ["token", "token+cached", "rest", "http1", "http2", "simple", "simple+cached", "ws"];

const AUTHORIZERS: [&str; 27] = [
    "all",
    "token",
    "get users",
    "echo",
    "deny",
    "nothing",
    "conditions",
    "scalars",
    "nested",
    "repeats itself",
    "long id",
    "usage key",
    "short",
    "ageless",
    "for ever",
    "nobody",
    "nobody at all",
    "yes",
    "yes, with context",
    "no",
    "unauthorized",
    "Unauthorized",
    "Unauthorized: expired",
    "failure",
    "panic",
    "steals the principal",
    "steals the expiry",
];

/// A function behind the Invoke API.
async fn invoke(
    State(function): State<AuthorizerFunction>,
    event: String,
) -> (StatusCode, HeaderMap, String) {
    let mut headers = HeaderMap::new();
    let body = match function.invoke(&event).await {
        Ok(answer) => answer.get().to_owned(),
        Err(error) => {
            headers.insert("x-amz-function-error", "Unhandled".parse().unwrap());
            let error = lambda_runtime::Diagnostic::from(error);
            json!({"errorType": error.error_type, "errorMessage": error.error_message}).to_string()
        }
    };
    (StatusCode::OK, headers, body)
}

async fn remote(api: &api::Api, authorizer: impl Authorizer) -> RemoteAuthorizer {
    let mut function = AuthorizerFunction::new(authorizer).with_clock(api.clock.clone());
    if api.simple {
        function = function.with_simple_responses();
    }
    let router =
        Router::new().route("/2015-03-31/functions/orders/invocations", post(invoke)).with_state(function);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let builder = RemoteAuthorizer::http(url, "orders").with_clock(api.clock.clone());
    if api.simple { builder.with_simple_responses() } else { builder }.build().unwrap()
}

/// What a client sees, twice in a row, and how often the handler was called.
async fn seen(api: &api::Api, authorizer: impl Authorizer) -> Vec<(StatusCode, String, usize)> {
    let calls = Counter::default();
    let service = api.layer(authorizer).layer(counting(&calls));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let request = Request::get("/users/42").header(AUTHORIZATION, "Bearer open sesame");
        let request = match api.kind {
            EventKind::WebSocketConnect => request.header(CONNECTION, "upgrade").header(UPGRADE, "websocket"),
            _ => request.header("user-agent", "curl/8.5.0"),
        };
        let response = service.clone().oneshot(request.body(()).unwrap()).await.unwrap();
        seen.push((response.status(), response.into_body(), calls.count()));
    }
    seen
}

#[tokio::test]
async fn a_function_of_ours_answers_from_afar_as_it_does_at_home() {
    let (mut wrong, mut statuses) = (Vec::new(), Vec::new());
    for name in APIS {
        let api = api::Api::named(name);
        for authorizer in AUTHORIZERS {
            let asked =
                || authorizer_fn(async move |event: AuthorizerEvent| authorizers::named(authorizer, &event));
            let at_home = seen(&api, asked()).await;
            let from_afar = seen(&api, remote(&api, asked()).await).await;
            if at_home != from_afar {
                wrong.push(format!("{name}, `{authorizer}`: {at_home:?} at home, {from_afar:?} from afar"));
            }
            statuses.push(at_home[0].0.as_u16());
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 401, 403, 500]);
}
