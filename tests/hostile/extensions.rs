//! Who a handler believes to be talking to.

use std::future::ready;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::Extensions;
use tower::util::MapRequestLayer;
use tower_lambda_authorizer::axum::{MissingAuthorization, protect};
use tower_lambda_authorizer::{AuthorizerContext, AuthorizerLayer, Principal};

use super::harness::{Boxed, Local, Setup, World};

/// What an allowed request carried, kept for worse.
type Kept = Arc<Mutex<Option<(Principal, AuthorizerContext)>>>;

/// A router that keeps what it is shown and writes down who it believes is calling.
fn keeping(world: &Arc<World>, kept: &Kept) -> Router {
    let (world, kept) = (Arc::clone(world), Arc::clone(kept));
    Router::new().fallback(move |extensions: Extensions| {
        let principal = extensions.get::<Principal>().unwrap();
        world.called(format!("{} {}", principal.id(), extensions.get::<AuthorizerContext>().is_some()));
        *kept.lock().unwrap() = Some((principal.clone(), principal.context().clone()));
        ready("")
    })
}

/// Puts what was kept into every request.
fn planting(kept: &Kept) -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync + use<>> {
    let kept = Arc::clone(kept);
    MapRequestLayer::new(move |mut request: Request| {
        if let Some((principal, context)) = kept.lock().unwrap().clone() {
            request.extensions_mut().insert(principal);
            request.extensions_mut().insert(context);
        }
        request
    })
}

#[test]
fn a_kept_principal_is_nobody_in_another_request() {
    let homes: [fn(Router, AuthorizerLayer) -> Boxed; 3] = [
        |router, layer| Boxed::new(protect(router, layer)),
        |router, layer| Boxed::new(tower::Layer::layer(&layer, router)),
        |router, layer| Boxed::new(router.layer(layer)),
    ];
    for home in homes {
        let kept = Kept::default();
        let seen = Arc::<World>::default();
        let local = Setup::default()
            .policy(&[("Allow", "*"), ("Deny", "~GET/admin")])
            .in_process(|_, layer| tower::Layer::layer(&planting(&kept), home(keeping(&seen, &kept), layer)));
        assert_eq!(local.get("/", "ok-root"), 200);
        assert_eq!(seen.take_calls(), ["ok-root false"]);
        assert!(kept.lock().unwrap().is_some());
        for (path, token, status) in [
            ("/", "bad", 401),
            ("/", "", 401),
            ("/admin", "ok-root", 403),
            ("/%zz", "ok-root", 400),
            ("/", "ok-malformed", 500),
        ] {
            assert_eq!(local.get(path, token), status, "{path} {token}");
            assert_eq!(seen.take_calls(), [""; 0], "{path} {token}");
        }
        // Allowed as somebody else, it is that somebody; and what was planted beside is gone.
        assert_eq!(local.get("/", "ok-guest"), 200);
        assert_eq!(seen.take_calls(), ["ok-guest false"]);
    }
}

#[test]
fn without_a_layer_every_extractor_is_an_error() {
    let world = Arc::<World>::default();
    let ran = |name: &'static str| {
        let world = Arc::clone(&world);
        move || {
            world.called(name);
            ready(())
        }
    };
    let (principal, context, option, both) = (ran("p"), ran("c"), ran("o"), ran("b"));
    let router = Router::new()
        .route("/principal", get(move |_: Principal| principal()))
        .route("/context", get(move |_: AuthorizerContext| context()))
        .route("/option", get(move |_: Option<Principal>| option()))
        .route("/both", get(move |_: Option<Principal>, _: AuthorizerContext| both()));
    let local = Local::new(Arc::clone(&world), router);
    for path in ["/principal", "/context", "/option", "/both"] {
        let response: Response<Body> = local.call(Request::get(path).header("authorization", "ok"));
        assert_eq!(response.status(), 500, "{path}");
        let missing = response.extensions().get::<MissingAuthorization>();
        assert_eq!(missing, Some(&MissingAuthorization::NoLayer), "{path}");
        assert_eq!(world.take_calls(), [""; 0], "{path}");
    }
}

#[test]
fn behind_the_layer_every_extractor_tells_who_is_calling() {
    let local = Setup::default().in_process(|_, layer| {
        let router = Router::new()
            .route("/principal", get(|caller: Principal| ready(caller.id().to_owned())))
            .route("/option", get(|caller: Option<Principal>| ready(caller.unwrap().id().to_owned())))
            .route(
                "/context",
                get(|context: AuthorizerContext| ready(context.principal_id().unwrap().to_owned())),
            );
        protect(router, layer)
    });
    for path in ["/principal", "/option", "/context"] {
        assert_eq!(local.get(path, "ok"), 200, "{path}");
    }
}

#[test]
fn a_public_route_beside_a_protected_router_knows_nobody() {
    let local = Setup::default().in_process(|router, layer| {
        Router::new()
            .route("/public", get(|caller: Principal| ready(caller.id().to_owned())))
            .fallback_service(protect(router, layer))
    });
    assert_eq!(local.get("/public", "ok"), 500);
    assert_eq!(local.get("/admin", "ok"), 200);
}
