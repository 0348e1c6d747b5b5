//! A candidate that blocks for ever.

use std::sync::mpsc;
use std::time::Duration;

use http::{Request, Response};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::middleware::Shadow;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

/// F8. A program ends, whatever its candidate does.
#[test]
fn a_candidate_that_blocks_does_not_keep_the_program_from_ending() {
    let (ended, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
            let blocks = authorizer_fn(async |_: AuthorizerEvent| {
                loop {
                    std::thread::park();
                }
            });
            let allows = authorizer_fn(async |event: AuthorizerEvent| {
                Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?)
            });
            let shadow = Shadow::new(AuthorizerLayer::token(blocks, stage.clone()).build().unwrap());
            let layer = AuthorizerLayer::token(allows, stage).build().unwrap().with_shadow(shadow).unwrap();
            let service = layer.layer(tower::service_fn(async |_: Request<()>| {
                Ok::<_, std::convert::Infallible>(Response::new(String::new()))
            }));
            let request = Request::get("/a").header("authorization", "x").body(()).unwrap();
            assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
        });
        drop(runtime);
        ended.send(()).unwrap();
    });
    assert!(wait.recv_timeout(Duration::from_secs(20)).is_ok(), "the runtime does not end");
}
