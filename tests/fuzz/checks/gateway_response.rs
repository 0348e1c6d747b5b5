//! Any gateway response is refused when it is built, or repeats a request as values: a JSON template stays JSON, and no
//! header comes from anywhere else.
//!
//! The input is text: lines with a content type, a header's name, its source, a query; and then the template.

use std::future::ready;

use http::{Request, Uri};
use tower_lambda_authorizer::middleware::{GatewayResponse, GatewayResponseType, GatewayResponses};
use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};

use crate::ask::ask;

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (content_type, name, source, query, template) = (line(), line(), line(), line(), line());
    let Ok(uri) = format!("/a?q={query}").parse::<Uri>() else { return false };
    let mut response = GatewayResponse::new().with_template(content_type, template);
    if !name.is_empty() {
        response = response.with_header(name, source);
    }
    let responses = match GatewayResponses::builder().with(GatewayResponseType::Default4xx, response).build()
    {
        Ok(responses) => responses,
        Err(error) => {
            drop(error.to_string());
            return true;
        }
    };
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef", "prod").expect("a stage");
    let stage = stage.with_stage_variable("fleet", "north").expect("a variable");
    let layer = AuthorizerLayer::token(authorizer_fn(|_| ready(Err(AuthorizerError::unauthorized()))), stage)
        .with_rejection_response(responses)
        .build()
        .expect("a layer");
    let request = Request::get(uri).header("authorization", "token").header("x-text", "a\"b\\<c>'");
    let response = ask(&layer, request.body(()).expect("a request"));
    assert_eq!(response.status().as_u16(), 401);
    let own = name.strip_prefix("gatewayresponse.header.").unwrap_or(name);
    for name in response.headers().keys() {
        let is_known = ["content-type", "cache-control", "content-length", "x-content-type-options"]
            .contains(&name.as_str())
            || name.as_str().starts_with("x-amzn-");
        assert!(is_known || name.as_str().eq_ignore_ascii_case(own), "{name}");
    }
    let is_json =
        response.headers().get("content-type").is_some_and(|value| value.as_bytes() == b"application/json");
    if is_json && !response.body().is_empty() {
        // Its grammar is what counts: a number may be larger than any that a program reads.
        let read = serde_json::from_str::<&serde_json::value::RawValue>(response.body());
        assert!(read.is_ok(), "{template}: {}", response.body());
    }
    true
}
