use std::fmt;

use super::context::{ConditionContext, NoContext};

/// The question: may `execute-api:Invoke` be done on `{stage}{method}{path}`?
///
/// Everything in it is borrowed; making one allocates nothing.
#[derive(Clone, Copy)]
pub struct AccessRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) canonical_path: Option<&'a str>,
    pub(super) sent_path: Option<&'a str>,
    pub(super) allowed_as: Option<&'a str>,
    pub(super) context: &'a dyn ConditionContext,
}

impl<'a> AccessRequest<'a> {
    /// A request by its method and its path, in the spelling of ARNs and with the leading `/`. The opening of a
    /// WebSocket is `new("", "$connect")`.
    #[must_use]
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, canonical_path: None, sent_path: None, allowed_as: None, context: &NoContext }
    }

    /// The path with every escape of a reserved character decoded, where that differs from the path itself. A `Deny`, and what
    /// `NotResource` excepts from an `Allow`, is tested in both spellings.
    #[must_use]
    pub const fn with_canonical_path(mut self, path: &'a str) -> Self {
        self.canonical_path = Some(path);
        self
    }

    /// The path as the client sent it, where that is neither of the others: with raw characters that no path may hold, with
    /// escapes that were decoded for the router. It is the path that API Gateway would put into the ARN, so a `Deny` is
    /// tested with it, too, and what `NotResource` excepts from an `Allow` is excepted under it.
    #[must_use]
    pub const fn with_sent_path(mut self, path: &'a str) -> Self {
        self.sent_path = Some(path);
        self
    }

    /// Another method whose `Allow` counts for this request. What denies it stays what denies its own method.
    pub(crate) const fn allowed_as(mut self, method: &'a str) -> Self {
        self.allowed_as = Some(method);
        self
    }

    /// The same request by its other method, for what allows it.
    pub(super) fn as_other_method(&self) -> Option<Self> {
        self.allowed_as.map(|method| Self { method, allowed_as: None, ..*self })
    }

    /// Where the values of condition keys come from. Without one, every key is absent.
    #[must_use]
    pub const fn with_context(mut self, context: &'a dyn ConditionContext) -> Self {
        self.context = context;
        self
    }

    pub(crate) const fn sent_path(&self) -> Option<&'a str> {
        self.sent_path
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }
}

impl fmt::Debug for AccessRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("canonical_path", &self.canonical_path)
            .field("sent_path", &self.sent_path)
            .finish_non_exhaustive()
    }
}
