//! Any rule is refused when it is given, or does nothing to a request but what it says.
//!
//! The input is text: a line with the key, and then the value.

use std::future::ready;
use std::sync::LazyLock;

use http::Request;
use tower_lambda_authorizer::mapping::ParameterMapping;
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::{ApiStage, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

use crate::ask::ask;

static POLICY: LazyLock<PolicyDocument> = LazyLock::new(|| {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}}"#;
    PolicyDocument::from_json(text).expect("a policy")
});

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    let Some((key, value)) = text.split_once('\n') else { return false };
    let mapping = match ParameterMapping::new().with(key, value) {
        Ok(mapping) => mapping,
        Err(error) => {
            drop(error.to_string());
            return true;
        }
    };
    let authorizer = authorizer_fn(|_| {
        let answer = AuthorizerResponse::new("me", POLICY.clone()).expect("a principal");
        ready(Ok(answer.with_context("name", "a value").with_context("number", 7)))
    });
    let stage = ApiStage::http("us-east-1", "123456789012", "abcdef", "prod").expect("a stage");
    let stage = stage.with_stage_variable("fleet", "north").expect("a variable");
    let Ok(layer) = AuthorizerLayer::request(authorizer, stage).with_parameter_mapping(mapping).build()
    else {
        return true;
    };
    let request = Request::get("/users/a%20b?q=1&q=%2Fx&r").header("x-a", "b").header("x_a", "c");
    let status = ask(&layer, request.body(()).expect("a request")).status();
    assert!(matches!(status.as_u16(), 200 | 400 | 500), "{status}");
    true
}
