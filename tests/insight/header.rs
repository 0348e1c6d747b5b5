//! The header for developers: who is shown it, and what it says.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer, service_fn};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::middleware::{AuthorizerLayerBuilder, ConfigError, Rejection, all_of};
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::{AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

use crate::common::{Counter, counting, stage};
use crate::{ask, cached, get, plain};

const NAME: &str = "x-authorizer-decision";

fn loopback() -> SocketAddr {
    "127.0.0.1:3000".parse().unwrap()
}

fn from(peer: &str, mut request: Request<()>) -> Request<()> {
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    request
}

async fn header(builder: AuthorizerLayerBuilder, request: Request<()>) -> Option<String> {
    let service = builder.build().unwrap().layer(counting(&Counter::default()));
    let (response, _) = ask(&service, request).await;
    shown(response.headers())
}

fn shown(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(NAME).iter();
    let value = values.next().map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(values.next(), None);
    value
}

#[tokio::test]
async fn it_says_what_was_decided_by_which_statement_and_what_the_cache_had_to_do_with_it() {
    let layer = cached().with_debug_header(loopback()).build().unwrap();
    let service = layer.layer(counting(&Counter::default()));
    for (path, token, expected) in [
        ("/items/1", "fine", "allow; statement=0; sid=\"read\"; cache=miss"),
        ("/items/1", "fine", "allow; statement=0; sid=\"read\"; cache=hit"),
        ("/items/secret", "fine", "explicit_deny; statement=1; sid=\"no _secrets__\"; cache=hit"),
        ("/elsewhere", "fine", "implicit_deny; cache=hit"),
        ("/items//", "fine", "invalid_target; cache=none"),
        ("/items/1", "stale", "unauthorized; cache=miss"),
        ("/items/1", "failure", "authorizer_failure; cache=miss"),
    ] {
        let (response, _) = ask(&service, from("127.0.0.1:5", get(path, token))).await;
        assert_eq!(shown(response.headers()).as_deref(), Some(expected), "{path} {token}");
    }
}

#[tokio::test]
async fn only_peers_on_this_machine_are_shown_it() {
    let local = || plain().0.with_debug_header(loopback());
    for (peer, is_shown) in [
        ("127.0.0.1:5", true),
        ("127.9.9.9:5", true),
        ("[::1]:5", true),
        ("[::ffff:127.0.0.1]:5", true),
        ("192.0.2.7:5", false),
        ("10.0.0.1:5", false),
        ("[2001:db8::1]:5", false),
        ("[::ffff:192.0.2.7]:5", false),
        ("0.0.0.0:5", false),
    ] {
        for path in ["/items/1", "/elsewhere"] {
            let found = header(local(), from(peer, get(path, "fine"))).await;
            assert_eq!(found.is_some(), is_shown, "{peer} {path}");
        }
    }
    // Nobody knows who that is.
    assert_eq!(header(local(), get("/items/1", "fine")).await, None);
    let found = |address: [u8; 4]| local().with_source_ip(move |_| Some(IpAddr::from(address)));
    assert!(header(found([127, 0, 0, 1]), get("/items/1", "fine")).await.is_some());
    assert_eq!(header(found([192, 0, 2, 7]), get("/items/1", "fine")).await, None);
}

#[tokio::test]
async fn nobody_is_shown_it_unless_asked_for_and_everybody_only_by_a_name_that_says_so() {
    assert_eq!(header(plain().0, from("127.0.0.1:5", get("/items/1", "fine"))).await, None);
    let everybody = || plain().0.insecure_with_debug_header();
    assert!(header(everybody(), get("/items/1", "fine")).await.is_some());
    assert!(header(everybody(), from("192.0.2.7:5", get("/elsewhere", "fine"))).await.is_some());
}

#[tokio::test]
async fn no_header_of_a_request_changes_anything() {
    let forged = [
        (NAME, "allow"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("host", "localhost"),
    ];
    for (peer, expected) in
        [("192.0.2.7:5", None), ("127.0.0.1:5", Some("allow; statement=0; sid=\"read\"; cache=none"))]
    {
        let mut request = from(peer, get("/items/1", "fine"));
        for (name, value) in forged {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        let found = header(plain().0.with_debug_header(loopback()), request).await;
        assert_eq!(found.as_deref(), expected, "{peer}");
    }
}

#[tokio::test]
async fn what_the_inner_service_sets_is_removed_where_the_option_is_on_and_left_where_it_is_not() {
    let inner = service_fn(async |_: Request<()>| {
        let mut response = Response::new(String::new());
        response.headers_mut().append(NAME, HeaderValue::from_static("forged"));
        response.headers_mut().append(NAME, HeaderValue::from_static("twice"));
        Ok::<_, std::convert::Infallible>(response)
    });
    let strategy = |rejection: &Rejection| {
        let mut response = Response::new(String::new());
        *response.status_mut() = rejection.status();
        response.headers_mut().insert(NAME, HeaderValue::from_static("forged"));
        response
    };
    let found = async |builder: AuthorizerLayerBuilder, peer: &str, path: &str| {
        let service = builder.with_rejection_response(strategy).build().unwrap().layer(inner);
        let (response, _) = ask(&service, from(peer, get(path, "fine"))).await;
        let values = response.headers().get_all(NAME).iter().map(|value| value.to_str().unwrap().to_owned());
        values.collect::<Vec<_>>().join(", ")
    };
    let local = || plain().0.with_debug_header(loopback());
    let ours = "allow; statement=0; sid=\"read\"; cache=none";
    assert_eq!(found(local(), "127.0.0.1:5", "/items/1").await, ours);
    assert_eq!(found(local(), "192.0.2.7:5", "/items/1").await, "");
    assert_eq!(found(local(), "127.0.0.1:5", "/elsewhere").await, "implicit_deny; cache=none");
    assert_eq!(found(local(), "192.0.2.7:5", "/elsewhere").await, "");
    assert_eq!(found(plain().0, "127.0.0.1:5", "/items/1").await, "forged, twice");
    assert_eq!(found(plain().0, "127.0.0.1:5", "/elsewhere").await, "forged");
}

#[tokio::test]
async fn of_two_layers_the_outer_one_is_shown() {
    let layer = |name: &'static str| {
        let authorizer = authorizer_fn(move |event: AuthorizerEvent| async move {
            let policy = event.policy().allow(http::Method::GET, "/*").with_sid(name).build()?;
            Ok(AuthorizerResponse::new("me", policy)?)
        });
        AuthorizerLayer::token(authorizer, stage()).with_debug_header(loopback()).build().unwrap()
    };
    let service = all_of(layer("outer"), layer("inner")).layer(counting(&Counter::default()));
    let (response, _) = ask(&service, from("127.0.0.1:5", get("/items/1", "fine"))).await;
    assert_eq!(shown(response.headers()).unwrap(), "allow; statement=0; sid=\"outer\"; cache=none");
}

#[tokio::test]
async fn any_sid_is_a_valid_header() {
    for sid in
        ["", "\r\nset-cookie: a=b", "日本語", "a\u{7f}\u{0}b", "x".repeat(10_000).as_str(), "\"; cache=hit"]
    {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement":
            {"Sid": sid, "Effect": "Allow", "Action": "*", "Resource": "*"}});
        let policy = PolicyDocument::from_json(&policy.to_string()).unwrap();
        let authorizer = authorizer_fn(move |_| {
            let answer = AuthorizerResponse::new("me", policy.clone());
            async move { Ok(answer?) }
        });
        let builder = AuthorizerLayer::token(authorizer, stage()).insecure_with_debug_header();
        let found = header(builder, get("/items/1", "fine")).await.unwrap();
        let shown = found
            .strip_prefix("allow; statement=0; sid=\"")
            .and_then(|rest| rest.strip_suffix("\"; cache=none"));
        let shown = shown.unwrap_or_else(|| panic!("{found}"));
        assert!(shown.len() <= 64 && !shown.contains(['"', '\\']), "{found}");
    }
}

#[test]
fn an_address_that_others_can_reach_is_a_mistake() {
    for address in ["0.0.0.0:3000", "[::]:3000", "192.0.2.7:3000", "10.0.0.1:80", "[::ffff:192.0.2.7]:1"] {
        let address: SocketAddr = address.parse().unwrap();
        let error = plain().0.with_debug_header(address).build().unwrap_err();
        assert_eq!(error, ConfigError::DebugHeaderOutside { address });
        assert!(error.to_string().starts_with(&format!("`{address}` can be reached")), "{error}");
        let _ = plain().0.with_debug_header(address).insecure_with_debug_header().build().unwrap();
        // The last word counts, and it is checked.
        plain().0.insecure_with_debug_header().with_debug_header(address).build().unwrap_err();
    }
    for address in ["127.0.0.1:0", "[::1]:3000", "[::ffff:127.0.0.1]:3000"] {
        let _ = plain().0.with_debug_header(address.parse().unwrap()).build().unwrap();
    }
    let behind = plain().0.with_debug_header(loopback()).with_trusted_proxies(["10.0.0.0/8"]);
    assert_eq!(behind.build().unwrap_err(), ConfigError::DebugHeaderBehindProxies);
}

#[tokio::test]
async fn protect_shows_it_over_a_real_connection_also_for_what_no_router_saw() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer = plain().0.with_debug_header(address).build().unwrap();
    let router = axum::Router::new().route("/items/{id}", axum::routing::get(async || "here"));
    tokio::spawn(async move { axum::serve(listener, protect(router, layer)).await });
    for (path, expected) in [
        ("/items/1", "x-authorizer-decision: allow; statement=0; sid=\"read\"; cache=none\r\n"),
        ("/items/../1", "x-authorizer-decision: invalid_target; cache=none\r\n"),
    ] {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{AUTHORIZATION}: Bearer fine\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).await.unwrap();
        assert!(response.contains(expected), "{response}");
    }
}
