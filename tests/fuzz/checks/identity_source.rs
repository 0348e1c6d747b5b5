//! Any text is a list of identity sources or not; what is one prints as the same.

use tower_lambda_authorizer::request::IdentitySource;

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    match IdentitySource::parse_list(text) {
        Ok(sources) => {
            assert!(!sources.is_empty());
            for source in sources {
                let printed = source.to_string();
                let again: IdentitySource = printed.parse().expect("what was printed can be read");
                assert_eq!(again, source, "{printed}");
                assert_eq!(again.to_string(), printed);
            }
        }
        Err(error) => drop(error.to_string()),
    }
    true
}
