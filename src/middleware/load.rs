//! Waiting for an authorizer: with a guard against panics, with a time-out, and without losing the answer when
//! the client that asked for it goes away.

use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Request;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::caching::Ticket;
use super::flight::{Lead, Turn};
use super::gateway::{Gateway, Load};
use super::insight::{CacheOutcome, Role, Run};
use super::rejection::{Rejection, RejectionKind};
use crate::authorizer::{Guarded, Panicked};
use crate::contract::Authorization;
use crate::request::RequestId;

/// How much longer than the task that asks its first client waits: so the task has given back its permit by then.
const GRACE: Duration = Duration::from_millis(100);

pub(crate) type Loaded = Result<Arc<Authorization>, Rejection>;

/// A load in progress. It is polled once where it was asked for; only one that is then still pending costs a timer,
/// and only one that is of use to others costs a task.
pub(crate) struct Loading {
    gateway: Arc<Gateway>,
    pub(crate) request_id: RequestId,
    pub(super) cache: CacheOutcome,
    state: State,
}

enum State {
    Unpolled {
        answer: Guarded,
        ticket: Option<Ticket>,
    },
    /// Waiting for the authorizer, with nobody else to wait along.
    Alone(Timed),
    /// Waiting for a task that asks the authorizer. Whether it was begun for this request.
    Shared {
        landed: Pin<Box<dyn Future<Output = Loaded> + Send>>,
        is_own: bool,
    },
    Done,
}

impl Loading {
    pub(crate) fn new(gateway: Arc<Gateway>, load: Load) -> Self {
        let Load { answer, request_id, ticket } = load;
        let cache = if ticket.is_some() { CacheOutcome::Miss } else { CacheOutcome::None };
        Self { gateway, request_id, cache, state: State::Unpolled { answer: Guarded::new(answer), ticket } }
    }

    pub(crate) fn poll<B>(&mut self, request: &Request<B>, cx: &mut Context<'_>) -> Poll<Loaded> {
        loop {
            let loaded = match &mut self.state {
                State::Unpolled { .. } => match self.first_poll(cx) {
                    Some(loaded) => loaded,
                    None => continue,
                },
                State::Alone(timed) => ready!(Pin::new(timed).poll(cx)),
                State::Shared { landed, is_own } => {
                    let loaded = ready!(landed.as_mut().poll(cx));
                    // An answer that was given to somebody else may be too old by now, or may never have been meant
                    // to be used twice. Then this request asks for itself.
                    let is_for_all = || match &loaded {
                        Ok(loaded) => self.gateway.is_fresh(loaded),
                        Err(rejection) => !rejection.is_unshared(),
                    };
                    if !*is_own && !is_for_all() {
                        match self.gateway.ask_alone(request) {
                            Ok(Load { answer, request_id, ticket }) => {
                                (self.request_id, self.cache) = (request_id, CacheOutcome::Miss);
                                self.state = State::Unpolled { answer: Guarded::new(answer), ticket };
                                continue;
                            }
                            Err(rejection) => Err(rejection),
                        }
                    } else {
                        loaded
                    }
                }
                State::Done => Err(Rejection::new(RejectionKind::AuthorizerFailure)),
            };
            self.state = State::Done;
            return Poll::Ready(loaded);
        }
    }

    /// Finds out whether somebody is asking already. If not, asks, and decides how to wait for an answer that is not
    /// there at once.
    fn first_poll(&mut self, cx: &mut Context<'_>) -> Option<Loaded> {
        let State::Unpolled { answer, ticket } = std::mem::replace(&mut self.state, State::Done) else {
            return None;
        };
        let lead = match self.gateway.take_turn(ticket.as_ref()) {
            None => None,
            Some(Turn::Lead(lead)) => Some(lead),
            Some(Turn::Found(authorization)) => {
                self.cache = CacheOutcome::Coalesced;
                return Some(Ok(authorization));
            }
            Some(Turn::Join(passenger)) => {
                self.cache = CacheOutcome::Coalesced;
                // Whoever leads has a time-out, and may be on a runtime that nobody drives any more.
                let deadline = match Deadline::after(self.gateway.timeout) {
                    Ok(deadline) => deadline,
                    Err(rejection) => return Some(Err(rejection)),
                };
                self.state = State::Shared { landed: Box::pin(passenger.landed_by(deadline)), is_own: false };
                return None;
            }
        };
        let role = if lead.is_some() { Role::Shared } else { Role::Alone };
        let loaded = match Asking::begin(&self.gateway, answer, self.request_id, role) {
            Err(rejection) => Err(rejection),
            Ok(mut asking) => match asking.poll(&self.gateway, ticket.as_ref(), cx) {
                Poll::Ready(loaded) => loaded,
                Poll::Pending => match self.wait(asking, ticket, lead) {
                    Ok(state) => {
                        self.state = state;
                        return None;
                    }
                    Err(rejection) => return Some(Err(rejection)),
                },
            },
        };
        if let Some(lead) = lead {
            lead.land(&loaded);
        }
        Some(loaded)
    }

    fn wait(&self, asking: Asking, ticket: Option<Ticket>, lead: Option<Lead>) -> Result<State, Rejection> {
        let runtime = Handle::try_current().map_err(|_| no_timer())?;
        let deadline = Deadline::after(self.gateway.timeout)?;
        let gateway = Arc::clone(&self.gateway);
        let timed = Timed { gateway, asking, ticket, deadline };
        let Some(lead) = lead else { return Ok(State::Alone(timed)) };
        // The task has a deadline of its own, and is to meet it first; but its runtime may stand still while this request
        // is polled on another.
        let late = self.gateway.timeout.saturating_add(GRACE);
        let landed = Box::pin(lead.join().landed_by(Deadline::after(late)?));
        runtime.spawn(async move {
            // Whoever asked may be gone by then; the answer is kept all the same.
            let loaded = timed.await;
            lead.land(&loaded);
        });
        Ok(State::Shared { landed, is_own: true })
    }
}

/// Asks where it is called: others neither wait for the answer nor help to get it, though it is kept for them.
pub(super) fn ask_unshared(
    gateway: &Arc<Gateway>,
    load: Load,
) -> impl Future<Output = Loaded> + Send + use<> {
    let gateway = Arc::clone(gateway);
    let Load { answer, request_id, ticket } = load;
    let answer = Guarded::new(answer);
    async move {
        let asking = Asking::begin(&gateway, answer, request_id, Role::Shadow)?;
        let deadline = Deadline::after(gateway.timeout)?;
        Timed { gateway, asking, ticket, deadline }.await
    }
}

/// Until when somebody waits, on whatever runtime.
pub(crate) struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    fn after(timeout: Duration) -> Result<Self, Rejection> {
        Handle::try_current().map_err(|_| no_timer())?;
        // A runtime may have been built without a timer, and says so by a panic.
        catch_unwind(|| Self(Box::pin(tokio::time::sleep(timeout)))).map_err(|_| no_timer())
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Its timer is that of the runtime it was made on. Somebody who waits is polled seldom, so a new one is made
        // each time, where it is sure to be driven.
        let at = self.0.deadline();
        // A timer that has fired says so only within tokio's budget, which an authorizer may have used up, each time.
        if Instant::now() >= at {
            return Poll::Ready(());
        }
        if Handle::try_current().is_ok()
            && let Ok(here) = catch_unwind(|| tokio::time::sleep_until(at))
        {
            self.0.set(here);
        }
        self.0.as_mut().poll(cx)
    }
}

fn no_timer() -> Rejection {
    Rejection::with_detail(RejectionKind::AuthorizerFailure, "there is no tokio runtime with a timer")
}

/// An authorizer at work.
struct Asking {
    answer: Guarded,
    run: Run,
    _permit: OwnedSemaphorePermit,
}

impl Asking {
    fn begin(
        gateway: &Arc<Gateway>,
        answer: Guarded,
        request_id: RequestId,
        role: Role,
    ) -> Result<Self, Rejection> {
        let permit = gateway.permit()?;
        Ok(Self { answer, run: Run::begin(gateway, request_id, role), _permit: permit })
    }

    fn poll(&mut self, gateway: &Gateway, ticket: Option<&Ticket>, cx: &mut Context<'_>) -> Poll<Loaded> {
        let Self { answer, run, .. } = self;
        let answer = ready!(run.in_scope(|| answer.poll(cx)));
        let loaded = match answer {
            Ok(answer) => gateway.accept(answer, ticket),
            Err(Panicked) => Err(Rejection::new(RejectionKind::AuthorizerPanic)),
        };
        run.end(&loaded);
        Poll::Ready(loaded)
    }
}

/// What the authorizer does when it is dropped is its work, too.
impl Drop for Asking {
    fn drop(&mut self) {
        let answer = std::mem::take(&mut self.answer);
        self.run.in_scope(|| drop(answer));
    }
}

/// An answer that has to come in time.
struct Timed {
    gateway: Arc<Gateway>,
    asking: Asking,
    ticket: Option<Ticket>,
    deadline: Deadline,
}

impl Future for Timed {
    type Output = Loaded;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Loaded> {
        let Self { gateway, asking, ticket, deadline } = self.get_mut();
        if let Poll::Ready(loaded) = asking.poll(gateway, ticket.as_ref(), cx) {
            return Poll::Ready(loaded);
        }
        ready!(deadline.poll(cx));
        let loaded = Err(Rejection::new(RejectionKind::AuthorizerTimeout));
        asking.run.end(&loaded);
        Poll::Ready(loaded)
    }
}
