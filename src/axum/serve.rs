//! `axum::serve(listener, protected)`.

use std::any::Any;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::extract::ConnectInfo;
use axum::serve::{IncomingStream, Listener};
use http::Request;
use tower_service::Service;

use super::protect::Protected;
use crate::contract::make_room;

/// One connection's service: requests that come over it carry the address of its peer.
#[derive(Clone, Debug)]
pub struct WithPeerAddress<S> {
    service: S,
    peer: Option<SocketAddr>,
}

impl<S, L> Service<IncomingStream<'_, L>> for Protected<S>
where
    S: Clone,
    L: Listener,
    L::Addr: 'static,
{
    type Response = WithPeerAddress<S>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, L>) -> Self::Future {
        // A listener on something other than an IP socket has peers without an IP address.
        let address: &dyn Any = stream.remote_addr();
        let peer = address.downcast_ref::<SocketAddr>().copied();
        ready(Ok(WithPeerAddress { service: self.service().clone(), peer }))
    }
}

impl<S, B> Service<Request<B>> for WithPeerAddress<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(peer) = self.peer {
            make_room(request.extensions_mut());
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        self.service.call(request)
    }
}
