//! Who is calling, and what they may do. It does not know the service; it only sees the head of a request.

use axum::http::Method;
use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent, AuthorizerResponse, policy::AnyMethod};

pub(crate) async fn authorize(event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let known = event.header("headerauth1") == Some("headerValue1")
        && event.query_parameter("QueryString1") == Some("queryValue1")
        && event.stage_variable("StageVar1") == Some("stageValue1");
    if !known {
        return Err(AuthorizerError::unauthorized());
    }
    let policy = event.policy().allow(Method::POST, "/users");
    let policy = policy.allow(AnyMethod, "/users/me").allow(AnyMethod, "/users/me/*");
    let policy = policy.deny(Method::DELETE, "/users/*").build()?;
    let response = AuthorizerResponse::new("me", policy)?.with_context("stringKey", "stringval");
    Ok(response.with_context("numberKey", 123).with_context("booleanKey", true))
}
