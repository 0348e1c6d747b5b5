use serde::Serialize;

use super::document::Inner;
use super::statement::Statement;

/// What a policy says about a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[expect(clippy::exhaustive_enums, reason = "closed by the IAM evaluation logic and its one unknown")]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement is about it.
    ImplicitDeny,
    /// It would be allowed, but a `Deny` depends on something that is not known. It is refused, as an error.
    Indeterminate,
}

/// The answer to an [`AccessRequest`](super::AccessRequest), with the statement that settled it.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'p> {
    document: &'p Inner,
    decision: Decision,
    statement: Option<u32>,
    unavailable_key: Option<&'p str>,
}

impl<'p> Evaluation<'p> {
    #[inline]
    pub(super) const fn new(
        document: &'p Inner,
        decision: Decision,
        statement: Option<u32>,
        unavailable_key: Option<&'p str>,
    ) -> Self {
        Self { document, decision, statement, unavailable_key }
    }

    /// The answer.
    #[must_use]
    #[inline]
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether the answer is [`Decision::Allow`].
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self.decision, Decision::Allow)
    }

    /// The index of the statement that settled it: the first that allows, denies or cannot be decided. An implicit
    /// denial has none.
    #[must_use]
    #[inline]
    pub fn statement(&self) -> Option<usize> {
        self.statement.map(|index| index as usize)
    }

    /// The name of that statement, if it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&'p str> {
        self.statement.and_then(|index| self.document.statements.get(index as usize)).and_then(Statement::sid)
    }

    /// The condition key whose value would have been needed: by the `Deny` that leaves a decision
    /// [indeterminate](Decision::Indeterminate), or by an `Allow` that might have applied where the denial is implicit.
    #[must_use]
    #[inline]
    pub const fn unavailable_key(&self) -> Option<&'p str> {
        self.unavailable_key
    }
}
