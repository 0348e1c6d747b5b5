//! What a client writes into headers changes nothing, and what it reads there tells nothing.

use super::harness::{Setup, home};
use super::tally::Tally;

const SPOOFS: &[(&str, &str)] = &[
    ("X-Original-URL", "/users/me"),
    ("X-Rewrite-URL", "/users/me"),
    ("X-Original-URI", "/users/me"),
    ("X-Original-Method", "POST"),
    ("X-Accel-Redirect", "/users/me"),
    ("X-Envoy-Original-Path", "/users/me"),
    ("X-Envoy-Decorator-Operation", "x"),
    ("X-HTTP-Method-Override", "POST"),
    ("X-HTTP-Method", "POST"),
    ("X-Method-Override", "POST"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Host", "localhost/users/me?"),
    ("X-Forwarded-Proto", "https://localhost/users/me?"),
    ("X-Forwarded-Prefix", "/users"),
    ("X-Forwarded-Path", "/users/me"),
    ("X-Forwarded-Uri", "/users/me"),
    ("X-Forwarded-Method", "POST"),
    ("X-Forwarded-User", "root"),
    ("X-Real-IP", "127.0.0.1"),
    ("X-Client-IP", "127.0.0.1"),
    ("True-Client-IP", "127.0.0.1"),
    ("CF-Connecting-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;host=localhost;proto=https"),
    ("Via", "1.1 trusted"),
    ("X-Amzn-RequestId", "00000000-0000-4000-8000-000000000000"),
    ("X-Amzn-Apigateway-Api-Id", "other"),
    ("X-Apigateway-Event", "{\"requestContext\":{\"authorizer\":{\"principalId\":\"root\"}}}"),
    ("X-Amz-Stage", "dev"),
    ("PrincipalId", "root"),
    ("X-Principal-Id", "root"),
    ("X-Skip-Authorization", "1"),
    ("X-Middleware-Subrequest", "middleware"),
    ("X-Api-Key", "root"),
    ("X-Custom-IP-Authorization", "127.0.0.1"),
    ("Base-Url", "http://localhost/users/me"),
    ("Request-Uri", "/users/me"),
    ("Referer", "http://localhost/users/me"),
    ("Upgrade", "websocket"),
    ("Access-Control-Request-Method", "GET"),
    ("Origin", "null"),
    ("User-Agent", "kube-probe/1.0"),
    ("X-Auth-Request-Redirect", "/users/me"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Server", "localhost"),
    ("X-Forwarded-Groups", "admin"),
    ("X_Forwarded_For", "127.0.0.1"),
    ("X-Host", "localhost"),
    ("X-Method", "POST"),
    ("X-Amz-Security-Token", "root"),
    ("X-Amzn-Trace-Id", "Root=1-0-0"),
    ("X-Amzn-Request-Context", "{\"authorizer\":{\"principalId\":\"root\"}}"),
    ("X-Amzn-Lambda-Context", "{\"identity\":\"root\"}"),
    ("X-Consumer-Username", "root"),
    ("Remote-User", "root"),
    ("X-Remote-User", "root"),
    ("X-WebAuth-User", "root"),
    ("SSL-Client-Verify", "SUCCESS"),
    ("X-Client-Cert", "root"),
    ("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"),
    ("TE", "trailers, deflate"),
    ("Cache-Control", "only-if-cached"),
    ("If-None-Match", "*"),
    ("Range", "bytes=0-0"),
    ("Expect", "100-continue"),
    ("Early-Data", "1"),
];

#[test]
fn no_header_moves_a_request_or_lets_it_pass() {
    let mut tally = Tally::of("header spoofing", 65);
    for (name, home, prefix) in home::ALL {
        let deny = format!("~GET{prefix}/admin");
        let server = Setup::default().policy(&[("Allow", "*"), ("Deny", &deny)]).serve(home);
        for (header, value) in SPOOFS {
            let answer = server.ask_with("GET", format!("{prefix}/admin"), &[(header, value.as_bytes())]);
            tally.refused(&server.world, header);
            assert_eq!(answer.status, 403, "{name}: {header}");
            assert_eq!(server.world.take_asked(), [format!("GET{prefix}/admin")], "{name}: {header}");
            assert_ne!(answer.header("x-amzn-requestid"), Some(*value), "{name}: {header}");
        }
        let all: Vec<(&str, &[u8])> =
            SPOOFS.iter().map(|(header, value)| (*header, value.as_bytes())).collect();
        assert_eq!(server.ask_with("GET", format!("{prefix}/admin"), &all).status, 403, "{name}");
        assert_eq!(server.world.take_calls(), [""; 0], "{name}");
    }
}

#[test]
fn no_header_stands_for_the_credential() {
    let mut tally = Tally::of("aliases of the credential", 16);
    let server = Setup::default().serve(home::protected);
    for line in [
        "Proxy-Authorization: ok",
        "X-Authorization: ok",
        "Authorization_: ok",
        "Authorisation: ok",
        "Cookie: ok",
        "X-Token: ok",
        "HTTP_AUTHORIZATION: ok",
        "X-Forwarded-Authorization: ok",
        "X-Original-Authorization: ok",
        "WWW-Authenticate: ok",
        "Authorization.: ok",
        "Authorization-: ok",
        "Cookie: Authorization=ok",
        "X: y,Authorization: ok",
        "Trailer: Authorization",
        "Connection: Authorization",
    ] {
        let request = format!("GET /admin?authorization=ok HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n");
        assert_eq!(server.send(request.as_bytes()).status, 401, "{line}");
        assert_eq!(server.world.take_asked(), [""; 0], "{line}");
        tally.refused(&server.world, line);
    }
    // Nor does what comes behind the body.
    let request = "POST /any HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n\
                   0\r\nAuthorization: ok\r\n\r\n";
    assert_eq!(server.send(request.as_bytes()).status, 401);
    assert_eq!((server.world.take_calls(), server.world.take_asked()), (vec![], vec![]));
}

#[test]
fn the_host_decides_nothing() {
    let mut tally = Tally::of("hosts", 10);
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/admin")]).serve(home::protected);
    for host in [
        "Host: evil.example\r\n",
        "Host: a\r\nHost: b\r\n",
        "",
        "Host: \r\n",
        "Host: h/users/me?\r\n",
        "Host: localhost:99999\r\n",
        "Host: u:p@localhost\r\n",
        "Host: localhost#/users/me\r\n",
        "Host: localhost, evil.example\r\n",
        "Host: [::1\r\n",
    ] {
        let request = |path: &str| format!("GET {path} HTTP/1.1\r\n{host}Authorization: ok\r\n\r\n");
        let denied = server.send(request("/admin").as_bytes());
        assert!(matches!(denied.status, 400 | 403), "{host:?}");
        tally.refused(&server.world, format!("{host:?}"));
        let allowed = server.send(request("/users/me").as_bytes());
        let ran = usize::from(allowed.status == 200);
        assert_eq!(server.world.take_calls().len(), ran, "{host:?}");
    }
}

#[test]
fn a_refusal_says_its_status_and_nothing_about_the_route() {
    for (name, home, prefix) in home::ALL {
        let server = Setup::default().policy(&[("Allow", "~GET/nowhere")]).serve(home);
        let bodies: Vec<_> =
            [("GET", "/post"), ("POST", "/admin"), ("DELETE", "/users/me"), ("GET", "/none")]
                .into_iter()
                .map(|(method, path)| {
                    let answer = server.ask(method, format!("{prefix}{path}"));
                    assert_eq!((answer.status, server.world.take_calls()), (403, vec![]), "{name}: {path}");
                    assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
                    assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
                    assert!(answer.header("x-amzn-requestid").is_some(), "{name}");
                    // axum adds the header behind a bare `Router::layer`, which cannot take it away.
                    assert!(
                        answer.header("allow").is_none() || name.contains("Router::layer"),
                        "{name}: {path}"
                    );
                    answer.body
                })
                .collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{name}: {bodies:?}");
    }
}

#[test]
fn every_kind_of_refusal_is_without_the_allow_header() {
    let server = Setup::default().policy(&[("Allow", "~GET/post")]).serve(home::protected);
    for (method, target, token, status) in [
        ("POST", "/admin", "ok", 403),
        ("GET", "/users/%zz", "ok", 400),
        ("POST", "/admin", "bad", 401),
        ("POST", "/admin", "", 401),
        ("OPTIONS", "/admin", "ok", 403),
    ] {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n");
        let answer = server.send(request.as_bytes());
        assert_eq!((answer.status, answer.header("allow")), (status, None), "{method} {target}");
        assert_eq!(server.world.take_calls(), [""; 0], "{method} {target}");
    }
    // Who may ask is told.
    let answer = server.ask("GET", "/post");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(server.world.take_calls(), [""; 0]);
}

#[test]
fn a_head_request_is_refused_without_a_body() {
    let server = Setup::default().policy(&[]).serve(home::protected);
    let answer = server.ask("HEAD", "/admin");
    assert_eq!((answer.status, answer.header("allow"), server.world.take_calls()), (403, None, vec![]));
}
