//! Waiting for an authorizer: with a guard against panics, with a time-out, and without losing the answer when
//! the client that asked for it goes away.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::gateway::{Gateway, Load, Question, Ticket};
use super::rejection::{Rejection, RejectionKind};
use crate::authorizer::{Answer, AuthorizerError};
use crate::contract::{Authorization, AuthorizerResponse};

pub(crate) type Loaded = Result<Arc<Authorization>, Rejection>;

/// A load in progress. It is polled once where it was asked for; only one that is then still pending costs a timer,
/// and only one that is of use to others costs a task.
pub(crate) struct Loading {
    gateway: Arc<Gateway>,
    pub(crate) question: Question<'static>,
    state: State,
}

enum State {
    Unpolled { answer: Guarded, ticket: Ticket },
    Alone(Timed),
    Shared(oneshot::Receiver<Loaded>),
    Done,
}

impl Loading {
    pub(crate) fn new(gateway: Arc<Gateway>, load: Load) -> Self {
        let Load { answer, question, ticket } = load;
        Self { gateway, question, state: State::Unpolled { answer: Guarded(Some(answer)), ticket } }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Loaded> {
        loop {
            let loaded = match &mut self.state {
                State::Unpolled { .. } => match self.first_poll(cx) {
                    Some(loaded) => loaded,
                    None => continue,
                },
                State::Alone(timed) => ready!(Pin::new(timed).poll(cx)),
                State::Shared(result) => ready!(Pin::new(result).poll(cx))
                    // The task is gone without a word: the runtime is shutting down.
                    .unwrap_or_else(|_| Err(Rejection::new(RejectionKind::AuthorizerFailure))),
                State::Done => Err(Rejection::new(RejectionKind::AuthorizerFailure)),
            };
            self.state = State::Done;
            return Poll::Ready(loaded);
        }
    }

    /// Polls the authorizer where it was asked. Most answers are there at once or take a network call; for those
    /// that are not, decides how to wait.
    fn first_poll(&mut self, cx: &mut Context<'_>) -> Option<Loaded> {
        let State::Unpolled { mut answer, ticket } = std::mem::replace(&mut self.state, State::Done) else {
            return None;
        };
        if let Poll::Ready(answer) = answer.poll(cx) {
            return Some(settle(&self.gateway, answer, &ticket));
        }
        let no_timer = || {
            Rejection::with_detail(RejectionKind::AuthorizerFailure, "there is no tokio runtime with a timer")
        };
        let Ok(runtime) = Handle::try_current() else { return Some(Err(no_timer())) };
        let timeout = self.gateway.timeout;
        // A runtime may have been built without a timer, and says so by a panic.
        let Ok(deadline) = catch_unwind(|| Box::pin(tokio::time::sleep(timeout))) else {
            return Some(Err(no_timer()));
        };
        let is_shared = ticket.is_shared();
        let timed = Timed { gateway: Arc::clone(&self.gateway), answer, ticket, deadline };
        self.state = if is_shared {
            let (sender, result) = oneshot::channel();
            runtime.spawn(async move {
                // Whoever asked may be gone by then; the answer is kept all the same.
                let _ = sender.send(timed.await);
            });
            State::Shared(result)
        } else {
            State::Alone(timed)
        };
        None
    }
}

/// An answer that has to come in time.
struct Timed {
    gateway: Arc<Gateway>,
    answer: Guarded,
    ticket: Ticket,
    deadline: Pin<Box<Sleep>>,
}

impl Future for Timed {
    type Output = Loaded;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Loaded> {
        if let Poll::Ready(answer) = self.answer.poll(cx) {
            return Poll::Ready(settle(&self.gateway, answer, &self.ticket));
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(Rejection::new(RejectionKind::AuthorizerTimeout)))
    }
}

fn settle(gateway: &Gateway, answer: Result<Answered, Panicked>, ticket: &Ticket) -> Loaded {
    let answer = answer.map_err(|Panicked| Rejection::new(RejectionKind::AuthorizerPanic))?;
    gateway.accept(answer, ticket)
}

type Answered = Result<AuthorizerResponse, AuthorizerError>;

struct Panicked;

/// An authorizer's future, whose panics end with it: also the one in its destructor.
struct Guarded(Option<Answer>);

impl Guarded {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answered, Panicked>> {
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
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(payload);
    }
}
