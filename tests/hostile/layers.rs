//! Layers of other people around the layer, and what they let a client try.

use axum::Router;
use axum::extract::Request;
use http::{HeaderName, Method};
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::cors::CorsLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::axum::protect;

use super::harness::{Boxed, Server, Setup};
use super::tally::Tally;

/// A head without a credential, or with one.
fn request(method: &str, target: &str, headers: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").into_bytes()
}

#[test]
fn cors_answers_for_itself_and_for_nobody_else() {
    let mut tally = Tally::of("CORS around and inside", 10);
    let outside =
        Setup::default().serve(|router, layer| protect(router, layer).layer(CorsLayer::very_permissive()));
    let inside =
        Setup::default().serve(|router, layer| protect(router.layer(CorsLayer::very_permissive()), layer));
    let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n";
    let credential = "Origin: null\r\nAccess-Control-Request-Headers: authorization\r\nCookie: ok\r\n";
    for (method, target, headers, statuses) in [
        // Outside, CORS answers every OPTIONS by itself; nothing behind it hears of one.
        ("OPTIONS", "/admin", preflight, [200, 401]),
        ("OPTIONS", "/any", preflight, [200, 401]),
        ("OPTIONS", "/any", "Authorization: ok\r\n", [200, 200]),
        ("OPTIONS", "*", preflight, [200, 400]),
        ("OPTIONS", "/any/../admin", preflight, [200, 400]),
        ("GET", "/admin", preflight, [401, 401]),
        ("GET", "/admin", credential, [401, 401]),
        ("HEAD", "/any", credential, [401, 401]),
        ("options", "/any", preflight, [401, 401]),
        ("OPTIONSX", "/any", preflight, [401, 401]),
        ("GET", "/any", "Origin: https://evil.example\r\nAuthorization: bad\r\n", [401, 401]),
    ] {
        for (server, status) in [(&outside, statuses[0]), (&inside, statuses[1])] {
            let answer = server.send(&request(method, target, headers));
            assert_eq!(answer.status, status, "{method} {target} {headers:?}");
            // Who may ask is answered by the CORS layer inside, which answers before the handler, too.
            assert_eq!(server.world.take_calls(), [""; 0], "{method} {target} {headers:?}");
            if headers != "Authorization: ok\r\n" {
                tally.refused(&server.world, format!("{method} {target} {headers}"));
            }
        }
    }
}

fn policy() -> Setup {
    Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/admin"), ("Deny", "~DELETE/*")])
}

#[track_caller]
fn denied(tally: &mut Tally, server: &Server, method: &str, target: &str, header: &str) {
    let headers = format!("Authorization: ok\r\n{header}\r\n");
    let answer = server.send(&request(method, target, headers.trim_start_matches("\r\n")));
    assert_eq!(answer.status, 403, "{method} {target} {header}");
    tally.refused(&server.world, format!("{method} {target} {header}"));
}

#[test]
fn tower_https_normalizer_outside_is_followed() {
    let mut tally = Tally::of("path normalizers", 10);
    let trimming: fn(Router, AuthorizerLayer) -> Boxed =
        |router, layer| Boxed::new(NormalizePathLayer::trim_trailing_slash().layer(protect(router, layer)));
    let appending: fn(Router, AuthorizerLayer) -> Boxed =
        |router, layer| Boxed::new(NormalizePathLayer::append_trailing_slash().layer(protect(router, layer)));
    for (home, targets) in [
        (
            trimming,
            ["/admin", "/admin/", "/admin//", "//admin", "///admin///", "/admin/?x", "//admin?/users/me"],
        ),
        (appending, ["/admin", "/admin/", "/admin//", "//admin", "/admin?x", "/admin//?x", "//admin//"]),
    ] {
        let server = policy().serve(home);
        for target in targets {
            let answer = server.ask("GET", target);
            assert!(matches!(answer.status, 400 | 403), "{target}: {}", answer.status);
            tally.refused(&server.world, target);
        }
        assert_eq!(server.ask("GET", "/service/").status, 200);
    }
}

/// What frameworks of other languages have: the method, or the path, is what a header says.
fn overriding() -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync> {
    MapRequestLayer::new(|mut request: Request| {
        let header = |name: &'static str| {
            let value = request.headers().get(HeaderName::from_static(name))?;
            value.to_str().ok().map(str::to_owned)
        };
        let (method, path) = (header("x-http-method-override"), header("x-rewrite-url"));
        if let Some(method) = method.and_then(|method| method.parse::<Method>().ok()) {
            *request.method_mut() = method;
        }
        if let Some(path) = path.and_then(|path| path.parse().ok()) {
            *request.uri_mut() = path;
        }
        request
    })
}

#[test]
fn what_a_header_turns_a_request_into_is_what_is_authorized() {
    let mut tally = Tally::of("overriding middleware", 14);
    let server = policy().serve(|router, layer| protect(router, layer).layer(overriding()));
    for (method, target, header) in [
        ("POST", "/any", "X-HTTP-Method-Override: DELETE"),
        ("GET", "/any", "X-HTTP-Method-Override: DELETE"),
        ("GET", "/users/me", "X-Rewrite-URL: /admin"),
        ("GET", "/users/me", "X-Rewrite-URL: /admin?x"),
        ("GET", "/users/me", "X-Rewrite-URL: http://localhost/admin"),
        ("POST", "/users/me", "X-Rewrite-URL: /admin\r\nX-HTTP-Method-Override: GET"),
        ("POST", "/users/me", "X-Rewrite-URL: /admin/\r\nX-HTTP-Method-Override: HEAD"),
    ] {
        denied(&mut tally, &server, method, target, header);
    }
    for header in [
        "X-Rewrite-URL: //admin",
        "X-Rewrite-URL: /%61dmin",
        "X-Rewrite-URL: /users/../admin",
        "X-Rewrite-URL: *",
        "X-Rewrite-URL: admin:80",
        "X-HTTP-Method-Override: DEL*TE",
        "X-HTTP-Method-Override: '",
    ] {
        let headers = format!("Authorization: ok\r\n{header}\r\n");
        assert_eq!(server.send(&request("GET", "/users/me", &headers)).status, 400, "{header}");
        tally.refused(&server.world, header);
    }
    assert_eq!(server.ask("GET", "/users/me").status, 200);
}

/// Who stands behind the layer is trusted: what is changed there is not looked at again.
#[test]
fn what_is_changed_behind_the_layer_is_the_changers_affair() {
    let server = policy().serve(|router, layer| protect(router.layer(overriding()), layer));
    let headers = "Authorization: ok\r\nX-HTTP-Method-Override: DELETE\r\n";
    assert_eq!(server.send(&request("POST", "/any", headers)).status, 200);
    assert_eq!(
        (server.world.take_asked(), server.world.take_calls()),
        (vec!["POST/any".into()], vec!["any".into()])
    );
}
