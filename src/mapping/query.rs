//! Names of query parameters: which are the same.

use super::header;

/// Whether a client's parameter is `name` to some program behind us. There are those that ignore case; PHP ignores spaces in
/// front, takes punctuation for `_` and nothing behind a NUL; with brackets most make a list of a parameter, and some ignore
/// them; Spring has `!` before defaults and `_` before what a form may leave out.
pub(super) fn is_same(sent: &str, name: &str) -> bool {
    let sent = sent.split_once('\0').map_or(sent, |(sent, _)| sent).trim_start();
    let bare = sent.trim_start_matches(|c: char| matches!(c, '[' | ']' | '!' | '_') || c.is_whitespace());
    let marked = sent.strip_prefix(['!', '_']).unwrap_or(sent);
    [sent, marked, bare].into_iter().any(|sent| {
        let before_brackets = sent.split(['[', ']']).next().unwrap_or_default();
        header::is_same(sent, name) || header::is_same(before_brackets, name)
    })
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn names_are_the_same_that_frameworks_take_for_one() {
        for alias in [
            "user_id",
            "User_ID",
            "user.id",
            "user-id",
            "user id",
            " \tuser_id",
            "user_id\0x",
            "user_id[]",
            "user_id[a][b]",
            "user[id",
            "user_id[",
            "[user_id]",
            "]user_id",
            "user_id]",
            "[]user_id",
            "_user_id",
            "!user_id",
            "[ user_id]",
        ] {
            assert!(is_same(alias, "user_id"), "{alias:?}");
        }
        assert!(is_same("_x", "_x") && is_same("__x", "_x") && is_same("_X[]", "_x"));
        for other in ["userid", "user_id2", "user_id ", "x[user_id]", "user", "", "\0user_id", "[]"] {
            assert!(!is_same(other, "user_id"), "{other:?}");
        }
    }
}
