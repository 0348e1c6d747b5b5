//! The template of the route that a gateway says it has taken, and the path it says it has got.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

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

/// Whether two texts are the same. Of the first it is not known whether it is decoded.
fn is_same(expected: &str, sent: &str) -> bool {
    let sent: Cow<'_, [u8]> = percent_decode_str(sent).into();
    *expected.as_bytes() == *sent || percent_decode_str(expected).eq(sent.iter().copied())
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
        ] {
            assert_eq!(is_filled(template, value, path), expected, "{template} {path}");
        }
    }
}
