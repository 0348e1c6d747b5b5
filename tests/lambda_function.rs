//! An authorizer as a Lambda function: events in, answers and errors out.

use std::collections::VecDeque;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Service, ServiceExt};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::lambda::{self, AuthorizerFunction, FunctionError};
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::{
    Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerResponse, authorizer_fn,
};

const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/users/42";

fn token_event(token: &str) -> String {
    json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": token}).to_string()
}

fn v2_event() -> String {
    json!({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": {"authorization": "Bearer x"}})
        .to_string()
}

fn everything() -> PolicyDocument {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}"#;
    PolicyDocument::from_json(text).unwrap()
}

fn allowing() -> impl Authorizer {
    authorizer_fn(async |_event| Ok(AuthorizerResponse::new("me", everything())?))
}

fn failing(error: AuthorizerError) -> impl Authorizer {
    authorizer_fn(move |_event| {
        let error = error.clone();
        async move { Err(error) }
    })
}

async fn invoke(function: AuthorizerFunction, event: &str) -> Result<Box<RawValue>, FunctionError> {
    let payload = RawValue::from_string(event.to_owned()).unwrap();
    function.oneshot(LambdaEvent::new(payload, Context::default())).await
}

fn value(answer: &RawValue) -> Value {
    serde_json::from_str(answer.get()).unwrap()
}

/// What the runtime reports to Lambda, and with that the gateway hears.
fn reported(error: FunctionError) -> Value {
    serde_json::to_value(Diagnostic::from(error)).unwrap()
}

#[tokio::test]
async fn every_event_of_a_gateway_is_answered_the_console_s_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let mut answered = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let event = fs::read_to_string(&file).unwrap();
        let answer = invoke(AuthorizerFunction::new(allowing()), &event).await.unwrap();
        let is_v2 = serde_json::from_str::<Value>(&event).unwrap()["version"] == "2.0";
        let expected = if is_v2 { json!({"principalId": "me"}) } else { Value::Null };
        assert_eq!(value(&answer)["context"], expected, "{}", file.display());
        assert_eq!(value(&answer)["principalId"], "me", "{}", file.display());
        answered += 1;
    }
    assert!(answered >= 16, "{answered}");
}

#[tokio::test]
async fn unauthorized_is_that_word_and_nothing_else() {
    for error in [
        AuthorizerError::unauthorized(),
        AuthorizerError::unauthorized().with_reason("the key was revoked").with_message("go away"),
        AuthorizerError::failure("Unauthorized"),
    ] {
        let error = invoke(AuthorizerFunction::new(failing(error)), &token_event("x")).await.unwrap_err();
        assert!(error.is_unauthorized());
        assert_eq!(error.to_string(), "Unauthorized");
        assert_eq!(reported(error), json!({"errorType": "Unauthorized", "errorMessage": "Unauthorized"}));
    }
}

#[tokio::test]
async fn every_other_error_says_nothing_and_keeps_its_cause_for_the_log() {
    let simple = || authorizer_fn(async |_event| Ok(AuthorizerResponse::simple(true)));
    let nobody = || authorizer_fn(async |_| Ok(AuthorizerResponse::without_principal(everything())));
    let panics = || authorizer_fn(async |_event| panic!("with a secret"));
    let expires = || {
        authorizer_fn(async |_event| {
            Ok(AuthorizerResponse::new("me", everything())?.with_context("authorizerExpiresAt", 1))
        })
    };
    let steals = || {
        authorizer_fn(async |_event| {
            Ok(AuthorizerResponse::new("me", everything())?.with_context("principalId", "you"))
        })
    };
    let failure = AuthorizerError::failure("Unauthorized: the database is down");
    fn plain(authorizer: impl Authorizer) -> AuthorizerFunction {
        AuthorizerFunction::new(authorizer)
    }
    for (function, event, cause) in [
        (plain(failing(failure)), token_event("x"), "Failure(Unauthorized: the database is down)"),
        (plain(panics()), token_event("x"), "Panic"),
        (plain(simple()), token_event("x"), "InvalidResponse(the answer is a simple response"),
        (plain(simple()), v2_event(), "InvalidResponse(the answer is a simple response"),
        (plain(simple()).with_simple_responses(), token_event("x"), "InvalidResponse(the answer is a simple"),
        (plain(allowing()).with_simple_responses(), v2_event(), "InvalidResponse(the answer is not a simple"),
        (plain(nobody()), token_event("x"), "InvalidResponse(there is no principal id"),
        (plain(expires()), token_event("x"), "InvalidResponse(the context key `authorizerExpiresAt` is"),
        (plain(expires()), v2_event(), "InvalidResponse(the context key `authorizerExpiresAt` is reserved"),
        (plain(steals()), v2_event(), "InvalidResponse(the context key `principalId` is reserved"),
        (plain(steals()), token_event("x"), "InvalidResponse(the context key `principalId` is reserved"),
    ] {
        let error = invoke(function, &event).await.unwrap_err();
        let debug = format!("{error:?}");
        assert!(debug.starts_with(cause), "{debug}");
        assert_eq!(error.source().is_none(), cause == "Panic");
        let expected = json!({"errorType": "AuthorizerFailure", "errorMessage": "authorizer failure"});
        assert_eq!(reported(error), expected, "{cause}");
    }
}

#[tokio::test]
async fn what_is_no_event_is_an_error_and_reaches_no_authorizer() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let function = AuthorizerFunction::new(authorizer_fn(move |_event| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(AuthorizerResponse::new("me", everything())?) }
    }));
    for event in [
        "null",
        "[]",
        "{}",
        "\"Unauthorized\"",
        r#"{"type":"TOKEN"}"#,
        r#"{"type":"token","methodArn":"x"}"#,
        &json!({"type": "TOKEN", "methodArn": "arn:aws:s3:::b", "authorizationToken": "x"}).to_string(),
        &json!({"type": "REQUEST", "version": "3.0", "methodArn": ARN}).to_string(),
        &json!({"type": "REQUEST", "methodArn": ARN, "headers": {"a b": "c"}}).to_string(),
        &json!({"type": "REQUEST", "version": "2.0", "methodArn": ARN}).to_string(),
        // Nobody knows which of the two another reader would take.
        &format!(r#"{{"type":"TOKEN","methodArn":"{ARN}","methodArn":"{ARN}","authorizationToken":"x"}}"#),
        &format!(r#"{{"type":"REQUEST","methodArn":"{ARN}","requestContext":{{"stage":"a","stage":"b"}}}}"#),
    ] {
        let error = invoke(function.clone(), event).await.unwrap_err();
        assert!(matches!(error, FunctionError::MalformedEvent(_)), "{event}: {error:?}");
        assert_eq!(reported(error)["errorMessage"], "authorizer failure");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// Panics when it is called, when its future is polled, and when that is dropped.
struct Panicky(&'static str);

impl Authorizer for Panicky {
    fn authorize(
        &self,
        _event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send {
        struct OnDrop(bool);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                assert!(!self.0, "when dropped");
            }
        }
        let when = self.0;
        assert_ne!(when, "called");
        async move {
            let _guard = OnDrop(when == "dropped");
            tokio::task::yield_now().await;
            assert_ne!(when, "polled");
            Ok(AuthorizerResponse::new("me", everything())?)
        }
    }
}

#[tokio::test]
async fn a_panic_is_a_failure_whenever_it_comes_and_the_next_event_is_answered() {
    for when in ["called", "polled", "dropped"] {
        let mut function = AuthorizerFunction::new(Panicky(when));
        for _ in 0..2 {
            let payload = RawValue::from_string(token_event("x")).unwrap();
            let event = LambdaEvent::new(payload, Context::default());
            let error = function.ready().await.unwrap().call(event).await.unwrap_err();
            assert!(matches!(error, FunctionError::Panic), "{when}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_with_a_maximum_age_says_until_when_it_is_good() {
    let clock = ManualClock::new(Duration::from_millis(1_000_500));
    for (max_age, expected) in [(0, 1_001), (1_000, 1_002), (1_500, 1_003), (60_000, 1_061)] {
        let aged = authorizer_fn(move |_event| async move {
            let answer = AuthorizerResponse::new("me", everything())?;
            Ok(answer.with_max_age(Duration::from_millis(max_age)))
        });
        let function = AuthorizerFunction::new(aged).with_clock(clock.clone());
        let answer = invoke(function, &token_event("x")).await.unwrap();
        assert_eq!(value(&answer)["context"], json!({ "authorizerExpiresAt": expected }), "{max_age} ms");
    }
}

#[tokio::test]
async fn invocations_at_the_same_time_do_not_see_each_other() {
    let slow = authorizer_fn(async |event| {
        tokio::task::yield_now().await;
        let token = event.bearer_token().ok_or_else(AuthorizerError::unauthorized)?.to_owned();
        tokio::task::yield_now().await;
        Ok(AuthorizerResponse::new(token, everything())?)
    });
    let function = AuthorizerFunction::new(slow);
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let function = function.clone();
            tokio::spawn(async move {
                let answer = invoke(function, &token_event(&format!("Bearer user-{n}"))).await.unwrap();
                assert_eq!(value(&answer)["principalId"], format!("user-{n}"));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn outside_of_lambda_it_is_an_error_to_run() {
    let error = lambda::run(allowing()).await.unwrap_err().to_string();
    assert!(error.starts_with("AWS_LAMBDA_") && error.contains("elsewhere use `AuthorizerLayer`"), "{error}");
}

/// What `the_runtime_takes_events_and_reports_answers_and_errors` runs in a process of its own. Elsewhere it has nothing
/// to do.
#[tokio::test]
async fn inside_of_lambda() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let authorizer = authorizer_fn(async |event| match event.bearer_token() {
        Some("open sesame") => Ok(AuthorizerResponse::new("ali-baba", everything())?),
        Some("broken") => Err(AuthorizerError::failure("a secret")),
        Some("panic") => panic!("a secret"),
        _ => Err(AuthorizerError::unauthorized()),
    });
    lambda::run(authorizer).await.unwrap();
}

/// A runtime API that hands out some events, and says what was reported about them.
async fn runtime_api(listener: TcpListener, events: Vec<String>) -> Vec<(String, Value)> {
    let expected = events.len();
    let events: Mutex<VecDeque<_>> = Mutex::new(events.into_iter().enumerate().collect());
    let (events, reports) = (Arc::new(events), Arc::new(Mutex::new(Vec::new())));
    let done = Arc::new(tokio::sync::Notify::new());
    loop {
        tokio::select! {
            connection = listener.accept() => {
                let (stream, _) = connection.unwrap();
                let (events, reports, done) = (Arc::clone(&events), Arc::clone(&reports), Arc::clone(&done));
                tokio::spawn(async move { serve(stream, &events, &reports, expected, &done).await });
            }
            () = done.notified() => return reports.lock().unwrap().clone(),
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    events: &Mutex<VecDeque<(usize, String)>>,
    reports: &Mutex<Vec<(String, Value)>>,
    expected: usize,
    done: &tokio::sync::Notify,
) {
    let mut read = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8(read.drain(..end + 4).collect()).unwrap();
            }
            if stream.read_buf(&mut read).await.unwrap() == 0 {
                return;
            }
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        while read.len() < length.unwrap_or_default() {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
        }
        let body: Vec<u8> = read.drain(..length.unwrap_or_default()).collect();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let answer = if path.ends_with("/invocation/next") {
            let next = events.lock().unwrap().pop_front();
            let Some((id, event)) = next else {
                // Lambda freezes whoever asks for more.
                return std::future::pending().await;
            };
            format!(
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: 9999999999999\r\n\
                 lambda-runtime-invoked-function-arn: arn\r\ncontent-length: {}\r\n\r\n{event}",
                event.len()
            )
        } else {
            let mut reports = reports.lock().unwrap();
            reports.push((path, serde_json::from_slice(&body).unwrap()));
            reports.sort_by(|(one, _), (other, _)| one.cmp(other));
            if reports.len() == expected {
                done.notify_one();
            }
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn the_runtime_takes_events_and_reports_answers_and_errors() {
    for concurrency in [None, Some("3")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "inside_of_lambda"]);
        command
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env_remove("AWS_LAMBDA_MAX_CONCURRENCY")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        if let Some(concurrency) = concurrency {
            command.env("AWS_LAMBDA_MAX_CONCURRENCY", concurrency);
        }
        let events =
            ["Bearer open sesame", "Bearer broken", "Bearer panic", "Bearer nobody"].map(token_event);
        let mut child = command.spawn().unwrap();
        let events = events.into_iter().chain(["{}".to_owned()]).collect();
        let reports = tokio::time::timeout(Duration::from_secs(60), runtime_api(listener, events)).await;
        child.kill().unwrap();
        child.wait().unwrap();

        let failure = json!({"errorType": "AuthorizerFailure", "errorMessage": "authorizer failure"});
        let unauthorized = json!({"errorType": "Unauthorized", "errorMessage": "Unauthorized"});
        let policy = serde_json::to_value(everything()).unwrap();
        let at = |id: usize, what: &str| format!("/2018-06-01/runtime/invocation/{id}/{what}");
        let expected = vec![
            (at(0, "response"), json!({"principalId": "ali-baba", "policyDocument": policy})),
            (at(1, "error"), failure.clone()),
            (at(2, "error"), failure.clone()),
            (at(3, "error"), unauthorized),
            (at(4, "error"), failure),
        ];
        assert_eq!(reports.unwrap(), expected, "{concurrency:?}");
    }
}
