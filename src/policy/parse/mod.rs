//! Reading policies: strictly, in one pass, with the way to every mistake.

mod condition;
mod document;
mod list;
mod statement;
mod trace;

pub(super) use document::document;
