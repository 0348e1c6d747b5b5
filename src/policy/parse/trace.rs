use std::cell::RefCell;
use std::fmt::Write as _;

use serde::de;

use crate::policy::error::{PolicyError, PolicyErrorKind};

/// The way to a mistake, gathered while an error passes outwards. Costs nothing as long as there is none.
#[derive(Debug, Default)]
pub(super) struct Trace {
    problem: RefCell<Option<PolicyError>>,
    path: RefCell<Vec<Segment>>,
}

#[derive(Debug)]
pub(super) enum Segment {
    Element(&'static str),
    Index(usize),
    Key(String),
}

impl Trace {
    /// Notes what is wrong, and makes the error that carries it outwards.
    #[cold]
    pub(super) fn refuse<E: de::Error>(&self, problem: PolicyError) -> E {
        let error = E::custom(problem.message());
        self.problem.replace(Some(problem));
        error
    }

    /// [`refuse`](Self::refuse) with the problem spelt out.
    #[cold]
    pub(super) fn refuse_as<E: de::Error>(&self, kind: PolicyErrorKind, message: impl Into<String>) -> E {
        self.refuse(PolicyError::new(kind, message))
    }

    /// Notes where the error has passed.
    #[cold]
    pub(super) fn passed<E>(&self, error: E, segment: Segment) -> E {
        self.path.borrow_mut().push(segment);
        error
    }

    /// The error that the caller sees.
    #[cold]
    pub(super) fn into_error(self, error: &serde_json::Error) -> PolicyError {
        let mut location = String::new();
        for segment in self.path.into_inner().iter().rev() {
            match segment {
                Segment::Index(index) => {
                    let _ = write!(location, "[{index}]");
                    continue;
                }
                Segment::Element(_) | Segment::Key(_) if !location.is_empty() => location.push('.'),
                Segment::Element(_) | Segment::Key(_) => {}
            }
            match segment {
                Segment::Element(name) => location.push_str(name),
                Segment::Key(name) => {
                    location.extend(name.chars().filter(|character| !character.is_control()).take(128));
                }
                Segment::Index(_) => {}
            }
        }
        let problem = self.problem.into_inner();
        problem
            .unwrap_or_else(|| PolicyError::new(PolicyErrorKind::Syntax, error.to_string()))
            .with_location(location)
    }
}
