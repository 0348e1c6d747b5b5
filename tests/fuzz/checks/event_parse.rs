//! Any text is read as an event or refused; what was read prints as JSON that reads as the same event.

use tower_lambda_authorizer::AuthorizerEvent;

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    if loses_digits(text.as_bytes()) {
        return false;
    }
    let event = match AuthorizerEvent::from_json(text) {
        Ok(event) => event,
        Err(error) => {
            let message = format!("{error} {error:?}");
            assert!(!message.chars().any(char::is_control), "{message:?}");
            assert!(message.len() < 8192, "{message}");
            return true;
        }
    };
    let printed = serde_json::to_string(&event).expect("what was read can be printed");
    let again = AuthorizerEvent::from_json(&printed).expect("what was printed can be read");
    assert_eq!(again, event, "{printed}");
    let _ = format!("{event:?}");
    for event in [&event, &again] {
        let seen = [
            event.token(),
            event.bearer_token(),
            event.path(),
            event.route_key(),
            event.header("authorization"),
            event.query_parameter("q"),
            event.path_parameter("id"),
            event.stage_variable("v"),
            event.user_agent(),
            event.request_id(),
        ];
        let count = event.query_parameters().count() + event.identity_source().count();
        let _ = (seen, count, event.kind(), event.method(), event.source_ip(), event.client_certificate());
        let _ = event.headers().map(http::HeaderMap::len);
    }
    true
}

/// serde_json reads some long fractions as a neighbour of the nearest number, and that one prints as another.
fn loses_digits(text: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(text).is_ok_and(|value| {
        serde_json::from_str::<serde_json::Value>(&value.to_string()).is_ok_and(|again| again != value)
    })
}
