//! A service behind a Cognito user pool: who one is for everybody, orders for those with a scope, all for admins.
//!
//! With `--play` it plays the pool itself: it serves keys on a port of its own and prints tokens as lines for a shell, one
//! of an admin among them. The key behind them is published, so that is for trying it out, and for nothing else. Paste
//! them, and then:
//!
//! ```console
//! $ cargo run --example cognito --features jwks-http,testing -- --play
//! $ curl -H "authorization: Bearer $ALICE" http://127.0.0.1:3000/me
//! alice, known as aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
//! $ curl -H "authorization: Bearer $ALICE" http://127.0.0.1:3000/orders/7
//! order 7
//! $ curl -X DELETE -H "authorization: Bearer $ALICE" http://127.0.0.1:3000/orders/7
//! {"Message":"User is not authorized to access this resource"}
//! $ curl -X DELETE -H "authorization: Bearer $ADMIN" http://127.0.0.1:3000/orders/7
//! order 7 is cancelled
//! $ curl -H "authorization: Bearer $ID_TOKEN" http://127.0.0.1:3000/me
//! {"message":"Unauthorized"}
//! $ curl -w '%header{www-authenticate}\n' -H "authorization: Bearer $EXPIRED" http://127.0.0.1:3000/me
//! {"message":"Unauthorized"}Bearer error="invalid_token", error_description="the token has expired"
//! ```
//!
//! `COGNITO_USER_POOL=eu-west-1_AbCdEfGhI/7abcdefghijklmnopqrstuvwxy` has it trust a real pool, for that app client. Its
//! tokens are what `aws cognito-idp initiate-auth` calls `AccessToken`. `PORT` is for another port.

use std::env;
use std::error::Error;

use axum::{Router, extract::Path, routing::get};
use http::Method;
use serde_json::json;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::SystemClock;
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::{HttpJwks, JwtAuthorizer, Rule};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::testing::{FakeIssuer, TestKey, cognito_access_claims, cognito_id_claims, jwks};
use tower_lambda_authorizer::{ApiStage, AuthorizerContext, AuthorizerLayer, Principal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut played = None;
    let (pool, keys) = match (env::var("COGNITO_USER_POOL"), env::args().nth(1).as_deref()) {
        (Ok(name), None) => real_pool(&name)?,
        (Err(env::VarError::NotPresent), Some("--play")) => played_pool(played.insert(FakeIssuer::start()?))?,
        _ => {
            return Err("name a pool in COGNITO_USER_POOL, or give the argument `--play`: one of them".into());
        }
    };
    // Better now than with the first request: whoever mistyped the pool hears of it here.
    keys.ready().await?;

    let authorizer = JwtAuthorizer::builder()
        .with_issuer(pool.issuer(keys))
        .with_rule(Rule::everyone().allow(Method::GET, "/me"))
        .with_rule(Rule::scope("orders/read").allow(Method::GET, "/orders/*"))
        .with_rule(Rule::group("admins").allow(AnyMethod, "/*"))
        .with_context_claims(["username"])
        .build()?;
    let stage = ApiStage::rest("eu-west-1", "123456789012", "abcdef123", "prod")?;
    let layer = AuthorizerLayer::token(authorizer, stage).with_cache(MemoryCache::default()).build()?;

    let router = Router::new().route("/me", get(me)).route("/orders/{id}", get(order).delete(cancel));
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, protect(router, layer)).await?;
    Ok(())
}

async fn me(principal: Principal, context: AuthorizerContext) -> String {
    let name = context.get_str("username").unwrap_or_default();
    format!("{name}, known as {}\n", principal.id())
}

async fn order(Path(id): Path<String>) -> String {
    format!("order {id}\n")
}

async fn cancel(Path(id): Path<String>) -> String {
    format!("order {id} is cancelled\n")
}

fn real_pool(name: &str) -> Result<(UserPool, HttpJwks), Box<dyn Error>> {
    const EXPECTED: &str = "COGNITO_USER_POOL: expected a pool's id, `/`, and the id of an app client";
    let (pool, client) = name.split_once('/').ok_or(EXPECTED)?;
    let (region, _) = pool.split_once('_').ok_or(EXPECTED)?;
    let pool = UserPool::new(region, pool)?.with_client_id(client);
    let keys = pool.http_jwks().build()?;
    Ok((pool, keys))
}

fn played_pool(issuer: &FakeIssuer) -> Result<(UserPool, HttpJwks), Box<dyn Error>> {
    const POOL: &str = "eu-west-1_AbCdEfGhI";
    const CLIENT: &str = "7abcdefghijklmnopqrstuvwxy";
    let key = TestKey::rs256("key-1");
    issuer.set_keys(jwks([&key]));

    let mut alice = cognito_access_claims(POOL, CLIENT, &SystemClock::default());
    alice["scope"] = "orders/read".into();
    let mut admin = alice.clone();
    admin["username"] = "bob".into();
    admin["cognito:groups"] = json!(["admins"]);
    let mut expired = alice.clone();
    expired["exp"] = 1_767_225_600.into();
    let id_token = cognito_id_claims(POOL, CLIENT, &SystemClock::default());
    let tokens = [("ALICE", alice), ("ADMIN", admin), ("EXPIRED", expired), ("ID_TOKEN", id_token)];
    for (name, claims) in tokens {
        println!("{name}={}", key.token(&claims));
    }
    Ok((UserPool::new("eu-west-1", POOL)?.with_client_id(CLIENT), HttpJwks::new(issuer.jwks_url()).build()?))
}
