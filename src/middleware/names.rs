//! The names that a request has to a policy.

use http::{Extensions, Method, Request};

use super::context::RequestContext;
use super::gateway::Gateway;
use crate::contract::{ApiKind, Authorization, Ruling};
use crate::policy::{AccessRequest, Decision, slash_readings};
use crate::request::{CanonicalPath, is_spelling_of, sent_path};

impl Gateway {
    /// What a policy is asked about a request.
    #[inline(always)]
    pub(super) fn asked<'a, B>(
        &'a self,
        request: &'a Request<B>,
        path: &'a CanonicalPath<'a>,
        context: &'a RequestContext<'a, B>,
    ) -> AccessRequest<'a> {
        let method = request.method();
        let (arn_method, arn_path) = self.arn_tail(method, &path.as_sent);
        let mut asked = AccessRequest::new(arn_method, arn_path).with_context(context);
        if let Some(decoded) = &path.decoded {
            asked = asked.with_canonical_path(self.arn_tail(method, decoded).1);
        }
        if let Some(sent) = self.sent(request.extensions(), path) {
            asked = asked.with_sent_path(sent);
        }
        if self.head_as_get && *method == Method::HEAD {
            asked = asked.allowed_as("GET");
        }
        asked
    }

    /// The path as the client sent it, below the base path, where it was written anew.
    #[inline(always)]
    fn sent<'a>(&self, extensions: &'a Extensions, path: &CanonicalPath<'a>) -> Option<&'a str> {
        if self.stage.kind() == ApiKind::WebSocket {
            return None;
        }
        // The program may have moved the request since.
        let before = sent_path(extensions).filter(|sent| is_spelling_of(sent, path.canonical()));
        let sent = before.or(path.raw)?;
        // The base path may have been sent in another spelling, too.
        Some(self.stage.strip_base_path(sent).unwrap_or_else(|| self.stage.strip_template(sent)))
    }

    #[inline]
    pub(super) fn has_encoded_slash(&self, path: &CanonicalPath<'_>) -> bool {
        self.target_rules.allow_encoded_slash && path.as_sent.contains("%2F")
    }

    /// The same where an escaped slash is data. A catch-all route decodes it, so that its handler cannot tell it from a
    /// slash: a Deny must not, either, nor what is excepted from an Allow. Before the catch-all it may be data all the same. Nor
    /// do file systems and many handlers tell several slashes from one, or mind one at the end, which no Deny minds either.
    #[cold]
    pub(super) fn rule_with_slashes<'a, B>(
        &self,
        authorization: &'a Authorization,
        asked: AccessRequest<'_>,
        request: &Request<B>,
        path: &CanonicalPath<'_>,
    ) -> Ruling<'a> {
        // Where there are too many the path has been refused before.
        let refused = Ruling { decision: Decision::ImplicitDeny, statement: None, unavailable_key: None };
        let Some(canonical) = slash_readings(self.arn_tail(request.method(), path.canonical()).1) else {
            return refused;
        };
        // Where nothing was written anew, it was sent as it stands in the ARN.
        let sent = self.sent(request.extensions(), path);
        let sent = sent.unwrap_or_else(|| self.arn_tail(request.method(), &path.as_sent).1);
        let Some(sent) = slash_readings(sent) else { return refused };
        let mut tried: Vec<(&str, &str)> = Vec::new();
        let mut ruling = None;
        for (at, canonical) in canonical.iter().enumerate() {
            // What is excepted from an Allow is compared with what was sent, and not with the other.
            for sent in [sent.get(at).unwrap_or(canonical), canonical] {
                if tried.contains(&(canonical, sent)) {
                    continue;
                }
                tried.push((canonical, sent));
                let asked = asked.with_canonical_path(canonical).with_sent_path(sent);
                let next = authorization.rule(&asked);
                if next.decision != Decision::Allow {
                    return next;
                }
                ruling = Some(next);
            }
        }
        ruling.unwrap_or_else(|| authorization.rule(&asked))
    }
}
