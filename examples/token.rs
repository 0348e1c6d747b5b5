//! The smallest authorizer of type `TOKEN`: one token, one principal, one corner of the service.
//!
//! ```console
//! $ cargo run --example token
//! listening on http://127.0.0.1:3000
//! $ curl -H 'authorization: Bearer open sesame' http://127.0.0.1:3000/cave/gold
//! ali-baba finds gold
//! ```

use axum::{Router, extract::Path, routing::get};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerLayer, AuthorizerResponse, Principal, authorizer_fn,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authorizer = authorizer_fn(async |event| match event.bearer_token() {
        Some("open sesame") => {
            let policy = event.policy().allow(AnyMethod, "/cave/*").build()?;
            Ok(AuthorizerResponse::new("ali-baba", policy)?)
        }
        _ => Err(AuthorizerError::unauthorized()),
    });
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    let layer = AuthorizerLayer::token(authorizer, stage).build()?;

    let router = Router::new().route("/cave/{thing}", get(find));
    let port = std::env::var("PORT").unwrap_or("3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, protect(router, layer)).await?;
    Ok(())
}

async fn find(principal: Principal, Path(thing): Path<String>) -> String {
    format!("{} finds {thing}", principal.id())
}
