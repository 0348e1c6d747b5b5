//! What can happen between an authorizer and its function.

use std::error::Error;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tower_lambda_authorizer::remote::{RemoteAuthorizer, RemoteError};
use tower_lambda_authorizer::{Authorizer, AuthorizerEvent};

use crate::capture::Capture;
use crate::endpoint::{Endpoint, Reply, nobody, response, returned, until};
use crate::{SOON, both, client, failure, token_event};

const GOOD: &str = r#"{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[]}}"#;

fn throttled() -> Reply {
    let body = r#"{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    Reply::Send(response(429, "x-amzn-ErrorType: TooManyRequestsException\r\n", body))
}

/// Asks once through each transport and expects this failure and so many requests for it.
async fn expect(reply: Reply, requests: usize, is_it: impl Fn(&RemoteError) -> bool) {
    let script = reply.clone();
    let endpoint = Endpoint::start(move |_| script.clone()).await;
    for (round, (name, authorizer)) in
        both!(&endpoint, |builder| builder.with_timeout(SOON)).iter().enumerate()
    {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        assert!(is_it(failure(&error)), "{name}, {reply:?}: {error:?}");
        assert_eq!(endpoint.seen().len(), requests * (round + 1), "{name}, {reply:?}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let endpoint = Endpoint::start(|_| returned(GOOD)).await;
    for (round, (name, authorizer)) in both!(&endpoint).iter().enumerate() {
        for _ in 0..20 {
            authorizer.clone().authorize(token_event()).await.unwrap();
        }
        assert_eq!(endpoint.connections.count(), round + 1, "{name}");
    }
}

#[tokio::test]
async fn what_was_throttled_is_asked_again() {
    let endpoint = Endpoint::start(|n| if n % 3 < 2 { throttled() } else { returned(GOOD) }).await;
    for (round, (name, authorizer)) in both!(&endpoint).iter().enumerate() {
        authorizer.authorize(token_event()).await.unwrap();
        assert_eq!(endpoint.seen().len(), 3 * (round + 1), "{name}");
    }
    for (name, authorizer) in both!(&endpoint, |builder| builder.with_max_retries(1)) {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        assert!(matches!(failure(&error), RemoteError::Throttled), "{name}");
        // The next one starts over.
        assert!(authorizer.authorize(token_event()).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn throttling_without_end_is_a_failure() {
    expect(throttled(), 3, |error| matches!(error, RemoteError::Throttled)).await;
    let bare = Reply::Send(response(429, "", ""));
    expect(bare, 3, |error| matches!(error, RemoteError::Throttled)).await;
}

#[tokio::test]
async fn a_connection_that_was_refused_is_tried_again() {
    for name in ["HTTP", "AWS SDK"] {
        let (socket, address) = nobody();
        let url = format!("http://{address}");
        let authorizer = match name {
            "HTTP" => RemoteAuthorizer::http(url, "orders").with_max_retries(10).build().unwrap(),
            _ => RemoteAuthorizer::aws(client(&url), "orders").with_max_retries(10).build().unwrap(),
        };
        let asked = tokio::spawn(async move { authorizer.authorize(token_event()).await });
        // Somebody listens a little later. Whether it was tried before does not matter: it is, mostly.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let endpoint = Endpoint::start_on(socket.listen(16).unwrap(), |_| returned(GOOD));
        assert!(asked.await.unwrap().is_ok(), "{name}");
        assert_eq!(endpoint.seen().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_failure_that_names_it() {
    let (_socket, address) = nobody();
    let url = format!("http://{address}");
    let authorizers = [
        RemoteAuthorizer::http(&url, "orders").build().unwrap(),
        RemoteAuthorizer::aws(client(&url), "orders").build().unwrap(),
    ];
    for authorizer in authorizers {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        assert!(matches!(failure(&error), RemoteError::Connect(_)), "{error:?}");
        let mut text = String::new();
        let mut source: Option<&dyn Error> = Some(&error);
        while let Some(error) = source {
            text = format!("{text}{error}\n");
            source = error.source();
        }
        assert!(text.contains("refused"), "{text}");
    }
}

#[tokio::test]
async fn what_may_have_run_is_not_asked_again() {
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", GOOD.len() + 1);
    for reply in [
        Reply::Reset,
        Reply::SendAndClose(Vec::new()),
        Reply::SendAndClose(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Reply::SendAndClose(format!("{cut}{GOOD}").into_bytes()),
        Reply::SendAndClose(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()),
        Reply::SendAndClose(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
    ] {
        expect(reply, 1, |error| matches!(error, RemoteError::Exchange(_))).await;
    }
}

#[tokio::test]
async fn every_status_but_200_is_a_failure() {
    for status in [201, 202, 204, 206, 400, 401, 403, 404, 413, 500, 502, 503, 504] {
        let body = if status == 204 { "" } else { GOOD };
        let reply = Reply::Send(response(status, "", body));
        expect(reply, 1, move |error| matches!(error, RemoteError::Status { status: got } if *got == status))
            .await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Endpoint::start(|_| returned(GOOD)).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: {}/2015-03-31/functions/orders/invocations\r\n", elsewhere.url());
        let reply = Reply::Send(response(status, &location, ""));
        expect(reply, 1, move |error| matches!(error, RemoteError::Status { status: got } if *got == status))
            .await;
    }
    assert_eq!(elsewhere.connections.count(), 0);
}

#[tokio::test]
async fn a_function_that_is_slow_is_a_failure() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n".to_vec();
    let half = [&head[..], b"\r\n", &GOOD.as_bytes()[..20]].concat();
    for reply in [Vec::new(), head, half] {
        expect(Reply::SendAndStall(reply), 1, |error| matches!(error, RemoteError::TimedOut { .. })).await;
    }
    // A byte now and then does not buy more time.
    let dribble = Reply::SendForEver(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".to_vec());
    let endpoint = Endpoint::start(move |_| dribble.clone()).await;
    for (name, authorizer) in both!(&endpoint, |builder| builder.with_timeout(SOON)) {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        assert!(
            matches!(failure(&error), RemoteError::TimedOut { .. } | RemoteError::Exchange(_)),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let whole = GOOD.len();
    let endpoint = Endpoint::start(|_| returned(GOOD)).await;
    for (name, authorizer) in both!(&endpoint, |builder| builder.with_max_response_bytes(whole)) {
        assert!(authorizer.authorize(token_event()).await.is_ok(), "{name}");
    }
    for (name, authorizer) in both!(&endpoint, |builder| builder.with_max_response_bytes(whole - 1)) {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        assert!(
            matches!(failure(&error), RemoteError::TooLarge { limit } if *limit == whole - 1),
            "{name}: {error:?}"
        );
    }
    // One that never ends, with a length and without: it is over as soon as it is too long.
    let chunk = [b"1000\r\n".to_vec(), vec![b' '; 0x1000], b"\r\n".to_vec()].concat();
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n".to_vec();
    for reply in [
        Reply::SendForEver(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(), chunk),
        Reply::SendForEver(announced, vec![b' '; 0x1000]),
        Reply::SendForEver(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 0x1000]),
    ] {
        let script = reply.clone();
        let endpoint = Endpoint::start(move |_| script.clone()).await;
        for (round, (name, authorizer)) in both!(&endpoint).iter().enumerate() {
            let error = authorizer.authorize(token_event()).await.unwrap_err();
            assert!(matches!(failure(&error), RemoteError::TooLarge { limit: 262_144 }), "{name}: {error:?}");
            until(|| endpoint.abandoned.count() == round + 1).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_invocation_along() {
    let endpoint = Endpoint::start(|_| Reply::SendAndStall(Vec::new())).await;
    for (round, (_, authorizer)) in both!(&endpoint).into_iter().enumerate() {
        let asked = tokio::spawn(async move { authorizer.authorize(token_event()).await });
        endpoint.until_seen(round + 1).await;
        asked.abort();
        until(|| endpoint.abandoned.count() == round + 1).await;
    }
}

#[tokio::test]
async fn a_qualifier_and_an_arn_travel_escaped() {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
    let endpoint = Endpoint::start(|_| returned(GOOD)).await;
    let authorizers = [
        RemoteAuthorizer::http(endpoint.url(), arn).with_qualifier("$LATEST").build().unwrap(),
        RemoteAuthorizer::aws(client(&endpoint.url()), arn).with_qualifier("$LATEST").build().unwrap(),
    ];
    for authorizer in authorizers {
        authorizer.authorize(token_event()).await.unwrap();
        assert_eq!(
            endpoint.seen().pop().unwrap().line,
            "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aorders/invocations\
             ?Qualifier=%24LATEST"
        );
    }
}

#[tokio::test]
async fn headers_go_to_the_endpoint_and_into_no_text() {
    let endpoint = Endpoint::start(|_| returned(GOOD)).await;
    let key = (HeaderName::from_static("x-endpoint-key"), HeaderValue::from_static("a-secret-key"));
    let authorizer = RemoteAuthorizer::http(format!("{}/base/", endpoint.url()), "orders")
        .with_header(key.0.clone(), key.1.clone())
        .build()
        .unwrap();
    authorizer.authorize(token_event()).await.unwrap();
    let seen = endpoint.seen().pop().unwrap();
    assert_eq!(seen.header("x-endpoint-key"), Some("a-secret-key"));
    assert_eq!(seen.header("x-amz-invocation-type"), Some("RequestResponse"));
    assert_eq!(seen.line, "POST /base/2015-03-31/functions/orders/invocations");
    let sdk = RemoteAuthorizer::aws(client(&endpoint.url()), "orders");
    for text in [format!("{authorizer:?}"), format!("{sdk:?}"), format!("{:?}", sdk.build().unwrap())] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn no_failure_prints_the_token() {
    let token = token_event().token().unwrap().to_owned();
    let echo = format!(r#"{{"errorType":"E","errorMessage":"bad token"}}{token}"#);
    for reply in [
        Reply::Reset,
        Reply::SendAndClose(Vec::new()),
        Reply::Send(response(500, "", &echo)),
        Reply::Send(response(200, "", &token)),
    ] {
        let script = reply.clone();
        let endpoint = Endpoint::start(move |_| script.clone()).await;
        for (name, authorizer) in both!(&endpoint) {
            let error = authorizer.authorize(token_event()).await.unwrap_err();
            let mut text = format!("{error:?}");
            let mut source: Option<&dyn Error> = Some(&error);
            while let Some(error) = source {
                text = format!("{text}\n{error}");
                source = error.source();
            }
            assert!(!text.contains(&token), "{name}: {text}");
        }
    }
}

#[test]
fn no_trace_of_either_client_holds_what_is_sent() {
    const MARKS: [&str; 3] = ["token-mark", "a-secret-key", "context-mark"];
    let capture = Capture::new(tracing::Level::TRACE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = async {
        let answer = r#"{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[]},"context":{"k":"context-mark"}}"#;
        let endpoint = Endpoint::start(|_| returned(answer)).await;
        let event = include_str!("../fixtures/events/rest_token.json");
        let mut event: serde_json::Value = serde_json::from_str(event).unwrap();
        event["authorizationToken"] = MARKS[0].into();
        let event = AuthorizerEvent::from_json(&event.to_string()).unwrap();
        for (name, authorizer) in both!(&endpoint) {
            authorizer.authorize(event.clone()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(endpoint.seen().pop().unwrap().body.contains(MARKS[0]), "{name}");
        }
    };
    tracing::subscriber::with_default(capture.clone(), || runtime.block_on(told));
    let heard = capture.heard();
    assert!(heard.events.iter().any(|event| event.target.starts_with("aws_smithy")));
    // Bytes are printed as they are, or as a list of numbers.
    let numbers = |mark: &str| mark.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    for event in &heard.events {
        for mark in MARKS {
            let is_told = |value: &String| value.contains(mark) || value.contains(&numbers(mark));
            assert!(
                !event.fields.values().any(is_told),
                "{mark}: {} {:?}",
                event.target,
                event.field("message")
            );
        }
    }
}
