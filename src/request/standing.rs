//! Whether a layer can see the whole path where it stands.
//!
//! axum cuts prefixes off the paths of nested routers, and says so in extensions whose types are its own. Those of another
//! version are other types, and without the feature `axum` none is known: then a layer inside of a router would take
//! `/admin/users` for `/users`.

use http::Extensions;

/// What axum puts a layer around that stands inside of a router: a route, and a handler.
const INSIDE: [&str; 2] = ["axum::routing::route::Route", "axum::handler::service::HandlerService"];

/// Where the service behind a layer stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// Around routers, or away from them.
    Outside,
    /// Inside of a router of some axum.
    Inside,
}

impl Standing {
    /// By the name of its type. A box hides it.
    pub(crate) fn of<S>() -> Self {
        let name = std::any::type_name::<S>();
        let is_whole = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_inside = INSIDE.iter().any(|inside| name.split(inside).skip(1).any(is_whole));
        if is_inside { Self::Inside } else { Self::Outside }
    }

    /// Whether the path that is seen is whole, or what it lacks is known.
    #[inline(always)]
    pub(crate) fn sees_path(self, extensions: &Extensions) -> bool {
        self == Self::Outside || is_told(extensions)
    }
}

/// axum tells of the whole path in every router.
#[cfg(feature = "axum")]
fn is_told(extensions: &Extensions) -> bool {
    extensions.get::<axum::extract::OriginalUri>().is_some()
}

#[cfg(not(feature = "axum"))]
const fn is_told(_extensions: &Extensions) -> bool {
    false
}

#[cfg(all(test, feature = "axum"))]
mod tests {
    use axum::handler::Handler;
    use axum::routing::{Route, Router, RouterIntoService};

    use super::*;

    #[derive(Clone)]
    struct Around<S>(S);

    /// Every version of axum so far has these names. If one changes, this fails.
    #[test]
    fn a_service_inside_of_a_router_is_known_by_its_name() {
        fn of<S>(_: &S) -> Standing {
            Standing::of::<S>()
        }
        let handler = (async || "hello").with_state(());
        assert_eq!(of(&handler), Standing::Inside);
        assert_eq!(of(&Around(handler)), Standing::Inside);
        assert_eq!(Standing::of::<Route>(), Standing::Inside);
        assert_eq!(Standing::of::<Around<Around<Route<std::io::Error>>>>(), Standing::Inside);
        assert_eq!(Standing::of::<Router>(), Standing::Outside);
        assert_eq!(Standing::of::<Around<Router>>(), Standing::Outside);
        assert_eq!(Standing::of::<RouterIntoService<String>>(), Standing::Outside);
        assert_eq!(Standing::of::<String>(), Standing::Outside);
    }
}
