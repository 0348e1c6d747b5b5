//! Rolling out a new policy: first it only watches, and says what it would change.
//!
//! ```console
//! $ cargo run --example shadow
//! listening on http://127.0.0.1:3000
//! ```
//!
//! The new policy lets members delete their own articles and keeps them out of drafts. For now the old one decides:
//!
//! ```console
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer me' http://127.0.0.1:3000/articles/1
//! article 1 200
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer me' -X DELETE http://127.0.0.1:3000/articles/1
//! {"Message":"User is not authorized to access this resource"} 403
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer me' http://127.0.0.1:3000/articles/draft-1
//! article draft-1 200
//! $ curl -s -w ' %{http_code}\n' http://127.0.0.1:3000/articles/1
//! {"message":"Unauthorized"} 401
//! ```
//!
//! Meanwhile the terminal of the service says
//!
//! ```text
//! newly allowed: DELETE /articles/1 was refused with 403: no statement of the policy allows the request; the candidate has it allowed as `me` by statement 1
//! newly denied: GET /articles/draft-1 was allowed as `me` by statement 0; the candidate has it refused with 403: the policy denies the request (statement 2)
//! ```
//!
//! and this counts:
//!
//! ```console
//! $ curl -s http://127.0.0.1:3000/shadow
//! agreed 2, newly allowed 1, newly denied 1, failed 0, skipped 0
//! ```
//!
//! Once that is what was meant, the new policy decides for a tenth of the callers, then for all. Never nobody decides:
//!
//! ```console
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer me' -H 'x-group: 1' -X DELETE http://127.0.0.1:3000/articles/1
//! {"Message":"User is not authorized to access this resource"} 403
//! $ curl -s -w ' %{http_code}\n' -H 'authorization: Bearer me' -H 'x-group: 4' -X DELETE http://127.0.0.1:3000/articles/1
//! article 1 200
//! ```

use axum::http::{HeaderName, Method};
use axum::{Router, extract::Path, routing::any, routing::get};
use tower_lambda_authorizer::authorizer::map_response;
use tower_lambda_authorizer::middleware::Shadow;
use tower_lambda_authorizer::policy::{AnyMethod, StageArn};
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
    axum::protect, cache::MemoryCache,
};

async fn members(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let Some("me") = event.bearer_token() else { return Err(AuthorizerError::unauthorized()) };
    Ok(AuthorizerResponse::new("me", event.policy().allow(Method::GET, "/articles/*").build()?)?)
}

/// The same members, under another policy.
fn next(stage: &StageArn, response: AuthorizerResponse) -> Result<AuthorizerResponse, AuthorizerError> {
    let policy = stage.policy().allow(Method::GET, "/articles/*").allow(Method::DELETE, "/articles/*");
    Ok(response.with_policy(policy.deny(AnyMethod, "/articles/draft*").build()?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
    let (next_stage, arn) = (stage.clone(), stage.arn().clone());
    // Each time a layer of its own, with its own cache and limits: what watches takes nothing from what decides.
    let candidate = || {
        let arn = arn.clone();
        let authorizer = map_response(authorizer_fn(members), move |response| next(&arn, response));
        AuthorizerLayer::token(authorizer, next_stage.clone()).with_cache(MemoryCache::default()).build()
    };

    let shadow = Shadow::new(candidate()?).on_disagreement(|disagreement| eprintln!("{disagreement}"));
    let group = HeaderName::from_static("x-group");
    let layer = AuthorizerLayer::token(authorizer_fn(members), stage)
        .with_cache(MemoryCache::default())
        .build()?
        .with_shadow(shadow.clone())?
        // The share goes by a header here, so that it can be tried out; by the token it would go by the caller.
        .with_alternative(candidate()?, move |head| head.falls_within(10, &group))?;

    let articles =
        Router::new().route("/articles/{id}", any(async |Path(id): Path<String>| format!("article {id}")));
    let statistics = async move || {
        let found = shadow.statistics();
        let (agreed, failed, skipped) = (found.agreed, found.candidate_failed, found.skipped);
        let (allowed, denied) = (found.newly_allowed, found.newly_denied);
        format!(
            "agreed {agreed}, newly allowed {allowed}, newly denied {denied}, failed {failed}, skipped {skipped}\n"
        )
    };
    let service = Router::new().route("/shadow", get(statistics)).fallback_service(protect(articles, layer));

    let port = std::env::var("PORT").unwrap_or("3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service).await?;
    Ok(())
}
