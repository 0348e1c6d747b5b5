//! The names that a request has to a policy.

use http::{Extensions, Method, Request};

use super::context::RequestContext;
use super::gateway::Gateway;
use crate::contract::{ApiKind, Authorization, Ruling};
use crate::policy::{AccessRequest, Decision, slash_readings};
use crate::request::{CanonicalPath, TargetRules, is_spelling_of, read_path, sent_path};

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
        Some(self.stage.strip_base_path(sent).or_else(|| self.stage.strip_template(sent)).unwrap_or(sent))
    }

    /// Whether what allows a request has to be asked about it again.
    #[inline]
    pub(super) fn has_more_names(&self, asked: &AccessRequest<'_>, path: &CanonicalPath<'_>) -> bool {
        self.has_encoded_slash(path) || (path.raw.is_none() && asked.sent_path().is_some())
    }

    fn has_encoded_slash(&self, path: &CanonicalPath<'_>) -> bool {
        // The ARN of a WebSocket has no path.
        self.target_rules.allow_encoded_slash
            && path.as_sent.contains("%2F")
            && self.stage.kind() != ApiKind::WebSocket
    }

    /// The ruling about an allowed request under the names that are rare. What was sent, and routed in another spelling, had
    /// one of its own in an ARN.
    ///
    /// And where an escaped slash is data: a catch-all route decodes it, so that its handler cannot tell it from a slash: a Deny
    /// must not, either, nor what is excepted from an Allow. Before the catch-all it may be data all the same. Nor do file
    /// systems and many handlers tell several slashes from one, or mind one at the end, which no Deny minds either.
    #[cold]
    pub(super) fn rule_under_more_names<'a, B>(
        &self,
        authorization: &'a Authorization,
        allowed: Ruling<'a>,
        asked: AccessRequest<'_>,
        request: &Request<B>,
        path: &CanonicalPath<'_>,
    ) -> Ruling<'a> {
        let refused = Ruling { decision: Decision::ImplicitDeny, statement: None, unavailable_key: None };
        let in_arn = self.arn_tail(request.method(), &path.as_sent).1;
        let sent = self.sent(request.extensions(), path).unwrap_or(in_arn);
        // It has been read before, and too many slashes have been refused then.
        let rules = TargetRules { decode_unreserved: true, allow_encoded_slash: true };
        let Ok(read) = read_path(sent, rules) else { return refused };
        let readings = |path: &str| Some([vec![path.to_owned()], slash_readings(path)?].concat());
        let canonical = readings(self.arn_tail(request.method(), path.canonical()).1);
        let spellings: Option<Vec<_>> = [sent, &read.as_sent, in_arn].into_iter().map(readings).collect();
        let (Some(canonical), Some(spellings)) = (canonical, spellings) else { return refused };
        let mut ruling = allowed;
        // Under its first names it has been allowed.
        let mut tried: Vec<(&str, &str)> = Vec::new();
        tried.extend(
            canonical.first().into_iter().flat_map(|canonical| [(&**canonical, sent), (canonical, in_arn)]),
        );
        for (at, canonical) in canonical.iter().enumerate() {
            for sent in spellings.iter().map(|readings| readings.get(at).unwrap_or(canonical)) {
                if tried.contains(&(canonical, sent)) {
                    continue;
                }
                tried.push((canonical, sent));
                ruling = authorization.rule(&asked.with_canonical_path(canonical).with_sent_path(sent));
                if ruling.decision != Decision::Allow {
                    return ruling;
                }
            }
        }
        ruling
    }
}
