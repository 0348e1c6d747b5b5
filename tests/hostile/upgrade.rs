//! Requests for a WebSocket: a refused one is answered in HTTP, and no connection is handed over.

use std::io::{Read, Write};

use http::header::AUTHORIZATION;
use tower::Layer;
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, AuthorizerResponse};

use super::harness::{Server, Setup, World, answering, home};
use super::tally::Tally;
use super::{frames, wire};

/// A server that refuses it closes the connection.
const HANDSHAKE: &str = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends a request, and behind it what a WebSocket or the next request might be; all that comes back until the
/// connection is closed.
fn send(server: &Server, line: &str, headers: &str, behind: &str) -> String {
    let mut stream = wire::connect(server.address);
    let text = format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{behind}");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answers = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = stream.read_to_end(&mut answers);
    String::from_utf8(answers).unwrap()
}

#[test]
fn a_refused_upgrade_opens_nothing() {
    let mut tally = Tally::of("WebSocket upgrades", 14);
    for (name, home, prefix) in home::ALL {
        let server =
            Setup::default().policy(&[("Allow", "*"), ("Deny", &format!("~GET{prefix}/ws"))]).serve(home);
        for (line, headers, status) in [
            ("GET /ws", "Authorization: ok\r\n", "403"),
            ("GET /ws", "Authorization: bad\r\n", "401"),
            ("GET /ws", "", "401"),
            ("GET /ws/", "Authorization: ok\r\n", "403"),
            ("HEAD /ws", "Authorization: ok\r\n", "403"),
            ("GET /%77s", "Authorization: ok\r\n", "400"),
            ("GET //ws", "Authorization: ok\r\n", "400"),
            ("GET /users/../ws", "Authorization: ok\r\n", "400"),
            ("GET /ws?authorization=ok", "Sec-WebSocket-Protocol: ok\r\n", "401"),
            ("GET /ws#x", "Authorization: ok\r\n", "403"),
            ("CONNECT /ws", "Authorization: ok\r\n", "403"),
            ("GET /ws", "Authorization: ok\r\nAuthorization: ok\r\n", "401"),
        ] {
            let (method, target) = line.split_once(' ').unwrap();
            let line = format!("{method} {prefix}{target}");
            let frame = "\u{1}\u{5}hello";
            let answer = send(&server, &line, &format!("{HANDSHAKE}{headers}"), frame);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {line} {headers}: {answer}");
            assert!(!answer.contains("HTTP/1.1 101 "), "{name}: {line} {headers}: {answer}");
            tally.refused(&server.world, format!("{line} {headers}").replace(prefix, ""));
        }
        let allowed = Setup::default().serve(home);
        let answer =
            send(&allowed, &format!("GET {prefix}/ws"), &format!("{HANDSHAKE}Authorization: ok\r\n"), "");
        assert!(answer.starts_with("HTTP/1.1 101 "), "{name}: {answer}");
        assert_eq!(allowed.world.take_calls(), ["ws"], "{name}");
    }
    // Over HTTP/2 it is an extended CONNECT.
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~GET/ws")]).serve(home::protected);
    for (protocol, token) in [("websocket", "ok"), ("websocket", "bad")] {
        let fields = [
            (":method", "CONNECT"),
            (":scheme", "http"),
            (":authority", "x"),
            (":path", "/ws"),
            (":protocol", protocol),
            ("authorization", token),
        ];
        let status = frames::exchange(server.address, &fields);
        assert!(matches!(status, Some(401 | 403)), "{status:?}");
        tally.refused(&server.world, format!("{fields:?}"));
    }
}

/// A layer of a WebSocket API, whose only resource is `$connect`.
fn websocket_api() -> Server {
    let world = std::sync::Arc::<World>::default();
    let stage = ApiStage::websocket("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let authorizer = answering(|event| match event.header("authorization") {
        Some(token) if token.starts_with("ok") => {
            let allows = if token == "ok-other" { "$disconnect" } else { "$connect" };
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"execute-api:Invoke",
                    "Resource":"arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/{allows}"}}]}}"#
            );
            Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(&policy)?)?)
        }
        _ => Err(AuthorizerError::unauthorized()),
    });
    let layer = AuthorizerLayer::request(authorizer, stage)
        .with_identity_sources([IdentitySource::header(AUTHORIZATION)])
        .build()
        .unwrap();
    let service = layer.layer(world.router());
    Server::start(world, service)
}

#[test]
fn a_websocket_api_serves_nothing_but_connections() {
    let mut tally = Tally::of("WebSocket APIs", 21);
    let server = websocket_api();
    let ok = "Authorization: ok\r\n";
    for (line, headers, status) in [
        ("GET /ws", format!("{ok}Connection: close\r\n"), "400"),
        ("GET /ws", format!("{ok}Connection: Upgrade, close\r\n"), "400"),
        ("GET /ws", format!("{ok}Connection: Upgrade, close\r\nUpgrade: h2c\r\n"), "400"),
        ("GET /ws", format!("{ok}Connection: Upgrade, close\r\nUpgrade: websocket, h2c\r\n"), "400"),
        (
            "GET /ws",
            format!("{ok}Connection: Upgrade, close\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n"),
            "400",
        ),
        ("GET /ws", format!("{ok}Connection: Upgrade, close\r\nUpgrade: websocket/13\r\n"), "400"),
        ("GET /ws", format!("{ok}Connection: Upgrade, close\r\nUpgrade:\r\n"), "400"),
        ("GET /ws", format!("{ok}Connection: close\r\nUpgrade: websocket\r\n"), "400"),
        ("GET /ws", format!("{ok}Connection: close, upgrades\r\nUpgrade: websocket\r\n"), "400"),
        ("CONNECT /ws", format!("{ok}{HANDSHAKE}"), "400"),
        ("POST /ws", format!("{ok}{HANDSHAKE}"), "400"),
        ("HEAD /ws", format!("{ok}{HANDSHAKE}"), "400"),
        ("get /ws", format!("{ok}{HANDSHAKE}"), "400"),
        ("OPTIONS /ws", format!("{ok}{HANDSHAKE}"), "400"),
        ("POST /@connections/abc", format!("{ok}Connection: close\r\n"), "400"),
        ("GET /ws", HANDSHAKE.to_owned(), "401"),
        ("GET /ws", format!("{HANDSHAKE}Authorization: bad\r\n"), "401"),
        ("GET /ws", format!("{HANDSHAKE}Authorization: ok\r\nAuthorization: ok\r\n"), "401"),
        ("GET /ws", format!("{HANDSHAKE}Authorization: ok-other\r\n"), "403"),
        ("GET /ws/../ws", format!("{ok}{HANDSHAKE}"), "400"),
        ("GET /%77s", format!("{ok}{HANDSHAKE}"), "400"),
    ] {
        let answer = send(&server, line, &headers, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line} {headers}: {answer}");
        tally.refused(&server.world, format!("{line} {headers}"));
    }
    let answer = send(&server, "GET /ws", &format!("{HANDSHAKE}{ok}"), "");
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert_eq!(server.world.take_calls(), ["ws"]);
}

/// There a WebSocket is an extended CONNECT, and everything else is not one.
#[test]
fn a_websocket_api_serves_nothing_but_connections_over_http_2() {
    let mut tally = Tally::of("WebSocket APIs over HTTP/2", 10);
    let server = websocket_api();
    let (scheme, authority) = ((":scheme", "http"), (":authority", "x"));
    let exchange = |method, path, more: &[(&'static str, &'static str)]| {
        let fields = [(":method", method), scheme, authority, (":path", path)];
        frames::exchange(server.address, &[fields.as_slice(), more].concat())
    };
    let (socket, ok) = ((":protocol", "websocket"), ("authorization", "ok"));
    for (method, path, more, status) in [
        ("GET", "/ws", &[ok][..], 400),
        ("GET", "/ws", &[ok, ("sec-websocket-version", "13")], 400),
        ("POST", "/ws", &[ok], 400),
        ("CONNECT", "/ws", &[socket], 401),
        ("CONNECT", "/ws", &[socket, ("authorization", "bad")], 401),
        ("CONNECT", "/ws", &[socket, ok, ok], 401),
        ("CONNECT", "/ws", &[socket, ("authorization", "ok-other")], 403),
        ("CONNECT", "/ws/../ws", &[socket, ok], 400),
        ("CONNECT", "/%77s", &[socket, ok], 400),
        ("CONNECT", "//ws", &[socket, ok], 400),
    ] {
        assert_eq!(exchange(method, path, more), Some(status), "{method} {path} {more:?}");
        tally.refused(&server.world, format!("{method} {path} {more:?}"));
    }
    assert_eq!(exchange("CONNECT", "/ws", &[socket, ok]), Some(200));
    assert_eq!(server.world.take_calls(), ["ws"]);
}

/// What a refused request carries, or is followed by, is not a request that anybody allowed.
#[test]
fn nothing_hides_behind_a_refused_request() {
    let mut tally = Tally::of("requests behind and inside of others", 10);
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~*/admin")]).serve(home::protected);
    let hidden = "GET /users/7 HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n\r\n";
    let length = hidden.len();
    let chunked = "Transfer-Encoding: chunked\r\n";
    let chunk = format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n");
    for (line, headers, body) in [
        ("POST /any", format!("Content-Length: {length}\r\n"), hidden.to_owned()),
        ("POST /any", chunked.to_owned(), chunk.clone()),
        ("GET /admin", format!("Authorization: ok\r\nContent-Length: {length}\r\n"), hidden.to_owned()),
        ("POST /admin", format!("Authorization: ok\r\n{chunked}"), chunk.clone()),
        ("POST /%61dmin", format!("Authorization: ok\r\nContent-Length: {length}\r\n"), hidden.to_owned()),
        ("POST /any", format!("Authorization: bad\r\nContent-Length: {length}\r\n"), hidden.to_owned()),
        ("POST /any", format!("Expect: 100-continue\r\nContent-Length: {length}\r\n"), hidden.to_owned()),
        ("POST /any", format!("{chunked}Content-Length: 0\r\n"), chunk.clone()),
        ("POST /any", format!("{chunked}Content-Length: {length}\r\n"), chunk.clone()),
        ("HEAD /admin", format!("Authorization: ok\r\nContent-Length: {length}\r\n"), hidden.to_owned()),
    ] {
        let last = "GET /admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answers = send(&server, line, &headers, &(body + last));
        assert!(!answers.contains(" 200 OK"), "{line} {headers}: {answers}");
        tally.refused(&server.world, format!("{line} {headers}"));
    }
}
