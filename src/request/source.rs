//! Who is at the other end of the connection.

use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;

/// How to find the peer of the accepted connection. Never a header.
#[derive(Clone, Default)]
pub(crate) enum SourceAddress {
    /// What axum's `ConnectInfo<SocketAddr>` says, where it is there.
    #[default]
    ConnectInfo,
    /// What the server says.
    Custom(Arc<FindAddress>),
}

type FindAddress = dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync;

impl SourceAddress {
    /// The address in its plain form: `::ffff:192.0.2.1` is `192.0.2.1`.
    pub(crate) fn of(&self, extensions: &Extensions) -> Option<IpAddr> {
        let address = match self {
            Self::ConnectInfo => connect_info(extensions),
            Self::Custom(find) => find(extensions),
        };
        address.map(|address| address.to_canonical())
    }
}

#[cfg(feature = "axum")]
fn connect_info(extensions: &Extensions) -> Option<IpAddr> {
    use axum::extract::ConnectInfo;
    extensions.get::<ConnectInfo<std::net::SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

#[cfg(not(feature = "axum"))]
fn connect_info(_extensions: &Extensions) -> Option<IpAddr> {
    None
}

impl std::fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ConnectInfo => "ConnectInfo",
            Self::Custom(_) => "Custom",
        })
    }
}
