//! No secret is printed: not by `Debug` or `Display` of any public type, and not in an event of `tracing`.
//!
//! Everything that a caller or an authorizer could want to keep for itself is marked, and no text may hold the mark.

mod common;

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::future::ready;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::stage;
use http::header::{AUTHORIZATION, COOKIE};
use http::{Request, Response};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::cache::{AuthorizerCache, CacheKey, CacheKeyRef, MemoryCache};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::contract::{
    Authorization, Challenge, ClientCertificate, Context, ContextValue, ResponseRules, TokenEvent,
};
use tower_lambda_authorizer::mapping::ParameterMapping;
use tower_lambda_authorizer::middleware::{
    AuthorizerLayerBuilder, GatewayResponse, GatewayResponseType, GatewayResponses, RefusedRequest,
    Rejection, RejectionKind, ResponseForRejection,
};
use tower_lambda_authorizer::policy::{AnyMethod, ConditionValue, PolicyDocument};
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, AuthorizerContext, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    Principal, authorizer_fn,
};

/// In every secret, and in nothing else.
const MARK: &str = "s3cr3t";

/// Types whose `Debug` is what they say, and what they say is public: a policy's text and its parts, numbers, choices
/// out of a list, and what is made of configuration alone.
const WITHOUT_SECRETS: &[&str] = &[
    // The policy language. A document prints as the text it is; answers and refusals, which hold one, do not print it.
    "ActionPattern",
    "AnyMethod",
    "ArnError",
    "BoundPolicy",
    "Condition",
    "ConditionKey",
    "Decision",
    "Effect",
    "Evaluation",
    "Explanation",
    "Finding",
    "Lint",
    "LintKind",
    "MethodPattern",
    "Outcome",
    "PolicyBuilder",
    "PolicyDocument",
    "PolicyError",
    "PolicyErrorKind",
    "ResourcePattern",
    "StageArn",
    "Statement",
    "StatementExplanation",
    "Version",
    "ExecuteApiArn",
    // Choices and numbers.
    "ApiKind",
    "CacheStatistics",
    "ContextVariable",
    "EventKind",
    "GatewayResponseType",
    "ManualClock",
    "MissingAuthorization",
    "PayloadFormat",
    "RejectionKind",
    "SystemClock",
    "UnknownResponseType",
    // Several authorizers: configuration, choices and numbers. What a comparison finds has a method, a path without its
    // query, principals and rejections; the head of a request prints its method and path.
    "AnyOf",
    "AnyOfBuilder",
    "AnyOfError",
    "Credential",
    "Difference",
    "Disagreement",
    "MapResponse",
    "RequestHead",
    "Shadow",
    "ShadowStatistics",
    "ShadowVerdict",
    // Single values: whoever prints one has taken it out of what does not print it.
    "AccessRequest",
    "ConditionValue",
    "ContextValue",
    // Wrappers of other people's values.
    "CanonicalFuture",
    "CanonicalRouter",
    "Protected",
    "WithPeerAddress",
];

/// What was printed, type by type.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Printed {
    fn debug(&self, name: &'static str, value: &impl Debug) {
        let mut printed = self.0.lock().unwrap();
        printed.push((name, format!("{value:?}")));
        printed.push((name, format!("{value:#?}")));
    }

    fn both(&self, name: &'static str, value: &(impl Debug + Display)) {
        self.debug(name, value);
        self.0.lock().unwrap().push((name, value.to_string()));
    }

    fn error(&self, name: &'static str, error: &(impl std::error::Error + 'static)) {
        self.both(name, error);
        let mut source = error.source();
        while let Some(error) = source {
            self.0.lock().unwrap().push((name, format!("{error} {error:?}")));
            source = error.source();
        }
    }

    fn check(&self) -> BTreeSet<&'static str> {
        let printed = self.0.lock().unwrap();
        for (name, text) in &*printed {
            assert!(!text.contains(MARK), "{name}: {text}");
        }
        printed.iter().map(|(name, _)| *name).collect()
    }
}

fn secret(of: &str) -> String {
    format!("{MARK}-{of}-31337")
}

fn stage_with_variable() -> ApiStage {
    stage().with_stage_variable("key", &secret("variable")).unwrap()
}

fn certificate() -> ClientCertificate {
    ClientCertificate::from_pem(format!("-----BEGIN CERTIFICATE-----\n{}\n", secret("certificate")))
        .with_subject_dn("CN=me")
        .with_issuer_dn("CN=ca")
        .with_serial_number("1")
        .with_validity("May 1 00:00:00 2026 GMT", "May 1 00:00:00 2027 GMT")
}

fn response(event: &AuthorizerEvent) -> AuthorizerResponse {
    let policy = event.policy().allow(AnyMethod, "/*").deny(AnyMethod, "/denied").build().unwrap();
    AuthorizerResponse::new("me", policy)
        .unwrap()
        .with_context("tenant", secret("context").as_str())
        .with_context("level", 7)
        .with_usage_identifier_key(secret("usage"))
        .with_max_age(Duration::from_secs(60))
        .with_denial_challenge(Challenge::new("Bearer error=\"insufficient_scope\"").unwrap())
}

/// A cache that looks at what it keeps.
struct Nosy(MemoryCache, Printed);

impl AuthorizerCache for Nosy {
    fn get(&self, key: &CacheKeyRef<'_>) -> Option<Arc<Authorization>> {
        self.1.debug("CacheKeyRef", key);
        self.0.get(key)
    }

    fn insert(&self, key: CacheKey, authorization: Arc<Authorization>) {
        self.1.debug("CacheKey", &key);
        self.1.debug("Authorization", &authorization);
        self.1.debug("MemoryCache", &self.0);
        self.0.insert(key, authorization);
    }

    fn remove(&self, key: &CacheKeyRef<'_>) {
        self.0.remove(key);
    }

    fn retain(&self, keep: &dyn Fn(&CacheKey, &Authorization) -> bool) {
        self.0.retain(keep);
    }
}

/// Refusals that look at what they refuse.
#[derive(Clone)]
struct NosyResponses(Printed, GatewayResponses);

impl ResponseForRejection<String> for NosyResponses {
    fn response_for_rejection(&self, rejection: &Rejection) -> Response<String> {
        self.0.error("Rejection", rejection);
        ResponseForRejection::<String>::response_for_rejection(&self.1, rejection)
    }

    fn response_for_request(&self, rejection: &Rejection, request: &RefusedRequest<'_>) -> Response<String> {
        self.0.debug("RefusedRequest", request);
        self.response_for_rejection(rejection)
    }
}

/// Answers by what the token ends in, and looks at every event.
async fn nosy(event: AuthorizerEvent, printed: Printed) -> Result<AuthorizerResponse, AuthorizerError> {
    printed.debug("AuthorizerEvent", &event);
    match &event {
        AuthorizerEvent::Token(event) => printed.debug("TokenEvent", event),
        AuthorizerEvent::Request(event) => printed.debug("RequestEvent", event),
        AuthorizerEvent::RequestV2(event) => printed.debug("RequestEventV2", event),
        _ => {}
    }
    let token = event.header("authorization").or(event.token()).unwrap_or_default().to_owned();
    let reply = match token.rsplit('/').next().unwrap_or_default() {
        "unauthorized" => Err(AuthorizerError::unauthorized()),
        "failure" => Err(AuthorizerError::failure("the directory does not answer")),
        "indiscreet" => Err(AuthorizerError::failure(format!("nobody has the token {token}"))),
        "reserved" => Ok(response(&event).with_context("integrationLatency", secret("context").as_str())),
        "panic" => panic!("a panic"),
        "late" => {
            tokio::task::yield_now().await;
            Ok(response(&event))
        }
        // Messages about a policy quote it, so that its author finds the place.
        "malformed" => Err(PolicyDocument::from_json(r#"{"Version":"2012"}"#).unwrap_err().into()),
        _ => Ok(response(&event)),
    };
    match &reply {
        Ok(response) => printed.debug("AuthorizerResponse", response),
        Err(error) => printed.error("AuthorizerError", error),
    }
    reply
}

fn layers(printed: &Printed) -> Vec<AuthorizerLayerBuilder<NosyResponses>> {
    let responses = GatewayResponses::builder()
        .with(
            GatewayResponseType::Default4xx,
            GatewayResponse::new().with_template("application/json", r#"{"m":$context.error.messageString}"#),
        )
        .build()
        .unwrap();
    let http = ApiStage::http("us-east-1", "123456789012", "abcdef123", "prod").unwrap();
    let sources = || {
        [
            IdentitySource::header(AUTHORIZATION),
            IdentitySource::header(COOKIE),
            IdentitySource::query_string("key"),
        ]
    };
    let authorizer = || {
        let printed = printed.clone();
        authorizer_fn(move |event| nosy(event, printed.clone()))
    };
    let mapping = ParameterMapping::new()
        .with("overwrite:header.x-tenant", "$context.authorizer.tenant")
        .unwrap()
        .with("overwrite:header.x-text", &secret("mapping"))
        .unwrap();
    printed.debug("ParameterMapping", &mapping);
    let plain = [
        AuthorizerLayer::token(authorizer(), stage_with_variable()),
        AuthorizerLayer::request(authorizer(), stage_with_variable()).with_identity_sources(sources()),
        AuthorizerLayer::request(authorizer(), http).with_identity_sources(sources()),
    ];
    plain
        .into_iter()
        .map(|builder| {
            builder
                .with_client_certificate(|_| Some(certificate()))
                .with_condition_keys(|_, _| ConditionValue::Text(secret("condition").into()))
                .with_cache(Nosy(MemoryCache::default(), printed.clone()))
                .with_clock(ManualClock::default())
                .with_parameter_mapping(mapping.clone())
                .with_rejection_response(NosyResponses(printed.clone(), responses.clone()))
        })
        .collect()
}

fn request(path: &str, kind: &str) -> Request<()> {
    Request::get(format!("{path}?key={}&other={}", secret("query"), secret("query")))
        .header(AUTHORIZATION, format!("Bearer {}/{kind}", secret("token")))
        .header(COOKIE, format!("session={}", secret("cookie")))
        .header("x-custom", secret("header"))
        .body(())
        .unwrap()
}

/// Everything that can become of a request, on a miss and on a hit.
async fn scenarios(printed: &Printed) {
    for builder in layers(printed) {
        printed.debug("AuthorizerLayerBuilder", &builder);
        let layer = builder.build().unwrap();
        printed.debug("AuthorizerLayer", &layer);
        let seen = printed.clone();
        let inner = tower::service_fn(move |request: Request<()>| {
            let extensions = request.extensions();
            if let Some(principal) = extensions.get::<Principal>() {
                seen.debug("Principal", principal);
                seen.debug("AuthorizerContext", principal.context());
                seen.debug("Context", principal.context().values());
            }
            ready(Ok::<_, std::convert::Infallible>(Response::new(String::new())))
        });
        let service = layer.layer(inner);
        printed.debug("AuthorizerService", &layer.layer(Opaque));
        for kind in ["fine", "unauthorized", "failure", "reserved", "panic", "late", "malformed"] {
            for path in ["/a", "/a", "/denied", "/%zz", "/%61"] {
                let future = service.clone().oneshot(request(path, kind));
                let response = future.await.unwrap();
                printed.debug("response", &response);
            }
        }
        let future = tower::Service::call(&mut service.clone(), request("/a", "another"));
        printed.debug("ResponseFuture", &future);
        let mut ambiguous = request("/a", "fine");
        ambiguous.headers_mut().append(AUTHORIZATION, secret("twice").parse().unwrap());
        let response = service.clone().oneshot(ambiguous).await.unwrap();
        printed.debug("response", &response);
        assert_eq!(response.status(), 401);
        printed.debug("CacheStatistics", &layer.cache_statistics());
    }
}

#[derive(Debug)]
struct Opaque;

/// What is made by hand rather than by a request.
fn by_hand(printed: &Printed) {
    let policy = PolicyDocument::new();
    let json = format!(
        r#"{{"principalId":"me","policyDocument":{{"Version":"2012-10-17","Statement":[]}},
            "context":{{"tenant":["{0}"]}},"usageIdentifierKey":"{0}"}}"#,
        secret("answer")
    );
    let rules = ResponseRules::rest();
    printed.debug("ResponseRules", &rules);
    for text in [
        json.clone(),
        json.replace("\"me\"", &format!("{{\"{0}\":\"{0}\"}}", "x")),
        format!("{{\"principalId\":\"{}\",", secret("answer")),
        format!("\"{}\"", secret("answer")),
        format!("{{\"isAuthorized\":\"{}\"}}", secret("answer")),
    ] {
        printed.error("ResponseError", &AuthorizerResponse::from_json(&text, &rules).unwrap_err());
    }
    for text in [
        format!(r#"{{"type":"{}"}}"#, "TOKEN"),
        format!(r#"{{"type":"TOKEN","methodArn":"{}","authorizationToken":"{}"}}"#, "arn", secret("token")),
        format!(r#"{{"type":"TOKEN","authorizationToken":["{}"]}}"#, secret("token")),
        format!(r#"{{"type":"REQUEST","headers":{{"authorization":["{}"]}}}}"#, secret("token")),
        format!("{{\"{}", secret("token")),
    ] {
        printed.error("EventError", &AuthorizerEvent::from_json(&text).unwrap_err());
    }
    printed.debug("ClientCertificate", &certificate());
    printed.debug("ApiStage", &stage_with_variable());
    let mut context = Context::default();
    context.insert("tenant", ContextValue::from(secret("context").as_str()));
    printed.debug("Context", &context);
    printed.debug("IdentitySource", &IdentitySource::header(AUTHORIZATION));
    printed.error("IdentitySourceError", &"method.request.body.x".parse::<IdentitySource>().unwrap_err());
    printed.error("MappingError", &ParameterMapping::new().with("overwrite:path", "x").unwrap_err());
    printed.debug("Challenge", &Challenge::new("Bearer").unwrap());
    printed.error("ChallengeError", &Challenge::new("").unwrap_err());
    printed.debug("MemoryCacheBuilder", &MemoryCache::builder());
    printed.error("StageError", &ApiStage::rest("", "", "", "").unwrap_err());
    let stage_error = stage().with_stage_variable("key", &format!("{}\n", secret("variable"))).unwrap_err();
    printed.error("StageError", &stage_error);
    let authorizer = || authorizer_fn(async |_| Err(AuthorizerError::unauthorized()));
    let shared = tower_lambda_authorizer::authorizer::SharedAuthorizer::new(authorizer());
    printed.debug("SharedAuthorizer", &shared);
    let long = AuthorizerLayer::token(authorizer(), stage())
        .with_cache(MemoryCache::default())
        .with_cache_ttl(Duration::from_secs(4000));
    printed.error("ConfigError", &long.build().unwrap_err());
    let expression = AuthorizerLayer::token(authorizer(), stage()).with_identity_validation_expression("(");
    printed.error("ExpressionError", &expression.build().unwrap_err());
    let template = GatewayResponse::new().with_template("application/json", "{");
    printed.debug("GatewayResponse", &template);
    let builder = GatewayResponses::builder().with(GatewayResponseType::Default4xx, template);
    printed.debug("GatewayResponsesBuilder", &builder);
    printed.error("GatewayResponseError", &builder.build().unwrap_err());
    printed.debug("GatewayResponses", &GatewayResponses::default());
    let arn = stage().arn().arn("GET", "/a");
    printed.debug("TokenEvent", &TokenEvent::new(arn, secret("token")));
    printed.debug("AuthorizerResponse", &AuthorizerResponse::new("me", policy).unwrap());
}

/// The names of all public structs and enums of the rooms that are always there, and of `axum`. The others look
/// after themselves.
fn public_types() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.file_name().unwrap().to_str().unwrap();
                if !["jwt", "lambda", "remote", "testing"].contains(&name) {
                    walk(&path, found);
                }
                continue;
            }
            for line in std::fs::read_to_string(path).unwrap().lines() {
                let line = line.trim_start();
                let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "));
                if let Some(rest) = rest {
                    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                    found.insert(rest[..end].to_owned());
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

#[tokio::test]
async fn debug_of_every_public_type_shows_no_secret() {
    let printed = Printed::default();
    scenarios(&printed).await;
    by_hand(&printed);
    let seen = printed.check();
    let known: BTreeSet<&str> = seen.iter().copied().chain(WITHOUT_SECRETS.iter().copied()).collect();
    let forgotten: Vec<_> =
        public_types().into_iter().filter(|name| !known.contains(name.as_str())).collect();
    // Closures as authorizers have no `Debug`.
    assert_eq!(
        forgotten,
        ["AuthorizerFn", "WithChallenge"],
        "print them here, or say why they hold no secret"
    );
    assert!(seen.contains("Principal") && seen.contains("Rejection"), "{seen:?}");
    let _: Option<(AuthorizerContext, RejectionKind)> = None;
}

#[cfg(feature = "tracing")]
mod capture {
    //! A subscriber that writes down whatever is said, at every level.

    use std::fmt::{Debug, Write};
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    #[derive(Clone, Default)]
    pub(crate) struct Capture(Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }

        fn record_str(&mut self, field: &Field, value: &str) {
            write!(self.0, " {}={value}", field.name()).unwrap();
        }
    }

    impl Capture {
        pub(crate) fn lines(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }

        fn push(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
            let mut line = Line(format!("{} {} {}", metadata.level(), metadata.target(), metadata.name()));
            record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }

    impl Subscriber for Capture {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            self.push(span.metadata(), |line| span.record(line));
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            let mut line = Line("record".to_owned());
            values.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.push(event.metadata(), |line| event.record(line));
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }
}

/// Whatever the library says to `tracing` at any level, now or later, it says without a secret.
#[cfg(feature = "tracing")]
#[test]
fn no_event_of_tracing_holds_a_secret() {
    let capture = capture::Capture::default();
    // While there is but one subscriber, `tracing` asks the thread that comes by an event first whether anybody will ever hear
    // of it, and in a test beside this one nobody would.
    let _another = tracing::Dispatch::new(capture::Capture::default());
    tracing::subscriber::with_default(capture.clone(), || {
        tracing::trace!(value = "heard", "the capture works");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let printed = Printed::default();
        runtime.block_on(scenarios(&printed));
        by_hand(&printed);
        // The same with nothing in between that prints.
        for kind in
            ["fine", "unauthorized", "failure", "indiscreet", "panic", "late", "reserved", "malformed"]
        {
            let authorizer = authorizer_fn(move |event| nosy(event, Printed::default()));
            let layer = AuthorizerLayer::token(authorizer, stage_with_variable())
                .with_cache(MemoryCache::default())
                .build()
                .unwrap();
            let service = layer.layer(common::counting(&common::Counter::default()));
            for path in ["/a", "/a", "/denied", "/%zz"] {
                runtime.block_on(service.clone().oneshot(request(path, kind))).unwrap();
            }
        }
    });
    let lines = capture.lines();
    assert!(lines.iter().any(|line| line.contains("value=heard")), "{lines:?}");
    // All that is said of decisions is among it.
    for said in
        ["allow", "explicit_deny", "invalid_target", "unauthorized", "authorizer_failure", "authorizer_panic"]
    {
        let said = format!("decision={said}");
        assert!(lines.iter().any(|line| line.contains(&said)), "{said}: {lines:?}");
    }
    assert!(lines.iter().any(|line| line.contains("nobody has the token …")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("authorize request_id=")), "{lines:?}");
    for line in lines {
        assert!(!line.contains(MARK), "{line}");
        // Nor what a policy is about.
        assert!(!line.contains("execute-api"), "{line}");
    }
}

/// What an authorizer's error repeats is in its error only.
#[tokio::test]
async fn a_refusal_prints_nothing_of_what_an_authorizer_says() {
    use tower_lambda_authorizer::middleware::Shadow;

    for is_failure in [false, true] {
        let says = move |event: AuthorizerEvent| {
            let text = format!("no user has the token {}", event.token().unwrap_or_default());
            let error = match is_failure {
                true => AuthorizerError::failure(text),
                false => AuthorizerError::unauthorized().with_reason(text),
            };
            ready(Err::<AuthorizerResponse, _>(error))
        };
        let request = || {
            let request = Request::get("/x").header(AUTHORIZATION, format!("Bearer {MARK}"));
            request.body(String::new()).unwrap()
        };
        let inner = tower::service_fn(async |_: Request<String>| {
            Ok::<_, std::convert::Infallible>(Response::new(String::new()))
        });
        let layer = || AuthorizerLayer::token(authorizer_fn(says), stage()).build().unwrap();
        let refused = layer().layer(inner).oneshot(request()).await.unwrap();
        let rejection = refused.extensions().get::<Rejection>().unwrap();
        assert!(std::error::Error::source(rejection).unwrap().to_string().contains(MARK));
        for text in [format!("{rejection:?}"), rejection.to_string()] {
            assert!(!text.contains(MARK), "{text}");
        }

        let (sender, receiver) = tokio::sync::oneshot::channel();
        let sender = Mutex::new(Some(sender));
        let shadow = Shadow::new(layer()).on_disagreement(move |found| {
            let text = format!("{found:?} {found}");
            let _ = sender.lock().unwrap().take().map(|sender| sender.send(text));
        });
        let allows = authorizer_fn(async |event: AuthorizerEvent| common::allow_all(&event));
        let layer = AuthorizerLayer::token(allows, stage()).build().unwrap().with_shadow(shadow).unwrap();
        assert_eq!(layer.layer(inner).oneshot(request()).await.unwrap().status(), 200);
        let text = receiver.await.unwrap();
        assert!(text.contains("/x") && !text.contains(MARK), "{text}");
    }
}
