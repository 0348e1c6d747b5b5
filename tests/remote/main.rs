//! Functions that are reached through HTTP and through the AWS SDK, against endpoints on the loopback interface.

#[path = "../common/mod.rs"]
mod common;

mod answers;
#[path = "../insight/capture.rs"]
#[expect(dead_code, unreachable_pub, reason = "it is made for another program")]
mod capture;
mod endpoint;
mod layer;
mod ours;
mod transport;

use std::error::Error;
use std::time::Duration;

use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::{Client, Config};
use tower_lambda_authorizer::remote::{Aws, Http, RemoteAuthorizer, RemoteAuthorizerBuilder, RemoteError};
use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent};

use crate::endpoint::Endpoint;

/// A client of the AWS SDK, with the SDK's own HTTP client and retries.
fn client(url: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "a-secret-key", None, None, "a test"))
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("eu-west-1"));
    Client::from_conf(config.build())
}

fn http(endpoint: &Endpoint) -> RemoteAuthorizerBuilder<Http> {
    RemoteAuthorizer::http(endpoint.url(), "orders")
}

fn aws(endpoint: &Endpoint) -> RemoteAuthorizerBuilder<Aws> {
    RemoteAuthorizer::aws(client(&endpoint.url()), "orders")
}

/// The function, through each transport.
macro_rules! both {
    ($endpoint:expr) => {
        $crate::both!($endpoint, |builder| builder)
    };
    ($endpoint:expr, |$builder:ident| $with:expr) => {{
        let endpoint: &$crate::endpoint::Endpoint = $endpoint;
        let http = {
            let $builder = $crate::http(endpoint);
            $with.build().unwrap()
        };
        let aws = {
            let $builder = $crate::aws(endpoint);
            $with.build().unwrap()
        };
        [("HTTP", http), ("AWS SDK", aws)]
    }};
}
use both;

/// Long enough for whatever is said at once, short enough to be waited for.
const SOON: Duration = Duration::from_millis(300);

fn token_event() -> AuthorizerEvent {
    AuthorizerEvent::from_json(include_str!("../fixtures/events/rest_token.json")).unwrap()
}

/// What the program finds behind a failure.
fn failure(error: &AuthorizerError) -> &RemoteError {
    assert!(!error.is_unauthorized(), "it is unauthorized, not a failure");
    assert_eq!(error.to_string(), "the authorizer function `orders` gave no answer that counts");
    error.source().unwrap().downcast_ref().unwrap()
}
