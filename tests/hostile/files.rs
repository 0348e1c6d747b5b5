//! A folder of files behind the layer: one file, many names.

use axum::Router;
use axum::extract::Request;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::services::ServeDir;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;

use super::harness::{Server, Setup, World, stage};
use super::tally::Tally;

/// Serves the fixtures of this repository under `/files`, and writes down whatever comes as far as that.
fn serve(build: fn(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder) -> Server {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let policy =
        [("Allow", "*"), ("Deny", "~GET/files/events/rest_token.json"), ("Deny", "~*/files/answers/*")];
    let local = Setup::default().policy(&policy).layer(build).stage(stage());
    let mut kept = None;
    let world = local
        .in_process_with(|world: &std::sync::Arc<World>, layer| {
            let seen = std::sync::Arc::clone(world);
            let note = MapRequestLayer::new(move |request: Request| {
                seen.called(request.uri().path());
                request
            });
            let service =
                protect(Router::new().nest_service("/files", note.layer(ServeDir::new(folder))), layer);
            kept = Some(service.clone());
            service
        })
        .world;
    Server::start(world, kept.unwrap())
}

#[test]
fn a_denied_file_has_no_other_name() {
    let mut tally = Tally::of("names of a denied file", 40);
    let modes: [fn(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder; 3] = [
        |layer| layer,
        |layer| layer.decode_unreserved_escapes(),
        |layer| layer.allow_encoded_slash().decode_unreserved_escapes(),
    ];
    for mode in modes {
        let server = serve(mode);
        for name in [
            "/files/events/rest_token.json",
            "/files/events/rest_token.json?x",
            "/files/events/rest_token.json#x",
            "/files/events/rest_token.json/",
            "/files/events/%72est_token.json",
            "/files/events/rest%5ftoken.json",
            "/files/events/rest_token%2ejson",
            "/files/events/rest_token%2Ejson",
            "/files/events/./rest_token.json",
            "/files/events//rest_token.json",
            "/files//events/rest_token.json",
            "//files/events/rest_token.json",
            "/files/events/%2e/rest_token.json",
            "/files/events/%2E/rest_token.json",
            "/files/./events/rest_token.json",
            "/files/x/../events/rest_token.json",
            "/files/x/%2e%2e/events/rest_token.json",
            "/files/events%2frest_token.json",
            "/files/events%2Frest_token.json",
            "/files%2fevents/rest_token.json",
            "/files/events%5crest_token.json",
            "/files/events\\rest_token.json",
            "/%66iles/events/rest_token.json",
            "/files/%65vents/rest_token.json",
            "/files/events/rest_token.json%00",
            "/files/events/rest_token.json%00.txt",
            "/files/events/%2Frest_token.json",
            "/files/events%2F/rest_token.json",
            "/files/events%2F%2frest_token.json",
            "/files/events/rest_token.json%2F",
            "/files/events/rest_token.json/%2F",
            "/files/events/rest_token.json%2F%2F",
            "/files/answers/%2Fanswers.json",
            "/files/answers%2F/%2Fanswers.json",
            "/files/answers/answers.json",
            "/files/answers/%61nswers.json",
            "/files/answers%2fanswers.json",
            "/files/answers/",
            "/files/answers/./answers.json",
            "/files/events/../answers/answers.json",
        ] {
            let answer = server.ask("GET", name);
            // An escaped slash before the mount point is no slash to the router.
            let not_routed = name.starts_with("/files%2f") && answer.status == 404;
            assert!(matches!(answer.status, 400 | 403) || not_routed, "{name}: {}", answer.status);
            assert!(!answer.body.contains("TOKEN"), "{name}");
            tally.refused(&server.world, name);
            assert_ne!(server.ask("HEAD", name).status, 200, "{name}");
            tally.refused(&server.world, name);
        }
        assert_eq!(server.ask("GET", "/files/events/rest_request.json").status, 200);
        assert_eq!(server.world.take_calls(), ["/events/rest_request.json"]);
    }
}
