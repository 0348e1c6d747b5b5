//! Who is shown what was decided.

use std::net::SocketAddr;

use super::{AuthorizerLayerBuilder, ConfigError, Options};
use crate::middleware::insight::DebugHeader;

#[cfg_attr(docsrs, doc(cfg(feature = "debug-header")))]
impl<R> AuthorizerLayerBuilder<R> {
    /// Shows clients on this machine what was decided and why, in a header of every response, for development:
    ///
    /// ```text
    /// x-authorizer-decision: allow; statement=0; sid="read"; cache=hit
    /// x-authorizer-decision: implicit_deny; cache=miss
    /// ```
    ///
    /// `address` is where the service listens: `listener.local_addr()?`. A layer cannot see its listener, so that is only
    /// what somebody says. What counts for each request is the peer of the accepted connection, as conditions on
    /// `aws:SourceIp` know it: axum's `ConnectInfo`, which [`protect`](crate::axum::protect) brings along, or what
    /// [`with_source_ip`](Self::with_source_ip) finds. Whoever is not at a loopback address is not shown the header, and
    /// neither is anybody where the peer is unknown. No header of the request changes that.
    ///
    /// A proxy on this machine makes everybody a client on this machine. This layer cannot tell: do not use it there.
    ///
    /// A header of that name that the inner service sets is removed.
    ///
    /// # Errors
    ///
    /// [`build`](Self::build) refuses an address that is not loopback, and
    /// [trusted proxies](Self::with_trusted_proxies) beside this.
    pub fn with_debug_header(mut self, address: SocketAddr) -> Self {
        self.options.debug_header = DebugHeader::Loopback;
        self.options.debug_address = Some(address);
        self
    }

    /// Shows every client what was decided: the kind of a refusal, the number and the `Sid` of a statement. That helps
    /// whoever looks for a way in.
    pub fn insecure_with_debug_header(mut self) -> Self {
        self.options.debug_header = DebugHeader::Everybody;
        self.options.debug_address = None;
        self
    }
}

pub(super) fn check(options: &Options) -> Result<(), ConfigError> {
    match options.debug_address {
        Some(address) if !address.ip().to_canonical().is_loopback() => {
            Err(ConfigError::DebugHeaderOutside { address })
        }
        Some(_) if !options.trusted_proxies.is_empty() => Err(ConfigError::DebugHeaderBehindProxies),
        _ => Ok(()),
    }
}
