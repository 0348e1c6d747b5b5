//! Any text is read or refused, never worse; what was read prints as text that reads as the same.

use tower_lambda_authorizer::policy::PolicyDocument;

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    let policy = match PolicyDocument::from_json(text) {
        Ok(policy) => policy,
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains(error.location()), "{message}");
            assert!(!message.chars().any(char::is_control), "{message:?}");
            return true;
        }
    };
    let printed = serde_json::to_string(&policy).expect("what was read can be printed");
    let again = PolicyDocument::from_json(&printed).expect("what was printed can be read");
    assert_eq!(again, policy, "{printed}");
    assert_eq!(serde_json::to_string(&again).expect("printed twice"), printed);
    let within: PolicyDocument = serde_json::from_str(text).expect("readable as a part of other JSON");
    assert_eq!(within, policy);
    true
}
