//! The template of the route that a gateway says it has taken, and the path it says it has got.

use percent_encoding::percent_decode_str;

use crate::policy::{hex_value, is_unreserved};

/// Whether a path is a template with a gateway's parameters in it, but for slashes at the ends. Segment by segment: HTTP APIs
/// show paths decoded, and a value with a slash in it would be two.
pub(crate) fn is_filled<'v>(template: &str, value: impl Fn(&str) -> Option<&'v str>, path: &str) -> bool {
    let mut rest = Some(trim(path));
    for segment in trim(template).split('/') {
        let Some(left) = rest else { return false };
        let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        let greedy = name.and_then(|name| name.strip_suffix('+'));
        let (own, behind) = match (greedy, left.split_once('/')) {
            (None, Some((own, behind))) => (own, Some(behind)),
            _ => (left, None),
        };
        let expected = match (greedy, name) {
            (Some(name), _) => value(name).map(trim),
            (None, Some(name)) => value(name),
            (None, None) => Some(segment),
        };
        if !expected.is_some_and(|expected| is_same(expected, own)) {
            return false;
        }
        rest = behind;
    }
    rest.is_none()
}

fn trim(path: &str) -> &str {
    path.trim_matches('/')
}

/// Whether a parameter is the text that was sent. Of the first it is not known whether it is decoded; if it is not, what has been
/// decoded since is a difference where it leads elsewhere. HTTP APIs may decode paths twice, and cut them at a `?`.
fn is_same(parameter: &str, sent: &str) -> bool {
    percent_decode_str(sent).eq(parameter.bytes()) || characters(parameter).eq(characters(sent))
}

/// The bytes of a path, decoded, and with each whether it was escaped, where that makes a difference.
fn characters(path: &str) -> impl Iterator<Item = (u8, bool)> {
    let mut rest = path.bytes();
    std::iter::from_fn(move || {
        let byte = rest.next()?;
        let mut ahead = rest.clone();
        match (byte, ahead.next().and_then(hex_value), ahead.next().and_then(hex_value)) {
            (b'%', Some(high), Some(low)) => {
                rest = ahead;
                let byte = high * 16 + low;
                Some((byte, is_unreserved(byte) || b"%/?#\\".contains(&byte)))
            }
            _ => Some((byte, false)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_filled;

    #[test]
    fn a_template_is_filled_and_compared() {
        let value = |name: &str| match name {
            "id" => Some("a b"),
            "raw" => Some("a%20b"),
            "proxy" => Some("v1/admin/"),
            "two" => Some("a/b"),
            "escaped" => Some("a%2Fb"),
            "ended" => Some("a/"),
            "twice" => Some("%61dmin"),
            "slashed" => Some("users/a%2Fkeys"),
            "cut" => Some("admin%3Fx"),
            "letter" => Some("caf%c3%a9"),
            "at" => Some("a%40b%"),
            _ => None,
        };
        for (template, path, expected) in [
            ("/", "/", true),
            ("/", "/x", false),
            ("/users", "/users/", true),
            ("/users", "/users/x", false),
            ("/users/{id}", "/users/a%20b", true),
            ("/users/{id}", "/users", false),
            ("/users/{raw}", "/users/a%20b", true),
            ("/users/{raw}", "/users/a%2520b", true),
            ("/users/{id}/x", "/users/b/x", false),
            ("/{proxy+}", "/v1/admin", true),
            ("/{proxy+}", "/admin", false),
            ("/{proxy+}", "/v1/admin/x", false),
            ("/{id}/{proxy+}", "/a%20b/v1/admin", true),
            ("/users/{other}", "/users/x", false),
            ("/{two}", "/a/b", false),
            ("/{two}", "/a%2Fb", true),
            ("/{escaped}", "/a/b", false),
            ("/{escaped}", "/a%2Fb", true),
            ("/{escaped}", "/a%252Fb", true),
            ("/{two}/{proxy+}", "/a/b/v1/admin", false),
            ("/{two+}", "/a/b", true),
            ("/{ended}", "/a/", false),
            ("/{ended+}", "/a/", true),
            ("/{twice}", "/admin", false),
            ("/{twice}", "/%61dmin", true),
            ("/{twice}", "/%2561dmin", true),
            ("/{slashed+}", "/users/a/keys", false),
            ("/{slashed+}", "/users/a%2fkeys", true),
            ("/{cut}", "/admin", false),
            ("/{cut}", "/admin?x", false),
            ("/{cut}", "/admin%3Fx", true),
            ("/{letter}", "/caf%C3%A9", true),
            ("/{letter}", "/caf\u{e9}", true),
            ("/{at}", "/a@b%25", false),
            ("/{at}", "/a@b%", true),
        ] {
            assert_eq!(is_filled(template, value, path), expected, "{template} {path}");
        }
    }
}
