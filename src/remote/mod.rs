//! An authorizer function that exists already, in any language, as an [`Authorizer`].
//!
//! A [`RemoteAuthorizer`] sends the event to the function, as API Gateway would, and reads what comes back as strictly
//! as API Gateway should. It reaches the function through [HTTP](RemoteAuthorizer::http), as local runtimes and
//! gateways to them offer it, or through the [AWS SDK](RemoteAuthorizer::aws).
//!
#![cfg_attr(feature = "remote", doc = "```")]
#![cfg_attr(not(feature = "remote"), doc = "```ignore")]
//! use tower_lambda_authorizer::remote::RemoteAuthorizer;
//! use tower_lambda_authorizer::{ApiStage, AuthorizerLayer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let authorizer = RemoteAuthorizer::http("http://127.0.0.1:9000", "orders-authorizer").build()?;
//! let stage = ApiStage::rest("eu-west-1", "123456789012", "abcdef123", "prod")?;
//! let layer = AuthorizerLayer::token(authorizer, stage).build()?;
//! # Ok(()) }
//! ```
//!
//! # What comes back
//!
//! | the function | the client sees |
//! |---|---|
//! | answers with what the kind of API accepts | what the policy says |
//! | fails, and its message is exactly `Unauthorized` | 401 |
//! | fails with anything else | 500 |
//! | answers with something else | 500 |
//! | answers not in time, too long, with a redirect or another status than 200 | 500 |
//! | is throttled, or not to be connected to, also after [retries](RemoteAuthorizerBuilder::with_max_retries) | 500 |
//!
//! Some local runtimes report a failure with an `errorMessage` and nothing else, or with one and status 500. Both are
//! taken for what they are: a failure, with that message.
//!
//! No client is told more than that. The program finds a [`RemoteError`] among the sources of the failure.
//!
//! # How long an answer is good
//!
//! An authorizer function of this crate says when its answer expires, in the context value `authorizerExpiresAt`. It
//! becomes the answer's [maximum age](AuthorizerResponse::with_max_age), and handlers do not see it. The name is
//! reserved for this in every kind of API, so an answer that holds something else under it is refused. Other functions
//! can say it in [a value of their choice](RemoteAuthorizerBuilder::with_max_age_from).

mod answer;
#[cfg(feature = "remote-aws")]
mod aws;
mod builder;
mod error;
mod function;
#[cfg(feature = "remote")]
mod http;
mod retry;

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "remote-aws")]
pub use self::aws::Aws;
pub use self::builder::RemoteAuthorizerBuilder;
pub use self::error::{FunctionError, RemoteConfigError, RemoteError};
#[cfg(feature = "remote")]
pub use self::http::Http;

use self::answer::{Invocation, NoAnswer, Reading};
use self::function::Function;
use self::retry::Retries;
use crate::authorizer::{Authorizer, AuthorizerError};
use crate::clock::Clock;
use crate::contract::{AuthorizerEvent, AuthorizerResponse, Challenge, EventKind, ResponseRules};

/// An [`Authorizer`] that asks a function. Clones share its connections.
///
/// See the [module documentation](self) for what becomes of the function's answers.
#[derive(Clone)]
pub struct RemoteAuthorizer(Arc<Remote>);

struct Remote {
    transport: Transport,
    function: Function,
    has_simple_responses: bool,
    max_age_from: Option<Box<str>>,
    max_response_bytes: usize,
    timeout: Duration,
    retries: Retries,
    challenge: Option<Challenge>,
    clock: Box<dyn Clock>,
}

/// How the function is reached.
enum Transport {
    #[cfg(feature = "remote-aws")]
    Aws(aws::Invoker),
    #[cfg(feature = "remote")]
    Http(http::Invoker),
}

impl RemoteAuthorizer {
    /// Asks a function through an HTTP endpoint that speaks the Invoke API, as `cargo lambda watch`, SAM's local
    /// runtime and others do: `POST {endpoint}/2015-03-31/functions/{function}/invocations`. Requests are not signed,
    /// so this is not for the API of AWS itself; that is [`aws`](Self::aws).
    ///
    /// The endpoint may have a path, which goes before that one. Without TLS it has to be this machine: `localhost`
    /// or a loopback address. Redirects are not followed, and proxies in the environment are not used.
    ///
    /// `function` is a name, with or without a qualifier, or an ARN.
    #[cfg(feature = "remote")]
    #[cfg_attr(docsrs, doc(cfg(feature = "remote")))]
    pub fn http(endpoint: impl Into<String>, function: impl Into<String>) -> RemoteAuthorizerBuilder<Http> {
        RemoteAuthorizerBuilder::new(Http::new(endpoint.into()), function.into().into_boxed_str())
    }

    /// Asks a function through the AWS SDK, with the region, the credentials and the endpoint of `client`.
    ///
    /// The client's retries are switched off for these invocations: the ones made here are for throttling and for
    /// connections that were refused. Its time-outs stay, beside [the one here](RemoteAuthorizerBuilder::with_timeout).
    ///
    /// `function` is a name, with or without a qualifier, or an ARN. The credentials need `lambda:InvokeFunction` for it.
    #[cfg(feature = "remote-aws")]
    #[cfg_attr(docsrs, doc(cfg(feature = "remote-aws")))]
    pub fn aws(client: aws_sdk_lambda::Client, function: impl Into<String>) -> RemoteAuthorizerBuilder<Aws> {
        RemoteAuthorizerBuilder::new(Aws::new(client), function.into().into_boxed_str())
    }
}

impl Authorizer for RemoteAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        let kind = event.kind();
        let event = serde_json::to_vec(&event).map_err(AuthorizerError::failure)?;
        let answer = self.0.ask(kind, event).await;
        answer.map_err(|error| error.into_error(&self.0.function.name))
    }

    fn challenge(&self) -> Option<Challenge> {
        self.0.challenge.clone()
    }
}

impl Remote {
    async fn ask(&self, kind: EventKind, event: Vec<u8>) -> Result<AuthorizerResponse, NoAnswer> {
        let timed = tokio::time::timeout(self.timeout, self.invoke(event)).await;
        let invocation = timed.map_err(|_| RemoteError::TimedOut { after: self.timeout })??;
        invocation.read(&Reading {
            rules: self.rules(kind),
            max_age_from: self.max_age_from.as_deref(),
            now: self.clock.wall(),
        })
    }

    /// Invokes the function, and again only where it certainly did not run.
    async fn invoke(&self, event: Vec<u8>) -> Result<Invocation, RemoteError> {
        self.retries
            .run(|| async {
                match &self.transport {
                    #[cfg(feature = "remote-aws")]
                    Transport::Aws(invoker) => {
                        invoker.invoke(&self.function, &event, self.max_response_bytes).await
                    }
                    #[cfg(feature = "remote")]
                    Transport::Http(invoker) => invoker.invoke(&event, self.max_response_bytes).await,
                }
            })
            .await
    }

    fn rules(&self, kind: EventKind) -> ResponseRules {
        ResponseRules::of_event(kind, self.has_simple_responses).with_max_bytes(self.max_response_bytes)
    }
}

/// Shows which function is asked, and where; no credentials, and no headers but their names.
impl std::fmt::Debug for RemoteAuthorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("RemoteAuthorizer");
        match &self.0.transport {
            #[cfg(feature = "remote-aws")]
            Transport::Aws(_) => debug.field("through", &"the AWS SDK"),
            #[cfg(feature = "remote")]
            Transport::Http(invoker) => debug.field("through", invoker),
        };
        debug
            .field("function", &self.0.function.name)
            .field("qualifier", &self.0.function.qualifier)
            .field("timeout", &self.0.timeout)
            .field("retries", &self.0.retries)
            .finish_non_exhaustive()
    }
}
