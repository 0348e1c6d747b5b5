//! Any bytes are read as an answer or refused, by the rules of each kind of API; what was read prints as JSON that reads
//! as the same answer.

use tower_lambda_authorizer::AuthorizerResponse;
use tower_lambda_authorizer::contract::{PayloadFormat, ResponseRules};

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &[u8]) -> bool {
    if loses_digits(text) {
        return false;
    }
    for rules in [
        ResponseRules::rest(),
        ResponseRules::websocket(),
        ResponseRules::http(PayloadFormat::V1),
        ResponseRules::http(PayloadFormat::V2),
        ResponseRules::http_simple(),
    ] {
        match AuthorizerResponse::from_json(text, &rules) {
            Ok(answer) => {
                assert_eq!(answer.check(&rules), Ok(()));
                let printed = answer.to_json();
                let again = AuthorizerResponse::from_json(&printed, &rules);
                assert_eq!(again.as_ref(), Ok(&answer), "{printed}");
                assert_eq!(answer.is_authorized().is_some(), answer.policy().is_none());
                let _ = format!("{answer:?}");
            }
            Err(error) => {
                let message = format!("{error} {error:?}");
                assert!(!message.chars().any(char::is_control), "{message:?}");
            }
        }
    }
    true
}

/// serde_json reads some long fractions as a neighbour of the nearest number, and that one prints as another.
fn loses_digits(text: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(text).is_ok_and(|value| {
        serde_json::from_str::<serde_json::Value>(&value.to_string()).is_ok_and(|again| again != value)
    })
}
