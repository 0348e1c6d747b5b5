//! What the gateway knows about a request: `$context`.

use std::borrow::Cow;
use std::net::IpAddr;

use http::header::USER_AGENT;

use super::identity::{IdentityError, header_value};
use super::identity_value::IdentityValue;
use super::route;
use super::view::RequestView;

/// A variable of `$context` that is the same whenever the same request is sent again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ContextVariable {
    /// `accountId`: of the API's owner.
    AccountId,
    /// `apiId`.
    ApiId,
    /// `domainName`: as configured, whatever the client's `Host` says.
    DomainName,
    /// `httpMethod`.
    HttpMethod,
    /// `path`: with the stage before it, if the stage is not `$default`, and in the spelling of ARNs.
    Path,
    /// `protocol`: `HTTP/1.1`, whatever the client speaks, as on AWS.
    Protocol,
    /// `resourceId`: there are no ids here, so it is the same as the [resource path](Self::ResourcePath).
    ResourceId,
    /// `resourcePath`: the template of the route, such as `/users/{id}`. Where none is known, the method and the
    /// path of this very request: never the same for all.
    ResourcePath,
    /// `routeKey`: the method and the template, such as `GET /users/{id}`. Where no template is known, the method
    /// and the path of this very request. A bare layer in or around a router to which a route of another leads is told
    /// that one's template by axum, for all that the inner router has no route for, and in release builds for what it has as a
    /// nested service; inside of [`protect`](crate::axum::protect) it is not.
    RouteKey,
    /// `identity.sourceIp`: the peer of the accepted connection. A request whose peer is unknown is refused with
    /// 500, since that is a mistake of whoever serves it.
    SourceIp,
    /// `stage`.
    Stage,
    /// `identity.userAgent`.
    UserAgent,
}

impl ContextVariable {
    pub(crate) const ALL: [Self; 12] = [
        Self::AccountId,
        Self::ApiId,
        Self::DomainName,
        Self::HttpMethod,
        Self::Path,
        Self::Protocol,
        Self::ResourceId,
        Self::ResourcePath,
        Self::RouteKey,
        Self::SourceIp,
        Self::Stage,
        Self::UserAgent,
    ];

    /// Its name on AWS, without `context.`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountId => "accountId",
            Self::ApiId => "apiId",
            Self::DomainName => "domainName",
            Self::HttpMethod => "httpMethod",
            Self::Path => "path",
            Self::Protocol => "protocol",
            Self::ResourceId => "resourceId",
            Self::ResourcePath => "resourcePath",
            Self::RouteKey => "routeKey",
            Self::SourceIp => "identity.sourceIp",
            Self::Stage => "stage",
            Self::UserAgent => "identity.userAgent",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.as_str() == name)
    }

    /// Whether it says which path is asked for, or of which route.
    pub(super) const fn names_path(self) -> bool {
        matches!(self, Self::Path | Self::ResourceId | Self::ResourcePath)
    }

    pub(super) const fn identifies_caller(self) -> bool {
        matches!(self, Self::SourceIp)
    }

    /// The value, by which a caller is to be identified.
    pub(super) fn identify<'a>(
        self,
        view: &RequestView<'a, '_>,
    ) -> Result<Option<IdentityValue<'a>>, IdentityError> {
        match self {
            Self::SourceIp => {
                self.value(view).map(IdentityValue::from).map(Some).ok_or(IdentityError::Unknown)
            }
            Self::UserAgent => header_value(view.headers, &USER_AGENT),
            _ => Ok(self.value(view).map(IdentityValue::from)),
        }
    }

    /// The value; `None` where it is not there or could be this or that.
    pub(crate) fn value<'a>(self, view: &RequestView<'a, '_>) -> Option<Cow<'a, str>> {
        let arn = view.stage.arn();
        Some(match self {
            Self::AccountId => Cow::Borrowed(arn.account_id()),
            Self::ApiId => Cow::Borrowed(arn.api_id()),
            Self::DomainName => view.stage.domain_name(),
            Self::HttpMethod => Cow::Borrowed(view.method.as_str()),
            Self::Path if arn.stage().starts_with('$') => Cow::Owned(view.path.to_owned()),
            Self::Path => Cow::Owned(format!("/{}{}", arn.stage(), view.path)),
            Self::Protocol => Cow::Borrowed("HTTP/1.1"),
            Self::ResourceId | Self::ResourcePath => match view.template() {
                Some(template) => Cow::Owned(route::resource(Some(template)).into()),
                None => view.request_line().into(),
            },
            Self::RouteKey => match view.template() {
                Some(template) => Cow::Owned(format!("{} {}", view.method, route::resource(Some(template)))),
                None => view.request_line().into(),
            },
            Self::SourceIp => Cow::Owned(view.source_ip().as_ref().map(IpAddr::to_string)?),
            Self::Stage => Cow::Borrowed(arn.stage()),
            Self::UserAgent => return Some(header_value(view.headers, &USER_AGENT).ok()??.into_text()),
        })
    }
}

impl std::fmt::Display for ContextVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
