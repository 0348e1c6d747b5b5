//! Any `identityValidationExpression` is refused when the layer is built, or judges a token in time linear to it.
//!
//! The input is text: a line with the expression, and then the token.

use std::future::ready;

use http::{HeaderValue, Request};
use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};

use crate::ask::ask;

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    let Some((expression, token)) = text.split_once('\n') else { return false };
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef", "prod").expect("a stage");
    let authorizer = authorizer_fn(|_| ready(Err(AuthorizerError::failure("asked"))));
    let builder = AuthorizerLayer::token(authorizer, stage).with_identity_validation_expression(expression);
    let layer = match builder.build() {
        Ok(layer) => layer,
        Err(error) => {
            drop(error.to_string());
            return true;
        }
    };
    let long = token.repeat(8192 / token.len().max(1));
    for token in [token, &long] {
        let Ok(value) = HeaderValue::from_str(token) else { continue };
        let request = Request::get("/").header("authorization", value).body(()).expect("a request");
        let status = ask(&layer, request).status();
        assert!(matches!(status.as_u16(), 401 | 500), "{status}");
    }
    true
}
