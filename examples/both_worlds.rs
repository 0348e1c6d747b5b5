//! One authorizer in both worlds: in Lambda this program is an authorizer function for API Gateway, elsewhere it is a
//! service that asks the same authorizer itself. Nobody can tell the difference by the answers.
//!
//! ```console
//! $ cargo run --features lambda --example both_worlds
//! listening on http://127.0.0.1:3000
//! $ curl -H 'authorization: Bearer open sesame' http://127.0.0.1:3000/cave/gold
//! ali-baba finds gold
//! ```
//!
//! For Lambda, build it with `cargo lambda build --release --features lambda --example both_worlds`; `docs/LAMBDA.md`
//! says what to do with it then.

use std::time::Duration;

use axum::{Router, extract::Path, routing::get};
use http::Method;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal,
    lambda,
};

/// Who knows the word may look, but not touch.
struct Cave {
    word: String,
}

impl Authorizer for Cave {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        if event.bearer_token() != Some(&*self.word) {
            return Err(AuthorizerError::unauthorized());
        }
        let policy = event.policy().allow(Method::GET, "/cave/*").build()?;
        let response = AuthorizerResponse::new("ali-baba", policy)?.with_max_age(Duration::from_secs(60));
        Ok(response.with_context("thieves", 40))
    }
}

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let cave = Cave { word: std::env::var("WORD").unwrap_or_else(|_| "open sesame".to_owned()) };
    match std::env::var_os("AWS_LAMBDA_RUNTIME_API") {
        // With a subscriber before it, such as `lambda_runtime::tracing::init_default_subscriber()`, causes are logged.
        Some(_) => lambda::run(cave).await,
        None => serve(cave).await,
    }
}

async fn serve(cave: Cave) -> Result<(), lambda_runtime::Error> {
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    let layer = AuthorizerLayer::token(cave, stage).build()?;
    let router = Router::new().route("/cave/{thing}", get(find));
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, protect(router, layer)).await?;
    Ok(())
}

async fn find(principal: Principal, Path(thing): Path<String>) -> String {
    format!("{} finds {thing}", principal.id())
}
