//! One API in its three parts, for the end-to-end drivers: `ROLE` says which part this process is, `API` which API.
//!
//! - `authorizer`: a Lambda function that a gateway asks.
//! - `handler`: a Lambda function behind that gateway.
//! - `service`: both, self-hosted. The gateway's part is the layer's.

use std::env;

use axum::extract::{Path, Request};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderName, Method};
use serde_json::{Value, json};
use tower::Layer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::contract::{ContextValue, PayloadFormat};
use tower_lambda_authorizer::lambda::{AuthorizerFunction, GatewayContextLayer};
use tower_lambda_authorizer::policy::{AnyMethod, PolicyDocument};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerContext, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    Principal, authorizer_fn,
};

#[path = "../../examples/users_api/authorizer.rs"]
mod users_authorizer;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The token decides what is answered.
async fn authorize(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let token = event.token().unwrap_or_default();
    if setting("API").is_ok_and(|api| api == "simple") && matches!(token, "allow" | "deny") {
        return Ok(AuthorizerResponse::simple(token == "allow").with_context("plan", "free"));
    }
    let policy = match token {
        "allow" | "list" | "stolen" => event.policy().allow(Method::GET, "/things/*").build()?,
        "deny" => event.policy().allow(AnyMethod, "/*").deny(Method::GET, "/things/*").build()?,
        "nothing" => PolicyDocument::from_json(r#"{"Version":"2012-10-17","Statement":[]}"#)?,
        "echo" => {
            let statement = json!({
                "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event.arn().to_string()
            });
            let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
            PolicyDocument::from_json(&policy.to_string())?
        }
        "unauthorized" => return Err(AuthorizerError::unauthorized()),
        "panic" => panic!("an authorizer panics"),
        _ => return Err(AuthorizerError::failure("the database at db.internal is down")),
    };
    let response = AuthorizerResponse::new("me@example.com", policy)?
        .with_context("text", "Zoë \"quoted\"")
        .with_context("number", 12)
        .with_context("flag", true);
    Ok(match token {
        "list" => response.with_context("list", ContextValue::from(vec!["a", "b"])),
        "stolen" => response.with_context("principalId", "you"),
        _ => response,
    })
}

/// Tells what it reads. `AuthorizerContext` has the same getters wherever it comes from.
async fn tell(
    principal: Option<Principal>,
    context: AuthorizerContext,
    thing: Option<Path<String>>,
    request: Request,
) -> Json<Value> {
    Json(json!({
        "principal": principal.as_ref().map(Principal::id),
        "text": context.get_str("text"),
        "number": context.get_i64("number"),
        "flag": context.get_bool("flag"),
        "plan": context.get_str("plan"),
        "list": context.get("list").map(Value::from),
        "names": context.values().len(),
        "thing": thing.map(|Path(thing)| thing),
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "query": request.uri().query(),
    }))
}

fn router() -> Router {
    Router::new().route("/things/{thing}", get(tell).post(tell)).fallback(tell)
}

fn setting(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set"))
}

fn stage(api: &str) -> Result<ApiStage, Failure> {
    let (region, account, id) = (setting("API_REGION")?, setting("API_ACCOUNT")?, setting("API_ID")?);
    Ok(match api {
        "token" | "rest" => ApiStage::rest(&region, &account, &id, "prod")?,
        _ => ApiStage::http(&region, &account, &id, "$default")?,
    })
}

async fn serve(api: &str) -> Result<(), Failure> {
    let (authorizer, stage) = (authorizer_fn(authorize), stage(api)?);
    let token = [IdentitySource::header(HeaderName::from_static("authorization"))];
    let layer = match api {
        "token" => AuthorizerLayer::token(authorizer, stage),
        _ => AuthorizerLayer::request(authorizer, stage).with_identity_sources(token),
    };
    let layer = match api {
        "http1" => layer.with_payload_format(PayloadFormat::V1),
        "simple" => layer.with_simple_responses(),
        _ => layer,
    };
    let layer = if api == "simple" { layer } else { layer.with_cache(MemoryCache::default()) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, protect(router(), layer.build()?)).await?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let api = setting("API")?;
    match &*setting("ROLE")? {
        "authorizer" if api == "users" => {
            AuthorizerFunction::new(authorizer_fn(users_authorizer::authorize)).run().await
        }
        "authorizer" if api == "simple" => {
            AuthorizerFunction::new(authorizer_fn(authorize)).with_simple_responses().run().await
        }
        "authorizer" => AuthorizerFunction::new(authorizer_fn(authorize)).run().await,
        "handler" => {
            let layer = GatewayContextLayer::builder(stage(&api)?);
            let layer = if api == "simple" { layer.without_principal() } else { layer };
            lambda_http::run(layer.build()?.layer(router())).await
        }
        "service" => serve(&api).await,
        other => Err(format!("ROLE is `{other}`: authorizer, handler or service").into()),
    }
}
