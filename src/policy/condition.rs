use std::convert::Infallible;

/// A condition of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    never: Infallible,
}
