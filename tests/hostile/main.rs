//! Requests that mean harm, against real routers: what is refused never reaches a handler.
//!
//! Every handler writes down that it was called, and with what; the assertion is always on that list too, never on
//! the status alone. Clients write exact bytes: no library stands between a test and the wire.

#![expect(unreachable_pub, reason = "the modules of a test are one program")]

#[path = "../naive/mod.rs"]
mod naive;

mod aliases;
mod cache;
mod composition;
mod echo;
mod extensions;
mod facts;
mod files;
mod forms;
mod forwarded;
mod frames;
#[cfg(feature = "remote")]
mod functions;
mod harness;
mod headers;
mod homes;
mod identity;
#[cfg(all(feature = "jwks-http", feature = "testing"))]
mod key_sets;
mod layers;
mod model;
mod property;
mod reader;
mod replies;
mod shadows;
mod spelling;
mod tally;
mod targets;
#[cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]
mod tokens;
mod upgrade;
mod wire;
