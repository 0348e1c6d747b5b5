//! A server for `benches/e2e.sh`: one thread, on the port that it prints, in one of the forms below.
#![allow(missing_docs, reason = "a program")]

mod scene;

use std::env;

use axum::Router;
use scene::{finished, layers, router};
use tokio::net::TcpListener;
use tower::Layer;
use tower::make::Shared;
use tower_lambda_authorizer::axum::protect;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `cargo bench` passes `--bench`.
    let Some(form) = env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("benches/e2e.sh runs this");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        let layer = layers::cached(layers::ALLOW);
        match form.as_str() {
            "bare" => axum::serve(listener, finished()).await,
            "outside" => axum::serve(listener, Shared::new(layer.layer(finished()))).await,
            "inside" => axum::serve(listener, Router::with_state::<()>(router().layer(layer), ())).await,
            "protect" => axum::serve(listener, protect(router(), layer)).await,
            "denied" => axum::serve(listener, protect(router(), layers::cached(layers::DENY))).await,
            _ => return Err(format!("no such form: {form}").into()),
        }?;
        Ok(())
    })
}
