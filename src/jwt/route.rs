//! A route with scopes, and which of two speaks for a request.

use http::Method;

use super::route_template::{Segment, crosses, goes_before, without_end, without_slash};

/// A method, a template, and the scopes of which a request needs one.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// `None`: any.
    pub(super) method: Option<Method>,
    pub(super) template: Vec<Segment>,
    pub(super) scopes: Box<[Box<str>]>,
}

/// How the end of a path differs from that of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    AsIs,
    /// Without its slash.
    Shorter,
    /// With a slash, or something behind one.
    Longer,
}

impl Route {
    pub(super) fn is_of(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|known| known.as_str() == method)
    }

    /// Whether it ends in `{path+}`.
    pub(super) fn has_rest(&self) -> bool {
        self.template.last() == Some(&Segment::Rest)
    }

    /// Whether it is about one path.
    pub(super) fn is_literal(&self) -> bool {
        self.template.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// Whether this route says what a request takes that it fits, although `other` fits it `as_get`, or with another end. A
    /// route for `HEAD` does, and one that ends as the request does; but not where a router takes `other` for its path. With a
    /// parameter, one for `HEAD` only says it of the same paths: others may be about a `GET` that it was not thought for.
    pub(super) fn speaks_for(&self, other: &Self, as_get: bool, end: End) -> bool {
        let own = without_slash(&self.template);
        let templates = match end {
            End::AsIs => Some((&*self.template, &*other.template)),
            End::Shorter => own.map(|own| (own, &*other.template)),
            End::Longer => without_end(&other.template).map(|other| (own.unwrap_or(&self.template), other)),
        };
        // A route for any method is no word about the one that another is for.
        let is_for_method = self.method.is_some() || other.method.is_none();
        templates.is_some_and(|(own, other)| {
            let is_about = match as_get {
                true => self.method.is_some() && (self.is_literal() || own == other),
                false => end != End::AsIs && is_for_method && !crosses(other, own),
            };
            is_about && goes_before(own, other)
        })
    }

    /// Of two routes that fit one request, one is greater: they differ in a segment or in the method.
    pub(super) fn rank(&self) -> (&[Segment], bool) {
        (&self.template, self.method.is_some())
    }
}
