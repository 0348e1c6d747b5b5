//! Any request target is refused or has the ARN that the slow reader gives it, and just that one is allowed.
//!
//! The input is text: a line with the method, and then the target.

use std::future::ready;
use std::sync::Mutex;

use http::{Method, Request, Uri};
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

use crate::ask::ask;
use crate::reader::{Leniency, read};

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/";

static ASKED: Mutex<Option<String>> = Mutex::new(None);

/// An authorizer that allows just what it is asked about.
fn layer(allows_encoded_slash: bool) -> AuthorizerLayer {
    let authorizer = authorizer_fn(|event: AuthorizerEvent| {
        let arn = event.arn().as_str().to_owned();
        // No pattern is longer than that.
        let pattern = if arn.len() > 512 { "*" } else { &arn };
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"{pattern}"}}}}"#
        );
        *ASKED.lock().expect("nobody panics") = Some(arn);
        let answer = PolicyDocument::from_json(&policy).map(|policy| AuthorizerResponse::new("me", policy));
        ready(Ok(answer.expect("an echoed ARN is a resource").expect("a principal")))
    });
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef", "prod").expect("a stage");
    let builder = AuthorizerLayer::token(authorizer, stage);
    let builder = if allows_encoded_slash { builder.allow_encoded_slash() } else { builder };
    builder.build().expect("a layer")
}

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    let Some((method, target)) = text.split_once('\n') else { return false };
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), target.parse::<Uri>()) else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_plain = method.as_str().len() <= 32
        && method.as_str().bytes().all(plain)
        && method.as_str().as_bytes()[0].is_ascii_alphabetic();
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    for allows_encoded_slash in [false, true] {
        let layer = layer(allows_encoded_slash);
        let spelled = read(uri.path(), Leniency { decodes_unreserved: false, allows_encoded_slash });
        let expected = spelled
            .filter(|_| is_plain && !has_user)
            .map(|spelled| format!("{STAGE}{method}{}", spelled.as_sent));
        let request =
            Request::builder().method(method.clone()).uri(uri.clone()).header("authorization", "token");
        *ASKED.lock().expect("nobody panics") = None;
        let response = ask(&layer, request.body(()).expect("a request"));
        let asked = ASKED.lock().expect("nobody panics").take();
        match (response.status().as_u16(), expected) {
            (200, Some(expected)) => assert_eq!(asked, Some(expected)),
            (414, expected) => {
                assert_eq!(asked, None);
                assert!(expected.is_none_or(|arn| arn.len() > 1600), "too long");
            }
            (400, None) => assert_eq!(asked, None),
            (status, expected) => panic!("{status}, expected {expected:?}, asked {asked:?}"),
        }
    }
    true
}
