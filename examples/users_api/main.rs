//! A small user service behind a Lambda authorizer: one record for each principal, in a database file.
//!
//! ```console
//! $ cargo run --example users_api
//! listening on http://127.0.0.1:3000
//! ```
//!
//! `PORT` chooses another port (0: any free one), `DATABASE` another file than `users.redb`. In a second terminal:
//!
//! ```console
//! $ curl -H 'headerauth1: headerValue1' -H 'content-type: application/json' \
//!     -d '{"age":"1001","height":"300","income":"200"}' \
//!     'http://127.0.0.1:3000/users?QueryString1=queryValue1'
//! {"userid":"me","age":"1001","height":"300","income":"200"}
//! $ curl -H 'headerauth1: headerValue1' 'http://127.0.0.1:3000/users/someone-else?QueryString1=queryValue1'
//! {"Message":"User is not authorized to access this resource"}
//! ```

use std::{env, error::Error, process::ExitCode, time::Duration};

use axum::http::HeaderName;
use tokio::net::TcpListener;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerLayer, authorizer_fn, axum::protect, cache::MemoryCache, request::IdentitySource,
};

mod authorizer;
mod service;
mod store;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Failure> {
    let port = env::var_os("PORT").unwrap_or_else(|| "3000".into());
    let port: u16 = port
        .to_str()
        .and_then(|port| port.parse().ok())
        .ok_or_else(|| format!("PORT is `{}`: set it to a number from 0 to 65535", port.display()))?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("cannot listen on 127.0.0.1:{port}: set PORT to a free port, or to 0 for any ({error})")
    })?;
    let path = env::var_os("DATABASE").unwrap_or_else(|| "users.redb".into());
    let users = store::Users::open(path.as_ref()).map_err(|error| {
        format!("cannot open the database `{}`: set DATABASE to another file ({error})", path.display())
    })?;
    let service = protect(service::router(users), authorizer_layer()?);
    let (stop, give_up) = (stop_signal()?, stop_signal()?);
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        result = axum::serve(listener, service).with_graceful_shutdown(stop) => result?,
        () = async { give_up.await; tokio::time::sleep(GRACE).await } => {
            eprintln!("warning: stopped before all requests ended");
        }
    }
    Ok(())
}

fn authorizer_layer() -> Result<AuthorizerLayer, Failure> {
    let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "dev")?
        .with_stage_variable("StageVar1", "stageValue1")?;
    // Everything the authorizer looks at: a cached answer serves only requests that agree in all of it.
    let identity = [
        IdentitySource::header(HeaderName::from_static("headerauth1")),
        IdentitySource::query_string("QueryString1"),
        IdentitySource::stage_variable("StageVar1"),
    ];
    let layer = AuthorizerLayer::request(authorizer_fn(authorizer::authorize), stage);
    Ok(layer.with_identity_sources(identity).with_cache(MemoryCache::default()).build()?)
}

/// How long requests in flight may take to end after the signal to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Ctrl-C, or the signal of service managers. It is heard from the moment this returns.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
}
