//! Several layers, all of which have to allow.

use tower_layer::Stack;

use super::layer::AuthorizerLayer;

/// A layer that lets a request through only if `first` allows it and then `rest` does.
///
/// Each asks its own authorizer, keeps answers in its own cache and refuses in its own words; nothing is merged. `rest`
/// is not asked about what `first` refuses. Handlers read the answer of the last one.
///
/// This is no more than one layer around another, so it is also what happens if you add two layers to a service. More than
/// two are `all_of(first, all_of(second, third))`.
///
/// ```
/// use tower::Layer;
/// use tower_lambda_authorizer::middleware::all_of;
/// # use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
/// # let tenants = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
/// # let users = tenants;
/// # let service = ();
/// let tenants = AuthorizerLayer::request(tenants, stage.clone()).build()?;
/// let users = AuthorizerLayer::token(users, stage).build()?;
/// let service = all_of(tenants, users).layer(service);
/// # Ok(()) }
/// ```
///
/// Around a whole axum router it is [`protect`](crate::axum::protect)`(router.layer(users), tenants)`; on some routes of it,
/// `route_layer` in the place of `layer`.
///
/// On AWS a route has one authorizer. Whoever needs both there has them in one function.
#[must_use]
pub fn all_of<R, L>(first: AuthorizerLayer<R>, rest: L) -> Stack<L, AuthorizerLayer<R>> {
    Stack::new(rest, first)
}
