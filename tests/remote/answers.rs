//! What functions return, and what it is taken for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tower_lambda_authorizer::clock::{Clock, ManualClock};
use tower_lambda_authorizer::contract::{PayloadFormat, ResponseError, ResponseRules};
use tower_lambda_authorizer::remote::RemoteError;
use tower_lambda_authorizer::{Authorizer, AuthorizerEvent, AuthorizerResponse};

use crate::endpoint::{Endpoint, Reply, failed, response, returned};
use crate::{both, failure, token_event};

const EVENTS: [&str; 5] = [
    include_str!("../fixtures/events/rest_token.json"),
    include_str!("../fixtures/events/rest_request.json"),
    include_str!("../fixtures/events/websocket_connect.json"),
    include_str!("../fixtures/events/http_v1.json"),
    include_str!("../fixtures/events/http_v2.json"),
];

fn v2_event() -> AuthorizerEvent {
    AuthorizerEvent::from_json(EVENTS[4]).unwrap()
}

fn rules(event: usize) -> ResponseRules {
    match event {
        2 => ResponseRules::websocket(),
        3 => ResponseRules::http(PayloadFormat::V1),
        4 => ResponseRules::http(PayloadFormat::V2),
        _ => ResponseRules::rest(),
    }
}

/// An answer that allows everything, with this context.
fn answer(context: &serde_json::Value) -> String {
    let statement = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    json!({"principalId": "me", "policyDocument": policy, "context": context}).to_string()
}

#[tokio::test]
async fn the_function_is_given_each_event_as_the_gateway_prints_it() {
    let endpoint = Endpoint::start(|_| returned(&answer(&json!({})))).await;
    for (name, authorizer) in both!(&endpoint) {
        for text in EVENTS {
            let event = AuthorizerEvent::from_json(text).unwrap();
            let response = authorizer.authorize(event.clone()).await.unwrap();
            assert_eq!(response.principal_id(), Some("me"), "{name}");
            let given = endpoint.seen().pop().unwrap();
            assert_eq!(AuthorizerEvent::from_json(&given.body).unwrap(), event, "{name}");
            assert_eq!(given.line, "POST /2015-03-31/functions/orders/invocations", "{name}");
            if name == "HTTP" {
                assert_eq!(given.header("content-type"), Some("application/json"));
            }
        }
    }
}

#[derive(Deserialize)]
struct Row {
    answer: String,
}

#[tokio::test]
async fn every_answer_is_accepted_or_refused_as_if_it_had_not_travelled() {
    let rows: BTreeMap<String, Row> =
        serde_json::from_str(include_str!("../fixtures/answers/answers.json")).unwrap();
    let rows: Vec<(String, String)> = rows
        .into_iter()
        .map(|(name, row)| (name, row.answer))
        .filter(|(_, answer)| !answer.contains("authorizerExpiresAt") && !answer.contains("errorMessage"))
        .collect();
    assert!(rows.len() >= 60);
    let answers: Vec<String> = rows.iter().map(|(_, answer)| answer.clone()).collect();
    // Requests come one after the other, so many for each answer.
    let per_answer = 2 * (EVENTS.len() + 1);
    let endpoint = Endpoint::start(move |n| returned(&answers[n / per_answer])).await;
    let plain = both!(&endpoint);
    let simple = both!(&endpoint, |builder| builder.with_simple_responses());
    for (name, answer) in &rows {
        for (index, text) in EVENTS.iter().enumerate() {
            for (transport, authorizer) in &plain {
                let event = AuthorizerEvent::from_json(text).unwrap();
                let expected = AuthorizerResponse::from_json(answer, &rules(index));
                same(&format!("{name}, {transport}"), &authorizer.authorize(event).await, &expected);
            }
        }
        for (transport, authorizer) in &simple {
            let expected = AuthorizerResponse::from_json(answer, &ResponseRules::http_simple());
            same(&format!("{name}, {transport}"), &authorizer.authorize(v2_event()).await, &expected);
        }
    }
}

fn same(
    name: &str,
    got: &Result<AuthorizerResponse, tower_lambda_authorizer::AuthorizerError>,
    expected: &Result<AuthorizerResponse, ResponseError>,
) {
    match (got, expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{name}"),
        (Err(got), Err(expected)) => {
            let RemoteError::Answer(error) = failure(got) else { panic!("{name}: {got:?}") };
            assert_eq!(error, expected, "{name}");
        }
        _ => panic!("{name}: {got:?}, not {expected:?}"),
    }
}

#[tokio::test]
async fn a_function_that_fails_with_the_word_is_a_401_and_every_other_failure_is_a_500() {
    let cases = [
        (r#"{"errorMessage":"Unauthorized"}"#, None),
        (r#"{"errorType":"Error","errorMessage":"Unauthorized","trace":["Error: Unauthorized"]}"#, None),
        (r#" {"errorMessage" : "\u0055nauthorized"} "#, None),
        (r#"{"errorMessage":"Unauthorized: expired"}"#, Some(("", "Unauthorized: expired"))),
        (r#"{"errorMessage":"unauthorized"}"#, Some(("", "unauthorized"))),
        (r#"{"errorMessage":" Unauthorized"}"#, Some(("", " Unauthorized"))),
        (r#"{"errorMessage":"Unauthorized\n"}"#, Some(("", "Unauthorized "))),
        (r#"{"errorMessage":"","errorType":"Error"}"#, Some(("Error", ""))),
        (r#"{"errorMessage":null}"#, Some(("", ""))),
        (r#"{"errorMessage":["Unauthorized"]}"#, Some(("", ""))),
        (r#"{"errorMessage":"x","errorMessage":"Unauthorized"}"#, Some(("", "Unauthorized"))),
        (
            r#"{"errorMessage":"db: password is hunter2","errorType":"E"}"#,
            Some(("E", "db: password is hunter2")),
        ),
    ];
    // With the header that says so; without, which some local runtimes forget; and with a status of 500, as others do.
    let endpoint = Endpoint::start(move |n| match (cases[n / 6].0, n % 6) {
        (body, 0 | 1) => failed(body),
        (body, 2 | 3) => returned(body),
        (body, _) => Reply::Send(response(500, "", body)),
    })
    .await;
    let authorizers = both!(&endpoint);
    for (body, expected) in cases {
        for _ in 0..3 {
            for (name, authorizer) in &authorizers {
                let error = authorizer.authorize(token_event()).await.unwrap_err();
                let got = match error.is_unauthorized() {
                    true => None,
                    false => {
                        let RemoteError::Function(error) = failure(&error) else { panic!("{name}, {body}") };
                        Some((error.error_type().to_owned(), error.message().to_owned()))
                    }
                };
                let expected = expected.map(|(kind, message)| (kind.to_owned(), message.to_owned()));
                assert_eq!(got, expected, "{name}, {body}");
            }
        }
    }
}

#[tokio::test]
async fn a_function_that_fails_without_a_word_is_a_500_also_with_a_good_answer_in_its_place() {
    let bodies =
        [String::new(), "Unauthorized".into(), "\"Unauthorized\"".into(), "[]".into(), answer(&json!({}))];
    let script = bodies.clone();
    let endpoint = Endpoint::start(move |n| failed(&script[n / 2])).await;
    let authorizers = both!(&endpoint);
    for body in bodies {
        for (name, authorizer) in &authorizers {
            let error = authorizer.authorize(token_event()).await.unwrap_err();
            assert!(matches!(failure(&error), RemoteError::Function(_)), "{name}, {body}");
        }
    }
}

#[tokio::test]
async fn a_good_answer_with_an_error_message_is_an_error() {
    let body = answer(&json!({})).replacen('{', r#"{"errorMessage":"","#, 1);
    let endpoint = Endpoint::start(move |_| returned(&body)).await;
    for (name, authorizer) in both!(&endpoint) {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        assert!(matches!(failure(&error), RemoteError::Function(_)), "{name}");
    }
}

#[tokio::test]
async fn a_functions_message_is_cut_and_made_printable() {
    let body = json!({"errorMessage": "\u{1b}[31m".repeat(1_000), "errorType": "a\nb"}).to_string();
    let endpoint = Endpoint::start(move |_| failed(&body)).await;
    for (name, authorizer) in both!(&endpoint) {
        let error = authorizer.authorize(token_event()).await.unwrap_err();
        let RemoteError::Function(error) = failure(&error) else { panic!("{name}") };
        assert_eq!((error.error_type(), error.message().chars().count()), ("a b", 1_024), "{name}");
        assert!(!error.to_string().contains(char::is_control), "{name}");
    }
}

#[tokio::test]
async fn our_own_expiry_is_a_maximum_age_and_hidden() {
    let clock = ManualClock::default();
    let now = clock.wall().as_secs();
    let cases = [
        // It is the next whole second after the moment that is meant.
        (json!({"authorizerExpiresAt": now + 61, "plan": "free"}), Ok(Some(60))),
        (json!({"authorizerExpiresAt": (now + 61).to_string(), "plan": "free"}), Ok(Some(60))),
        (json!({"authorizerExpiresAt": now as f64 + 61.9, "plan": "free"}), Ok(Some(60))),
        (json!({"authorizerExpiresAt": now + 1, "plan": "free"}), Ok(Some(0))),
        (json!({"authorizerExpiresAt": now, "plan": "free"}), Ok(Some(0))),
        (json!({"authorizerExpiresAt": now - 60, "plan": "free"}), Ok(Some(0))),
        (json!({"authorizerExpiresAt": -1, "plan": "free"}), Ok(Some(0))),
        (json!({"plan": "free"}), Ok(None)),
        // What ours say of an answer that is good for ever.
        (json!({"authorizerExpiresAt": u64::MAX, "plan": "free"}), Ok(Some(99_999_999_998 - now))),
        (json!({"authorizerExpiresAt": "tomorrow", "plan": "free"}), Err(())),
        (json!({"authorizerExpiresAt": true, "plan": "free"}), Err(())),
        (json!({"authorizerExpiresAt": null, "plan": "free"}), Err(())),
    ];
    let bodies: Vec<String> = cases.iter().map(|(context, _)| answer(context)).collect();
    let per_case = 2 * EVENTS.len();
    let endpoint = Endpoint::start(move |n| returned(&bodies[n / per_case])).await;
    let authorizers = both!(&endpoint, |builder| builder.with_clock(clock.clone()));
    for (context, expected) in cases {
        for text in EVENTS {
            for (name, authorizer) in &authorizers {
                let event = AuthorizerEvent::from_json(text).unwrap();
                match (authorizer.authorize(event).await, expected) {
                    (Ok(response), Ok(seconds)) => {
                        assert_eq!(response.max_age(), seconds.map(Duration::from_secs), "{name}, {context}");
                        let names: Vec<_> = response.context().iter().map(|(name, _)| name).collect();
                        assert_eq!(names, ["plan"], "{name}, {context}");
                    }
                    (Err(error), Err(())) => assert_eq!(
                        failure(&error).to_string(),
                        "the context value `authorizerExpiresAt` is to be the answer's expiry: it has to be a number \
                         of seconds since 1970",
                        "{name}, {context}"
                    ),
                    (got, _) => panic!("{name}, {context}: {got:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn other_functions_can_say_in_a_value_of_theirs_when_an_answer_expires() {
    let clock = ManualClock::default();
    let now = clock.wall().as_secs();
    let cases = [
        (json!({"exp": now + 60}), Ok(Some(60))),
        (json!({"exp": now + 60, "authorizerExpiresAt": now + 31}), Ok(Some(30))),
        (json!({"exp": now + 60, "authorizerExpiresAt": now + 90}), Ok(Some(60))),
        // What does not say how long it is good is used once.
        (json!({}), Ok(Some(0))),
        (json!({"exp": null}), Ok(Some(0))),
        (json!({"Exp": now + 60}), Ok(Some(0))),
        (json!({"exp": now * 1_000}), Err(())),
        (json!({"exp": 1e300}), Err(())),
        (json!({"exp": ""}), Err(())),
    ];
    let bodies: Vec<String> = cases.iter().map(|(context, _)| answer(context)).collect();
    let endpoint = Endpoint::start(move |n| returned(&bodies[n / 2])).await;
    let authorizers = both!(&endpoint, |builder| builder.with_clock(clock.clone()).with_max_age_from("exp"));
    for (context, expected) in cases {
        for (name, authorizer) in &authorizers {
            match (authorizer.authorize(token_event()).await, expected) {
                (Ok(response), Ok(seconds)) => {
                    assert_eq!(response.max_age(), seconds.map(Duration::from_secs), "{name}, {context}");
                    assert_eq!(
                        response.context().get("exp").is_some(),
                        context.get("exp").is_some(),
                        "{name}"
                    );
                }
                (Err(error), Err(())) => {
                    assert!(matches!(failure(&error), RemoteError::Expiry { .. }), "{name}, {context}");
                }
                (got, _) => panic!("{name}, {context}: {got:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_principal_in_the_context_has_to_be_the_answers_own() {
    let bodies = [answer(&json!({"principalId": "me"})), answer(&json!({"principalId": "you"}))];
    let endpoint = Endpoint::start(move |n| returned(&bodies[n / 2])).await;
    let authorizers = both!(&endpoint);
    for (name, authorizer) in &authorizers {
        assert!(authorizer.authorize(v2_event()).await.is_ok(), "{name}");
    }
    for (name, authorizer) in &authorizers {
        let error = authorizer.authorize(v2_event()).await.unwrap_err();
        let RemoteError::Answer(error) = failure(&error) else { panic!("{name}") };
        assert_eq!(*error, ResponseError::ReservedContextKey { key: "principalId".into() }, "{name}");
    }
}
