//! Request targets that are no plain path, over HTTP/1.1 and HTTP/2.

use std::io::{Read, Write};

use super::harness::{Server, Setup, home};
use super::tally::Tally;
use super::{frames, wire};

const HOMES: [(&str, home::Home, &str); 5] =
    [home::ALL[0], home::ALL[1], home::ALL[2], home::ALL[3], home::ALL[4]];

#[test]
fn a_target_that_is_no_path_is_refused() {
    let mut tally = Tally::of("request-target forms", 30);
    for (name, home, _) in HOMES {
        let server = Setup::default().serve(home);
        for (method, target) in [
            ("GET", "admin"),
            ("GET", "*"),
            ("OPTIONS", "*"),
            ("GET", "localhost:443"),
            ("GET", "admin:80"),
            ("GET", "any"),
            ("CONNECT", "localhost:443"),
            ("CONNECT", "admin"),
            ("CONNECT", "*"),
            ("CONNECT", "u:p@localhost:443"),
            ("GET", "?x"),
            ("GET", "#x"),
            ("GET", ""),
            ("GET", " /admin"),
            ("GET", ":///admin"),
            ("GET", "http:/admin"),
            ("GET", "http:///admin"),
            ("GET", "javascript:/admin"),
            ("GET", "%2fadmin"),
            ("GET", "..%2fadmin"),
            ("GET", "../admin"),
            ("GET", "/admin HTTP/1.1 "),
            ("GET", "//localhost/admin"),
            ("GET", "http:///users/me"),
            ("GET", "http:admin"),
            ("GET", "file:///admin"),
            ("GET", "localhost/admin"),
            ("CONNECT", "localhost"),
            ("CONNECT", ":443"),
            ("CONNECT", "[::1]:443"),
        ] {
            let answer = server.ask(method, target);
            tally.refused(&server.world, format!("{method} {target}"));
            assert_eq!(server.world.take_asked(), [""; 0], "{name}: {method} {target}");
            assert_eq!(answer.status, 400, "{name}: {method} {target}");
        }
    }
}

#[test]
fn an_absolute_target_counts_by_its_path_alone() {
    let mut tally = Tally::of("absolute request targets", 18);
    for (name, home, _) in HOMES {
        let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/admin")]).serve(home);
        for (target, status, arn, call) in [
            ("http://localhost/users/me", 200, "GET/users/me", "me"),
            ("http://evil.example:1/users/me", 200, "GET/users/me", "me"),
            ("https://localhost/users/me?/admin", 200, "GET/users/me", "me"),
            ("ftp://localhost/users/7", 200, "GET/users/7", "user id=7"),
            ("http://localhost", 200, "GET/", "root"),
            ("http://localhost?/admin", 200, "GET/", "root"),
            ("http://localhost/admin", 403, "GET/admin", ""),
            ("http://localhost:80/admin?x", 403, "GET/admin", ""),
            ("http://localhost/admin/", 403, "GET/admin/", ""),
            ("HTTP://LOCALHOST/admin", 403, "GET/admin", ""),
            ("http://admin/users/me", 200, "GET/users/me", "me"),
        ] {
            let answer = server.ask("GET", target);
            if call.is_empty() {
                tally.refused(&server.world, target);
            } else {
                assert_eq!(server.world.take_calls(), [call], "{name}: {target}");
            }
            assert_eq!(answer.status, status, "{name}: {target}");
            assert_eq!(server.world.take_asked(), [arn], "{name}: {target}");
        }
        for target in [
            "http://u:p@localhost/users/me",
            "http://u@localhost/users/me",
            "http://@localhost/users/me",
            "http://localhost@evil.example/users/me",
            "http://:@localhost/users/me",
            "http://localhost//users/me",
            "http://localhost/../users/me",
            "http://localhost/%75sers/me",
            "http://localhost/users%2fme",
            "http://localhost/users/me%00",
            "http://localhost\\users/me",
            "http://localhost/users/./me",
            "http://localhost/..;/admin",
            "http://u:p@localhost/admin",
        ] {
            let answer = server.ask("GET", target);
            tally.refused(&server.world, target);
            assert_eq!(answer.status, 400, "{name}: {target}");
            assert_eq!(server.world.take_asked(), [""; 0], "{name}: {target}");
        }
    }
}

#[test]
fn a_fragment_is_no_part_of_the_path_for_anybody() {
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/admin")]).serve(home::protected);
    for (target, status, arn) in [
        ("/admin#x", 403, "GET/admin"),
        ("/admin#/users/me", 403, "GET/admin"),
        ("/users/me#/admin", 200, "GET/users/me"),
    ] {
        let answer = server.ask("GET", target);
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(server.world.take_asked(), [arn], "{target}");
        assert_eq!(server.world.take_calls().len(), usize::from(status == 200), "{target}");
    }
}

#[test]
fn a_malformed_request_line_or_header_never_gets_as_far_as_the_layer() {
    let mut tally = Tally::of("malformed heads", 24);
    let server = Setup::default().serve(home::protected);
    let requests: [&[u8]; 24] = [
        b"GET /admin HTTP/9.9\r\nHost: x\r\nAuthorization: ok\r\n\r\n",
        b"GET\t/admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n",
        b"GET /admin\r\nHost: x\r\nAuthorization: ok\r\n\r\n",
        b" GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n",
        b"G\0T /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization : ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: o\0k\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization:\r\n ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: -1\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: 1, 2\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: +0\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: 0x0\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nTransfer-Encoding: identity\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthoriz\xc3\xa9: ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\n: ok\r\nAuthorization: ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\n Host: x\r\nAuthorization: ok\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\rX: y\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nHost: x\r\nAuthorization: ok\x7f\r\n\r\n",
        b"GET /admin http/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03GET /admin HTTP/1.1\r\n\r\n",
    ];
    for request in requests {
        let answer = server.send(request);
        tally.refused(&server.world, request.escape_ascii());
        assert_eq!(server.world.take_asked(), [""; 0], "{}", request.escape_ascii());
        assert!(matches!(answer.status, 0 | 400), "{}", request.escape_ascii());
    }
}

#[test]
fn requests_on_one_connection_have_nothing_to_do_with_each_other() {
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/users/me")]).serve(home::protected);
    let request = |line: &str, headers: &str| format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let hidden = request("GET /users/7", "Authorization: ok\r\n");
    let body = format!("Authorization: ok\r\nContent-Length: {}\r\n", hidden.len());
    let all = [
        request("GET /admin", "Authorization: ok\r\n"),
        request("GET /admin", ""),
        request("GET /%61dmin", "Authorization: ok\r\n"),
        request("GET /users/me", "Authorization: ok\r\n"),
        // What is in a body stays in it.
        request("POST /any", &body) + &hidden,
        request("GET /admin", "Connection: close\r\n"),
    ];
    let mut stream = wire::connect(server.address);
    stream.write_all(all.concat().as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "401", "400", "403", "200", "401"]);
    assert_eq!(server.world.take_calls(), ["admin", "any"]);
}

/// A request over HTTP/2: what came back, what ran, what was asked.
fn ask(server: &Server, fields: &[(&str, &str)]) -> (Option<u16>, Vec<String>, Vec<String>) {
    let mut all = fields.to_vec();
    all.push(("authorization", "ok"));
    let status = frames::exchange(server.address, &all);
    (status, server.world.take_calls(), server.world.take_asked())
}

fn get_status(server: &Server, path: &str) -> Option<u16> {
    let fields = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
    frames::exchange(server.address, &[fields.as_slice(), &[("authorization", "ok")]].concat())
}

#[test]
fn http2_tells_the_same_story() {
    let mut tally = Tally::of("HTTP/2 paths", 30);
    for (name, home, _) in HOMES {
        let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/admin")]).serve(home);
        let get = |path: &str| {
            ask(
                &server,
                &[(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)],
            )
        };
        for (path, arn, call) in [
            ("/users/me", "GET/users/me", "me"),
            ("/users/me?x", "GET/users/me", "me"),
            ("/users/me#x", "GET/users/me", "me"),
            ("/users/a%20b", "GET/users/a%20b", "user id=a b"),
        ] {
            assert_eq!(get(path), (Some(200), vec![call.to_owned()], vec![arn.to_owned()]), "{name}: {path}");
        }
        for path in ["/admin", "/admin?x", "/admin#x", "/admin/"] {
            assert_eq!(get_status(&server, path), Some(403), "{name}: {path}");
            tally.refused(&server.world, path);
            server.world.take_asked();
        }
        for path in [
            "*",
            "//",
            "//admin",
            "/users/../admin",
            "/%61dmin",
            "/users/%2e%2e/admin",
            "/users%2fme",
            "/users/%00",
            "/users/%zz",
            "/users/\u{e9}",
            "/users/a\\b",
            "/users/..;/admin",
            "/users/%ff",
            "/users/%2e",
            "/./admin",
            "/users//me",
            "/users/me%2f",
            "/users/%5c",
            "/%2e%2e",
        ] {
            assert_eq!(get_status(&server, path), Some(400), "{name}: {path}");
            tally.refused(&server.world, path);
            assert_eq!(server.world.take_asked(), [""; 0], "{name}: {path}");
        }
        // What the HTTP/2 implementation does not even pass on, or we refuse: never a handler.
        for path in [
            "",
            "**",
            "users/me",
            "http://localhost/users/me",
            "/users/me\0",
            "/users/m e",
            "/users/me\r\nx: y",
        ] {
            let status = get_status(&server, path);
            assert!(matches!(status, None | Some(400)), "{name}: {path:?} {status:?}");
            tally.refused(&server.world, path);
            assert_eq!(server.world.take_asked(), [""; 0], "{name}: {path:?}");
        }
    }
}

#[test]
fn http2_paths_that_stand_for_the_root_are_the_root() {
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/")]).serve(home::protected);
    for path in ["/", "/?x", "/#x", "?x", "#x"] {
        let fields = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
        let (status, calls, _) = ask(&server, &fields);
        assert!(matches!(status, Some(400 | 403)), "{path} {status:?}");
        assert_eq!(calls, [""; 0], "{path}");
    }
}

#[test]
fn http2_pseudo_headers_cannot_be_played_against_each_other() {
    let mut tally = Tally::of("HTTP/2 pseudo-headers", 28);
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/admin")]).serve(home::protected);
    let (get, http, host) = ((":method", "GET"), (":scheme", "http"), (":authority", "localhost"));
    for fields in [
        vec![get, http, host, (":path", "/users/me"), (":path", "/admin")],
        vec![get, (":method", "POST"), http, host, (":path", "/users/me")],
        vec![get, http, host, host, (":path", "/users/me")],
        vec![get, http, host],
        vec![http, host, (":path", "/users/me")],
        vec![get, host, (":path", "/users/me")],
        vec![get, http, host, ("x", "y"), (":path", "/users/me")],
        vec![get, http, host, (":path", "/users/me"), ("connection", "keep-alive")],
        vec![get, http, host, (":path", "/users/me"), ("transfer-encoding", "chunked")],
        vec![get, http, (":authority", "u:p@localhost"), (":path", "/users/me")],
        vec![get, http, (":authority", "localhost/admin?"), (":path", "/users/me")],
        vec![get, http, host, (":path", "/users/me"), (":protocol", "websocket")],
        vec![get, http, host, (":path", "/users/me"), ("X-Upper", "y")],
        vec![("::method", "GET"), http, host, (":path", "/users/me")],
        vec![(":method", ""), http, host, (":path", "/users/me")],
        vec![(":method", "G T"), http, host, (":path", "/users/me")],
        vec![get, http, http, host, (":path", "/users/me")],
        vec![get, http, host, (":path", "/users/me"), (":status", "200")],
        vec![get, http, host, (":path", "/users/me"), (":unknown", "x")],
        vec![get, http, host, (":path", "/users/me"), ("upgrade", "websocket")],
        vec![get, http, host, (":path", "/users/me"), ("te", "gzip")],
        vec![get, http, host, (":path", "/users/me"), ("keep-alive", "1")],
        vec![get, http, host, (":path", "/users/me"), ("x y", "z")],
        vec![get, http, host, (":path", "/users/me"), ("x", "y\r\nz: 1")],
    ] {
        let status =
            frames::exchange(server.address, &[fields.as_slice(), &[("authorization", "ok")]].concat());
        assert!(matches!(status, None | Some(400)), "{fields:?} {status:?}");
        tally.refused(&server.world, format!("{fields:?}"));
        assert_eq!(server.world.take_asked(), [""; 0], "{fields:?}");
    }
    // Neither the host nor the scheme decides anything, whatever they say.
    for fields in [
        vec![get, http, host, (":path", "/admin"), ("host", "other")],
        vec![get, (":scheme", "ftp"), host, (":path", "/admin")],
        vec![get, http, (":authority", "users"), (":path", "/admin")],
        vec![get, http, (":path", "/admin")],
    ] {
        let status =
            frames::exchange(server.address, &[fields.as_slice(), &[("authorization", "ok")]].concat());
        assert_eq!(status, Some(403), "{fields:?}");
        tally.refused(&server.world, format!("{fields:?}"));
    }
}

#[test]
fn connect_is_denied_what_get_is_denied() {
    let mut tally = Tally::of("CONNECT", 8);
    for (name, home, _) in HOMES {
        let policy = [("Allow", "*"), ("Deny", "~GET/any/secret")];
        let server = Setup::default().policy(&policy).serve(home);
        let connect = |path: &str| {
            let fields =
                [(":method", "CONNECT"), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
            ask(&server, &[fields.as_slice(), &[(":protocol", "websocket")]].concat())
        };
        let (status, calls, asked) = connect("/any/open");
        assert_eq!((status, calls), (Some(200), vec!["any-x x=open".to_owned()]), "{name}");
        assert_eq!(asked, ["CONNECT/any/open"], "{name}");
        for path in ["/any/secret", "/any/secret/"] {
            let (status, calls, _) = connect(path);
            assert_eq!((status, calls), (Some(403), vec![]), "{name}: {path}");
            tally.refused(&server.world, path);
        }
        for path in ["/any/%73ecret", "//any/secret", "/any/../any/secret", "*"] {
            assert_eq!(connect(path), (Some(400), vec![], vec![]), "{name}: {path}");
            tally.refused(&server.world, path);
        }
        // The plain CONNECT has no path, so there is nothing to decide.
        let plain = ask(&server, &[(":method", "CONNECT"), (":authority", "localhost:443")]);
        assert_eq!(plain, (Some(400), vec![], vec![]), "{name}");
        tally.refused(&server.world, "plain");
    }
    let server = Setup::default().policy(&[("Allow", "~GET/*")]).serve(home::protected);
    let fields =
        [(":method", "CONNECT"), (":scheme", "http"), (":authority", "localhost"), (":path", "/any/open")];
    let (status, calls, _) = ask(&server, &[fields.as_slice(), &[(":protocol", "websocket")]].concat());
    assert_eq!((status, calls), (Some(403), vec![]));
    tally.refused(&server.world, "where only GET is allowed");
}
