//! The other names of a path in which an escaped slash is data.

use http::Method;

use super::gateway::Gateway;
use super::question::Question;
use crate::contract::{Authorization, Ruling};
use crate::policy::{AccessRequest, Decision};
use crate::request::CanonicalPath;

impl Gateway {
    #[inline]
    pub(super) fn has_encoded_slash(&self, path: &CanonicalPath<'_>) -> bool {
        self.target_rules.allow_encoded_slash && path.as_sent.contains("%2F")
    }

    /// A catch-all route decodes `%2F`, so that its handler cannot tell it from a slash: a Deny must not, either. Nor do
    /// file systems and many handlers tell several slashes from one, or mind one at the end, which no Deny minds either.
    #[cold]
    pub(super) fn rule_with_slashes<'a>(
        &self,
        authorization: &'a Authorization,
        asked: AccessRequest<'_>,
        question: Question<'_>,
        method: &Method,
    ) -> Ruling<'a> {
        let rule = |path| authorization.rule(&asked.with_canonical_path(self.arn_tail(method, path).1));
        let slashed = question.path.canonical().replace("%2F", "/");
        let ruling = rule(&slashed);
        if ruling.decision != Decision::Allow || !slashed.contains("//") {
            return ruling;
        }
        rule(&with_single_slashes(&slashed))
    }
}

/// The path as it is to whoever takes slashes side by side for one.
fn with_single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}
