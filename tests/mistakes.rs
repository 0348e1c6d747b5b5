//! Mistakes that people make when they put a service together: each is told what to do. `docs/MISTAKES.md` lists them, with
//! the texts that are compared here.

mod common;

use common::{Counter, allow_all, counting, get, stage};
use http::{HeaderName, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::authorizer::{Credential, any_of};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::middleware::{ConfigError, Rejection, RejectionKind};
use tower_lambda_authorizer::policy::PolicyDocument;
use tower_lambda_authorizer::request::StageError;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerError, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

const PAGE: &str = include_str!("../docs/MISTAKES.md");

/// That the page shows the text, so that whoever meets it finds it there.
#[track_caller]
fn assert_documented(text: &impl ToString) {
    let text = text.to_string();
    assert!(PAGE.contains(&format!("```text\n{text}\n```\n")), "docs/MISTAKES.md does not show `{text}`");
}

async fn ask(layer: &AuthorizerLayer, request: Request<()>) -> Result<(), Rejection> {
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    assert_eq!(calls.count(), usize::from(response.status() == StatusCode::OK));
    response.extensions().get::<Rejection>().map_or(Ok(()), |rejection| Err(rejection.clone()))
}

/// An authorizer that answers everybody with this policy.
fn answering(policy: &Value) -> impl tower_lambda_authorizer::Authorizer + use<> {
    let policy: PolicyDocument = policy.to_string().parse().unwrap();
    authorizer_fn(move |_| {
        let policy = policy.clone();
        async move { Ok(AuthorizerResponse::new("me", policy)?) }
    })
}

#[cfg(feature = "axum")]
mod handlers {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::Response;
    use tower_lambda_authorizer::axum::{MissingAuthorization, protect};
    use tower_lambda_authorizer::{AuthorizerContext, Principal};

    use super::*;

    fn layer() -> AuthorizerLayer {
        AuthorizerLayer::token(authorizer_fn(async |event| allow_all(&event)), stage()).build().unwrap()
    }

    async fn mistake(router: Router, path: &str) -> (StatusCode, Option<MissingAuthorization>) {
        let request = get_with_token(path);
        let response: Response<Body> = router.oneshot(request).await.unwrap();
        (response.status(), response.extensions().get().copied())
    }

    fn get_with_token(path: &str) -> Request<Body> {
        super::get(path, "t").map(|()| Body::empty())
    }

    #[tokio::test]
    async fn a_handler_behind_no_layer_answers_500_and_says_how_to_wire_it() {
        let hello = async |principal: Principal| principal.id().to_owned();
        let plan = async |context: AuthorizerContext| context.get_str("plan").is_some().to_string();
        let maybe = async |principal: Option<Principal>| principal.is_some().to_string();
        // Routes that are added after the layer are none of the layer's.
        let router = Router::new().route("/early", get(hello)).layer(layer());
        let router =
            router.route("/late", get(hello)).route("/context", get(plan)).route("/maybe", get(maybe));
        assert_eq!(mistake(router.clone(), "/early").await, (StatusCode::OK, None));
        for path in ["/late", "/context", "/maybe"] {
            let missing = Some(MissingAuthorization::NoLayer);
            assert_eq!(
                mistake(router.clone(), path).await,
                (StatusCode::INTERNAL_SERVER_ERROR, missing),
                "{path}"
            );
        }
        assert_documented(&MissingAuthorization::NoLayer);
        assert_documented(&MissingAuthorization::NoPrincipal);
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn a_handler_behind_no_layer_is_an_event_of_tracing() {
        use std::sync::{Arc, Mutex};

        use tracing::field::{Field, Visit};
        use tracing::span::{Attributes, Id, Record};
        use tracing::{Event, Level, Metadata, Subscriber};

        #[derive(Clone, Default)]
        struct Errors(Arc<Mutex<Vec<String>>>);

        impl Visit for Errors {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0.lock().unwrap().push(format!("{}={value:?}", field.name()));
            }
        }

        impl Subscriber for Errors {
            fn enabled(&self, metadata: &Metadata<'_>) -> bool {
                *metadata.level() == Level::ERROR && metadata.target().starts_with("tower_lambda_authorizer")
            }
            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }
            fn record(&self, _: &Id, _: &Record<'_>) {}
            fn record_follows_from(&self, _: &Id, _: &Id) {}
            fn event(&self, event: &Event<'_>) {
                event.record(&mut self.clone());
            }
            fn enter(&self, _: &Id) {}
            fn exit(&self, _: &Id) {}
        }

        let errors = Errors::default();
        // While there is but one subscriber, `tracing` asks the thread that comes by an event first whether anybody will ever hear
        // of it, and in a test beside this one nobody would.
        let _another = tracing::Dispatch::new(Errors::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tracing::subscriber::with_default(errors.clone(), || {
            let router =
                Router::new().route("/", get(async |principal: Principal| principal.id().to_owned()));
            runtime.block_on(mistake(router, "/"))
        });
        let said = errors.0.lock().unwrap().join("\n");
        assert!(said.contains(&format!("error={}", MissingAuthorization::NoLayer)), "{said}");
    }

    #[tokio::test]
    async fn a_path_that_is_rewritten_inside_of_a_router_says_where_to_rewrite() {
        let moved = tower::util::MapRequestLayer::new(|mut request: Request<Body>| {
            *request.uri_mut() = "/elsewhere".parse().unwrap();
            request
        });
        let router = Router::new().route("/early", get(async || "here")).layer(layer()).layer(moved);
        let response = router.oneshot(get_with_token("/early")).await.unwrap();
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::TargetMoved);
        assert_documented(rejection);
    }

    #[tokio::test]
    async fn what_protect_returns_takes_the_address_of_the_connection() {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
        }]});
        let layer = AuthorizerLayer::token(answering(&policy), stage()).build().unwrap();
        let service = protect(Router::new().route("/", get(async || "here")), layer);
        // Without a connection there is no address; with one there is. The text is compared below.
        let refused = service.clone().oneshot(get_with_token("/")).await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, service).await });
        let answer = common_http::get(address, "/").await;
        server.abort();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    mod common_http {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        /// The answer, as it comes.
        pub(super) async fn get(address: std::net::SocketAddr, path: &str) -> String {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: t\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    }
}

#[test]
fn a_cache_that_does_not_know_whose_answers_it_keeps_is_refused() {
    let somebody = authorizer_fn(async |event| allow_all(&event));
    let layer = AuthorizerLayer::request(somebody, stage()).with_cache(MemoryCache::default());
    let error = layer.build().unwrap_err();
    assert_eq!(error, ConfigError::CacheWithoutIdentity);
    assert_documented(&error);

    let key = Credential::header(HeaderName::from_static("x-api-key"));
    let chosen = any_of().member(key, somebody).build().unwrap();
    let token = tower_lambda_authorizer::request::IdentitySource::header(http::header::AUTHORIZATION);
    let layer = AuthorizerLayer::request(chosen.clone(), stage()).with_identity_sources([token]);
    assert_documented(&layer.with_cache(MemoryCache::default()).build().unwrap_err());
    assert_documented(&AuthorizerLayer::token(chosen, stage()).build().unwrap_err());
}

#[tokio::test]
async fn a_token_authorizer_that_reads_another_header_lets_nobody_in() {
    let keys = authorizer_fn(async |event| match event.header("x-api-key") {
        Some("k-1") => allow_all(&event),
        _ => Err(AuthorizerError::unauthorized()),
    });
    let layer = AuthorizerLayer::token(keys, stage());
    let layer = layer.with_token_header(HeaderName::from_static("x-api-key")).build().unwrap();
    let request = Request::get("/x").header("x-api-key", "k-1").body(()).unwrap();
    assert_documented(&ask(&layer, request).await.unwrap_err());
}

#[tokio::test]
async fn an_arn_that_is_repeated_and_kept_says_why_the_second_route_is_refused() {
    let echo = authorizer_fn(async |event| {
        let statement =
            json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event.arn().to_string()});
        let policy: PolicyDocument =
            json!({"Version": "2012-10-17", "Statement": [statement]}).to_string().parse()?;
        Ok(AuthorizerResponse::new("me", policy)?)
    });
    let layer = AuthorizerLayer::token(echo, stage()).with_cache(MemoryCache::default()).build().unwrap();
    ask(&layer, get("/first", "t")).await.unwrap();
    let rejection = ask(&layer, get("/second", "t")).await.unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::ImplicitDeny);
    assert_documented(&rejection);

    // Somebody who may do little is just refused.
    let reader = authorizer_fn(async |event| {
        Ok(AuthorizerResponse::new("me", event.policy().allow(Method::GET, "/first/*").build()?)?)
    });
    let layer = AuthorizerLayer::token(reader, stage()).with_cache(MemoryCache::default()).build().unwrap();
    for _ in 0..2 {
        let rejection = ask(&layer, get("/second", "t")).await.unwrap_err();
        assert_eq!(rejection.to_string(), "no statement of the policy allows the request");
    }
}

#[tokio::test]
async fn a_preflight_request_that_comes_to_the_layer_says_where_cors_belongs() {
    let preflight = || {
        Request::options("/users")
            .header("origin", "https://a.example")
            .header("access-control-request-method", "GET")
    };
    let layer =
        AuthorizerLayer::token(authorizer_fn(async |event| allow_all(&event)), stage()).build().unwrap();
    assert_documented(&ask(&layer, preflight().body(()).unwrap()).await.unwrap_err());

    // Also where the authorizer itself is asked about it, and where its policy denies it.
    let advice = "put CORS outside, `protect(router, layer).layer(cors)`";
    let nobody = authorizer_fn(async |_event| Err::<AuthorizerResponse, _>(AuthorizerError::unauthorized()));
    let layer = AuthorizerLayer::request(nobody, stage()).build().unwrap();
    let rejection = ask(&layer, preflight().body(()).unwrap()).await.unwrap_err();
    assert!(rejection.to_string().ends_with(advice), "{rejection}");
    let reader = authorizer_fn(async |event| {
        Ok(AuthorizerResponse::new("me", event.policy().allow(Method::GET, "/users").build()?)?)
    });
    let layer = AuthorizerLayer::request(reader, stage()).build().unwrap();
    let rejection = ask(&layer, preflight().body(()).unwrap()).await.unwrap_err();
    assert_eq!(
        (rejection.kind(), rejection.to_string().ends_with(advice)),
        (RejectionKind::ImplicitDeny, true)
    );

    // An OPTIONS request that is no preflight is just refused.
    let rejection = ask(&layer, Request::options("/users").body(()).unwrap()).await.unwrap_err();
    assert!(!rejection.to_string().contains("CORS"), "{rejection}");
}

#[tokio::test]
async fn a_condition_on_what_nobody_told_says_how_to_tell_it() {
    let statement = |effect: &str, condition: Value| json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*", "Condition": condition});
    let inside = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    let outside = json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    let encrypted = json!({"Bool": {"aws:SecureTransport": "true"}});
    for (statements, kind) in [
        (json!([statement("Allow", inside)]), RejectionKind::ImplicitDeny),
        (json!([statement("Allow", encrypted)]), RejectionKind::ImplicitDeny),
        (json!([statement("Allow", json!({})), statement("Deny", outside)]), RejectionKind::UnavailableKey),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let layer = AuthorizerLayer::token(answering(&policy), stage()).build().unwrap();
        let rejection = ask(&layer, get("/a", "t")).await.unwrap_err();
        assert_eq!(rejection.kind(), kind);
        assert_documented(&rejection);
    }
    // Where the address is known and another, there is nothing to advise.
    let policy = json!({"Version": "2012-10-17", "Statement": statement("Allow", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))});
    let layer =
        AuthorizerLayer::token(answering(&policy), stage()).with_source_ip(|_| Some([192, 0, 2, 1].into()));
    let rejection = ask(&layer.build().unwrap(), get("/a", "t")).await.unwrap_err();
    assert_documented(&rejection);
    // Another path has nothing to do with conditions.
    let mut policy = policy;
    policy["Statement"]["Resource"] = format!("{}GET/b", stage().arn()).into();
    let layer = AuthorizerLayer::token(answering(&policy), stage()).build().unwrap();
    let rejection = ask(&layer, get("/a", "t")).await.unwrap_err();
    assert_eq!(rejection.to_string(), "no statement of the policy allows the request");
}

#[test]
fn a_misspelt_stage_is_told_how_stages_are_spelt() {
    let misspelt = [
        ApiStage::rest("us-east-1", "12345", "abcdef123", "prod"),
        ApiStage::rest("us-east-1", "123456789012", "abcdef123", "/prod"),
        ApiStage::rest("us-east-1", "123456789012", "abcdef123", "$default"),
    ];
    for stage in misspelt {
        assert_documented(&stage.unwrap_err());
    }
    let empty = ApiStage::rest("us-east-1", "123456789012", "", "prod").unwrap_err();
    assert!(matches!(empty, StageError::Arn(_)));
    assert_eq!(empty.to_string(), "API id is empty: it needs a name, which may be made up");
}
