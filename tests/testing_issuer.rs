//! The issuer for tests answers as it is told to.
#![cfg(feature = "testing")]

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower_lambda_authorizer::testing::{FakeAnswer, FakeIssuer};

async fn connect(issuer: &FakeIssuer) -> io::Result<TcpStream> {
    TcpStream::connect(issuer.issuer().strip_prefix("http://").unwrap()).await
}

async fn ask(issuer: &FakeIssuer, path: &str) -> io::Result<TcpStream> {
    let mut stream = connect(issuer).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await?;
    Ok(stream)
}

async fn get(issuer: &FakeIssuer, path: &str) -> (String, String) {
    let mut answer = String::new();
    ask(issuer, path).await.unwrap().read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn it_serves_its_keys_and_its_discovery_document_and_counts() {
    let issuer = FakeIssuer::start().unwrap();
    issuer.set_keys(r#"{"keys":[1]}"#);
    let (head, body) = get(&issuer, "/jwks.json").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-length: 12\r\n") || head.ends_with("content-length: 12"), "{head}");
    assert_eq!(body, r#"{"keys":[1]}"#);
    assert_eq!(get(&issuer, "/pool/.well-known/jwks.json?x=1").await.1, r#"{"keys":[1]}"#);
    let discovery: Value =
        serde_json::from_str(&get(&issuer, "/.well-known/openid-configuration").await.1).unwrap();
    assert_eq!(discovery["issuer"], issuer.issuer());
    assert_eq!(discovery["jwks_uri"], issuer.jwks_url());
    assert!(get(&issuer, "/else").await.0.starts_with("HTTP/1.1 404 "));
    assert_eq!((issuer.requests(), issuer.discovery_requests()), (2, 1));
}

#[tokio::test]
async fn it_fails_as_it_is_told_to() {
    let issuer = FakeIssuer::start().unwrap();
    issuer.set_keys("0123456789");
    issuer.answer_with(FakeAnswer::status(503));
    assert!(get(&issuer, "/jwks.json").await.0.starts_with("HTTP/1.1 503 "));
    issuer.answer_with(FakeAnswer::redirect("http://elsewhere.example/"));
    let (head, _) = get(&issuer, "/jwks.json").await;
    assert!(head.starts_with("HTTP/1.1 302 ") && head.contains("location: http://elsewhere.example/"));
    issuer.answer_with(FakeAnswer::usual().truncated());
    let (head, body) = get(&issuer, "/jwks.json").await;
    assert!(head.contains("content-length: 10"), "{head}");
    assert_eq!(body, "01234");
    issuer.answer_with(FakeAnswer::usual().with_content_length(3));
    assert!(get(&issuer, "/jwks.json").await.0.contains("content-length: 3"));
    issuer.answer_with(FakeAnswer::body("<p>").with_content_type("text/html").without_content_length());
    let (head, body) = get(&issuer, "/jwks.json").await;
    assert!(head.contains("text/html") && !head.contains("content-length"), "{head}");
    assert_eq!(body, "<p>");
    issuer.answer_with(FakeAnswer::usual().dribbled(Duration::from_millis(1)));
    assert_eq!(get(&issuer, "/jwks.json").await.1, "0123456789");
    issuer.answer_with(FakeAnswer::endless());
    let mut stream = ask(&issuer, "/jwks.json").await.unwrap();
    stream.read_exact(&mut [0; 1_000_000]).await.unwrap();
    assert!(issuer.bytes_sent() > 900_000);
}

#[tokio::test]
async fn it_holds_requests_until_it_is_told_to_answer() {
    let issuer = FakeIssuer::start().unwrap();
    issuer.hold();
    let mut stream = ask(&issuer, "/jwks.json").await.unwrap();
    issuer.requested(1).await;
    issuer.set_keys("later");
    issuer.release();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("later"), "{answer}");
}

#[tokio::test]
async fn it_stops_and_starts_on_the_same_port() {
    let mut issuer = FakeIssuer::start().unwrap();
    issuer.hold();
    let mut held = ask(&issuer, "/jwks.json").await.unwrap();
    issuer.requested(1).await;
    issuer.stop();
    assert!(matches!(held.read(&mut [0; 8]).await, Ok(0) | Err(_)));
    assert_eq!(connect(&issuer).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    issuer.release();
    issuer.restart().unwrap();
    assert!(get(&issuer, "/jwks.json").await.0.starts_with("HTTP/1.1 200 "));
    assert_eq!(issuer.requests(), 2);
}
