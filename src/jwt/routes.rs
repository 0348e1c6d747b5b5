//! Which scopes a route needs.

use std::cmp::Ordering;

use super::config_error::JwtConfigError;
use super::issuer::is_scope;
use crate::contract::AuthorizerEvent;

/// Which scopes a token needs for which route: any one of them will do.
///
/// A route is a method, or `ANY`, and a template, as API Gateway writes its route keys. `{name}` stands for one
/// segment and `{name+}`, at the end, for one or more. `$connect` is the route of a WebSocket connection. The most
/// specific route counts: a written segment comes before `{name}`, that before `{name+}`, and a method before `ANY`.
///
/// Routes are compared with the path in the ARN of a request, which has one spelling of everything and neither stage
/// nor base path. **A request that no route covers is refused**, unless a default is named.
///
/// ```
/// use tower_lambda_authorizer::jwt::RouteScopes;
///
/// let scopes = RouteScopes::new()
///     .with_route("GET /orders/{id}", ["orders:read", "orders:write"])
///     .with_route("POST /orders", ["orders:write"])
///     .with_open_route("GET /health");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RouteScopes {
    routes: Vec<(String, Vec<String>)>,
    default: Option<Vec<String>>,
}

/// Routes that were checked.
#[derive(Clone, Debug)]
pub(super) struct CheckedRoutes {
    routes: Vec<(Route, Vec<String>)>,
    default: Option<Vec<String>>,
}

/// Route and template, taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Route {
    /// `None` is `ANY`.
    method: Option<Box<str>>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// One or more, to the end.
    Rest,
    One,
    Literal(Box<str>),
}

impl RouteScopes {
    /// No route, so that every request is refused.
    pub const fn new() -> Self {
        Self { routes: Vec::new(), default: None }
    }

    /// Adds a route and its scopes, of which a token needs one.
    pub fn with_route<S: Into<String>>(
        mut self,
        route: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.routes.push((route.into(), scopes.into_iter().map(Into::into).collect()));
        self
    }

    /// Adds a route that every accepted token is good for.
    pub fn with_open_route(self, route: impl Into<String>) -> Self {
        self.with_route(route, [""; 0])
    }

    /// Names the scopes of all other routes. With an empty list, every accepted token is good for them.
    pub fn with_default<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.default = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    pub(super) fn check(self) -> Result<CheckedRoutes, JwtConfigError> {
        let mut routes: Vec<(Route, Vec<String>)> = Vec::with_capacity(self.routes.len());
        for (text, scopes) in self.routes {
            let wrong = |problem| JwtConfigError::Route { route: text.as_str().into(), problem };
            let route = Route::parse(&text).map_err(wrong)?;
            if !scopes.iter().all(|scope| is_scope(scope)) {
                return Err(wrong("a scope is not one word of printable ASCII"));
            }
            if routes.iter().any(|(known, _)| *known == route) {
                return Err(wrong("it is there twice"));
            }
            routes.push((route, scopes));
        }
        if !self.default.iter().flatten().all(|scope| is_scope(scope)) {
            let problem = "a scope is not one word of printable ASCII";
            return Err(JwtConfigError::Route { route: "default".into(), problem });
        }
        Ok(CheckedRoutes { routes, default: self.default })
    }
}

impl CheckedRoutes {
    /// The scopes of which the request needs one, if it is one that may be made at all.
    pub(super) fn of(&self, event: &AuthorizerEvent) -> Option<&[String]> {
        let (method, path) = match (event.method(), event.path()) {
            (Some(method), Some(path)) => (method, path),
            _ => ("", event.arn().resource()),
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        let matching = self.routes.iter().filter(|(route, _)| route.covers(method, path));
        let best = matching.max_by(|(a, _), (b, _)| a.compare(b));
        best.map(|(_, scopes)| scopes).or(self.default.as_ref()).map(Vec::as_slice)
    }
}

impl Route {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "$connect" {
            return Ok(Self { method: Some("".into()), segments: vec![Segment::Literal(text.into())] });
        }
        let (method, template) = text.split_once(' ').ok_or("write it as `GET /orders/{id}`")?;
        let is_method = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if method.is_empty() || !method.bytes().all(is_method) {
            return Err("its method is none");
        }
        let path = template.strip_prefix('/').ok_or("its path does not begin with `/`")?;
        let last = path.split('/').count().saturating_sub(1);
        let mut segments = Vec::new();
        for (index, segment) in path.split('/').enumerate() {
            segments.push(match segment.strip_prefix('{').and_then(|inside| inside.strip_suffix('}')) {
                Some(name) => Self::parameter(name, index == last)?,
                None if segment.is_empty() && index == last => Segment::Literal("".into()),
                None if matches!(segment, "" | "." | "..") => return Err("it has an empty or dot segment"),
                None if !is_canonical(segment) => {
                    return Err("write it as it stands in an ARN: what is not unreserved or `!$&'()+,;=:@` as upper-case `%XX`");
                }
                None => Segment::Literal(segment.into()),
            });
        }
        let method = (method != "ANY").then(|| method.into());
        Ok(Self { method, segments })
    }

    fn parameter(name: &str, is_last: bool) -> Result<Segment, &'static str> {
        let (bare, takes_rest) = name.strip_suffix('+').map_or((name, false), |bare| (bare, true));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        if bare.is_empty() || !bare.bytes().all(is_name) {
            return Err("a parameter is `{name}` or `{name+}`");
        }
        match (takes_rest, is_last) {
            (true, true) => Ok(Segment::Rest),
            (true, false) => Err("`{name+}` stands at the end"),
            (false, _) => Ok(Segment::One),
        }
    }

    fn covers(&self, method: &str, path: &str) -> bool {
        let is_method = self.method.as_deref().map_or(!method.is_empty(), |wanted| wanted == method);
        let mut found = path.split('/');
        let mut covers = is_method;
        for segment in &self.segments {
            covers &= match (segment, found.next()) {
                (_, None) => false,
                (Segment::Literal(text), Some(found)) => **text == *found,
                (Segment::One, Some(found)) => !found.is_empty(),
                (Segment::Rest, Some(first)) => {
                    found.by_ref().for_each(drop);
                    !first.is_empty()
                }
            };
        }
        covers && found.next().is_none()
    }

    /// Which of two routes that cover the same request is the more specific one.
    fn compare(&self, other: &Self) -> Ordering {
        let rank = |segment: &Segment| match segment {
            Segment::Rest => 0,
            Segment::One => 1,
            Segment::Literal(_) => 2,
        };
        let segments = self.segments.iter().map(rank).cmp(other.segments.iter().map(rank));
        segments.then(self.method.is_some().cmp(&other.method.is_some()))
    }
}

/// Whether a segment is spelled as the ARN of a request spells it.
fn is_canonical(segment: &str) -> bool {
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let is_right = match byte {
            b'%' => match (rest.next(), rest.next()) {
                (Some(high), Some(low)) => {
                    let is_upper = |digit: u8| digit.is_ascii_digit() || matches!(digit, b'A'..=b'F');
                    let value = crate::policy::hex_value(high).zip(crate::policy::hex_value(low));
                    let decoded = value.map(|(high, low)| high * 16 + low);
                    let is_plain = decoded.is_some_and(crate::policy::is_unreserved);
                    is_upper(high) && is_upper(low) && !is_plain
                }
                _ => false,
            },
            _ => crate::policy::is_unreserved(byte) || crate::policy::is_reserved(byte),
        };
        if !is_right {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TokenEvent;

    fn event(resource: &str) -> AuthorizerEvent {
        let arn = format!("arn:aws:execute-api:us-east-1:123456789012:api/prod/{resource}");
        TokenEvent::new(arn.parse().unwrap(), "t").into()
    }

    fn table() -> CheckedRoutes {
        RouteScopes::new()
            .with_route("GET /orders/{id}", ["read"])
            .with_route("GET /orders/special", ["special"])
            .with_route("ANY /orders/{id}", ["any"])
            .with_route("ANY /{proxy+}", ["rest"])
            .with_route("GET /files/{path+}", ["files"])
            .with_route("GET /a%20b/{x}/", ["slash"])
            .with_open_route("$connect")
            .check()
            .unwrap()
    }

    #[test]
    fn the_most_specific_route_counts() {
        let table = table();
        for (resource, scope) in [
            ("GET/orders/1", "read"),
            ("GET/orders/special", "special"),
            ("POST/orders/special", "any"),
            ("get/orders/special", "any"),
            ("HEAD/orders/1", "any"),
            ("GET/orders/1/lines", "rest"),
            ("GET/orders/", "rest"),
            ("GET/orders/1%2F2", "read"),
            ("GET/orders", "rest"),
            ("GET/files/a", "files"),
            ("GET/files/a/b/c", "files"),
            ("GET/files", "rest"),
            ("PUT/files/a", "rest"),
            ("GET/a%20b/c/", "slash"),
            ("GET/a%20b/c", "rest"),
        ] {
            assert_eq!(table.of(&event(resource)), Some(&[scope.to_owned()][..]), "{resource}");
        }
        assert_eq!(table.of(&event("$connect")), Some(&[][..]));
        assert_eq!(table.of(&event("GET/")), None);
    }

    #[test]
    fn what_no_route_covers_is_refused_unless_a_default_is_named() {
        let of = |routes: RouteScopes, resource: &str| {
            routes.check().unwrap().of(&event(resource)).map(<[String]>::to_vec)
        };
        assert_eq!(of(RouteScopes::new(), "GET/x"), None);
        assert_eq!(of(RouteScopes::new().with_default(["a"]), "GET/x"), Some(vec!["a".to_owned()]));
        assert_eq!(of(RouteScopes::new().with_route("ANY /{x+}", ["a"]), "$connect"), None);
        assert_eq!(of(RouteScopes::new().with_route("GET /", ["a"]), "GET/"), Some(vec!["a".to_owned()]));
        assert_eq!(of(RouteScopes::new().with_route("GET /", ["a"]), "GET/x"), None);
    }

    #[test]
    fn what_is_no_route_is_found_when_it_is_built() {
        let check = |route: &str| RouteScopes::new().with_route(route, ["a"]).check();
        for bad in [
            "",
            "/x",
            "GET",
            "GET x",
            "G*T /x",
            "GET /x//y",
            "GET /x/../y",
            "GET /{x",
            "GET /{x+}/y",
            "GET /{}",
            "GET /{+}",
            "GET /a b",
            "GET /%61",
            "GET /%2f",
            "GET /*",
            "GET /é",
            "GET /%2",
            "GET  /x",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(RouteScopes::new().with_route("GET /x", ["a b"]).check().is_err());
        assert!(RouteScopes::new().with_default([""]).check().is_err());
        let twice = RouteScopes::new().with_open_route("GET /{a}").with_open_route("GET /{b}");
        assert!(twice.check().is_err());
    }
}
