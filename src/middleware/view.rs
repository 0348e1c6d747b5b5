//! The gateway's look at a request: whose it is, and what it is to become.

use std::borrow::Cow;

use http::Request;

use super::gateway::Gateway;
use super::rejection::{Rejection, RejectionKind};
use crate::contract::AuthorizerContext;
use crate::mapping::{Changes, Unmappable};
use crate::request::{
    CanonicalPath, Identity, IdentityError, IdentitySource, IdentityValue, Location, RequestView,
};

impl Gateway {
    pub(super) fn view<'a, 'p, B>(
        &'a self,
        request: &'a Request<B>,
        located: Location<'a>,
        path: &'p str,
    ) -> RequestView<'a, 'p> {
        RequestView::new(&self.stage, &self.source_address, request, located, path)
    }

    /// The values to look for in a cache; `None` where [`identity`](Self::identity) has to say what is wrong. The
    /// expression is not asked: what is in the cache has matched it.
    #[inline(always)]
    pub(super) fn peek<'a>(&self, view: &RequestView<'a, '_>) -> Option<Identity<'a>> {
        let peek = |source: &IdentitySource| source.peek(view).or_else(|| self.absent(source, view));
        let identity = match &*self.space.sources {
            [source] => Identity::One(peek(source)?),
            sources => Identity::Many(sources.iter().map(peek).collect::<Option<_>>()?),
        };
        Some(if self.keeps_paths_apart { with_request_line(identity, view) } else { identity })
    }

    /// What stands for the value of a source that the request lacks, where that is a value like any other.
    #[cold]
    fn absent<'a>(&self, source: &IdentitySource, view: &RequestView<'a, '_>) -> Option<IdentityValue<'a>> {
        let is_absent =
            || matches!(source.resolve(view), Err(IdentityError::Missing)) && !source.is_there(view);
        (self.absence_identifies && is_absent()).then(|| Cow::Borrowed("").into())
    }

    /// The values of the identity sources; `None` where the authorizer is asked without. And whether the answer may be kept
    /// under them.
    pub(super) fn identity<'a>(
        &self,
        view: &RequestView<'a, '_>,
    ) -> Result<(Option<Identity<'a>>, bool), Rejection> {
        let mut identity = Identity::default();
        let mut complete = true;
        let mut is_key = true;
        for source in &self.space.sources {
            match source.resolve(view) {
                Ok(value)
                    if self
                        .expression
                        .as_ref()
                        .is_some_and(|expression| !expression.matches(&value.text())) =>
                {
                    let detail = format!("`{source}` does not match the identity validation expression");
                    return Err(Rejection::with_detail(RejectionKind::MissingIdentity, detail));
                }
                Ok(value) => identity.push(value),
                // One that is there and empty is nobody's, and the answer to it is not kept for whoever has none.
                Err(IdentityError::Missing) if self.absence_identifies => {
                    is_key &= !source.is_there(view);
                    identity.push(Cow::Borrowed("").into());
                }
                Err(IdentityError::Missing) if self.asks_without_identity => complete = false,
                Err(error) => {
                    let kind = match error {
                        IdentityError::Missing => RejectionKind::MissingIdentity,
                        IdentityError::Unknown => RejectionKind::UnavailableKey,
                        _ => RejectionKind::AmbiguousIdentity,
                    };
                    // The kind says it, where there is nothing.
                    let detail = match error {
                        IdentityError::Missing => format!("`{source}`"),
                        _ => format!("`{source}` {}", error.reason()),
                    };
                    return Err(Rejection::with_detail(kind, detail));
                }
            }
        }
        Ok((complete.then_some(identity), is_key))
    }

    /// What an allowed request is to become, if a mapping is configured and can be applied.
    pub(super) fn changes<B>(
        &self,
        request: &Request<B>,
        path: &CanonicalPath<'_>,
        context: &AuthorizerContext,
    ) -> Result<Option<Box<Changes>>, Rejection> {
        let Some(mapping) = &self.mapping else { return Ok(None) };
        let view = self.view(request, self.locate(request)?, path.canonical());
        match mapping.plan(&view, context) {
            Ok(changes) => Ok(Some(Box::new(changes))),
            Err(Unmappable::Answer(detail)) => {
                Err(Rejection::with_detail(RejectionKind::InvalidResponse, detail))
            }
            Err(Unmappable::Request(detail)) => {
                Err(Rejection::with_detail(RejectionKind::InvalidTarget, detail))
            }
        }
    }
}

/// A simple response says nothing about other paths, and behind the route that it was made for there may be a service with routes
/// of its own.
#[cold]
pub(super) fn with_request_line<'a>(mut identity: Identity<'a>, view: &RequestView<'a, '_>) -> Identity<'a> {
    identity.push(Cow::<str>::Owned(view.request_line()).into());
    identity
}
