//! Names of query parameters: which are the same.

use super::header;

/// Whether a client's parameter is `name` to some program behind us. There are those that ignore case; PHP ignores spaces in
/// front, takes punctuation for `_` and nothing behind a NUL, and with `[` makes a list of a parameter.
pub(super) fn is_same(sent: &str, name: &str) -> bool {
    let sent = sent.trim_start();
    let sent = sent.split_once('\0').map_or(sent, |(sent, _)| sent);
    let before_list = sent.split_once('[').map(|(sent, _)| sent);
    [Some(sent), before_list].into_iter().flatten().any(|sent| header::is_same(sent, name))
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
        ] {
            assert!(is_same(alias, "user_id"), "{alias:?}");
        }
        for other in ["userid", "user_id2", "user_id ", "x[user_id]", "user", "", "[user_id]", "\0user_id"] {
            assert!(!is_same(other, "user_id"), "{other:?}");
        }
    }
}
