//! Names of query parameters: which are the same.

use std::borrow::Cow;

use super::header;

/// Whether a client's parameter is `name`, which is ASCII, to some program behind us. There are those that ignore case, and
/// not only that of ASCII; PHP ignores spaces in front, takes punctuation for `_` and nothing behind a NUL; with brackets most
/// make a list of a parameter, and some ignore them; others nest parameters by dots; Spring has `!` before defaults and `_`
/// before what a form may leave out.
pub(super) fn is_same(sent: &str, name: &str) -> bool {
    let sent = in_ascii(sent);
    let sent = sent.split_once('\0').map_or(&*sent, |(sent, _)| sent).trim_start();
    let bare = sent.trim_start_matches(|c: char| matches!(c, '[' | ']' | '!' | '_') || c.is_whitespace());
    let marked = sent.strip_prefix(['!', '_']).unwrap_or(sent);
    [sent, marked, bare].into_iter().any(|sent| {
        let outermost = sent.split(['[', ']', '.']).next().unwrap_or_default();
        header::is_same(sent, name) || header::is_same(outermost, name)
    })
}

/// The letters beyond ASCII that are those of ASCII in another case: a long s, the sign for Kelvin, and the Turkish i.
fn in_ascii(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    let letters = name.chars().map(|letter| match letter {
        '\u{17F}' => 's',
        '\u{212A}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        other => other,
    });
    Cow::Owned(letters.collect())
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
            "user_id.name",
            "u\u{17F}er_id",
            "U\u{17F}ER_\u{131}D[]",
            "_user_\u{130}d",
        ] {
            assert!(is_same(alias, "user_id"), "{alias:?}");
        }
        assert!(is_same("\u{212A}ind", "kind") && is_same("user.id", "user"));
        assert!(is_same("_x", "_x") && is_same("__x", "_x") && is_same("_X[]", "_x"));
        for other in [
            "userid",
            "user_id2",
            "user_id ",
            "x[user_id]",
            "user",
            "",
            "\0user_id",
            "[]",
            ".user_id",
            "\u{212A}ser_id",
        ] {
            assert!(!is_same(other, "user_id"), "{other:?}");
        }
    }
}
