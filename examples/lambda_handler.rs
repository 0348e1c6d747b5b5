//! The service of `users_api` in Lambda: the same router with the same handlers. There a layer asks the authorizer;
//! here API Gateway has asked it, and another layer reads what it said.
//!
//! It needs to know which stage it stands behind, and lets nothing through that comes from elsewhere: `API_ID`,
//! `API_STAGE` and `API_ACCOUNT`; `AWS_REGION` is there anyway. Its database is a file of one execution environment,
//! which is enough for an example.
//!
//! Build it with `cargo lambda build --release --features lambda-http --example lambda_handler`; `docs/LAMBDA.md` says
//! what to do with it then.

use std::{env, path::PathBuf};

use tower::Layer;
use tower_lambda_authorizer::ApiStage;
use tower_lambda_authorizer::lambda::GatewayContextLayer;

#[path = "users_api/service.rs"]
mod service;
#[path = "users_api/store.rs"]
mod store;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let stage = ApiStage::rest(
        &setting("AWS_REGION")?,
        &setting("API_ACCOUNT")?,
        &setting("API_ID")?,
        &setting("API_STAGE")?,
    )?;
    let layer = GatewayContextLayer::builder(stage).build()?;
    let database = env::var_os("DATABASE").map_or_else(|| env::temp_dir().join("users.redb"), PathBuf::from);
    let users = store::Users::open(&database)?;
    lambda_http::run(layer.layer(service::router(users))).await
}

fn setting(name: &str) -> Result<String, Failure> {
    env::var(name).map_err(|_| format!("{name} is not set: it says which stage this stands behind").into())
}
