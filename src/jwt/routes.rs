//! Which scopes a route asks for.

use super::issuer::is_scope;
use super::route::{End, Route};
use super::route_error::RouteScopesError;
use super::route_template::{crosses, fits, is_plain, read, spell, without_end};
use crate::policy::{MethodPattern, slash_readings};

/// The routes of an API and the scopes that each asks for, as API Gateway keeps them with a method or a route
/// (`authorizationScopes`). A token passes with any one of a route's scopes; a route that asks for none takes every
/// valid token.
///
/// A route is a method, or [`AnyMethod`](crate::policy::AnyMethod), and a path template: `{id}` stands for one segment,
/// `{path+}` at the end for all that are left. Of several that fit a request the most specific counts: segment by segment a name goes before
/// `{id}` and that before `{path+}`, and at last a method before `AnyMethod`. A request that fits none is refused,
/// unless [`with_other_routes`](Self::with_other_routes) says what it takes.
///
/// Paths are compared as they stand in ARNs: percent-encoded, without stage and base path, exactly. `HEAD` is a method
/// of its own.
///
/// Gateways and routers do not agree about everything that is nearly the same: a slash at the end or none, `%40` and `@`, `HEAD`
/// (or the `CONNECT` of a WebSocket) and `GET`, `%2F` and a slash, several of them and one. What is right below a path
/// (`/admin/`, `/admin/{path+}`) may be served for the path itself, as by axum's `nest_service`, and where
/// routers, services and fallbacks stand within each other, the outer one takes what it has: of two templates that fit, each may be taken if it
/// is the more specific one somewhere. So a request that could be
/// taken for one of another route is refused unless that route asks for no more; a route for `HEAD`, or one that ends as the request
/// does, says what such requests take, save where the other route is the more specific one, be it by its method. Where no route for `GET` fits,
/// one for `HEAD` that has parameters may take no less than other routes do. A path with an empty segment, `.` or `..` fits nothing,
/// nor does one with `%2F` in more than three segments.
/// Where a router has a catch-all, list `{path+}` and not `{name}`: to its handler `%2F` is a slash, and what that makes of a path may be
/// listed nowhere. `{path+}` is for what a router has as a route or a service: the fallback of a nested router stands behind all routes in
/// axum, also behind `/{tenant}/{*path}`. Of a service behind other routes, such as that of `fallback_service`, list what is reached.
/// Where the template is known by which a request was taken, as in `protect` and in events, that has to be satisfied, too, if it is listed: a
/// gateway that has `/{proxy+}` alone is listed with finer routes and [`with_other_routes`](Self::with_other_routes).
///
/// ```
/// use http::Method;
/// use tower_lambda_authorizer::jwt::RouteScopes;
/// use tower_lambda_authorizer::policy::AnyMethod;
///
/// let scopes = RouteScopes::new()
///     .with_route(Method::GET, "/users/{id}", ["users/read", "users/write"])?
///     .with_route(AnyMethod, "/users/{path+}", ["users/write"])?
///     .with_route(Method::GET, "/health", [])?;
/// # Ok::<(), tower_lambda_authorizer::jwt::RouteScopesError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RouteScopes {
    routes: Vec<Route>,
    otherwise: Option<Box<[Box<str>]>>,
}

impl RouteScopes {
    /// No routes: every request is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route.
    ///
    /// # Errors
    ///
    /// If the template does not begin with `/`, has an empty segment, has braces that are not `{name}` or, at the end,
    /// `{name+}`, holds a character that no path in an ARN holds, or escapes one that needs no escape (`%40`), or a slash: such a
    /// route would not be met. Also if the
    /// route is there already, or a scope is empty, over 256 bytes, or holds something other than visible ASCII, `"` or `\`.
    pub fn with_route<'a>(
        mut self,
        method: impl Into<MethodPattern>,
        template: &str,
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RouteScopesError> {
        let method = method.into().method().cloned();
        let segments = read(template).ok_or_else(|| RouteScopesError::Template(template.into()))?;
        let route = Route { method, template: segments, scopes: check(scopes)? };
        let is_same = |known: &Route| known.method == route.method && known.template == route.template;
        if self.routes.iter().any(is_same) {
            return Err(RouteScopesError::Repeated(template.into()));
        }
        self.routes.push(route);
        Ok(self)
    }

    /// Says what a request takes that fits no route: any one of these scopes or, without scopes, any valid token.
    ///
    /// # Errors
    ///
    /// If a scope is no word of `scope`: empty, over 256 bytes, or with something other than visible ASCII, `"` or `\`.
    pub fn with_other_routes<'a>(
        mut self,
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RouteScopesError> {
        self.otherwise = Some(check(scopes)?);
        Ok(self)
    }

    /// The scopes of which a request needs one. Empty: none is needed. `None`: no token will do.
    pub(crate) fn of(&self, method: &str, path: &str) -> Option<&[Box<str>]> {
        let canonical = spell(path);
        if !is_plain(&canonical) {
            return None;
        }
        let route = self.find(method, path);
        let scopes = route.map(|route| &*route.scopes).or(self.otherwise.as_deref())?;
        let as_get = matches!(method, "HEAD" | "CONNECT").then_some("GET");
        if as_get.is_some_and(|get| !self.speaks_for_unlisted(route, get, path, scopes)) {
            return None;
        }
        let readings = slash_readings(&canonical)?;
        if !readings.iter().step_by(2).all(|single| is_plain(single)) {
            return None;
        }
        let speaks = |get: &str| {
            let mut readings = readings.iter().map(|path| (self.find(method, path), path));
            readings.all(|(route, path)| self.speaks_for_unlisted(route, get, path, scopes))
        };
        if !as_get.is_none_or(speaks) {
            return None;
        }
        // What a reading takes that fits no route, if that was said.
        let others = self.otherwise.as_deref().unwrap_or(scopes);
        if !suffices(scopes, others) && readings.iter().any(|path| self.find(method, path).is_none()) {
            return None;
        }
        for (method, as_get) in [(method, false)].into_iter().chain(as_get.map(|get| (get, true))) {
            for path in [path, &canonical].into_iter().chain(readings.iter().map(String::as_str)) {
                let shorter = path.strip_suffix('/');
                let ends = [
                    (End::AsIs, Some(path)),
                    (End::Shorter, shorter),
                    (End::Longer, Some(shorter.unwrap_or(path))),
                ];
                for (end, path) in ends {
                    let Some(path) = path else { continue };
                    let Some(first) = self.find_at(end, method, path, |_| true) else { continue };
                    let mut next = Some(first);
                    while let Some(other) = next {
                        let is_said = || route.is_some_and(|route| route.speaks_for(other, as_get, end));
                        if !suffices(scopes, &other.scopes) && !is_said() {
                            return None;
                        }
                        // What a router may take before it, though it is less specific: HTTP APIs take what does not end in
                        // `{path+}`, and axum tries the routes of a router before those of a service or fallback in it.
                        let is_meant = |it: &Route| {
                            let may_be = match end {
                                End::AsIs => false,
                                // With the slash, `{path+}` fits by itself.
                                End::Shorter => !it.has_rest(),
                                End::Longer => true,
                            };
                            it.rank() < other.rank() && (may_be || crosses(&it.template, &first.template))
                        };
                        next = self.find_at(end, method, path, is_meant);
                    }
                }
            }
        }
        Some(scopes)
    }

    /// The same where it is known by which template a router or a gateway has taken the request: if that is listed, it has to be
    /// satisfied, too.
    pub(crate) fn of_taken(&self, method: &str, path: &str, taken: Option<&str>) -> Option<&[Box<str>]> {
        let scopes = self.of(method, path)?;
        let Some(taken) = taken.and_then(read) else { return Some(scopes) };
        let listed = |method: &str| {
            let alike = self.routes.iter().filter(|route| route.is_of(method) && route.template == taken);
            alike.max_by_key(|route| route.method.is_some())
        };
        let own = listed(method);
        // One for `HEAD` says what `HEAD` takes.
        let is_said = own.is_some_and(|own| own.method.is_some()) || !matches!(method, "HEAD" | "CONNECT");
        let as_get = if is_said { None } else { listed("GET") };
        let mut taken = own.into_iter().chain(as_get);
        taken.all(|route| suffices(scopes, &route.scopes)).then_some(scopes)
    }

    /// Whether a request that fits `route` may go where no route for `GET` is. A literal route for `HEAD` names the path, one
    /// with a parameter perhaps more than was thought of: then it takes no less than other routes do.
    fn speaks_for_unlisted(&self, route: Option<&Route>, get: &str, path: &str, scopes: &[Box<str>]) -> bool {
        let Some(route) = route.filter(|_| self.find(get, path).is_none()) else { return true };
        route.is_literal() || self.otherwise.as_deref().is_some_and(|others| suffices(scopes, others))
    }

    /// The most specific route that a request fits.
    fn find(&self, method: &str, path: &str) -> Option<&Route> {
        self.find_at(End::AsIs, method, path, |_| true)
    }

    /// The same among some of the routes. With a longer end it is one to what is right below the path: below `nest_service` axum
    /// serves the path itself by it, too.
    fn find_at(
        &self,
        end: End,
        method: &str,
        path: &str,
        is_meant: impl Fn(&Route) -> bool,
    ) -> Option<&Route> {
        let path: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let is_fit = |route: &&Route| {
            let template = match end {
                End::Longer => without_end(&route.template),
                End::AsIs | End::Shorter => Some(&*route.template),
            };
            route.is_of(method) && is_meant(route) && template.is_some_and(|template| fits(template, &path))
        };
        self.routes.iter().filter(is_fit).max_by(|a, b| a.rank().cmp(&b.rank()))
    }
}

/// Whether every token that has one of `scopes` will do where one of `wanted` is asked for.
fn suffices(scopes: &[Box<str>], wanted: &[Box<str>]) -> bool {
    scopes.is_empty() == wanted.is_empty() && scopes.iter().all(|scope| wanted.contains(scope))
}

fn check<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Result<Box<[Box<str>]>, RouteScopesError> {
    let read = |scope: &str| {
        is_scope(scope).then(|| scope.into()).ok_or_else(|| RouteScopesError::Scope(scope.into()))
    };
    scopes.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::RouteScopes;
    use crate::policy::AnyMethod;

    fn scopes() -> RouteScopes {
        RouteScopes::new()
            .with_route(Method::GET, "/", ["root"])
            .and_then(|scopes| scopes.with_route(Method::GET, "/users/{id}", ["one"]))
            .and_then(|scopes| scopes.with_route(AnyMethod, "/users/{id}", ["any-one"]))
            .and_then(|scopes| scopes.with_route(Method::GET, "/users/me", ["me"]))
            .and_then(|scopes| scopes.with_route(Method::GET, "/users/{id}/orders/", ["slash"]))
            .and_then(|scopes| scopes.with_route(AnyMethod, "/{all+}", ["rest"]))
            .and_then(|scopes| scopes.with_route(AnyMethod, "/users/{id}/{rest+}", []))
            .unwrap()
    }

    #[test]
    fn the_most_specific_route_counts() {
        let scopes = scopes();
        let of = |method: &str, path: &str| scopes.of(method, path).map(<[_]>::to_vec);
        let one = |scope: &str| Some(vec![scope.into()]);
        assert_eq!(of("GET", "/"), one("root"));
        assert_eq!(of("GET", ""), one("root"));
        assert_eq!(of("POST", "/"), None);
        assert_eq!(of("GET", "/users/me"), one("me"));
        assert_eq!(of("HEAD", "/users/me"), None);
        assert_eq!(of("PUT", "/users/me"), one("any-one"));
        assert_eq!(of("GET", "users/me"), one("me"));
        assert_eq!(of("GET", "/users/Me"), one("one"));
        assert_eq!(of("GET", "/users/%2F"), None);
        assert_eq!(of("GET", "/users/a%40"), one("one"));
        assert_eq!(of("GET", "/users"), one("rest"));
        assert_eq!(of("GET", "/users/"), one("rest"));
        assert_eq!(of("GET", "/users/7/orders"), None);
        assert_eq!(of("PUT", "/users/7/orders"), Some(vec![]));
        assert_eq!(of("GET", "/users/7/orders/"), one("slash"));
        assert_eq!(of("PUT", "/users/7/orders/"), Some(vec![]));
        assert_eq!(of("PUT", "/users/7"), one("any-one"));
        assert_eq!(of("PUT", "/users/7/"), None);
        assert_eq!(of("GET", "/other/"), one("rest"));
        assert_eq!(of("GET", &format!("/users/7{}", "/a%2Fb".repeat(3))), Some(vec![]));
        assert_eq!(of("GET", &format!("/users/7{}", "/a%2Fb".repeat(4))), None);
    }

    #[test]
    fn a_head_is_also_the_get_that_takes_the_rest() {
        let scopes = RouteScopes::new()
            .with_route(Method::HEAD, "/{page}", ["public"])
            .and_then(|scopes| scopes.with_route(Method::GET, "/{all+}", ["user"]))
            .and_then(|scopes| scopes.with_route(Method::GET, "/a/{id}", ["admin"]))
            .unwrap();
        assert_eq!(scopes.of("HEAD", "/a%2Fb"), None);
        assert_eq!(scopes.of("GET", "/a%2Fb"), None);
    }

    #[test]
    fn what_fits_no_route_is_said_or_refused() {
        let one = RouteScopes::new().with_route(Method::GET, "/a", []).unwrap();
        assert_eq!(one.of("GET", "/a"), Some(&[][..]));
        for (method, path) in [
            ("GET", "/A"),
            ("get", "/a"),
            ("GET", "/a/"),
            ("GET", "//a"),
            ("GET", "/%61"),
            ("GET", "/a//"),
            ("GET", "//"),
            ("GET", "/a%2F..%2Fb"),
        ] {
            assert_eq!(one.of(method, path), None, "{method} {path}");
        }
        let other = one.with_other_routes(["x"]).unwrap();
        assert_eq!(other.of("GET", "/a/"), None);
        let slash = RouteScopes::new().with_route(AnyMethod, "/a/", ["admin"]).unwrap();
        assert_eq!(slash.of("GET", "/a"), None);
        let slash = slash.with_other_routes(["x"]).unwrap();
        assert_eq!(slash.of("GET", "/a"), None);
        assert_eq!(slash.of("CONNECT", "/a"), None);
        assert_eq!(slash.of("GET", "/a/"), Some(&["admin".into()][..]));
        let below = RouteScopes::new().with_route(AnyMethod, "/a/{path+}", ["admin"]).unwrap();
        let below = below.with_other_routes(["x"]).unwrap();
        assert_eq!((below.of("GET", "/a"), below.of("GET", "/a/")), (None, None));
        assert_eq!(below.of("GET", "/b"), Some(&["x".into()][..]));
        // Of routes for HEAD that nobody listed for GET.
        let head = RouteScopes::new().with_route(Method::HEAD, "/{all+}", []).unwrap();
        let head = head.with_route(Method::HEAD, "/health", []).unwrap();
        assert_eq!(head.of("HEAD", "/health"), Some(&[][..]));
        assert_eq!(head.of("HEAD", "/admin"), None);
        let head = head.with_other_routes(["admin"]).unwrap();
        assert_eq!((head.of("HEAD", "/admin"), head.of("HEAD", "/health")), (None, Some(&[][..])));
        assert_eq!(head.of("GET", "/admin"), Some(&["admin".into()][..]));
        assert_eq!(head.with_other_routes([]).unwrap().of("HEAD", "/admin"), Some(&[][..]));
        for method in [Method::HEAD, Method::CONNECT] {
            let rest = RouteScopes::new()
                .with_route(&method, "/{p+}", ["user"])
                .and_then(|scopes| scopes.with_route(Method::GET, "/{name}", ["user"]))
                .unwrap();
            for rest in [rest.clone(), rest.with_other_routes(["admin"]).unwrap()] {
                assert_eq!(
                    (rest.of(method.as_str(), "/x%2Fy"), rest.of(method.as_str(), "/x/y")),
                    (None, None)
                );
                assert_eq!(rest.of(method.as_str(), "/x"), Some(&["user".into()][..]));
            }
        }
        // A catch-all may serve it.
        let file = RouteScopes::new().with_route(Method::GET, "/files/{name}", ["user"]).unwrap();
        assert_eq!(file.of("GET", "/files/a%2Fb"), Some(&["user".into()][..]));
        let file = file.with_other_routes(["admin"]).unwrap();
        assert_eq!(
            (file.of("GET", "/files/a%2Fb"), file.of("GET", "/files/a/b")),
            (None, Some(&["admin".into()][..]))
        );
        assert_eq!(other.of("GET", "/b"), Some(&["x".into()][..]));
        assert_eq!(other.of("GET", "/a"), Some(&[][..]));
    }

    #[test]
    fn a_route_speaks_for_others_that_are_no_more_specific() {
        let of = |routes: &[(Method, &str, &str)], method: &str, path: &str| {
            let mut scopes = RouteScopes::new();
            for (method, template, scope) in routes {
                scopes = scopes.with_route(method, template, [*scope]).unwrap();
            }
            scopes.of(method, path).map(|scopes| scopes.concat())
        };
        for (own, other, method, path, expected) in [
            ((Method::HEAD, "/{page}"), "/admin", "HEAD", "/admin", None),
            ((Method::HEAD, "/{page+}"), "/{page}", "HEAD", "/admin", None),
            ((Method::HEAD, "/{page}"), "/{page}", "HEAD", "/admin", Some("own")),
            ((Method::HEAD, "/{page}"), "/{all+}", "HEAD", "/admin", None),
            ((Method::HEAD, "/a/{y}"), "/{x}/{y}", "HEAD", "/a/b", None),
            ((Method::HEAD, "/admin"), "/{all+}", "HEAD", "/admin", Some("own")),
            ((Method::HEAD, "/admin"), "/{page}", "HEAD", "/admin", Some("own")),
            ((Method::HEAD, "/{page}"), "/admin", "HEAD", "/other", None),
            ((Method::HEAD, "/other"), "/admin", "HEAD", "/other", Some("own")),
            ((Method::GET, "/{page}/"), "/admin", "GET", "/admin/", None),
            ((Method::GET, "/{page}/"), "/{page}", "GET", "/admin/", Some("own")),
            ((Method::GET, "/admin/"), "/{page}", "GET", "/admin/", Some("own")),
            // Where routers stand within each other, the outer one takes what it has.
            ((Method::GET, "/a/{page}/"), "/{x}/b", "GET", "/a/b/", None),
            ((Method::GET, "/a/{y}/{z}"), "/{x}/b/{path+}", "GET", "/a/b/z", None),
            ((Method::GET, "/a/{y}/{z}"), "/{x}/b/{path+}", "GET", "/a/c/z", Some("own")),
            ((Method::GET, "/a/{y}/{z}"), "/{x}/{y}/{path+}", "GET", "/a/b/z", Some("own")),
            ((Method::GET, "/a/{y}"), "/{x}/b", "GET", "/a/b", None),
            ((Method::GET, "/a/b"), "/{x}/b", "GET", "/a/b", Some("own")),
            ((Method::HEAD, "/{page}/"), "/admin", "HEAD", "/admin/", None),
            ((Method::HEAD, "/admin/"), "/admin", "HEAD", "/admin/", Some("own")),
            ((Method::HEAD, "/admin"), "/admin", "HEAD", "/admin/", None),
            // axum serves both below `nest_service("/admin", …)`, and calls both `/admin/`.
            ((Method::GET, "/{page}"), "/admin/", "GET", "/admin", None),
            ((Method::GET, "/{page+}"), "/admin/", "GET", "/admin", None),
            ((Method::GET, "/{page}"), "/admin/", "GET", "/admin/", Some("other")),
            ((Method::GET, "/{page}"), "/admin/", "HEAD", "/admin", None),
            ((Method::GET, "/admin"), "/admin/", "GET", "/admin", Some("own")),
            ((Method::GET, "/admin"), "/{page}/", "GET", "/admin", Some("own")),
            ((Method::GET, "/{page}"), "/{page}/", "GET", "/admin", Some("own")),
            ((Method::HEAD, "/admin"), "/admin/", "HEAD", "/admin", Some("own")),
            ((Method::HEAD, "/{page}"), "/admin/", "HEAD", "/admin", None),
            ((Method::GET, "/a/{id}"), "/{all+}", "GET", "/a/b", Some("own")),
            ((Method::GET, "/{page}"), "/admin/{path+}", "GET", "/admin", None),
            ((Method::GET, "/{all+}"), "/admin/{path+}", "GET", "/admin", None),
            ((Method::GET, "/{all+}"), "/admin/{path+}", "GET", "/admin/", None),
            ((Method::GET, "/{page}"), "/admin/{path+}", "HEAD", "/admin", None),
            ((Method::GET, "/admin"), "/admin/{path+}", "GET", "/admin", Some("own")),
            ((Method::GET, "/admin/"), "/admin/{path+}", "GET", "/admin/", Some("own")),
            ((Method::GET, "/{page}"), "/{page}/{path+}", "GET", "/admin", Some("own")),
            ((Method::GET, "/"), "/{all+}", "GET", "/", Some("own")),
            // A WebSocket over HTTP/2 goes where a GET goes.
            ((Method::POST, "/{all+}"), "/ws", "CONNECT", "/ws", None),
            ((Method::CONNECT, "/ws"), "/ws", "CONNECT", "/ws", Some("own")),
            // File systems take several slashes for one.
            ((Method::GET, "/files/{path+}"), "/files/a/secret", "GET", "/files/a%2F%2Fsecret", None),
            ((Method::GET, "/files/{path+}"), "/files/a/secret", "GET", "/files/a/%2Fsecret", None),
            ((Method::GET, "/files/{path+}"), "/files/a/secret", "GET", "/files/a%2Fsecret%2F%2F", None),
            ((Method::GET, "/files/{path+}"), "/files/a/secret", "GET", "/files/a%2Fpublic", Some("own")),
            // Whether the router takes it for a slash is not known here.
            ((Method::GET, "/{name}"), "/admin/{path+}", "GET", "/admin%2Fsecret", None),
            // Nor where it begins to.
            ((Method::GET, "/{id}/{path+}"), "/{id}/a/b", "GET", "/x%2Fy/a%2Fb", None),
            ((Method::GET, "/{id}/{path+}"), "/{id}/a/b", "GET", "/x%2Fy/%2Fa%2F/b", None),
            ((Method::GET, "/{id}/{x}/{path+}"), "/{id}/{x}/a/b", "GET", "/x%2Fy/x%2Fy/a%2Fb", None),
            ((Method::GET, "/{id}/{path+}"), "/{id}/a/b", "GET", "/x%2Fy/a%2Fc", Some("own")),
            // Nor where it ends.
            ((Method::GET, "/a/{path}/v/{v}"), "/a/b/{name}/v/{v}", "GET", "/a/b%2Fc/v/x%2Fy", None),
            ((Method::GET, "/{name}"), "/admin/{path+}", "GET", "/a%2Fsecret", Some("own")),
        ] {
            let routes = [(own.0.clone(), own.1, "own"), (Method::GET, other, "other")];
            assert_eq!(of(&routes, method, path).as_deref(), expected, "{own:?} {other} {method} {path}");
        }
    }

    #[test]
    fn routes_that_could_never_be_met_are_refused() {
        for template in [
            "", "a", "//", "/a//b", "/a/{", "/a/}", "/{}", "/{+}", "/{a+}/b", "/{a}b", "/a{b}", "/{{a}}",
            "/*", "/a?b", "/a b", "/%2f", "/%2F", "/a%2Fb", "/a%40b", "/a%3Ab", "/%61", "/%", "/%2", "/é",
            "/.", "/a/../b",
        ] {
            assert!(RouteScopes::new().with_route(AnyMethod, template, []).is_err(), "{template}");
        }
        let twice = scopes().with_route(Method::GET, "/users/{name}", []);
        assert_eq!(twice.unwrap_err().to_string(), r#"the route "/users/{name}" is there twice"#);
        for scope in ["", "a b", "a\n", "é", "a\"", "a\\"] {
            assert!(RouteScopes::new().with_route(AnyMethod, "/a", [scope]).is_err(), "{scope}");
        }
    }
}
