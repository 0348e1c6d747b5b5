//! Where a request stands: its full path, and the template it was routed by.

use http::{Extensions, Uri};

/// What is known about a request's path before it is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Location<'a> {
    /// The whole path, also under `nest`.
    pub(crate) path: &'a str,
    /// What axum calls the template of the matched route.
    matched: Option<&'a str>,
    /// The prefix of nested routers, as a template.
    prefix: Option<&'a str>,
}

impl<'a> Location<'a> {
    /// A request that no router has seen.
    pub(crate) const fn unrouted(path: &'a str) -> Self {
        Self { path, matched: None, prefix: None }
    }

    /// Whether a router has chosen a route.
    #[cfg(feature = "lambda-http")]
    pub(crate) const fn is_routed(&self) -> bool {
        self.matched.is_some()
    }

    /// The template of the matched route, in axum's spelling. One that begins elsewhere, or that the whole path does not fit, is
    /// that of a router further in, or of two that stand within each other.
    pub(crate) fn template(&self) -> Option<&'a str> {
        self.matched.filter(|template| {
            let prefix = self.prefix.unwrap_or_default().trim_end_matches('/');
            begins_with(template, prefix) && fits(template, self.path)
        })
    }
}

/// Something between us and the router that set the original URI moved the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Moved<'a> {
    /// The whole path before that.
    pub(crate) original: &'a str,
}

/// Beside a request that a route led to a protected router, below the prefix of a nested one: axum then has no template of the
/// whole path, and what it has may read like that of another.
#[cfg(feature = "axum")]
#[derive(Clone)]
pub(crate) struct WithoutTemplate;

/// Beside a request whose path was written anew for a router: the whole path that the client sent.
#[cfg(feature = "axum")]
#[derive(Clone)]
pub(crate) struct SentPath(pub(crate) Box<str>);

/// What the client sent, if it was written anew.
#[cfg(feature = "axum")]
pub(crate) fn sent_path(extensions: &Extensions) -> Option<&str> {
    extensions.get::<SentPath>().map(|SentPath(path)| &**path)
}

/// Nobody writes anything anew without a router.
#[cfg(not(feature = "axum"))]
pub(crate) const fn sent_path(_extensions: &Extensions) -> Option<&str> {
    None
}

/// Finds the full path.
///
/// axum cuts the prefix off the path of a nested service and keeps the original URI beside it. The original
/// counts only if it is exactly that prefix and the current path: anything else means that the request was
/// rewritten after the first router saw it, and then nobody can say which path will be served.
#[cfg(feature = "axum")]
#[inline(always)]
pub(crate) fn locate<'a>(uri: &'a Uri, extensions: &'a Extensions) -> Result<Location<'a>, Moved<'a>> {
    use axum::extract::{MatchedPath, NestedPath, OriginalUri};

    let current = uri.path();
    let matched = extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let Some(OriginalUri(original)) = extensions.get::<OriginalUri>() else {
        return Ok(Location { path: current, matched, prefix: None });
    };
    let original = original.path();
    let prefix = extensions.get::<NestedPath>().map(NestedPath::as_str);
    let tail = match prefix {
        None => original,
        Some(prefix) => strip_prefix(original, prefix).ok_or(Moved { original })?,
    };
    if tail == current || (tail.is_empty() && current == "/") {
        let is_known = prefix.is_none() || extensions.get::<WithoutTemplate>().is_none();
        Ok(Location { path: original, matched: matched.filter(|_| is_known), prefix })
    } else {
        Err(Moved { original })
    }
}

/// Without a router there is no full path but the current one.
#[cfg(not(feature = "axum"))]
pub(crate) fn locate<'a>(uri: &'a Uri, _extensions: &'a Extensions) -> Result<Location<'a>, Moved<'a>> {
    Ok(Location::unrouted(uri.path()))
}

fn begins_with(template: &str, prefix: &str) -> bool {
    template.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Cuts off the segments of `prefix`, in which `{name}` stands for any one segment.
#[cfg(feature = "axum")]
fn strip_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = path;
    for expected in prefix.trim_matches('/').split('/').filter(|segment| !segment.is_empty()) {
        let after_slash = rest.strip_prefix('/')?;
        let (segment, tail) = split_segment(after_slash)?;
        let is_parameter = expected.contains('{');
        if segment.is_empty() || !(is_parameter || segment == expected) {
            return None;
        }
        rest = tail;
    }
    Some(rest)
}

/// The template in API Gateway's spelling: `{*rest}` is `{rest+}`, and without a template everything is
/// `/{proxy+}`.
pub(crate) fn resource(template: Option<&str>) -> Box<str> {
    let Some(template) = template else { return "/{proxy+}".into() };
    match rest(template) {
        Some((before, name)) => format!("{before}{{{name}+}}").into(),
        None => template.into(),
    }
}

/// What stands before the catch-all in which a template, or its last segment, ends, and its name. axum also takes letters before it.
pub(super) fn rest(template: &str) -> Option<(&str, &str)> {
    let (before, name) = template.strip_suffix('}')?.rsplit_once("{*")?;
    // Twice, a brace is one of the text.
    let is_text = (before.len() - before.trim_end_matches('{').len()) % 2 == 1;
    (!is_text && !name.contains(['{', '}', '/'])).then_some((before, name))
}

/// The parameters of a path, undecoded; one that takes the rest ends before a trailing slash. A path that does not
/// fit its template has none, nor has one in which braces of the text stand beside a parameter. Of two with one name, which
/// axum permits, the last counts, as in a map.
pub(crate) fn parameters(template: Option<&str>, path: &str) -> Vec<(Box<str>, Box<str>)> {
    let Some(template) = template else {
        let proxy = path.trim_matches('/');
        return if proxy.is_empty() { vec![] } else { vec![("proxy".into(), proxy.into())] };
    };
    let mut found = Vec::new();
    if template.split('/').any(|segment| beside_braces(segment).is_some()) {
        return vec![];
    }
    let is_fit = fit(template, path, &mut |name, value| {
        found.retain(|(known, _): &(Box<str>, Box<str>)| **known != *name);
        found.push((name.into(), value.into()));
    });
    if is_fit { found } else { vec![] }
}

/// Whether a path fits a template.
pub(super) fn fits(template: &str, path: &str) -> bool {
    fit(template, path, &mut |_, _| ())
}

/// Whether a path fits a template, and what its parameters are, none of which is empty.
fn fit<'a>(template: &'a str, path: &'a str, found: &mut dyn FnMut(&'a str, &'a str)) -> bool {
    let mut rest = path;
    let mut segments = template.split('/').skip(1).peekable();
    while let Some(expected) = segments.next() {
        let Some(after_slash) = rest.strip_prefix('/') else { return false };
        let is_last = segments.peek().is_none();
        if let Some(without_braces) = beside_braces(expected) {
            // Which of them are text is the router's affair: it has matched them.
            if without_braces.contains("{*") {
                return is_last;
            }
            let Some((_, tail)) = split_segment(after_slash) else { return false };
            rest = tail;
            continue;
        }
        if let Some((before, name)) = self::rest(expected) {
            let value = after_slash.strip_prefix(before).filter(|value| !value.is_empty());
            // With something behind it, it is two templates that axum has put together.
            let Some(value) = value.filter(|_| is_last) else { return false };
            found(name, value.trim_end_matches('/'));
            return true;
        }
        let Some((segment, tail)) = split_segment(after_slash) else { return false };
        match parameter(expected, segment) {
            Fit::Literal => {}
            Fit::Value(name, value) => found(name, value),
            Fit::No => return false,
        }
        rest = tail;
    }
    rest.is_empty()
}

/// The first segment, and all behind it.
fn split_segment(path: &str) -> Option<(&str, &str)> {
    path.split_at_checked(path.find('/').unwrap_or(path.len()))
}

/// A segment of a template without the braces that are text, if it has such and a parameter beside them.
fn beside_braces(segment: &str) -> Option<String> {
    let without = segment.replace("{{", "").replace("}}", "");
    (without.len() < segment.len() && without.contains('{')).then_some(without)
}

enum Fit<'a> {
    Literal,
    Value(&'a str, &'a str),
    No,
}

/// Fits one segment to `literal`, or to `before{name}after`.
fn parameter<'a>(expected: &'a str, segment: &'a str) -> Fit<'a> {
    let named = expected.split_once('{').filter(|(_, rest)| !rest.starts_with('{'));
    let Some((before, (name, after))) =
        named.and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return if expected.replace("{{", "{").replace("}}", "}") == segment {
            Fit::Literal
        } else {
            Fit::No
        };
    };
    match segment.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
        Some(value) if !value.is_empty() => Fit::Value(name, value),
        _ => Fit::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str, path: &str) -> String {
        let found = parameters(Some(template), path);
        found.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn parameters_keep_their_escapes() {
        assert_eq!(
            found("/users/{id}/files/{*rest}", "/users/a%20b/files/x/y%2Fz/"),
            "id=a%20b,rest=x/y%2Fz"
        );
        assert_eq!(found("/v{major}/{id}", "/v2/7"), "major=2,id=7");
        assert_eq!(found("/{id}/", "/7/"), "id=7");
        assert_eq!(found("/{id}/a{*rest}", "/7/ab/c/"), "id=7,rest=b/c");
        assert_eq!(found("/{{x}}/{id}", "/{x}/7"), "id=7");
        assert_eq!(found("/", "/"), "");
        assert_eq!(found("/users/{id}/{x}/{id}", "/users/1/2/3"), "x=2,id=3");
        assert_eq!(found("/t/{id}/{{z}}{id}", "/t/mine/{z}victim"), "");
    }

    #[test]
    fn what_does_not_fit_has_no_parameters() {
        assert_eq!(found("/users/{id}", "/users"), "");
        assert_eq!(found("/users/{id}", "/other/7"), "");
        assert_eq!(found("/users/{id}", "/users/7/more"), "");
        assert_eq!(found("/{id}/a{*rest}", "/7/b/c"), "");
        assert!(!fits("/{*rest}/{id}", "/a/b") && !fits("/a{*rest}/b", "/ab/c/b"));
        assert!(fits("/{*rest}", "/a/") && !fits("/{*rest}", "/") && !fits("/a{*rest}", "/a"));
        // Braces that are text.
        assert!(fits("/{{x}}/a", "/{x}/a") && !fits("/{{x}}", "/x"));
        assert!(fits("/{id}}}/a", "/7/a") && fits("/{{v}}{id}", "/{v}7") && fits("/a{{{*rest}", "/a{7/8"));
        assert!(!fits("/{id}}}", "/7/a") && !fits("/a{{{*rest}/b", "/a{7/b"));
        assert!(fits("/", "/") && !fits("/{id}", "/") && !fits("/a{id}/b", "/a/b"));
    }

    #[test]
    fn without_a_template_everything_is_the_proxy() {
        assert_eq!(&*resource(None), "/{proxy+}");
        assert_eq!(parameters(None, "/a/b/"), vec![("proxy".into(), "a/b".into())]);
        assert_eq!(parameters(None, "/"), vec![]);
        assert_eq!(&*resource(Some("/a/{id}/{*rest}")), "/a/{id}/{rest+}");
        assert_eq!(&*resource(Some("/a/b{*rest}")), "/a/b{rest+}");
        for template in ["/a/{{*b}}", "/a/{{*b}", "/a/{id}", "/", "/{{{id}"] {
            assert_eq!(&*resource(Some(template)), template);
        }
        assert_eq!(&*resource(Some("/{{{*rest}")), "/{{{rest+}");
    }

    #[test]
    fn templates_begin_with_whole_segments() {
        assert!(begins_with("/a/x", "/a") && begins_with("/a", "/a") && begins_with("/x", ""));
        assert!(!begins_with("/admin", "/a") && !begins_with("/b", "/a"));
    }

    #[cfg(feature = "axum")]
    #[test]
    fn prefixes_are_cut_off_segment_by_segment() {
        assert_eq!(strip_prefix("/api/users", "/api"), Some("/users"));
        assert_eq!(strip_prefix("/api", "/api"), Some(""));
        assert_eq!(strip_prefix("/api/", "/api/"), Some("/"));
        assert_eq!(strip_prefix("/t1/v2/x", "/{tenant}/v2"), Some("/x"));
        assert_eq!(strip_prefix("/apis/users", "/api"), None);
        assert_eq!(strip_prefix("/other/users", "/api"), None);
        assert_eq!(strip_prefix("/", "/api"), None);
    }
}
