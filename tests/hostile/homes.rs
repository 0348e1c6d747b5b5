//! Where the layer stands, and who stands around it.

use std::future::ready;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::routing::get;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{AuthorizerLayer, AuthorizerResponse};

use super::harness::{Boxed, Server, Setup, World, answering, stage};
use super::tally::Tally;

/// Sets another path, as a rewriting middleware does.
fn moved_to(path: &'static str) -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync> {
    MapRequestLayer::new(move |mut request: Request| {
        *request.uri_mut() = path.parse().unwrap();
        request
    })
}

/// Takes slashes away, as tower-http's `NormalizePath` does.
fn trimmed() -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync> {
    MapRequestLayer::new(|mut request: Request| {
        let path = format!("/{}", request.uri().path().trim_matches('/'));
        *request.uri_mut() = path.parse().unwrap();
        request
    })
}

#[track_caller]
fn expect(
    tally: &mut Tally,
    server: &Server,
    target: &str,
    status: u16,
    arn: Option<&str>,
    call: Option<&str>,
) {
    let answer = server.ask("GET", target);
    let asked = server.world.take_asked();
    match call {
        Some(call) => assert_eq!(server.world.take_calls(), [call], "{target}"),
        None => tally.refused(&server.world, target),
    }
    assert_eq!(asked, Vec::from_iter(arn), "{target}");
    assert_eq!(answer.status, status, "{target}");
}

#[test]
fn a_rewrite_between_two_routers_is_refused() {
    let mut tally = Tally::of("layer order", 3);
    let server = Setup::default().serve(|router, layer| {
        Router::new().fallback_service(moved_to("/admin").layer(protect(router, layer)))
    });
    expect(&mut tally, &server, "/users/me", 500, None, None);
    expect(&mut tally, &server, "/%61dmin", 400, None, None);
    expect(&mut tally, &server, "/admin", 200, Some("GET/admin"), Some("admin"));

    let server = Setup::default().serve(|router, layer| {
        Router::new().nest_service("/outer", moved_to("/admin").layer(protect(router, layer)))
    });
    expect(&mut tally, &server, "/outer/users/me", 500, None, None);
    expect(&mut tally, &server, "/outer/admin", 200, Some("GET/outer/admin"), Some("admin"));

    let server = Setup::default()
        .serve(|router, layer| Router::new().fallback_service(moved_to("/admin").layer(layer.layer(router))));
    expect(&mut tally, &server, "/users/me", 500, None, None);
}

#[test]
fn a_rewrite_after_routing_is_refused() {
    let mut tally = Tally::of("layer order", 2);
    // The handler of `/users/me` would run, and the policy would speak about `/admin`.
    let server = Setup::default().serve(|router, layer| router.layer(layer).layer(moved_to("/admin")));
    expect(&mut tally, &server, "/users/me", 500, None, None);
    expect(&mut tally, &server, "/none", 500, None, None);
    expect(&mut tally, &server, "/admin", 200, Some("GET/admin"), Some("admin"));
}

#[test]
fn a_rewrite_outside_of_everything_is_what_is_authorized() {
    let mut tally = Tally::of("layer order", 1);
    let policy = [("Allow", "*"), ("Deny", "~GET/admin")];
    let server = Setup::default()
        .policy(&policy)
        .serve(|router, layer| Boxed::new(protect(router, layer).layer(moved_to("/admin"))));
    expect(&mut tally, &server, "/users/me", 403, Some("GET/admin"), None);
    let server = Setup::default()
        .policy(&policy)
        .serve(|router, layer| Boxed::new(protect(router, layer).layer(moved_to("/users/me"))));
    expect(&mut tally, &server, "/admin", 200, Some("GET/users/me"), Some("me"));
}

#[test]
fn a_planted_original_uri_does_not_decide() {
    let mut tally = Tally::of("layer order", 1);
    let plant = || {
        MapRequestLayer::new(|mut request: Request| {
            request.extensions_mut().insert(OriginalUri("/users/me".parse().unwrap()));
            request
        })
    };
    let policy = [("Allow", "~GET/users/me")];
    let server = Setup::default()
        .policy(&policy)
        .serve(|router, layer| Boxed::new(protect(router, layer).layer(plant())));
    expect(&mut tally, &server, "/admin", 500, None, None);
    expect(&mut tally, &server, "/users/me", 200, Some("GET/users/me"), Some("me"));
    let server = Setup::default().policy(&policy).serve(|router, layer| plant().layer(layer.layer(router)));
    expect(&mut tally, &server, "/admin", 500, None, None);
}

#[test]
fn a_slash_normalizer_counts_where_it_stands() {
    let mut tally = Tally::of("layer order", 5);
    let policy = [("Allow", "~GET/admin")];
    // Outside: what is routed is what is authorized.
    let server = Setup::default()
        .policy(&policy)
        .serve(|router, layer| Boxed::new(protect(router, layer).layer(trimmed())));
    for target in ["/admin", "/admin/", "//admin", "///admin//"] {
        expect(&mut tally, &server, target, 200, Some("GET/admin"), Some("admin"));
    }
    for target in ["/users//me", "/%61dmin", "/./admin"] {
        expect(&mut tally, &server, target, 400, None, None);
    }
    // Between two routers, and behind the only one, it moves requests that were already looked at.
    let server = Setup::default()
        .policy(&policy)
        .serve(|router, layer| Router::new().fallback_service(trimmed().layer(protect(router, layer))));
    expect(&mut tally, &server, "/admin", 200, Some("GET/admin"), Some("admin"));
    expect(&mut tally, &server, "/admin/", 500, None, None);
    expect(&mut tally, &server, "//admin", 400, None, None);
    let server = Setup::default().policy(&policy).serve(|router, layer| router.layer(layer).layer(trimmed()));
    expect(&mut tally, &server, "/admin", 200, Some("GET/admin"), Some("admin"));
    expect(&mut tally, &server, "/admin/", 500, None, None);
    expect(&mut tally, &server, "//admin", 400, None, None);
}

#[test]
fn the_arn_has_every_nested_prefix_with_its_parameters() {
    let mut tally = Tally::of("layer order", 16);
    let server = Setup::default().serve(|router, layer| {
        let inner = Router::new().nest("/v1", router.layer(layer));
        Router::new().nest("/t/{tenant}", inner)
    });
    expect(
        &mut tally,
        &server,
        "/t/acme/v1/admin",
        200,
        Some("GET/t/acme/v1/admin"),
        Some("admin tenant=acme"),
    );
    expect(
        &mut tally,
        &server,
        "/t/a%20b/v1/users/7",
        200,
        Some("GET/t/a%20b/v1/users/7"),
        Some("user tenant=a b id=7"),
    );
    expect(&mut tally, &server, "/t/%40/v1/admin", 200, Some("GET/t/%40/v1/admin"), Some("admin tenant=@"));
    expect(
        &mut tally,
        &server,
        "/t/v1/v1/service/v1",
        200,
        Some("GET/t/v1/v1/service/v1"),
        Some("service /v1"),
    );
    for target in [
        "/t//v1/admin",
        "/t/../v1/admin",
        "/t/./v1/admin",
        "/t/%61/v1/admin",
        "/t/a/v1/%zz",
        "/t/a%2fb/v1/admin",
        "/t/%2e%2e/v1/admin",
        "/t/..;/v1/admin",
        "/t/%00/v1/admin",
        "/t/{/v1/%",
    ] {
        // What two nested routers do not route at all is not found, whoever asks.
        let answer = server.ask("GET", target);
        assert!(matches!(answer.status, 400 | 404), "{target}");
        assert_eq!(server.world.take_asked(), [""; 0], "{target}");
        tally.refused(&server.world, target);
    }

    let server = Setup::default()
        .policy(&[("Allow", "~GET/t/acme@x/*")])
        .layer(|layer| layer.decode_unreserved_escapes())
        .serve(|router, layer| Router::new().nest_service("/t/{tenant}", protect(router, layer)));
    let admin = Some("admin tenant=acme@x");
    expect(&mut tally, &server, "/t/acme@x/admin", 200, Some("GET/t/acme@x/admin"), admin);
    expect(&mut tally, &server, "/t/acme%40x/admin", 200, Some("GET/t/acme@x/admin"), admin);
    expect(&mut tally, &server, "/t/acme%40x/%61dmin", 400, None, None);
    expect(&mut tally, &server, "/t/%61cme%40x/admin", 400, None, None);
    expect(&mut tally, &server, "/t/other/admin", 403, Some("GET/t/other/admin"), None);
    expect(&mut tally, &server, "/t//admin", 400, None, None);
    expect(&mut tally, &server, "/t/acme@x//admin", 400, None, None);
    expect(&mut tally, &server, "/t/../admin", 400, None, None);
}

#[test]
fn nothing_a_finished_router_answers_is_left_out() {
    let mut tally = Tally::of("what a router answers by itself", 5);
    let bare = |policy: &[(&str, &str)]| {
        Setup::default().policy(policy).serve(|_, layer| {
            let router = Router::new().route("/only", get(|| ready("")).post(|| ready("")));
            Boxed::new(protect(router, layer))
        })
    };
    let refusing = bare(&[("Allow", "~GET/x")]);
    let allowing = bare(&[("Allow", "*")]);
    for (method, target, otherwise) in [
        ("GET", "/only", 200),
        ("POST", "/only", 200),
        ("PUT", "/only", 405),
        ("GET", "/none", 404),
        ("GET", "/", 404),
    ] {
        assert_eq!(refusing.ask(method, target).status, 403, "{method} {target}");
        tally.refused(&refusing.world, format!("{method} {target}"));
        assert_eq!(allowing.ask(method, target).status, otherwise, "{method} {target}");
    }
    assert_eq!(allowing.ask("PUT", "/only").header("allow"), Some("GET,HEAD,POST"));
    assert_eq!(refusing.ask("PUT", "/only").header("allow"), None);

    let empty = Setup::default().policy(&[]).serve(|_, layer| Boxed::new(protect(Router::new(), layer)));
    assert_eq!(empty.ask("GET", "/").status, 403);
}

#[test]
fn public_routes_stay_public_and_hand_nothing_over() {
    let mut tally = Tally::of("public neighbours", 6);
    let server = Setup::default().policy(&[]).serve(|router, layer| {
        Router::new().route("/public", get(|| ready("hello"))).fallback_service(protect(router, layer))
    });
    let anonymous =
        |target: &str| server.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    assert_eq!(anonymous("/public").body, "hello");
    for (target, status) in
        [("/public/", 401), ("/admin", 401), ("/publi%63", 400), ("//public", 400), ("/none", 401)]
    {
        assert_eq!(anonymous(target).status, status, "{target}");
        assert_eq!(server.world.take_asked(), [""; 0]);
        tally.refused(&server.world, target);
    }
    let refused = server.send(b"POST /public HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(refused.status, 405);
    tally.refused(&server.world, "POST /public");
}

#[test]
fn of_two_authorizers_both_must_allow() {
    let mut tally = Tally::of("nested authorizers", 4);
    let inner_world = Arc::<World>::default();
    let seen = Arc::clone(&inner_world);
    let inner = answering(move |event| {
        seen.asked(&event);
        let policy = event.policy().allow(AnyMethod, "/users/*").build()?;
        Ok(AuthorizerResponse::new("inner", policy)?)
    });
    let inner = AuthorizerLayer::token(inner, stage()).build().unwrap();
    let server = Setup::default()
        .policy(&[("Allow", "*"), ("Deny", "~GET/users/me")])
        .serve(|router, layer| Router::new().fallback_service(protect(router.layer(inner), layer)));
    for (target, status, inner_asked) in [
        ("/users/7", 200, 1),
        ("/users/me", 403, 0),
        ("/admin", 403, 1),
        ("/none", 403, 1),
        ("/users/%zz", 400, 0),
    ] {
        let answer = server.ask("GET", target);
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(inner_world.take_asked().len(), inner_asked, "{target}");
        if status == 200 {
            assert_eq!(server.world.take_calls().len(), 1, "{target}");
        } else {
            tally.refused(&server.world, target);
        }
    }
}

/// What a `REQUEST` authorizer was told: source address, resource, path parameters.
type Told = Arc<Mutex<Vec<String>>>;

fn telling() -> (Told, AuthorizerLayer) {
    let told = Told::default();
    let notes = Arc::clone(&told);
    let authorizer = answering(move |event| {
        if let tower_lambda_authorizer::AuthorizerEvent::Request(event) = &event {
            let parameters: Vec<_> =
                event.path_parameters().map(|(name, value)| format!(" {name}={value}")).collect();
            let address = event.source_ip().map(|address| address.to_string()).unwrap_or_default();
            notes.lock().unwrap().push(format!("{address} {}{}", event.resource(), parameters.concat()));
        }
        let policy = event.policy().allow(AnyMethod, "/*").build()?;
        Ok(AuthorizerResponse::new("ok", policy)?)
    });
    (told, AuthorizerLayer::request(authorizer, stage()).build().unwrap())
}

#[test]
fn served_directly_the_peer_is_the_socket_and_no_header() {
    let world = Arc::<World>::default();
    let (told, layer) = telling();
    let protected = protect(world.router(), layer);
    let server = Server::run(world, async move |listener| axum::serve(listener, protected).await);
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        assert_eq!(server.ask_with("GET", "/users/a%40b", &[(header, b"192.0.2.1")]).status, 200);
        assert_eq!(told.lock().unwrap().pop().as_deref(), Some("127.0.0.1 /users/{id} id=a@b"), "{header}");
    }
}

#[test]
fn the_authorizer_is_told_the_template_that_will_be_served() {
    let world = Arc::<World>::default();
    let (told, layer) = telling();
    let server = Server::start(Arc::clone(&world), protect(world.router(), layer));
    for (target, note) in [
        ("/users/me", " /users/me"),
        ("/users/a%20b", " /users/{id} id=a%20b"),
        ("/files/x/%2A", " /files/{rest+} rest=x/%2A"),
        ("/tenants/t/items/7", " /tenants/{tenant}/items/{item} tenant=t item=7"),
        ("/service/x", " /{proxy+} proxy=service/x"),
        ("/none/x", " /{proxy+} proxy=none/x"),
    ] {
        assert_eq!(server.ask("GET", target).status, 200);
        assert_eq!(told.lock().unwrap().pop().as_deref(), Some(note), "{target}");
    }
}
