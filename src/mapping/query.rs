//! Names of query parameters: which are the same.

use std::borrow::Cow;

use super::header;

/// Whether a client's parameter is `name`, which is ASCII, to some program behind us. See [`Readings`].
pub(super) fn is_same(sent: &str, name: &str) -> bool {
    Readings::of(sent).are(&Known::new(name))
}

/// A name that is mapped.
pub(super) struct Known<'a> {
    written: &'a str,
    /// As what nests parameters reads it.
    nested: String,
}

impl<'a> Known<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self { written: name, nested: nested_by_dots(name) }
    }
}

/// What programs behind us may take a client's parameter for. There are those that ignore case, and
/// not only that of ASCII; PHP ignores spaces in front, takes punctuation for `_` and nothing behind a NUL; with brackets most
/// make a list of a parameter, and some ignore them; others nest parameters by dots; Spring has `!` before defaults and `_`
/// before what a form may leave out; Zope has types behind a colon, and Rails parts in parentheses.
pub(super) struct Readings {
    written: Vec<String>,
    nested: Vec<String>,
}

impl Readings {
    pub(super) fn of(sent: &str) -> Self {
        // Some decode the dots of names once more.
        let sent = in_ascii(sent).replace("%2E", ".").replace("%2e", ".");
        let sent = sent.split_once('\0').map_or(&*sent, |(sent, _)| sent).trim_start();
        let mut written = vec![sent.to_owned()];
        if sent.contains(']') {
            // ASP.NET leaves empty brackets out, and those that close; qs, what stands behind one that closes.
            written.extend([sent.replace("[]", "").replace(']', ""), without_text_behind_brackets(sent)]);
        }
        let nested = written.iter().filter(|sent| sent.contains(NESTING)).map(|sent| nested_by_dots(sent));
        Self { nested: nested.collect(), written }
    }

    pub(super) fn are(&self, name: &Known<'_>) -> bool {
        self.written.iter().any(|sent| begins_with(sent, name.written))
            || self.nested.iter().any(|sent| begins_with(sent, &name.nested))
    }
}

/// The same without what stands between a bracket that closes and the next bracket or dot.
fn without_text_behind_brackets(name: &str) -> String {
    let mut is_behind = false;
    let is_kept = |character: &char| {
        is_behind = match character {
            ']' => true,
            '[' | '.' => false,
            _ => return !is_behind,
        };
        true
    };
    name.chars().filter(is_kept).collect()
}

/// What parameters are nested by.
const NESTING: [char; 5] = ['[', ']', '.', '\'', '"'];

/// Whether that is the whole, or what something is nested in, behind any marks.
fn begins_with(sent: &str, name: &str) -> bool {
    let is_mark = |c: char| matches!(c, '[' | ']' | '.' | '!' | '_') || c.is_whitespace();
    let mut rest = sent;
    loop {
        if let Some((head, tail)) = rest.split_at_checked(name.len())
            && (tail.is_empty() || tail.starts_with(['[', ']', '.', ':', '(']))
            && header::is_same(head, name)
        {
            return true;
        }
        match rest.strip_prefix(is_mark) {
            Some(shorter) => rest = shorter,
            None => return false,
        }
    }
}

/// The same with one dot for all brackets, quotes and dots in a row: `a[b]['c']` is `a.b.c.`.
fn nested_by_dots(name: &str) -> String {
    let mut nested = String::with_capacity(name.len());
    for character in name.chars() {
        if !NESTING.contains(&character) {
            nested.push(character);
        } else if !nested.ends_with('.') {
            nested.push('.');
        }
    }
    nested
}

/// Letters beyond ASCII that are ASCII in another case: a long s, the sign for Kelvin, the Turkish i, a sharp s, ligatures.
fn in_ascii(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars() {
        let other = letter.to_lowercase().flat_map(char::to_uppercase);
        // What is above a letter, such as a dot, is a character of its own.
        match other.clone().next() {
            Some(first) if first.is_ascii() => folded.extend(other.filter(char::is_ascii)),
            _ => folded.push(letter),
        }
    }
    Cow::Owned(folded)
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
            "user_id:int",
            "user_id(1i)",
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
            "user.id[]",
            "user.id[0]",
            "user.id[",
            "user-id]",
            "[user.id]",
            "_user.id[]",
            " user.id[]",
            "User.ID[a][b]",
            "user.id.name",
            "!![user_id",
            "u\u{17F}er_id",
            "U\u{17F}ER_\u{131}D[]",
            "_user_\u{130}d",
        ] {
            assert!(is_same(alias, "user_id"), "{alias:?}");
        }
        assert!(is_same("\u{212A}ind", "kind") && is_same("user.id", "user"));
        assert!(is_same("_x", "_x") && is_same("__x", "_x") && is_same("_X[]", "_x"));
        for alias in ["[_user]", "]_user", "!!_user", "___user", "_user.x", ".user[]", "-user"] {
            assert!(is_same(alias, "_user"), "{alias}");
        }
        assert!(is_same(".user[]", ".user") && is_same("user.id[0]", "user.id"));
        for alias in [
            "user[id][name]",
            "user[id].name",
            "user['id'][\"name\"]",
            "[user][id][name]",
            "user[id][name][0]",
        ] {
            assert!(is_same(alias, "user.id.name"), "{alias}");
            assert!(is_same(alias, "user.id") && is_same(alias, "user"), "{alias}");
        }
        for (alias, name) in [
            ("ro[]le", "role"),
            ("user%2Eid", "user.id"),
            ("us[]er_id", "user_id"),
            ("user_[]id", "user_id"),
            ("user[i]d", "user.id"),
            ("user[id]x[name]", "user.id.name"),
            ("user[id]x.name", "user.id.name"),
            ("user[id]x[name]y[0]", "user.id.name"),
            ("user..id", "user__id"),
            ("user..id[]", "user__id"),
            ("user[.id", "user__id"),
            ("user[[id", "user__id"),
            ("is..admin", "is__admin"),
            ("user--id", "user__id"),
            ("user__id", "user--id"),
            ("..user", "__user"),
            ("user.[x]", "user_"),
            ("user.", "user_"),
            ("se\u{DF}ion", "session"),
            ("se\u{1E9E}ion", "session"),
            ("pro\u{FB01}le", "profile"),
            ("\u{FB06}aff", "staff"),
            ("\u{FB05}aff", "staff"),
            ("sta\u{FB00}", "staff"),
        ] {
            assert!(is_same(alias, name), "{alias}");
        }
        for other in
            ["userid", "user_id2", "user_id ", "x[user_id]", "user", "", "\0user_id", "[]", "\u{212A}ser_id"]
        {
            assert!(!is_same(other, "user_id"), "{other:?}");
        }
    }
}
