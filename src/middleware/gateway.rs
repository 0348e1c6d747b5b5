//! The gateway's part, without tower: from the head of a request to a verdict.
//!
//! What is on the way of a hit is inlined by force, here and in what is called from here. Left to itself the compiler
//! makes calls of it, and moves what was read in and out of each: 240 of 3,190 instructions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, Request};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::advice;
use super::caching::{Caching, Ticket};
use super::condition_keys::FindConditionKey;
use super::context::RequestContext;
use super::flight::Turn;
use super::insight::{CacheOutcome, DebugHeader};
use super::load::Loaded;
use super::question::{Question, Unreadable};
use super::rejection::{Rejection, RejectionKind};
use super::view::with_request_line;
use crate::authorizer::{Answer, AuthorizerError, SharedAuthorizer};
use crate::cache::{CacheKeyRef, KeySpace};
use crate::clock::{Now, Watch};
use crate::contract::{
    ApiKind, Authorization, AuthorizerEvent, AuthorizerResponse, Challenge, Expiry, PayloadFormat, Principal,
    ResponseRules, TokenEvent,
};
use crate::mapping::{Changes, ParameterMapping};
use crate::policy::Decision;
use crate::request::{
    ApiStage, Asked, CanonicalPath, EventMaker, Identity, IdentityValue, Location, RequestId, SourceAddress,
    TargetRules, TokenExpression, check_host, check_request_line, locate, opens_websocket, read_path,
};

/// The longest ARN of a request, in bytes.
const MAX_ARN: usize = 1600;

/// The only route of a WebSocket API that has an authorizer.
const CONNECT_ROUTE: &str = "$connect";

/// One configured authorizer: everything a layer knows, shared by all of its services.
pub(crate) struct Gateway {
    pub(crate) stage: ApiStage,
    pub(crate) authorizer: SharedAuthorizer,
    pub(crate) kind: AuthorizerKind,
    pub(crate) events: EventMaker,
    /// Which answers are accepted.
    pub(crate) rules: ResponseRules,
    /// What clients without valid credentials are told.
    pub(crate) challenge: Option<Challenge>,
    pub(crate) space: Arc<KeySpace>,
    /// What the token of a `TOKEN` authorizer must look like.
    pub(crate) expression: Option<TokenExpression>,
    /// What the inner service is told.
    pub(crate) mapping: Option<ParameterMapping>,
    /// Whether the authorizer is asked about requests that lack an identity source.
    pub(crate) asks_without_identity: bool,
    /// Whether the absence of an identity source is a value like any other.
    pub(crate) absence_identifies: bool,
    pub(crate) caching: Option<Caching>,
    /// Whether an answer is kept for one method and path.
    pub(crate) keeps_paths_apart: bool,
    pub(crate) timeout: Duration,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) watch: Watch,
    pub(crate) target_rules: TargetRules,
    pub(crate) head_as_get: bool,
    pub(crate) source_address: SourceAddress,
    pub(crate) secure_transport: Option<bool>,
    pub(crate) condition_keys: Option<Arc<FindConditionKey>>,
    pub(super) debug_header: DebugHeader,
}

#[derive(Clone, Debug)]
pub(crate) enum AuthorizerKind {
    Token { header: HeaderName },
    Request { format: PayloadFormat },
}

impl AuthorizerKind {
    pub(crate) const fn payload_format(&self) -> PayloadFormat {
        match self {
            Self::Token { .. } => PayloadFormat::V1,
            Self::Request { format } => *format,
        }
    }
}

/// What is to be done with a request.
pub(crate) enum Verdict {
    Forward(Pass),
    Refuse(Rejection),
}

impl Verdict {
    #[inline]
    pub(super) const fn as_result(&self) -> Result<&Pass, &Rejection> {
        match self {
            Self::Forward(pass) => Ok(pass),
            Self::Refuse(rejection) => Err(rejection),
        }
    }
}

/// The right to call the inner service, and what to tell it. Made in one place only: where an answer allowed.
pub(crate) struct Pass {
    principal: Principal,
    changes: Option<Box<Changes>>,
}

impl Pass {
    pub(super) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// One value: the principal, or the context alone where nobody was named.
    pub(crate) fn insert_into<B>(self, request: &mut Request<B>) {
        if let Some(changes) = self.changes {
            changes.apply(request);
        }
        self.principal.insert_into(request.extensions_mut());
    }
}

/// The first part of the work: all that can be done without waiting.
pub(crate) enum Admission {
    Decided(Verdict, CacheOutcome),
    Load(Load),
}

/// An authorizer that has yet to answer.
pub(crate) struct Load {
    pub(crate) answer: Answer,
    /// The id that it is told.
    pub(crate) request_id: RequestId,
    /// Where the answer may be kept, if it may.
    pub(crate) ticket: Option<Ticket>,
}

/// The one spelling of a path that had another.
#[cfg(feature = "axum")]
pub(crate) struct Rewrite {
    /// The whole path.
    pub(crate) full: String,
    /// The same as it came.
    pub(crate) sent: Box<str>,
    /// What is left of it here, below the prefixes of nested routers.
    pub(crate) current: String,
}

impl Gateway {
    /// Reads the request, and decides it if an answer is at hand.
    pub(crate) fn admit<B>(&self, request: &Request<B>) -> Admission {
        let (located, path) = match self.read_target(request) {
            Ok(read) => read,
            Err(unreadable) => {
                return Admission::Decided(Verdict::Refuse(unreadable.into()), CacheOutcome::None);
            }
        };
        let view = self.view(request, located, &path.as_sent);
        if let Some(caching) = &self.caching
            && let Some(identity) = self.peek(&view)
            && let Some((authorization, now)) =
                caching.find(&CacheKeyRef::new(&self.space, &identity), &self.watch)
        {
            let question = Question { path: &path, request_id: None };
            let verdict = self.decide(authorization, true, question, request, Some(now));
            return Admission::Decided(verdict, CacheOutcome::Hit);
        }
        let (identity, is_key) = match self.identity(&view) {
            Ok(identity) => identity,
            Err(rejection) => return Admission::Decided(Verdict::Refuse(rejection), CacheOutcome::None),
        };
        let kept = self.caching.as_ref().zip(identity.as_ref()).filter(|_| is_key);
        let ticket = kept.map(|(caching, identity)| {
            let longer = self.keeps_paths_apart.then(|| with_request_line(identity.clone(), &view));
            caching.miss(&CacheKeyRef::new(&self.space, longer.as_ref().unwrap_or(identity)))
        });
        Admission::Load(self.load(request, located, &path, identity.as_ref(), ticket))
    }

    #[inline(always)]
    fn read_target<'a, B>(
        &self,
        request: &'a Request<B>,
    ) -> Result<(Location<'a>, CanonicalPath<'a>), Unreadable> {
        let located = self.locate(request)?;
        let path = self.canonical_path(request, located, self.routed_rules(), |path| &path.as_sent)?;
        if self.stage.kind() == ApiKind::WebSocket && !opens_websocket(request) {
            return Err(Unreadable::target("it does not open a WebSocket"));
        }
        Ok((located, path))
    }

    /// Asks the authorizer for this request only, whoever else is asking.
    pub(crate) fn ask_alone<B>(&self, request: &Request<B>) -> Result<Load, Rejection> {
        let (located, path) = self.read_target(request)?;
        let (identity, _) = self.identity(&self.view(request, located, &path.as_sent))?;
        Ok(self.load(request, located, &path, identity.as_ref(), None))
    }

    /// Whether an answer may still be used by somebody other than who asked for it.
    pub(crate) fn is_fresh(&self, authorization: &Authorization) -> bool {
        authorization.expiry().is_some_and(|expiry| expiry.is_after(self.watch.now()))
    }

    /// Takes part in a load that others may share; `None` for one that nobody can.
    pub(crate) fn take_turn(&self, ticket: Option<&Ticket>) -> Option<Turn> {
        Some(self.caching.as_ref()?.take_turn(ticket?, &self.watch))
    }

    /// The right to run an authorizer.
    pub(crate) fn permit(&self) -> Result<OwnedSemaphorePermit, Rejection> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let permit = permit.map_err(|_| Rejection::new(RejectionKind::Overloaded))?;
        if let Some(caching) = &self.caching {
            caching.count_load();
        }
        Ok(permit)
    }

    /// The second part: judges a request by the answer of an authorizer that was asked. Its target is read again, which
    /// costs less than to keep it.
    pub(crate) fn judge<B>(&self, loaded: Loaded, request_id: RequestId, request: &Request<B>) -> Verdict {
        let rejection = match (loaded, self.read_target(request)) {
            (Ok(authorization), Ok((_, path))) => {
                let question = Question { path: &path, request_id: Some(request_id) };
                return self.decide(authorization, false, question, request, None);
            }
            (Ok(_), Err(unreadable)) => unreadable.into(),
            (Err(rejection), _) => rejection,
        };
        Verdict::Refuse(rejection.of_request(request_id))
    }

    /// Judges a request by an accepted answer.
    #[inline(always)]
    fn decide<B>(
        &self,
        authorization: Arc<Authorization>,
        cached: bool,
        question: Question<'_>,
        request: &Request<B>,
        now: Option<Now>,
    ) -> Verdict {
        let path = question.path;
        let context = RequestContext::new(self, request, now);
        let asked = self.asked(request, path, &context);
        let mut ruling = authorization.rule(&asked);
        if ruling.decision == Decision::Allow && self.has_more_names(&asked, path) {
            ruling = self.rule_under_more_names(&authorization, ruling, asked, request, path);
        }
        let statement = ruling.statement;
        let rejection = match ruling.decision {
            Decision::Allow => {
                let principal = Principal::new(authorization, statement, cached);
                match self.changes(request, path, principal.context()) {
                    Ok(changes) => return Verdict::Forward(Pass { principal, changes }),
                    Err(rejection) => rejection,
                }
            }
            Decision::ExplicitDeny => {
                Rejection::denied(RejectionKind::ExplicitDeny, authorization, statement, None)
            }
            Decision::ImplicitDeny => {
                let unmet = || {
                    let statement = authorization.unmet(&asked)?;
                    Some(advice::unmet(statement, authorization.sid(statement)))
                };
                let detail = ruling.unavailable_key.map(advice::undecided).or_else(unmet);
                Rejection::denied(RejectionKind::ImplicitDeny, authorization, None, detail)
            }
            Decision::Indeterminate => Rejection::with_detail(
                RejectionKind::UnavailableKey,
                advice::unavailable(ruling.unavailable_key.unwrap_or("unknown")),
            ),
        };
        Verdict::Refuse(match question.request_id {
            Some(id) => rejection.of_request(id),
            None => rejection,
        })
    }

    /// Checks an answer and keeps it, if it may be kept.
    pub(crate) fn accept(
        &self,
        answer: Result<AuthorizerResponse, AuthorizerError>,
        ticket: Option<&Ticket>,
    ) -> Result<Arc<Authorization>, Rejection> {
        let response = answer.map_err(|error| match error.is_unauthorized() {
            true => Rejection::unauthorized(error),
            false => Rejection::with_source(RejectionKind::AuthorizerFailure, error),
        })?;
        let kept = self.caching.as_ref().zip(ticket);
        let expiry = kept.map(|(caching, _)| {
            let lifetime = response.max_age().map_or(caching.ttl, |max_age| max_age.min(caching.ttl));
            Expiry::after(self.watch.now(), lifetime)
        });
        let is_reusable = !response.max_age().is_some_and(|max_age| max_age.is_zero());
        let authorization = Authorization::accept(response, &self.rules, self.stage.arn(), expiry)
            .map_err(|error| Rejection::with_source(RejectionKind::InvalidResponse, error))?;
        let authorization = Arc::new(authorization);
        if let Some((caching, ticket)) = kept.filter(|_| is_reusable) {
            caching.store(ticket, &authorization);
        }
        Ok(authorization)
    }

    /// The path of a request, as the router is to see it and with all rules applied. `None`: as it is.
    #[cfg(feature = "axum")]
    pub(crate) fn canonical_uri_path<B>(&self, request: &Request<B>) -> Result<Option<Rewrite>, Rejection> {
        let located = self.locate(request)?;
        let path = self.canonical_path(request, located, self.target_rules, CanonicalPath::canonical)?;
        if path.canonical() == located.path {
            return Ok(None);
        }
        // Under `nest` the router sees the end of the path. Both are written anew, so that they still agree.
        let current = read_path(request.uri().path(), self.target_rules)
            .map_err(|error| Unreadable::target(error.reason()))?;
        Ok(Some(Rewrite {
            full: path.canonical().to_owned(),
            sent: located.path.into(),
            current: current.canonical().to_owned(),
        }))
    }

    #[inline(always)]
    pub(super) fn locate<'a, B>(&self, request: &'a Request<B>) -> Result<Location<'a>, Unreadable> {
        locate(request.uri(), request.extensions()).map_err(|moved| {
            // axum's `nest` itself moves what is not canonical: it takes `/api//users` for `/api/users`.
            match read_path(moved.original, self.target_rules) {
                Ok(_) => Unreadable::new(RejectionKind::TargetMoved),
                Err(error) => Unreadable::target(error.reason()),
            }
        })
    }

    /// Reads the path; `in_arn` says in which spelling it will stand in the ARN.
    #[inline(always)]
    fn canonical_path<'a, B>(
        &self,
        request: &'a Request<B>,
        located: Location<'a>,
        rules: TargetRules,
        in_arn: impl for<'p> Fn(&'p CanonicalPath<'a>) -> &'p str,
    ) -> Result<CanonicalPath<'a>, Unreadable> {
        check_request_line(request.method(), request.uri())
            .and_then(|()| match self.kind {
                // Such an authorizer is not told of any host.
                AuthorizerKind::Token { .. } => Ok(()),
                AuthorizerKind::Request { .. } => check_host(request.uri(), request.headers()),
            })
            .map_err(|error| Unreadable::target(error.reason()))?;
        // An escape takes three bytes, so a path longer than that cannot become short enough.
        if located.path.len() > MAX_ARN * 3 {
            return Err(Unreadable::new(RejectionKind::TargetTooLong));
        }
        let path = read_path(located.path, rules).map_err(|error| Unreadable::target(error.reason()))?;
        let Some(arn_path) = self.stage.strip_base_path(in_arn(&path)) else {
            return Err(Unreadable::new(RejectionKind::OutsideBasePath));
        };
        if self.stage.arn().as_str().len() + request.method().as_str().len() + arn_path.len() > MAX_ARN {
            return Err(Unreadable::new(RejectionKind::TargetTooLong));
        }
        Ok(path)
    }

    /// What stands behind the stage in the ARN: a method and a path, or a WebSocket's route.
    #[inline]
    pub(super) fn arn_tail<'a>(&self, method: &'a Method, path: &'a str) -> (&'a str, &'a str) {
        match self.stage.kind() {
            ApiKind::WebSocket => ("", CONNECT_ROUTE),
            // Paths outside the base path have been refused by now.
            _ => (method.as_str(), self.stage.strip_base_path(path).unwrap_or_default()),
        }
    }

    /// Whether the route has a part in what is asked, decided or told the inner service. What a `TOKEN` authorizer is
    /// given is known without it.
    #[cfg(feature = "axum")]
    pub(super) fn reads_route(&self) -> bool {
        let is_told_of_it = !matches!(self.kind, AuthorizerKind::Token { .. }) || self.mapping.is_some();
        // These are given all that stands beside a request.
        is_told_of_it || self.condition_keys.is_some() || self.source_address.is_custom()
    }

    /// Whether a router that reads a path as it was sent reads what it means: no escaped letters.
    #[cfg(feature = "axum")]
    pub(crate) fn is_routable(&self, path: &str) -> bool {
        path.is_empty() || read_path(path, self.routed_rules()).is_ok()
    }

    /// Whoever stands behind a router cannot have a path routed anew, so it must need no rewriting.
    fn routed_rules(&self) -> TargetRules {
        TargetRules { decode_unreserved: false, ..self.target_rules }
    }

    fn load<B>(
        &self,
        request: &Request<B>,
        located: Location<'_>,
        path: &CanonicalPath<'_>,
        identity: Option<&Identity<'_>>,
        ticket: Option<Ticket>,
    ) -> Load {
        let request_id = RequestId::random();
        let (method, arn_path) = self.arn_tail(request.method(), &path.as_sent);
        let arn = self.stage.arn().arn(method, arn_path);
        let event = match &self.kind {
            AuthorizerKind::Token { .. } => {
                let token = identity.and_then(|identity| identity.values().first());
                let token = token.map(IdentityValue::text).unwrap_or_default();
                AuthorizerEvent::from(TokenEvent::new(arn, token))
            }
            AuthorizerKind::Request { .. } => {
                let asked = Asked {
                    arn,
                    path: &path.as_sent,
                    template: located.template(),
                    identity,
                    source_ip: self.source_ip(request),
                    request_id,
                    time: self.watch.now().wall,
                };
                self.events.request_event(&self.stage, request, asked)
            }
        };
        Load { answer: self.authorizer.ask(event), request_id, ticket }
    }

    pub(crate) fn source_ip<B>(&self, request: &Request<B>) -> Option<IpAddr> {
        self.source_address.of(request.headers(), request.extensions())
    }
}
