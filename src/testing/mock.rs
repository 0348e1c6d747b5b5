//! Authorizers that do as they are told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::authorizer::{Authorizer, AuthorizerError};
use crate::contract::{AuthorizerEvent, AuthorizerResponse};
use crate::policy::AnyMethod;

/// An authorizer that does what a test wants, and remembers what it was asked. Clones remember together.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_lambda_authorizer::testing::MockAuthorizer;
/// use tower_lambda_authorizer::{ApiStage, AuthorizerLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let authorizer = MockAuthorizer::allowing("ali-baba");
/// let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "test")?;
/// let layer = AuthorizerLayer::token(authorizer.clone(), stage).build()?;
/// let service = layer.layer(service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(Response::new(String::new()))
/// }));
///
/// let request = Request::get("/cave").header("authorization", "Bearer x").body(())?;
/// assert_eq!(service.oneshot(request).await?.status(), StatusCode::OK);
/// assert_eq!(authorizer.events()[0].bearer_token(), Some("x"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MockAuthorizer {
    does: Arc<Does>,
    events: Arc<Mutex<Vec<AuthorizerEvent>>>,
}

type Answer = dyn Fn(&AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> + Send + Sync;

enum Does {
    Answer(Box<Answer>),
    Hang,
    Panic,
}

impl MockAuthorizer {
    /// Says `principal_id` to everybody, and allows everything in the stage.
    #[must_use]
    pub fn allowing(principal_id: &str) -> Self {
        let principal_id = principal_id.to_owned();
        Self::answering(move |event| {
            let policy = event.policy().allow_connect().allow(AnyMethod, "/*").build()?;
            Ok(AuthorizerResponse::new(principal_id.as_str(), policy)?)
        })
    }

    /// Says `principal_id` to everybody, and allows nothing.
    #[must_use]
    pub fn denying(principal_id: &str) -> Self {
        let principal_id = principal_id.to_owned();
        Self::answering(move |event| {
            Ok(AuthorizerResponse::new(principal_id.as_str(), event.policy().build()?)?)
        })
    }

    /// Knows nobody: 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::answering(|_event| Err(AuthorizerError::unauthorized()))
    }

    /// Fails: 500.
    #[must_use]
    pub fn failing() -> Self {
        Self::answering(|_event| Err(AuthorizerError::failure("a mock was told to fail")))
    }

    /// Panics, quietly: 500.
    #[must_use]
    pub fn panicking() -> Self {
        Self::new(Does::Panic)
    }

    /// Never answers: 500 when the time-out is over.
    #[must_use]
    pub fn hanging() -> Self {
        Self::new(Does::Hang)
    }

    /// Answers by a function.
    #[must_use]
    pub fn answering(
        answer: impl Fn(&AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Does::Answer(Box::new(answer)))
    }

    fn new(does: Does) -> Self {
        Self { does: Arc::new(does), events: Arc::default() }
    }

    /// How often it was asked.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.remembered().len()
    }

    /// What it was asked, in that order.
    #[must_use]
    pub fn events(&self) -> Vec<AuthorizerEvent> {
        self.remembered().clone()
    }

    /// Nothing is called while it is locked but what belongs to the list.
    fn remembered(&self) -> MutexGuard<'_, Vec<AuthorizerEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorizer for MockAuthorizer {
    async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
        self.remembered().push(event.clone());
        match &*self.does {
            Does::Answer(answer) => answer(&event),
            Does::Hang => std::future::pending().await,
            // Without the message that a panic prints: it was ordered.
            Does::Panic => std::panic::resume_unwind(Box::new("a mock was told to panic")),
        }
    }
}

impl std::fmt::Debug for MockAuthorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let does = match &*self.does {
            Does::Answer(_) => "answers",
            Does::Hang => "hangs",
            Does::Panic => "panics",
        };
        f.debug_struct("MockAuthorizer").field("does", &does).field("calls", &self.calls()).finish()
    }
}
