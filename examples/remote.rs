//! An authorizer function that exists already, in front of an axum router.
//!
//! The function answers to `POST {FUNCTION_ENDPOINT}/2015-03-31/functions/{FUNCTION_NAME}/invocations`, as functions do
//! in local runtimes. The one of the end-to-end tests is written in JavaScript and comes with such a runtime:
//!
//! ```console
//! $ node tests/e2e/node_authorizer/serve.js 9000 &
//! $ FUNCTION_ENDPOINT=http://127.0.0.1:9000 FUNCTION_NAME=orders-authorizer \
//!       cargo run --example remote --features remote
//! listening on http://127.0.0.1:3000
//! ```
//!
//! Then, from elsewhere:
//!
//! ```console
//! $ curl http://127.0.0.1:3000/orders/7 -H 'authorization: allow'
//! order 7 for user|a1b2c3d4, who is 12 years old
//! $ curl http://127.0.0.1:3000/orders/7 -H 'authorization: deny'
//! {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}
//! $ curl http://127.0.0.1:3000/orders/7 -H 'authorization: unauthorized'
//! {"message":"Unauthorized"}
//! $ curl http://127.0.0.1:3000/orders/7 -H 'authorization: anything else'
//! {"message":null}
//! ```

use std::env;
use std::error::Error;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::remote::RemoteAuthorizer;
use tower_lambda_authorizer::{ApiStage, AuthorizerContext, AuthorizerLayer, Principal};

/// The layer in front of the function. What it asked once it does not ask again for five minutes.
fn authorizer_layer() -> Result<AuthorizerLayer, Box<dyn Error>> {
    let endpoint = env::var("FUNCTION_ENDPOINT")
        .map_err(|_| "set FUNCTION_ENDPOINT to where functions are invoked, such as http://127.0.0.1:9000")?;
    let function = env::var("FUNCTION_NAME").unwrap_or_else(|_| "orders-authorizer".to_owned());
    let authorizer = RemoteAuthorizer::http(endpoint, function).build()?;
    let stage = ApiStage::rest("eu-west-1", "123456789012", "abcdef123", "prod")?;
    Ok(AuthorizerLayer::token(authorizer, stage).with_cache(MemoryCache::default()).build()?)
}

async fn show(principal: Principal, context: AuthorizerContext, Path(order): Path<String>) -> String {
    let age = context.get_i64("numberKey").unwrap_or_default();
    format!("order {order} for {}, who is {age} years old\n", principal.id())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let router = Router::new().route("/orders/{id}", get(show).delete(show));
    let service = protect(router, authorizer_layer()?);
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned()).parse::<u16>()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
    Ok(axum::serve(listener, service).with_graceful_shutdown(stop).await?)
}
