//! Query strings, decoded once.

use std::borrow::Cow;

/// The undecoded names and values. A parameter without `=` has an empty value; empty parameters are no parameters.
pub(crate) fn pairs(query: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Decodes `+` and escapes; `None` if that is not UTF-8. A `%` that starts no escape stands for itself.
pub(crate) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Some(Cow::Borrowed(raw));
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

/// The same, with replacement characters for what is not UTF-8.
fn lossy(raw: &str) -> String {
    match decode(raw) {
        Some(text) => text.into_owned(),
        None => {
            let spaced = raw.replace('+', " ");
            percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        }
    }
}

/// The last value of a parameter, decoded; nothing else of the query is.
pub(crate) fn last_value(query: &str, name: &str) -> Option<String> {
    // No name becomes longer when it is decoded.
    let is_named =
        |known: &str| known.len() >= name.len() && decode(known).is_some_and(|known| known == name);
    pairs(query).rev().find(|(known, _)| is_named(known)).map(|(_, value)| lossy(value))
}

/// All parameters, decoded, in the order of the query.
pub(crate) fn decode_all(query: &str) -> Vec<(String, String)> {
    pairs(query).map(|(name, value)| (lossy(name), lossy(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_once_and_keep_their_order() {
        let expected = [("a", "1 2"), ("b", ""), ("c", ""), ("a", "%2B"), ("d", "x=y"), ("%", "%zz")];
        let expected: Vec<_> = expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        assert_eq!(decode_all("a=1+2&b&&c=&a=%252B&d=x=y&%=%zz"), expected);
        assert_eq!(decode_all(""), vec![]);
        assert_eq!(decode_all("a=%ff"), vec![("a".to_owned(), "\u{fffd}".to_owned())]);
        let last = |query, name| last_value(query, name);
        assert_eq!(last("%61b=1&a=x&ab=1+%32&b=3", "ab").as_deref(), Some("1 2"));
        assert_eq!(last("%61b=%ff&b", "ab").as_deref(), Some("\u{fffd}"));
        assert_eq!((last("b", "b").as_deref(), last("b", "a"), last("", "a")), (Some(""), None, None));
    }
}
