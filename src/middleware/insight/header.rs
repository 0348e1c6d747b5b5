//! The header that shows developers what was decided.
//!
//! Whoever may see it is told by the configuration and by the accepted connection. No header of a request counts: neither
//! for it nor against it.

use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderName, HeaderValue, Request, Response};

use super::CacheOutcome;
use crate::middleware::gateway::{Gateway, Pass};
use crate::middleware::rejection::Rejection;

const NAME: HeaderName = HeaderName::from_static("x-authorizer-decision");

/// The longest `Sid` that is shown, in characters.
const MAX_SID: usize = 64;

/// Who is shown the decision.
#[derive(Clone, Copy, Default)]
pub(in crate::middleware) enum DebugHeader {
    Everybody,
    /// Peers on this machine.
    Loopback,
    #[default]
    Nobody,
}

/// What is done to the header of a response.
pub(in crate::middleware) enum Mark {
    /// There is no such header here, and whoever sets one may.
    Leave,
    /// It is for others than this client. What is there says nothing of us.
    Remove,
    Set(HeaderValue),
}

impl Mark {
    #[inline]
    pub(super) fn of<B>(
        gateway: &Gateway,
        request: &Request<B>,
        verdict: Result<&Pass, &Rejection>,
        cache: CacheOutcome,
    ) -> Self {
        let is_shown = match gateway.debug_header {
            DebugHeader::Nobody => return Self::Leave,
            DebugHeader::Loopback => {
                let peer = gateway.source_address.peer(request.extensions());
                peer.is_some_and(|peer| peer.is_loopback())
            }
            DebugHeader::Everybody => true,
        };
        if !is_shown {
            return Self::Remove;
        }
        HeaderValue::try_from(text(verdict, cache)).map_or(Self::Remove, Self::Set)
    }

    pub(in crate::middleware) fn put_on<B>(self, response: &mut Response<B>) {
        match self {
            Self::Leave => {}
            Self::Remove => drop(response.headers_mut().remove(NAME)),
            Self::Set(value) => drop(response.headers_mut().insert(NAME, value)),
        }
    }

    /// Polls the inner service, and marks its response.
    pub(in crate::middleware) fn poll<F, B, E>(
        &mut self,
        service: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output>
    where
        F: Future<Output = Result<Response<B>, E>>,
    {
        let mut response = ready!(service.poll(cx))?;
        std::mem::replace(self, Self::Leave).put_on(&mut response);
        Poll::Ready(Ok(response))
    }
}

/// `allow; statement=0; sid="read"; cache=hit`
fn text(verdict: Result<&Pass, &Rejection>, cache: CacheOutcome) -> String {
    let (decision, statement, sid) = match verdict {
        Ok(pass) => ("allow", pass.principal().statement(), pass.principal().sid()),
        Err(rejection) => (rejection.kind().as_str(), rejection.statement(), rejection.sid()),
    };
    let mut text = decision.to_owned();
    if let Some(statement) = statement {
        let _ = write!(text, "; statement={statement}");
    }
    if let Some(sid) = sid {
        // A quoted string without anything in it that would have to be escaped.
        let plain = |letter: char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\');
        let sid: String = sid.chars().take(MAX_SID).map(|c| if plain(c) { c } else { '_' }).collect();
        let _ = write!(text, "; sid=\"{sid}\"");
    }
    let _ = write!(text, "; cache={}", cache.as_str());
    text
}
