//! An authorizer that may panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use super::AuthorizerError;
use super::shared::Answer;
use crate::contract::AuthorizerResponse;

/// What an authorizer says.
pub(crate) type Answered = Result<AuthorizerResponse, AuthorizerError>;

/// The authorizer panicked.
pub(crate) struct Panicked;

/// An authorizer's future, whose panics end with it: also the one in its destructor.
#[derive(Default)]
pub(crate) struct Guarded(Option<Answer>);

impl Guarded {
    pub(crate) fn new(answer: Answer) -> Self {
        Self(Some(answer))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, Panicked>> {
        let Some(answer) = &mut self.0 else { return Poll::Ready(Err(Panicked)) };
        // Nothing is seen of the future after it panicked: it is only dropped.
        match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => {
                discard(payload);
                Poll::Ready(Err(Panicked))
            }
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let answer = self.0.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(answer))) {
            discard(payload);
        }
    }
}

/// Drops what a panic carried. That may panic, too; what it then carries is small, and is left where it is.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(payload);
    }
}
