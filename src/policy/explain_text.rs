//! Explanations as text for people.

use std::fmt;

use super::decision::Decision;
use super::explain::{Explanation, Finding, Outcome, StatementExplanation};
use super::statement::Effect;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = match self.decision {
            Decision::Allow => "allow",
            Decision::ExplicitDeny => "explicit deny",
            Decision::ImplicitDeny => "implicit deny",
            Decision::Indeterminate => "indeterminate",
        };
        write!(f, "{decision} of {} {}: ", self.method, self.path)?;
        match (self.statement, &self.unavailable_key) {
            (Some(index), Some(key)) => writeln!(f, "statement {index} may deny it, `{key}` is not known")?,
            (Some(index), None) => writeln!(f, "settled by statement {index}")?,
            (None, Some(key)) => writeln!(f, "no statement certainly allows it, `{key}` is not known")?,
            (None, None) => writeln!(f, "no statement allows it")?,
        }
        self.statements.iter().try_for_each(|statement| statement.fmt(f))
    }
}

impl fmt::Display for StatementExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  statement {}", self.index)?;
        if let Some(sid) = &self.sid {
            write!(f, " (`{sid}`)")?;
        }
        let verb = match self.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        match self.outcome {
            Outcome::Matches if self.effect == Effect::Allow => writeln!(f, " allows")?,
            Outcome::Matches => writeln!(f, " denies")?,
            Outcome::DoesNotMatch => writeln!(f, " would {verb}, but does not match")?,
            Outcome::Unknown => writeln!(f, " may {verb}")?,
        }
        self.findings.iter().try_for_each(|finding| finding.fmt(f))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "    {}: expected ", self.element)?;
        if self.element.starts_with("Not") {
            f.write_str("anything but ")?;
        }
        for (index, expected) in self.expected.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            write!(f, "`{expected}`")?;
        }
        if self.expected.is_empty() {
            f.write_str("nothing, the list is empty")?;
        }
        match (&self.found, &self.unavailable_key) {
            (found, Some(key)) => {
                write!(f, ", `{key}` is not known")?;
                found.as_ref().map_or(Ok(()), |found| write!(f, " for `{found}`"))?;
            }
            (Some(found), None) => write!(f, ", found `{found}`")?,
            (None, None) => f.write_str(", the key is absent")?,
        }
        writeln!(f)
    }
}
