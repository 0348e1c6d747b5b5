//! Many requests through one layer, and what became of them.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::request::TestRequest;
use crate::contract::{AuthorizerContext, Principal};
use crate::middleware::{AuthorizerLayer, Rejection, ResponseForRejection};

/// A table of requests and what should become of each. Running it sends them through a layer, one after another, and shows
/// who is let in and why the others are not.
///
/// ```
/// use tower_lambda_authorizer::testing::{MockAuthorizer, TestRequest, VerdictTable};
/// use tower_lambda_authorizer::{ApiStage, AuthorizerLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "test")?;
/// let layer = AuthorizerLayer::token(MockAuthorizer::allowing("me"), stage).build()?;
/// let verdicts = VerdictTable::new()
///     .expect("with a token", TestRequest::get("/users/me").with_bearer("abc"), 200)
///     .expect("without", TestRequest::get("/users/me"), 401)
///     .run(&layer)
///     .await;
/// assert_eq!(
///     verdicts.to_string(),
///     "\
/// check request                      expected  got
/// ok    with a token  GET /users/me  200       200  allowed as `me` by statement 1
/// ok    without       GET /users/me  401       401  an identity source is missing or empty: \
/// `method.request.header.authorization`
/// "
/// );
/// verdicts.check()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is asked until it is run"]
pub struct VerdictTable(Vec<Question>);

#[derive(Clone, Debug)]
struct Question {
    name: Box<str>,
    request: TestRequest,
    expected: Option<u16>,
}

impl VerdictTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a request, and the status that it should get: 200 if it should be let in.
    pub fn expect(mut self, name: &str, request: TestRequest, status: u16) -> Self {
        self.0.push(Question { name: name.into(), request, expected: Some(status) });
        self
    }

    /// Adds a request of which nothing is expected, to see what becomes of it.
    pub fn ask(mut self, name: &str, request: TestRequest) -> Self {
        self.0.push(Question { name: name.into(), request, expected: None });
        self
    }

    /// Sends the requests through a layer, in front of a service that answers everything with 200.
    pub async fn run<R>(&self, layer: &AuthorizerLayer<R>) -> Verdicts
    where
        R: ResponseForRejection<String> + Clone,
    {
        let mut rows = Vec::with_capacity(self.0.len());
        for question in &self.0 {
            let (status, why) = match question.request.to_http() {
                Ok(request) => {
                    let Ok(response) = layer.layer(Inner).call(request).await;
                    answer(&response, String::clone)
                }
                Err(error) => (None, error.to_string()),
            };
            rows.push(question.answered(status, why));
        }
        Verdicts(rows)
    }

    /// Sends the requests to a whole service, such as a router with its [`protect`](crate::axum::protect). Their bodies are
    /// empty. Its handlers run.
    pub async fn run_service<S, B, ResBody>(&self, service: &S) -> Verdicts
    where
        S: Service<Request<B>, Response = Response<ResBody>, Error: fmt::Display> + Clone,
        B: Default,
    {
        let mut rows = Vec::with_capacity(self.0.len());
        for question in &self.0 {
            let (status, why) = match question.request.to_http() {
                Ok(request) => match call(service.clone(), request.map(|()| B::default())).await {
                    Ok(response) => answer(&response, |_| "answered by the service".to_owned()),
                    Err(error) => (None, error.to_string()),
                },
                Err(error) => (None, error.to_string()),
            };
            rows.push(question.answered(status, why));
        }
        Verdicts(rows)
    }
}

impl Question {
    fn answered(&self, status: Option<u16>, why: String) -> VerdictRow {
        VerdictRow {
            name: self.name.clone(),
            request: format!("{} {}", self.request.method(), self.request.target()),
            expected: self.expected,
            status,
            why,
        }
    }
}

async fn call<S: Service<Request<B>>, B>(
    mut service: S,
    request: Request<B>,
) -> Result<S::Response, S::Error> {
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

/// The status, and as whom a request was let in or why it was not.
fn answer<B>(response: &Response<B>, allowed: impl FnOnce(&B) -> String) -> (Option<u16>, String) {
    let why = match response.extensions().get::<Rejection>() {
        None => allowed(response.body()),
        Some(rejection) => {
            let mut why = rejection.to_string();
            if let Some(statement) = rejection.statement() {
                why.push_str(&format!(" (statement {statement})"));
            }
            let mut source = rejection.source();
            while let Some(error) = source {
                why.push_str(&format!(": {error}"));
                source = error.source();
            }
            why
        }
    };
    (Some(response.status().as_u16()), why)
}

/// The service behind the layer: it says who was let in.
#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let principal = request.extensions().get::<Principal>();
        let mut text = match principal {
            Some(principal) => format!("allowed as `{}`", principal.id().escape_debug()),
            None if request.extensions().get::<AuthorizerContext>().is_some() => "allowed".to_owned(),
            // A layer that is none let it through.
            None => "allowed without an answer".to_owned(),
        };
        if let Some(statement) = principal.and_then(Principal::statement) {
            text.push_str(&format!(" by statement {statement}"));
        }
        let mut response = Response::new(text);
        *response.status_mut() = StatusCode::OK;
        ready(Ok(response))
    }
}

/// What became of one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerdictRow {
    name: Box<str>,
    request: String,
    expected: Option<u16>,
    status: Option<u16>,
    why: String,
}

impl VerdictRow {
    /// What it was called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The status it got; `None` if it is no request at all, or if the service failed.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// As whom it was let in, or why it was not.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Whether it got the status that was expected, if any was.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.status.is_some() && (self.expected.is_none() || self.expected == self.status)
    }
}

/// What became of all requests of a [`VerdictTable`]. It prints as a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdicts(Vec<VerdictRow>);

impl Verdicts {
    /// Each request, in the order of the table.
    #[must_use]
    pub fn rows(&self) -> &[VerdictRow] {
        &self.0
    }

    /// Whether everything is as expected.
    ///
    /// # Errors
    ///
    /// If not: an error that prints the table, also where `unwrap` shows it.
    pub fn check(&self) -> Result<(), VerdictError> {
        match self.0.iter().all(VerdictRow::is_as_expected) {
            true => Ok(()),
            false => Err(VerdictError(self.clone())),
        }
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = |text: fn(&VerdictRow) -> usize| self.0.iter().map(text).max().unwrap_or_default();
        let (names, requests) =
            (longest(|row| row.name.chars().count()), longest(|row| row.request.chars().count()));
        let both = names + 2 + requests;
        writeln!(f, "check {:<both$}  expected  got", "request")?;
        let code = |status: Option<u16>| status.map_or("-".to_owned(), |status| status.to_string());
        for row in &self.0 {
            let mark = if row.is_as_expected() { "ok" } else { "WRONG" };
            let (expected, status) = (code(row.expected), code(row.status));
            let VerdictRow { name, request, why, .. } = row;
            writeln!(f, "{mark:<5} {name:<names$}  {request:<requests$}  {expected:<8}  {status:<3}  {why}")?;
        }
        Ok(())
    }
}

/// Not everything is as expected. Its `Debug` is its `Display`, so that `unwrap` shows the table.
#[derive(Clone, Eq, PartialEq)]
pub struct VerdictError(Verdicts);

impl fmt::Display for VerdictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = self.0.0.iter().filter(|row| !row.is_as_expected()).count();
        writeln!(f, "{wrong} of {} verdicts are not as expected", self.0.0.len())?;
        self.0.fmt(f)
    }
}

impl fmt::Debug for VerdictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for VerdictError {}
