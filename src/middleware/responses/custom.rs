//! Gateway responses that say something else.

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::template::Template;
use super::types::GatewayResponseType;
use super::variable::{Facts, Value, Variable};

/// How refusals of one type are shaped. What is not said stays as it is by default.
///
/// ```
/// use http::StatusCode;
/// use tower_lambda_authorizer::middleware::{GatewayResponse, GatewayResponseType, GatewayResponses};
///
/// let denied = GatewayResponse::new()
///     .with_status(StatusCode::NOT_FOUND)
///     .with_header("x-request-path", "context.path")
///     .with_header("access-control-allow-origin", "'https://example.com'")
///     .with_template("application/json", r#"{"message":$context.error.messageString,"stage":"$context.stage"}"#);
/// let responses = GatewayResponses::builder().with(GatewayResponseType::AccessDenied, denied).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GatewayResponse {
    status: Option<StatusCode>,
    headers: Vec<(Box<str>, Box<str>)>,
    templates: Vec<(Box<str>, Box<str>)>,
}

impl GatewayResponse {
    /// One that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// `statusCode`: any from 200 to 599.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// `responseParameters`: a header, and where its value comes from: `method.request.header.X`,
    /// `method.request.path.X`, `method.request.querystring.X`, `context.X`, or a text in single quotes.
    ///
    /// The name may also be written as `gatewayresponse.header.NAME`. A header whose value is missing or does not fit
    /// into a header is left out.
    pub fn with_header(mut self, name: &str, source: &str) -> Self {
        self.headers.push((name.into(), source.into()));
        self
    }

    /// `responseTemplates`: a body for one content type. If there are several, `Accept` chooses; if it names none of
    /// them, JSON is sent, or the first.
    ///
    /// `$context.…`, `$stageVariables.…` and `$method.request.…` are replaced. Of the context these have values:
    /// `accountId`, `apiId`, `authorizer.principalId` and `authorizer.KEY`, `domainName`, `domainPrefix`, `error.message`,
    /// `error.messageString` (the same in quotes), `error.responseType`, `httpMethod`, `identity.sourceIp`,
    /// `identity.userAgent`, `path` (which begins with the stage), `protocol`, `requestId`, `requestTime`,
    /// `requestTimeEpoch`, `resourcePath` and `stage`. In JSON and XML their values are escaped, and in JSON a variable outside of a string becomes a whole value; a template for JSON has to be JSON.
    /// What the client has a say in goes into JSON, XML and plain text only.
    pub fn with_template(mut self, content_type: &str, template: &str) -> Self {
        self.templates.push((content_type.into(), template.into()));
        self
    }
}

/// A [`GatewayResponse`] that could not be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GatewayResponseError {
    response_type: GatewayResponseType,
    message: Box<str>,
}

impl GatewayResponseError {
    /// The type whose response is wrong.
    #[must_use]
    pub const fn response_type(&self) -> GatewayResponseType {
        self.response_type
    }
}

impl std::fmt::Display for GatewayResponseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "gateway response {}: {}", self.response_type, self.message)
    }
}

impl std::error::Error for GatewayResponseError {}

/// A gateway response that was read and checked.
#[derive(Clone, Debug)]
pub(super) struct Customized {
    pub(super) status: Option<StatusCode>,
    headers: Vec<(HeaderName, Source)>,
    templates: Vec<Body>,
}

#[derive(Clone, Debug)]
enum Source {
    Literal(HeaderValue),
    Variable(Variable),
}

#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) content_type: HeaderValue,
    essence: Box<str>,
    pub(super) template: Template,
}

/// What belongs to the connection, or to the body that is sent.
const FIXED: [HeaderName; 7] =
    [CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

pub(super) fn compile(
    response_type: GatewayResponseType,
    response: &GatewayResponse,
) -> Result<Customized, GatewayResponseError> {
    let refuse = |message: String| GatewayResponseError { response_type, message: message.into() };
    if response_type == GatewayResponseType::RequestTooLarge {
        return Err(refuse("it cannot be changed".to_owned()));
    }
    if let Some(status) = response.status.filter(|status| !(200..=599).contains(&status.as_u16())) {
        return Err(refuse(format!("`{}` is no status of a response: use 200 to 599", status.as_u16())));
    }
    let mut headers: Vec<(HeaderName, Source)> = Vec::new();
    for (name, source) in &response.headers {
        let place = |message: String| refuse(format!("header `{}`: {message}", name.escape_debug()));
        let (name, source) = header(name, source).map_err(place)?;
        if headers.iter().any(|(known, _)| *known == name) {
            return Err(refuse(format!("header `{name}`: it is there twice")));
        }
        headers.push((name, source));
    }
    let mut templates: Vec<Body> = Vec::new();
    for (content_type, template) in &response.templates {
        let place =
            |message: String| refuse(format!("template for `{}`: {message}", content_type.escape_debug()));
        let body = body(content_type, template).map_err(place)?;
        if templates.iter().any(|known| known.essence == body.essence) {
            return Err(place("there is one already".to_owned()));
        }
        templates.push(body);
    }
    Ok(Customized { status: response.status, headers, templates })
}

pub(super) fn twice(response_type: GatewayResponseType) -> GatewayResponseError {
    GatewayResponseError { response_type, message: "it is there twice".into() }
}

fn header(name: &str, source: &str) -> Result<(HeaderName, Source), String> {
    let bare = name.strip_prefix("gatewayresponse.header.").unwrap_or(name);
    let name = HeaderName::try_from(bare).map_err(|_| "it is not the name of a header".to_owned())?;
    if FIXED.contains(&name) {
        return Err("it is up to the server; a content type is named with its template".to_owned());
    }
    if let Some(literal) = source.strip_prefix('\'') {
        let value = literal.strip_suffix('\'').and_then(header_value);
        let value = value.ok_or("a text stands in single quotes and is printable ASCII")?;
        return Ok((name, Source::Literal(value)));
    }
    let variable = Variable::parse(source)?;
    match variable {
        Variable::Stage(_) => Err(format!("`{source}` is for templates only: write the text itself")),
        variable => Ok((name, Source::Variable(variable))),
    }
}

fn body(content_type: &str, template: &str) -> Result<Body, String> {
    let no_type = || "it is not a content type such as `application/json`".to_owned();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let is_type = essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    if !is_type {
        return Err(no_type());
    }
    let template = Template::parse(&essence, template)?;
    let content_type = header_value(content_type).ok_or_else(no_type)?;
    Ok(Body { content_type, essence: essence.into(), template })
}

/// Printable ASCII without spaces around it: what means the same to everybody.
fn header_value(text: &str) -> Option<HeaderValue> {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim_matches(' ') == text;
    if plain && !text.is_empty() { HeaderValue::from_str(text).ok() } else { None }
}

impl Customized {
    pub(super) fn set_headers(&self, headers: &mut HeaderMap, facts: &Facts<'_>) {
        for (name, source) in &self.headers {
            let value = match source {
                Source::Literal(value) => Some(value.clone()),
                Source::Variable(variable) => match variable.value(facts) {
                    Value::Absent => None,
                    Value::Json(text) | Value::Text(text) => header_value(&text),
                },
            };
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
    }

    /// The template that the client likes best, or the one that most clients do.
    pub(super) fn body(&self, facts: &Facts<'_>) -> Option<&Body> {
        let accept = facts.request.and_then(|request| request.headers().get(http::header::ACCEPT));
        let accepted = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let named = accepted.split(',').find_map(|range| {
            let essence = range.split(';').next().unwrap_or_default().trim();
            self.templates.iter().find(|body| body.essence.eq_ignore_ascii_case(essence))
        });
        let json = || self.templates.iter().find(|body| &*body.essence == "application/json");
        named.or_else(json).or_else(|| self.templates.first())
    }
}
