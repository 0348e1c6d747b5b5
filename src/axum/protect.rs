//! A finished router, and an authorizer around and inside of it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, OriginalUri};
use axum_core::body::Body;
use http::header::{ALLOW, CONTENT_LENGTH};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::contract::make_room;
use crate::middleware::{
    AuthorizerLayer, AuthorizerService, GatewayResponses, Rejection, ResponseForRejection, ResponseFuture,
    SentPath, WithoutTemplate, is_plain, is_spelling_of, sent_path,
};

/// Protects everything a finished router serves: its routes, its fallbacks, its 404s and 405s.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_lambda_authorizer::axum::protect;
/// # use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
/// # let layer = AuthorizerLayer::token(authorizer_fn(async |_| Err(AuthorizerError::unauthorized())), stage).build()?;
/// let router = Router::new().route("/users/{id}", get(async || "hello"));
/// let service = protect(router, layer);
/// # let _ = async {
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// axum::serve(listener, service).await?;
/// # Ok::<_, std::io::Error>(()) };
/// # Ok(()) }
/// ```
///
/// What comes back is a service, no longer a router, so that no route can be added behind the layer's back. Two
/// things happen around the router: before it, the request's path is refused or rewritten into its one spelling;
/// inside of it, after it chose a route, the authorizer decides, and knows the route's template and parameters. A layer that
/// makes nothing of the route decides before the router, which is faster: one of type `TOKEN` without alternatives,
/// shadow, mapped parameters, condition keys and source addresses of its own, whose refusals
/// [do not show](ResponseForRejection::shows_route) the route either.
///
/// Public routes go outside: `Router::new().route("/health", get(health)).fallback_service(protect(router, layer))`.
/// A layer that answers for itself, such as CORS, goes outside too: [`Protected::layer`].
pub fn protect<R>(router: Router, layer: AuthorizerLayer<R>) -> Protected<CanonicalRouter<R>>
where
    R: ResponseForRejection<Body> + Clone + Send + Sync + 'static,
{
    // `with_state` once, so that axum does not do it for each request.
    let place = match layer.reads_route::<Body>() {
        true => Place::Within(router.layer(layer.clone()).with_state(())),
        false => Place::Around(layer.layer(router.with_state(()))),
    };
    Protected { service: CanonicalRouter { place, layer } }
}

/// A protected router: a service for [`axum::serve()`], or for another router's `fallback_service`.
///
/// Served directly, it knows the address of the connection's peer without further ado.
#[derive(Clone, Debug)]
#[must_use = "it protects nothing until it is served"]
pub struct Protected<S> {
    service: S,
}

impl<S> Protected<S> {
    /// Adds a layer around everything: it sees requests before they are checked, and refusals too.
    pub fn layer<L: Layer<S>>(self, layer: L) -> Protected<L::Service> {
        Protected { service: layer.layer(self.service) }
    }

    pub(super) fn service(&self) -> &S {
        &self.service
    }
}

impl<S, B> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.service.call(request)
    }
}

/// The innermost service of a [`Protected`]: it makes paths canonical before they are routed.
#[derive(Clone, Debug)]
pub struct CanonicalRouter<R = GatewayResponses> {
    place: Place<R>,
    layer: AuthorizerLayer<R>,
}

/// Where the authorizer decides.
#[derive(Clone, Debug)]
enum Place<R> {
    /// Before a route is chosen. axum boxes what is inside of a router.
    Around(AuthorizerService<Router, R>),
    /// After that.
    Within(Router),
}

impl<R, B> Service<Request<B>> for CanonicalRouter<R>
where
    Router: Service<Request<B>, Response = Response<Body>>,
    R: ResponseForRejection<Body> + Clone,
{
    type Response = Response<Body>;
    type Error = <Router as Service<Request<B>>>::Error;
    type Future = CanonicalFuture<ResponseFuture<Router, R, B>, <Router as Service<Request<B>>>::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.place {
            Place::Around(service) => service.poll_ready(cx),
            Place::Within(router) => router.poll_ready(cx),
        }
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let is_head = *request.method() == Method::HEAD;
        // The service that is around makes room itself.
        if let Place::Within(_) = self.place {
            make_room(request.extensions_mut());
        }
        // Of a route that led here. To axum it is a prefix of what is matched inside, and to the layer the template of
        // whatever is not matched there.
        if request.extensions_mut().remove::<MatchedPath>().is_some() {
            request.extensions_mut().insert(WithoutTemplate);
        }
        let state = match (self.canonicalize(&mut request), &mut self.place) {
            (Ok(()), Place::Around(service)) => State::Around { future: service.call(request) },
            (Ok(()), Place::Within(router)) => State::Within { future: router.call(request) },
            (Err(rejection), _) => State::Refused { response: Some(self.layer.refusal(rejection, &request)) },
        };
        CanonicalFuture { state, is_head }
    }
}

impl<R> CanonicalRouter<R> {
    fn canonicalize<B>(&self, request: &mut Request<B>) -> Result<(), Rejection> {
        let was_routed = request.extensions().get::<OriginalUri>().is_some();
        // What else may be wrong with such a request, the layer itself finds.
        if !was_routed && is_plain(request.uri().path()) {
            return Ok(());
        }
        let Some(rewrite) = self.layer.gateway().canonical_uri_path(request)? else { return Ok(()) };
        // A router around this one has read all of the path, and its routes do not fit escaped letters.
        if was_routed && !self.layer.gateway().is_routable(&rewrite.sent) {
            return Err(Rejection::routed_elsewhere());
        }
        if let Some(OriginalUri(original)) = request.extensions_mut().get_mut::<OriginalUri>() {
            *original = with_path(original, &rewrite.full)?;
        }
        *request.uri_mut() = with_path(request.uri(), &rewrite.current)?;
        // What a protected router around this one was sent, unless the request has been moved since.
        if !sent_path(request.extensions()).is_some_and(|sent| is_spelling_of(sent, &rewrite.full)) {
            request.extensions_mut().insert(SentPath(rewrite.sent));
        }
        Ok(())
    }
}

fn with_path(uri: &Uri, path: &str) -> Result<Uri, Rejection> {
    let path_and_query = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.map_err(|_| Rejection::invalid_target())?);
    Uri::from_parts(parts).map_err(|_| Rejection::invalid_target())
}

pin_project! {
    /// The future of a [`CanonicalRouter`].
    #[derive(Debug)]
    pub struct CanonicalFuture<A, W> {
        #[pin]
        state: State<A, W>,
        is_head: bool,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<A, W> {
        Refused { response: Option<Response<Body>> },
        Around { #[pin] future: A },
        Within { #[pin] future: W },
    }
}

impl<A, W, E> Future for CanonicalFuture<A, W>
where
    A: Future<Output = Result<Response<Body>, E>>,
    W: Future<Output = Result<Response<Body>, E>>,
{
    type Output = A::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.state.project() {
            StateProjection::Refused { response } => match response.take() {
                Some(response) => response,
                None => return Poll::Pending,
            },
            StateProjection::Around { future } => ready!(future.poll(cx))?,
            StateProjection::Within { future } => ready!(future.poll(cx))?,
        };
        if response.extensions().get::<Rejection>().is_some() {
            // axum tells the methods of a path that exists, also to those who may not know that it exists.
            response.headers_mut().remove(ALLOW);
            if *this.is_head {
                response = without_body(response);
            }
        }
        Poll::Ready(Ok(response))
    }
}

/// As axum does behind a route: over HTTP/2 nobody else would.
fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    response.map(|_| Body::empty())
}
