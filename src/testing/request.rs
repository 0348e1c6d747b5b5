//! Requests, as events of every shape.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::clock::{Clock, ManualClock};
use crate::contract::{ApiKind, AuthorizerEvent, EventKind, PayloadFormat, TokenEvent};
use crate::request::{
    ApiStage, Asked, EventMaker, Identity, RequestId, TargetRules, check_request_line, read_path, tell_peer,
};

/// The head of a request: for the events that an authorizer would be given, and for [tables](super::VerdictTable).
///
/// ```
/// use tower_lambda_authorizer::contract::EventKind;
/// use tower_lambda_authorizer::testing::{TestRequest, assert_allows};
/// use tower_lambda_authorizer::{Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerResponse};
///
/// struct MyAuthorizer;
///
/// impl Authorizer for MyAuthorizer {
///     async fn authorize(&self, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
///         let policy = event.policy().allow(http::Method::GET, "/users/me").build()?;
///         Ok(AuthorizerResponse::new("me", policy)?)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = TestRequest::get("/users/me?verbose=1").with_bearer("abc").with_template("/users/{id}");
/// for kind in [EventKind::RestToken, EventKind::RestRequest, EventKind::HttpRequestV1, EventKind::HttpRequestV2] {
///     let response = MyAuthorizer.authorize(request.event(kind)?).await?;
///     assert_allows!(response, GET "/users/me");
/// }
/// # Ok(()) }
/// ```
///
/// Its request id and its time are always the same, and its stage is made up if it was not given
/// [another](Self::in_stage). A mistake is kept, and told when the event or the request is made.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestRequest {
    method: Box<str>,
    target: Box<str>,
    headers: HeaderMap,
    mistake: Option<TestRequestError>,
    source_ip: Option<IpAddr>,
    template: Option<Box<str>>,
    identity: Vec<Box<str>>,
    stage: Option<ApiStage>,
    extensions: http::Extensions,
}

impl TestRequest {
    /// A request for a target: a path, and perhaps a query.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: HeaderMap::new(),
            mistake: None,
            source_ip: None,
            template: None,
            identity: Vec::new(),
            stage: None,
            extensions: http::Extensions::new(),
        }
    }

    /// A GET.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A POST.
    pub fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    /// A PUT.
    pub fn put(target: &str) -> Self {
        Self::new("PUT", target)
    }

    /// A DELETE.
    pub fn delete(target: &str) -> Self {
        Self::new("DELETE", target)
    }

    /// Adds a header. One that is added twice is there twice.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes())) {
            (Ok(name), Ok(value)) => drop(self.headers.append(name, value)),
            _ => {
                self.mistake.get_or_insert(TestRequestError::Header { name: name.into() });
            }
        }
        self
    }

    /// Adds `Authorization: Bearer …`.
    pub fn with_bearer(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// The address of the peer: in events, and in requests as axum's `ConnectInfo`, which layers look for.
    pub fn with_source_ip(mut self, address: impl Into<IpAddr>) -> Self {
        self.source_ip = Some(address.into());
        self
    }

    /// Events only: the template of the matched route, such as `/users/{id}` or `/files/{*rest}`.
    pub fn with_template(mut self, template: &str) -> Self {
        self.template = Some(template.into());
        self
    }

    /// Events only: adds the value of an identity source, which the events of HTTP APIs list.
    pub fn with_identity(mut self, value: &str) -> Self {
        self.identity.push(value.into());
        self
    }

    /// Events only: the stage that is called.
    pub fn in_stage(mut self, stage: ApiStage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Requests only: puts a value beside the request, as a server or an outer layer does.
    pub fn with_extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// The request.
    ///
    /// # Errors
    ///
    /// If a method, target or header is none.
    pub fn to_http(&self) -> Result<Request<()>, TestRequestError> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| TestRequestError::Method { method: self.method.clone() })?;
        let target = |reason| TestRequestError::Target { target: self.target.clone(), reason };
        *request.uri_mut() = Uri::try_from(&*self.target).map_err(|_| target("it is no URI"))?;
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        if let Some(address) = self.source_ip {
            tell_peer(request.extensions_mut(), address);
        }
        Ok(request)
    }

    /// The event that an authorizer of this kind is given.
    ///
    /// # Errors
    ///
    /// If no authorizer would be asked about the request: a target that is not canonical, a token authorizer without an
    /// `Authorization` header, a stage of another kind of API.
    pub fn event(&self, kind: EventKind) -> Result<AuthorizerEvent, TestRequestError> {
        let request = self.to_http()?;
        let stage = self.stage_for(kind.api())?;
        let target = |reason| TestRequestError::Target { target: self.target.clone(), reason };
        check_request_line(request.method(), request.uri()).map_err(|error| target(error.reason()))?;
        let path = read_path(request.uri().path(), TargetRules::default());
        let path = path.map_err(|error| target(error.reason()))?;
        let path = path.canonical();
        let arn = match kind {
            EventKind::WebSocketConnect => stage.arn().arn("", "$connect"),
            _ => {
                let below = stage.strip_base_path(path);
                let below = below.ok_or_else(|| target("it is not below the base path of the stage"))?;
                stage.arn().arn(request.method().as_str(), below)
            }
        };
        if kind == EventKind::RestToken {
            let token = self.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = token.filter(|token| !token.is_empty()).ok_or(TestRequestError::NoToken)?;
            return Ok(TokenEvent::new(arn, token).into());
        }
        let format = match kind {
            EventKind::HttpRequestV2 => PayloadFormat::V2,
            _ => PayloadFormat::V1,
        };
        let mut identity = Identity::default();
        for value in &self.identity {
            identity.push(Cow::Borrowed(&**value).into());
        }
        let asked = Asked {
            arn,
            path,
            template: self.template.as_deref(),
            identity: Some(&identity),
            source_ip: self.source_ip,
            request_id: RequestId::from_bits(1),
            time: ManualClock::default().wall(),
        };
        Ok(EventMaker::new(&stage, format, &[], false, None).request_event(&stage, &request, asked))
    }

    fn stage_for(&self, kind: ApiKind) -> Result<ApiStage, TestRequestError> {
        if let Some(stage) = &self.stage {
            let is_fitting = stage.kind() == kind;
            return is_fitting.then(|| stage.clone()).ok_or(TestRequestError::OtherKind { kind });
        }
        let (region, account, api) = ("us-east-1", "123456789012", "abcdef123");
        let stage = match kind {
            ApiKind::Http => ApiStage::http(region, account, api, "$default"),
            ApiKind::Rest => ApiStage::rest(region, account, api, "test"),
            ApiKind::WebSocket => ApiStage::websocket(region, account, api, "test"),
        };
        // These are well-formed.
        stage.map_err(|_| TestRequestError::OtherKind { kind })
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn target(&self) -> &str {
        &self.target
    }
}

/// A request that nobody sends, or about which no authorizer is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TestRequestError {
    /// A header that is none.
    Header {
        /// Its name.
        name: Box<str>,
    },
    /// A method that is none.
    Method {
        /// Which.
        method: Box<str>,
    },
    /// There is no `Authorization` header, without which no token authorizer is asked.
    NoToken,
    /// The stage is not of the kind of API that sends such events.
    OtherKind {
        /// The kind that sends them.
        kind: ApiKind,
    },
    /// A target that is none, or that is refused before anybody is asked.
    Target {
        /// Which.
        target: Box<str>,
        /// Why.
        reason: &'static str,
    },
}

impl std::fmt::Display for TestRequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header { name } => write!(f, "`{name}` is no name of a header, or its value is none"),
            Self::Method { method } => write!(f, "`{method}` is no method"),
            Self::NoToken => f.write_str(
                "no authorizer of type TOKEN is asked without a token: add one with `with_bearer`",
            ),
            Self::OtherKind { kind } => write!(f, "such events come from a stage of the kind {kind:?}"),
            Self::Target { target, reason } => write!(f, "`{target}` is refused: {reason}"),
        }
    }
}

impl std::error::Error for TestRequestError {}
