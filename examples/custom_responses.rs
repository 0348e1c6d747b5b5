//! Refusals in the service's own format (RFC 9457, `application/problem+json`), and CORS around all of it.
//!
//! ```console
//! $ cargo run --example custom_responses
//! listening on http://127.0.0.1:3000
//! ```
//!
//! A browser asks for permission first, and has no token yet; the CORS layer outside answers:
//!
//! ```console
//! $ curl -s -o /dev/null -w '%{http_code} %header{access-control-allow-origin} %header{access-control-allow-headers}\n' \
//!     -X OPTIONS -H 'origin: https://app.example' -H 'access-control-request-method: GET' \
//!     -H 'access-control-request-headers: authorization' http://127.0.0.1:3000/orders/1
//! 200 https://app.example authorization
//! $ curl -s -w '\n%{http_code} %header{content-type} %header{access-control-allow-origin}\n' \
//!     -H 'origin: https://app.example' http://127.0.0.1:3000/orders/1
//! {"detail":"send a token: `Authorization: Bearer …`","status":401,"title":"Unauthorized","type":"about:blank"}
//! 401 application/problem+json https://app.example
//! $ curl -s -w '\n%{http_code} %header{content-type} %header{access-control-allow-origin}\n' \
//!     -H 'origin: https://app.example' -H 'authorization: Bearer open sesame' http://127.0.0.1:3000/invoices/1
//! {"detail":"ask an administrator for access to /invoices/1","status":403,"title":"Forbidden","type":"about:blank"}
//! 403 application/problem+json https://app.example
//! $ curl -s -w '\n%{http_code} %header{access-control-allow-origin}\n' \
//!     -H 'origin: https://app.example' -H 'authorization: Bearer open sesame' http://127.0.0.1:3000/orders/1
//! order 1 of ali-baba
//! 200 https://app.example
//! ```

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::{Router, extract::Path, routing::get};
use tower_http::cors::CorsLayer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::contract::Challenge;
use tower_lambda_authorizer::middleware::{RefusedRequest, Rejection, ResponseForRejection};
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

/// Makes a problem of every refusal. It cannot lift one: whatever it returns, the handler was not called.
#[derive(Clone)]
struct Problems;

impl ResponseForRejection<Body> for Problems {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<Body> {
        problem(rejection, "the request was refused")
    }

    fn response_for_request(&self, rejection: &Rejection, request: &RefusedRequest<'_>) -> Response<Body> {
        // What went wrong inside is for the log, under the id that the client is not told here.
        let detail = match rejection.status() {
            StatusCode::UNAUTHORIZED => "send a token: `Authorization: Bearer …`".to_owned(),
            StatusCode::FORBIDDEN => format!("ask an administrator for access to {}", request.uri().path()),
            StatusCode::INTERNAL_SERVER_ERROR => {
                eprintln!("error: request {}: {rejection}", rejection.request_id());
                "try again later".to_owned()
            }
            _ => rejection.to_string(),
        };
        problem(rejection, &detail)
    }
}

fn problem(rejection: &Rejection, detail: &str) -> Response<Body> {
    let status = rejection.status();
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A strategy of one's own has the whole response to itself, so this is part of it.
    if let Some(challenge) = rejection.challenge() {
        headers.insert(header::WWW_AUTHENTICATE, challenge.as_header_value().clone());
    }
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authorizer = authorizer_fn(async |event| match event.bearer_token() {
        Some("open sesame") => {
            let policy = event.policy().allow(Method::GET, "/orders/*").build()?;
            Ok(AuthorizerResponse::new("ali-baba", policy)?)
        }
        _ => Err(AuthorizerError::unauthorized()),
    });
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    let authorizer = authorizer.with_challenge(Challenge::bearer());
    let layer = AuthorizerLayer::token(authorizer, stage).with_rejection_response(Problems).build()?;

    let router = Router::new().route("/orders/{id}", get(order)).route("/invoices/{id}", get(order));
    let cors = CorsLayer::new()
        .allow_origin(HeaderValue::from_static("https://app.example"))
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION]);
    let service = protect(router, layer).layer(cors);

    let port = std::env::var("PORT").unwrap_or("3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service).await?;
    Ok(())
}

async fn order(principal: Principal, Path(id): Path<u32>) -> String {
    format!("order {id} of {}", principal.id())
}
