//! Running in Lambda.

use std::env;

use super::function::AuthorizerFunction;
use crate::authorizer::Authorizer;

/// What the runtime cannot do without.
const VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_RUNTIME_API",
];

/// Runs an authorizer as a Lambda function, for as long as Lambda wants.
///
/// ```no_run
/// use tower_lambda_authorizer::{AuthorizerError, authorizer_fn, lambda};
///
/// #[tokio::main]
/// async fn main() -> Result<(), lambda_runtime::Error> {
///     lambda::run(authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()))).await
/// }
/// ```
///
/// # Errors
///
/// As [`AuthorizerFunction::run`].
pub async fn run(authorizer: impl Authorizer) -> Result<(), lambda_runtime::Error> {
    AuthorizerFunction::new(authorizer).run().await
}

impl AuthorizerFunction {
    /// Runs in Lambda: one invocation after the other, or as many at the same time as `AWS_LAMBDA_MAX_CONCURRENCY` says.
    ///
    /// Whoever needs more of the runtime (layers, hooks around snapshots) gives this service to
    /// [`lambda_runtime::Runtime`] instead.
    ///
    /// # Errors
    ///
    /// If this is not Lambda, or if its runtime API cannot be spoken with. What goes wrong in an invocation is reported
    /// to Lambda and ends nothing.
    pub async fn run(self) -> Result<(), lambda_runtime::Error> {
        // The runtime panics without them.
        for name in VARIABLES {
            if env::var(name).map_or(true, |value| value.is_empty()) {
                return Err(
                    format!("{name} is not set: Lambda sets it; elsewhere use `AuthorizerLayer`").into()
                );
            }
        }
        if env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").is_ok_and(|size| size.parse::<i32>().is_err()) {
            return Err("AWS_LAMBDA_FUNCTION_MEMORY_SIZE is not a number".into());
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err("there is no tokio runtime: add `#[tokio::main]` to `main`".into());
        }
        lambda_runtime::run_concurrent(self).await
    }
}
