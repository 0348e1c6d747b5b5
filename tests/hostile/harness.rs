//! A server with every kind of route, and a record of all that happens in it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::oneshot;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

use super::wire::{Answer, exchange, head};

pub const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/";

pub type Boxed = BoxCloneSyncService<Request, Response, Infallible>;

/// What happened: which handlers ran, with which decoded parameters, and which ARNs the authorizer was asked about.
#[derive(Debug, Default)]
pub struct World {
    calls: Mutex<Vec<String>>,
    asked: Mutex<Vec<String>>,
}

impl World {
    pub fn called(&self, what: impl Into<String>) {
        self.calls.lock().unwrap().push(what.into());
    }

    pub fn asked(&self, event: &AuthorizerEvent) {
        self.asked.lock().unwrap().push(event.arn().to_string());
    }

    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// The ARNs since the last look, without the stage's part.
    pub fn take_asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|arn| arn.strip_prefix(STAGE).unwrap().to_owned()).collect()
    }

    /// A handler that writes down its name and its decoded parameters.
    pub fn handler(
        self: &Arc<Self>,
        name: &'static str,
    ) -> impl Fn(Path<Vec<(String, String)>>) -> Ready<&'static str> + Clone + Send + Sync + 'static {
        let world = Arc::clone(self);
        move |Path(parameters)| {
            let values: Vec<_> = parameters.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            world.called(format!("{name}{}", values.concat()));
            ready(name)
        }
    }

    /// A service that writes down the path and query it sees.
    pub fn service(self: &Arc<Self>, name: &'static str) -> Boxed {
        let world = Arc::clone(self);
        BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
            world.called(format!("{name} {}", request.uri().path_and_query().unwrap()));
            ready(Ok(Response::new(name.into())))
        }))
    }

    /// A handler that opens a WebSocket for whoever asks for one.
    fn upgrading(self: &Arc<Self>) -> impl Fn(HeaderMap) -> Ready<Response> + Clone + Send + Sync + 'static {
        let world = Arc::clone(self);
        move |headers| {
            world.called("ws");
            let mut response = Response::default();
            if headers.contains_key(UPGRADE) {
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
            }
            ready(response)
        }
    }

    /// Every kind of route.
    pub fn router(self: &Arc<Self>) -> Router {
        let api = Router::new()
            .route("/", get(self.handler("api")))
            .route("/users/{id}", get(self.handler("api-user")));
        let tenant = Router::new()
            .route("/items/{item}", get(self.handler("item")))
            .fallback(any(self.handler("tenant-fallback")));
        Router::new()
            .route("/", get(self.handler("root")))
            .route("/admin", get(self.handler("admin")))
            .route("/admin/{id}", get(self.handler("admin-id")))
            .route("/users/me", get(self.handler("me")))
            .route("/users/{id}", get(self.handler("user")))
            .route("/slash/", get(self.handler("slash")))
            .route("/pair/{a}/{b}", get(self.handler("pair")))
            .route("/files/{*rest}", get(self.handler("files")))
            .route("/any", any(self.handler("any")))
            .route("/any/{x}", any(self.handler("any-x")))
            .route("/post", post(self.handler("post")))
            .route("/ws", any(self.upgrading()))
            .nest("/api", api)
            .nest("/tenants/{tenant}", tenant)
            .nest_service("/service", self.service("service"))
            .fallback_service(self.service("fallback"))
    }
}

type Policy = Arc<dyn Fn(&AuthorizerEvent) -> String + Send + Sync>;
type Build = Box<dyn FnOnce(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder>;

/// A test's wishes: what the policy says, how the layer is built, where it stands.
pub struct Setup {
    policy: Policy,
    stage: ApiStage,
    build: Build,
    max_age: Option<Duration>,
    reads_requests: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            policy: Arc::new(|_| statements(&[("Allow", "*")])),
            stage: stage(),
            build: Box::new(|builder| builder),
            max_age: None,
            reads_requests: false,
        }
    }
}

impl Setup {
    /// Answers with these statements: an effect (`Deny!` for `NotResource`), and a pattern in which a `~` in front
    /// stands for the stage.
    pub fn policy(mut self, policy: &[(&str, &str)]) -> Self {
        let text = statements(policy);
        self.policy = Arc::new(move |_| text.clone());
        self
    }

    /// Answers with the policy made of the ARN it is asked about.
    pub fn policy_of(mut self, policy: impl Fn(&AuthorizerEvent) -> String + Send + Sync + 'static) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    pub fn stage(mut self, stage: ApiStage) -> Self {
        self.stage = stage;
        self
    }

    pub fn layer(
        mut self,
        build: impl FnOnce(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder + 'static,
    ) -> Self {
        self.build = Box::new(build);
        self
    }

    pub fn max_age(mut self, seconds: u64) -> Self {
        self.max_age = Some(Duration::from_secs(seconds));
        self
    }

    /// A `REQUEST` authorizer that takes everybody for `ok`, instead of one that reads tokens.
    pub fn request(mut self) -> Self {
        self.reads_requests = true;
        self
    }

    /// A `TOKEN` authorizer in front of all routes. It knows the tokens that begin with `ok`, and what
    /// they begin with is who is calling. A policy that does not parse is an error of its.
    fn make<S>(self, home: impl FnOnce(&Arc<World>, AuthorizerLayer) -> S) -> (Arc<World>, S) {
        let world = Arc::<World>::default();
        let (seen, policy, max_age) = (Arc::clone(&world), self.policy, self.max_age);
        let reads_requests = self.reads_requests;
        let answer = move |event: AuthorizerEvent| {
            seen.asked(&event);
            let token = if reads_requests { Some("ok") } else { event.token() };
            let caller =
                token.filter(|token| token.starts_with("ok")).ok_or_else(AuthorizerError::unauthorized)?;
            let response = AuthorizerResponse::new(
                &caller[..caller.len().min(64)],
                PolicyDocument::from_json(&policy(&event))?,
            )?;
            let response = max_age.map_or(response.clone(), |max_age| response.with_max_age(max_age));
            // The gateway's own name: no gateway accepts this answer.
            Ok(if caller == "ok-malformed" {
                response.with_context("integrationLatency", 1)
            } else {
                response
            })
        };
        let builder = match reads_requests {
            true => AuthorizerLayer::request(answering(answer), self.stage),
            false => AuthorizerLayer::token(answering(answer), self.stage),
        };
        let layer = (self.build)(builder).build().unwrap();
        let service = home(&world, layer);
        (world, service)
    }

    /// Serves it on a loopback socket.
    pub fn serve<S>(self, home: impl FnOnce(Router, AuthorizerLayer) -> S) -> Server
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let (world, service) = self.make(|world, layer| home(world.router(), layer));
        Server::start(world, service)
    }

    /// Serves it on a loopback socket, whose peers it knows.
    pub fn serve_directly(self) -> Server {
        let (world, protected) = self.make(|world, layer| protect(world.router(), layer));
        Server::run(world, async move |listener| axum::serve(listener, protected).await)
    }

    /// Calls it without a socket.
    pub fn in_process<S>(self, home: impl FnOnce(Router, AuthorizerLayer) -> S) -> Local
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        self.in_process_with(|world, layer| home(world.router(), layer))
    }

    /// … with routes of the test's own.
    pub fn in_process_with<S>(self, home: impl FnOnce(&Arc<World>, AuthorizerLayer) -> S) -> Local
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let (world, service) = self.make(home);
        Local::new(world, service)
    }
}

/// An authorizer that has nothing to wait for.
pub fn answering(
    answer: impl Fn(AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> + Send + Sync + 'static,
) -> impl Authorizer {
    authorizer_fn(move |event| ready(answer(event)))
}

/// The text of a policy; see [`Setup::policy`].
pub fn statements(policy: &[(&str, &str)]) -> String {
    let statements = policy.iter().map(|(effect, pattern)| {
        let (effect, element) = match effect.strip_suffix('!') {
            Some(effect) => (effect, "NotResource"),
            None => (*effect, "Resource"),
        };
        let pattern =
            pattern.strip_prefix('~').map_or((*pattern).to_owned(), |rest| format!("{STAGE}{rest}"));
        let pattern = serde_json::Value::from(pattern);
        format!(r#"{{"Effect":"{effect}","Action":"execute-api:Invoke","{element}":{pattern}}}"#)
    });
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.collect::<Vec<_>>().join(","))
}

pub fn stage() -> ApiStage {
    ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap()
}

/// The places in which a layer can stand.
pub mod home {
    use super::*;

    pub type Home = fn(Router, AuthorizerLayer) -> Boxed;

    /// The paved path. A layer that makes nothing of routes decides before one is chosen.
    pub fn protected(router: Router, layer: AuthorizerLayer) -> Boxed {
        Boxed::new(protect(router, layer))
    }

    /// The same, where the layer may make something of the route, and decides once it is chosen.
    pub fn protected_within(router: Router, layer: AuthorizerLayer) -> Boxed {
        let layer = layer.clone().with_alternative(layer, |_| false).unwrap();
        Boxed::new(protect(router, layer))
    }

    /// Around a router, which routes what it lets through.
    #[expect(clippy::needless_pass_by_value, reason = "all homes have one type")]
    pub fn outside(router: Router, layer: AuthorizerLayer) -> Boxed {
        Boxed::new(layer.layer(router))
    }

    /// Behind each route.
    pub fn router_layer(router: Router, layer: AuthorizerLayer) -> Boxed {
        Boxed::new(router.layer(layer))
    }

    /// The paved path beside public routes.
    pub fn fallback(router: Router, layer: AuthorizerLayer) -> Boxed {
        Boxed::new(Router::new().route("/public", get(|| ready(()))).fallback_service(protect(router, layer)))
    }

    /// The paved path under `/outer`.
    pub fn nest_service(router: Router, layer: AuthorizerLayer) -> Boxed {
        Boxed::new(Router::new().nest_service("/outer", protect(router, layer)))
    }

    /// Behind each route of a router under `/outer`.
    pub fn nest(router: Router, layer: AuthorizerLayer) -> Boxed {
        Boxed::new(Router::new().nest("/outer", router.layer(layer)))
    }

    /// All of them, with the prefix of their paths.
    pub const ALL: [(&str, Home, &str); 7] = [
        ("protect", protected, ""),
        ("protect, behind the routes", protected_within, ""),
        ("outside of the router", outside, ""),
        ("Router::layer", router_layer, ""),
        ("fallback_service(protect)", fallback, ""),
        ("nest_service(protect)", nest_service, "/outer"),
        ("nest(Router::layer)", nest, "/outer"),
    ];
}

/// A service on a socket. It stops when this is dropped.
pub struct Server {
    pub world: Arc<World>,
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    pub fn start<S>(world: Arc<World>, service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let service = Boxed::new(service);
        Self::run(world, async |listener| {
            axum::serve(listener, axum::ServiceExt::<Request>::into_make_service(service)).await
        })
    }

    /// Serves in whatever way; `serve` is given the bound listener.
    pub fn run(
        world: Arc<World>,
        serve: impl AsyncFnOnce(tokio::net::TcpListener) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            runtime().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = serve(listener) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { world, address, _stop: stop }
    }

    /// Sends exactly these bytes.
    pub fn send(&self, request: &[u8]) -> Answer {
        exchange(self.address, request)
    }

    /// Sends a request with the good token.
    pub fn ask(&self, method: &str, target: impl AsRef<[u8]>) -> Answer {
        self.ask_with(method, target, &[])
    }

    /// … and with further headers.
    pub fn ask_with(&self, method: &str, target: impl AsRef<[u8]>, headers: &[(&str, &[u8])]) -> Answer {
        let mut all: Vec<(&str, &[u8])> = vec![("Host", b"localhost"), ("Authorization", b"ok")];
        all.extend_from_slice(headers);
        self.send(&head(method, target.as_ref(), &all))
    }
}

/// A service without a socket.
pub struct Local {
    pub world: Arc<World>,
    service: Boxed,
    runtime: tokio::runtime::Runtime,
}

impl Local {
    pub fn new<S>(world: Arc<World>, service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self { world, service: Boxed::new(service), runtime: runtime() }
    }

    pub fn call(&self, request: http::request::Builder) -> Response {
        let request = request.body(axum::body::Body::empty()).unwrap();
        let Ok(response) = self.runtime.block_on(self.service.clone().oneshot(request));
        response
    }

    /// Asks for a path with a token; the status.
    pub fn get(&self, path: &str, token: &str) -> u16 {
        self.call(Request::get(path).header("authorization", token)).status().as_u16()
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
