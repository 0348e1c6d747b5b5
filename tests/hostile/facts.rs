//! What axum, matchit, hyper and the http crate do with odd requests when nobody protects them.
//!
//! The layer's rules answer these facts. If an upgrade changes one, the test named after it fails here first, and
//! the rule that goes with it can be thought over.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use tower::util::MapRequestLayer;
use tower::{Layer, ServiceBuilder};
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::services::ServeDir;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{ApiStage, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

use super::harness::{Server, Setup, World, home};
use super::{frames, wire};

fn bare() -> Server {
    let world = Arc::<World>::default();
    Server::start(Arc::clone(&world), world.router())
}

fn stage() -> ApiStage {
    ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap()
}

/// Every target runs the handler that is named beside it.
fn runs(rows: &[(&str, &[u8], &str)]) {
    let server = bare();
    for (method, target, call) in rows {
        let answer = server.ask(method, target);
        let shown = target.escape_ascii();
        assert_eq!(server.world.take_calls(), [*call], "{method} {shown} {}", answer.status);
    }
}

#[test]
fn f1_axum_routes_the_raw_path_and_decodes_parameters_once() {
    runs(&[
        ("GET", b"/admin/%73ecret", "admin-id id=secret"),
        ("GET", b"/admin/%2573ecret", "admin-id id=%73ecret"),
        ("GET", b"/%61dmin", "fallback /%61dmin"),
    ]);
}

#[test]
fn f2_an_escape_moves_a_request_to_another_handler() {
    runs(&[
        ("GET", b"/users/me", "me"),
        ("GET", b"/users/%6de", "user id=me"),
        ("GET", b"/%75sers/me", "fallback /%75sers/me"),
    ]);
}

#[test]
fn f3_nothing_below_us_normalizes_or_filters() {
    runs(&[
        ("GET", b"/admin/..", "admin-id id=.."),
        ("GET", b"/admin/.", "admin-id id=."),
        ("GET", b"/admin/%2e%2e", "admin-id id=.."),
        ("GET", b"/admin/..%2fx", "admin-id id=../x"),
        ("GET", b"/admin/a;x", "admin-id id=a;x"),
        ("GET", b"/admin/a\\b", "admin-id id=a\\b"),
        ("GET", b"/admin/%00", "admin-id id=\0"),
        ("GET", b"/admin/*", "admin-id id=*"),
        ("GET", b"/admin/{id}", "admin-id id={id}"),
        ("GET", b"/admin/${aws:username}", "admin-id id=${aws:username}"),
        ("GET", b"/admin/\"|^", "admin-id id=\"|^"),
        ("GET", b"/admin/\xc3\xa9", "admin-id id=é"),
    ]);
    let server = bare();
    for target in [b"/admin/a b".as_slice(), b"/admin/\t", b"/admin/\0", b"/admin/\x01", b"/admin/\xff"] {
        assert_eq!(server.ask("GET", target).status, 400, "{}", target.escape_ascii());
        assert_eq!(server.world.take_calls(), [""; 0], "{}", target.escape_ascii());
    }
}

#[test]
fn f4_malformed_escapes_pass_and_only_extraction_fails() {
    runs(&[
        ("GET", b"/admin/%zz", "admin-id id=%zz"),
        ("GET", b"/admin/%2", "admin-id id=%2"),
        ("GET", b"/none/%ff", "fallback /none/%ff"),
    ]);
    let server = bare();
    assert_eq!((server.ask("GET", "/admin/%ff").status, server.world.take_calls()), (400, vec![]));
}

#[test]
fn f5_an_empty_segment_is_a_path_of_its_own_and_may_fill_a_parameter() {
    runs(&[("GET", b"/pair//x", "pair a= b=x"), ("GET", b"//admin", "fallback //admin")]);
    // A nested service does not even see it.
    runs(&[("GET", b"/service//x", "service /x"), ("GET", b"/service/x", "service /x")]);
}

#[test]
fn f6_a_fragment_is_cut_off() {
    runs(&[("GET", b"/admin#/users/me", "admin")]);
}

#[test]
fn f7_absolute_targets_are_taken_for_any_authority() {
    runs(&[("GET", b"http://u:p@evil.example/admin", "admin"), ("GET", b"ftp://x:1/admin", "admin")]);
}

#[test]
fn f8_layers_see_paths_that_are_none() {
    let paths = Arc::<World>::default();
    let seen = Arc::clone(&paths);
    let note = MapRequestLayer::new(move |request: Request| {
        seen.called(format!("{:?}", request.uri().path()));
        request
    });
    let server = Server::start(Arc::<World>::default(), note.layer(Router::new()));
    for (method, target, path) in [
        ("GET", "admin", "\"\""),
        ("GET", "localhost:443", "\"\""),
        ("CONNECT", "localhost:443", "\"\""),
        ("GET", "*", "\"*\""),
        ("OPTIONS", "*", "\"*\""),
    ] {
        server.ask(method, target);
        assert_eq!(paths.take_calls(), [path], "{method} {target}");
    }
}

#[test]
fn f9_http2_knows_more_targets() {
    let server = bare();
    let get = |path: &str| {
        let fields = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
        (frames::exchange(server.address, &fields), server.world.take_calls())
    };
    assert_eq!(get("*"), (Some(200), vec!["fallback *".to_owned()]));
    assert_eq!(get("admin").1, [""; 0]);
    assert_eq!(get("/admin\0").1, [""; 0]);
    assert_eq!(get("/admin"), (Some(200), vec!["admin".to_owned()]));
}

#[test]
fn f10_host_and_authority_may_say_what_they_like() {
    let server = bare();
    for hosts in ["Host: a\r\nHost: b\r\n", ""] {
        let request = format!("GET /admin HTTP/1.1\r\n{hosts}\r\n");
        assert_eq!(server.send(request.as_bytes()).status, 200, "{hosts:?}");
    }
    let fields =
        [(":method", "GET"), (":scheme", "ftp"), (":authority", "a"), (":path", "/admin"), ("host", "b")];
    assert_eq!(frames::exchange(server.address, &fields), Some(200));
}

#[test]
fn f11_handlers_answer_methods_that_no_policy_names() {
    runs(&[
        ("HEAD", b"/admin", "admin"),
        ("get", b"/any", "any"),
        ("FOO", b"/any", "any"),
        ("TRACE", b"/any", "any"),
        ("QUERY", b"/any", "any"),
    ]);
    let server = bare();
    let fields = [(":method", "CONNECT"), (":scheme", "http"), (":authority", "a"), (":path", "/any")];
    let fields = [fields.as_slice(), &[(":protocol", "websocket")]].concat();
    assert_eq!(frames::exchange(server.address, &fields), Some(200));
    assert_eq!(server.world.take_calls(), ["any"]);
}

#[test]
fn f12_a_layer_covers_only_what_was_there_before_it() {
    let server = Setup::default().policy(&[]).serve(|router, layer| {
        let late = get(|| async { "late" });
        router.reset_fallback().layer(layer).route("/late", late.clone()).fallback(late)
    });
    for (target, status) in [("/admin", 403), ("/late", 200), ("/none", 200)] {
        assert_eq!(server.ask("GET", target).status, status, "{target}");
    }
    let server = Setup::default().policy(&[]).serve(|router, layer| router.route_layer(layer));
    assert_eq!((server.ask("GET", "/admin").status, server.ask("GET", "/none").status), (403, 200));
}

#[test]
fn f13_a_nested_layer_sees_the_end_of_the_path() {
    let paths = Arc::<World>::default();
    let seen = Arc::clone(&paths);
    let note = MapRequestLayer::new(move |request: Request| {
        let original = request.extensions().get::<axum::extract::OriginalUri>().unwrap();
        seen.called(format!("{} {}", request.uri().path(), original.path()));
        request
    });
    let world = Arc::<World>::default();
    let server = Server::start(Arc::clone(&world), Router::new().nest("/outer", world.router().layer(note)));
    server.ask("GET", "/outer/users/7");
    assert_eq!(paths.take_calls(), ["/users/7 /outer/users/7"]);
    // It even sees another end than was sent.
    server.ask("GET", "/outer//users/7");
    assert_eq!(paths.take_calls(), ["/users/7 /outer//users/7"]);
}

#[test]
fn f14_the_original_uri_is_set_once_and_may_be_stale() {
    let moved = MapRequestLayer::new(|mut request: Request| {
        *request.uri_mut() = "/admin".parse().unwrap();
        request
    });
    let paths = Arc::<World>::default();
    let seen = Arc::clone(&paths);
    let note = MapRequestLayer::new(move |request: Request| {
        let original = request.extensions().get::<axum::extract::OriginalUri>().unwrap();
        seen.called(format!("{} {}", request.uri().path(), original.path()));
        request
    });
    let world = Arc::<World>::default();
    let inner = ServiceBuilder::new().layer(moved).layer(note).service(world.router());
    let server = Server::start(Arc::clone(&world), Router::new().fallback_service(inner));
    server.ask("GET", "/users/me");
    assert_eq!(
        (paths.take_calls(), world.take_calls()),
        (vec!["/admin /users/me".into()], vec!["admin".into()])
    );
}

#[test]
fn f15_a_path_normalizer_changes_what_is_routed_only_from_outside() {
    let world = Arc::<World>::default();
    let trim = NormalizePathLayer::trim_trailing_slash;
    let outside = Server::start(Arc::clone(&world), trim().layer(world.router()));
    for target in ["/admin/", "//admin", "///admin//"] {
        outside.ask("GET", target);
        assert_eq!(world.take_calls(), ["admin"], "{target}");
    }
    let inside = Server::start(Arc::clone(&world), world.router().layer(trim()));
    inside.ask("GET", "/admin/");
    assert_eq!(world.take_calls(), ["fallback /admin"], "too late for the router");
}

#[test]
fn f16_a_file_has_many_names_and_a_denied_file_has_none() {
    // Served from a folder of this repository.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events");
    let files = || Router::new().nest_service("/files", ServeDir::new(folder));
    let names = [
        "rest_token.json",
        "%72est_token.json",
        "rest_token%2ejson",
        "rest_token%2Ejson",
        "./rest_token.json",
        "/rest_token.json",
        "%2e/rest_token.json",
    ];
    let bare = Server::start(Arc::default(), files());
    for name in names {
        let answer = bare.ask("GET", format!("/files/{name}"));
        assert_eq!((answer.status, answer.body.contains("TOKEN")), (200, true), "{name}");
    }
    for none in ["../events/rest_token.json", "rest_token.json/"] {
        assert_eq!(bare.ask("GET", format!("/files/{none}")).status, 404, "{none}");
    }

    let authorizer = authorizer_fn(async |event| {
        let policy =
            event.policy().allow(AnyMethod, "/*").deny(AnyMethod, "/files/rest_token.json").build()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    });
    let layer = AuthorizerLayer::request(authorizer, stage()).decode_unreserved_escapes().build().unwrap();
    let protected = Server::start(Arc::default(), protect(files(), layer));
    assert_eq!(protected.ask("GET", "/files/rest_request.json").status, 200);
    for name in names {
        let answer = protected.ask("GET", format!("/files/{name}"));
        assert!(matches!(answer.status, 400 | 403) && !answer.body.contains("TOKEN"), "{name}");
    }
}

#[test]
fn f20_axum_adds_the_allow_header_behind_a_layer() {
    let server = Setup::default().policy(&[]).serve(home::router_layer);
    let answer = server.ask("POST", "/admin");
    assert_eq!((answer.status, answer.header("allow")), (403, Some("GET,HEAD")));
}

#[test]
fn f21_hyper_has_limits_of_its_own_and_they_are_wide() {
    let server = bare();
    let many: Vec<(&str, &[u8])> = vec![("x", b"y"); 101];
    assert_eq!(server.ask_with("GET", "/admin", &many).status, 431);
    let long = vec![b'a'; 65_540];
    assert_eq!(server.ask_with("GET", "/admin", &[("x", &long)]).status, 200);
    assert_eq!(server.ask("GET", format!("/files/{}", "x".repeat(60_000))).status, 200);
    assert_eq!(server.ask("GET", format!("/files/{}", "x".repeat(66_000))).status, 414);
    let request = wire::head("GET", b"/admin", &[]);
    assert_eq!(server.send(&request).status, 200);
}
