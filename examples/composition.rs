//! Several authorizers: a token or a key, readers without either, and a second factor for administrators.
//!
//! ```console
//! $ cargo run --example composition
//! listening on http://127.0.0.1:3000
//! ```
//!
//! People have tokens, machines have keys, and everybody may read:
//!
//! ```console
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer ali-baba' -X PUT http://127.0.0.1:3000/articles/1
//! PUT by ali-baba 200
//! $ curl -s -w ' %{http_code}\n' -H 'x-api-key: feed' -X PUT http://127.0.0.1:3000/articles/1
//! PUT by machine feed 200
//! $ curl -s -w ' %{http_code}\n' http://127.0.0.1:3000/articles/1
//! GET by anonymous 200
//! $ curl -s -w ' %{http_code}\n' -X PUT http://127.0.0.1:3000/articles/1
//! {"Message":"User is not authorized to access this resource"} 403
//! ```
//!
//! A bad token is refused. It is neither overlooked for the sake of a good key, nor is its owner anonymous:
//!
//! ```console
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer nobody' -H 'x-api-key: feed' http://127.0.0.1:3000/articles/1
//! {"message":"Unauthorized"} 401
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Basic eDp5' http://127.0.0.1:3000/articles/1
//! {"message":"Unauthorized"} 401
//! ```
//!
//! Administrators show a code besides; both authorizers have to allow:
//!
//! ```console
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer ali-baba' http://127.0.0.1:3000/admin/users
//! {"message":"Unauthorized"} 401
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer ali-baba' -H 'x-code: 1234' http://127.0.0.1:3000/admin/users
//! GET by an administrator 200
//! $ curl -s -w ' %{http_code}\n' -H 'x-code: 1234' http://127.0.0.1:3000/admin/users
//! {"Message":"User is not authorized to access this resource"} 403
//! ```

use axum::http::{HeaderName, Method, header};
use axum::{Router, routing::any};
use tower_lambda_authorizer::authorizer::{Credential, any_of, map_response};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, Principal,
    authorizer_fn, axum::protect, cache::MemoryCache, policy::AnyMethod,
};

type Answer = Result<AuthorizerResponse, AuthorizerError>;

async fn people(event: AuthorizerEvent) -> Answer {
    let Some("ali-baba") = event.bearer_token() else { return Err(AuthorizerError::unauthorized()) };
    let policy = event.policy().allow(AnyMethod, "/articles/*").allow(AnyMethod, "/admin/*").build()?;
    Ok(AuthorizerResponse::new("ali-baba", policy)?)
}

async fn machines(event: AuthorizerEvent) -> Answer {
    let Some("feed") = event.header("x-api-key") else { return Err(AuthorizerError::unauthorized()) };
    let policy = event.policy().allow(Method::PUT, "/articles/*").build()?;
    Ok(AuthorizerResponse::new("machine feed", policy)?)
}

async fn everybody(event: AuthorizerEvent) -> Answer {
    let policy = event.policy().allow(Method::GET, "/articles/*").build()?;
    Ok(AuthorizerResponse::new("anonymous", policy)?)
}

async fn codes(event: AuthorizerEvent) -> Answer {
    let Some("1234") = event.header("x-code") else { return Err(AuthorizerError::unauthorized()) };
    let policy = event.policy().allow(AnyMethod, "/admin/*").build()?;
    Ok(AuthorizerResponse::new("an administrator", policy)?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    let [key, code] = ["x-api-key", "x-code"].map(HeaderName::from_static);

    let callers = any_of()
        .member(Credential::bearer(), authorizer_fn(people))
        .member(Credential::header(&key), authorizer_fn(machines))
        .or_anonymous(authorizer_fn(everybody))
        .build()?;
    let callers = map_response(callers, |response| Ok(response.with_context("service", "articles")));
    let callers = AuthorizerLayer::request(callers, stage.clone())
        // All that the members look at. Without it they would be answered from each other's cached answers, so the
        // layer would not build.
        .with_identity_sources([IdentitySource::header(header::AUTHORIZATION), IdentitySource::header(key)])
        .accept_missing_identity()
        .with_cache(MemoryCache::default())
        .build()?;
    let administrators = AuthorizerLayer::request(authorizer_fn(codes), stage)
        .with_identity_sources([IdentitySource::header(code)])
        .require_identity()
        .build()?;

    // Inside of `protect`, a further layer can only refuse more. Handlers read the answer of the innermost.
    let router = Router::new()
        .route("/admin/{*rest}", any(handler))
        .route_layer(administrators)
        .route("/articles/{id}", any(handler));

    let port = std::env::var("PORT").unwrap_or("3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, protect(router, callers)).await?;
    Ok(())
}

async fn handler(method: Method, principal: Principal) -> String {
    format!("{method} by {}", principal.id())
}
