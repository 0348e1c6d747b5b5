//! The IAM policy language, as API Gateway evaluates it.
//!
//! An authorizer answers with a [`PolicyDocument`]. It is read strictly ([`PolicyDocument::from_json`]) or built from
//! the ARN at hand ([`StageArn::policy`]), compiled for one stage ([`PolicyDocument::bind`]) and asked for every
//! request ([`BoundPolicy::evaluate`]). [`BoundPolicy::explain`] says why a decision is what it is, and
//! [`PolicyDocument::lint`] finds what is allowed and most likely not meant.
//!
//! The general law: never more permissive than AWS. Whatever is not understood is an error, an explicit `Deny` is
//! tested under every spelling of a request, an `Allow` under exactly one.

mod arn;
mod bind;
mod builder;
mod complex;
mod condition;
mod context;
mod crossing;
mod decision;
mod document;
mod error;
mod evaluate;
mod explain;
mod explain_text;
mod glob;
mod hash;
mod index;
mod lint;
mod overlap;
mod parse;
mod pattern;
mod plan;
mod print;
mod request;
mod resolve;
mod segments;
mod spelling;
mod stage;
mod statement;
mod target;
mod template;
mod truth;
mod variable;

pub use arn::ExecuteApiArn;
pub use bind::BoundPolicy;
pub use builder::{AnyMethod, MethodPattern, PolicyBuilder};
pub use condition::Condition;
pub use context::{ConditionContext, ConditionKey, ConditionValue};
pub use decision::{Decision, Evaluation};
pub use document::{PolicyDocument, Version};
pub(crate) use error::printable;
pub use error::{ArnError, PolicyError, PolicyErrorKind};
pub use explain::{Explanation, Finding, Outcome, StatementExplanation};
pub use lint::{Lint, LintKind};
pub use pattern::{ActionPattern, ResourcePattern};
pub use request::AccessRequest;
pub(crate) use spelling::{
    MAX_SLASHED, hex_value, is_reserved, is_unreserved, push_escape, slash_readings, stands_for_itself,
};
pub use stage::StageArn;
pub use statement::{Effect, Statement};
