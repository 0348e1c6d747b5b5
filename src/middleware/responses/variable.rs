//! The variables of gateway responses.

use std::borrow::Cow;
use std::fmt::Write as _;

use http::HeaderName;

use super::builtin::Builtin;
use crate::contract::{ApiKind, ContextValue};
use crate::middleware::{RefusedRequest, Rejection};
use crate::request::{last_query_value, parameters, resource};

/// What a variable stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Variable {
    Authorizer(Box<str>),
    Context(ContextName),
    Header(HeaderName),
    PathParameter(Box<str>),
    QueryParameter(Box<str>),
    Stage(Box<str>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ContextName {
    AccountId,
    ApiId,
    DomainName,
    DomainPrefix,
    ErrorMessage,
    ErrorMessageString,
    ErrorResponseType,
    HttpMethod,
    /// A variable that API Gateway has, and that has no value here.
    Nothing,
    Path,
    Protocol,
    RequestId,
    RequestTime,
    RequestTimeEpoch,
    ResourcePath,
    SourceIp,
    Stage,
    UserAgent,
}

/// What is known about a refusal when a response to it is made.
pub(super) struct Facts<'a> {
    pub(super) rejection: &'a Rejection,
    pub(super) builtin: &'a Builtin,
    /// Where nothing is known of the request, what stands for a part of it is empty.
    pub(super) request: Option<&'a RefusedRequest<'a>>,
}

/// The value of a variable.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Value<'a> {
    Absent,
    /// A piece of JSON.
    Json(Cow<'a, str>),
    Text(Cow<'a, str>),
}

impl Variable {
    /// Reads a name such as `context.error.message` or `method.request.header.Origin`.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let unknown = || format!("there is no variable `{name}`");
        let named = |rest: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            (!rest.is_empty() && rest.bytes().all(plain)).then(|| Box::from(rest)).ok_or_else(unknown)
        };
        if let Some(rest) = name.strip_prefix("context.authorizer.") {
            named(rest).map(Self::Authorizer)
        } else if let Some(rest) = name.strip_prefix("context.") {
            ContextName::parse(rest).map(Self::Context).ok_or_else(unknown)
        } else if let Some(rest) = name.strip_prefix("stageVariables.") {
            named(rest).map(Self::Stage)
        } else if let Some(rest) = name.strip_prefix("method.request.header.") {
            named(rest).and_then(|name| HeaderName::try_from(&*name).map(Self::Header).map_err(|_| unknown()))
        } else if let Some(rest) = name.strip_prefix("method.request.path.") {
            named(rest).map(Self::PathParameter)
        } else if let Some(rest) = name.strip_prefix("method.request.querystring.") {
            named(rest).map(Self::QueryParameter)
        } else {
            Err(unknown())
        }
    }

    /// Whether its value may be anything a client chose.
    pub(super) const fn is_of_request(&self) -> bool {
        match self {
            // What an authorizer says may well be what a token says.
            Self::Authorizer(_) | Self::Header(_) | Self::PathParameter(_) | Self::QueryParameter(_) => true,
            Self::Stage(_) => false,
            Self::Context(name) => {
                matches!(name, ContextName::HttpMethod | ContextName::Path | ContextName::UserAgent)
            }
        }
    }

    pub(super) fn value<'a>(&'a self, facts: &Facts<'a>) -> Value<'a> {
        match self {
            Self::Authorizer(name) => authorizer(facts.rejection, name),
            Self::Context(name) => name.value(facts),
            Self::Header(name) => Value::of(
                facts
                    .request
                    .and_then(|request| request.headers().get_all(name).iter().next_back()?.to_str().ok()),
            ),
            Self::PathParameter(name) => Value::of(facts.request.and_then(|request| {
                let location = request.location();
                let all = parameters(location.template(), location.path);
                all.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.into_string())
            })),
            Self::QueryParameter(name) => Value::of(
                facts
                    .request
                    .and_then(|request| last_query_value(request.uri().query().unwrap_or_default(), name)),
            ),
            Self::Stage(name) => {
                Value::of(facts.request.and_then(|request| request.stage().stage_variable(name)))
            }
        }
    }
}

impl<'a> Value<'a> {
    fn of<T: Into<Cow<'a, str>>>(text: Option<T>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.into()))
    }
}

/// What the answer says that denies the request; of an error nothing is known.
fn authorizer<'a>(rejection: &'a Rejection, name: &str) -> Value<'a> {
    let Some(authorization) = rejection.authorization() else { return Value::Absent };
    if name == "principalId" {
        return Value::of(authorization.principal_id());
    }
    let Some(value) = authorization.context().get(name) else { return Value::Absent };
    match value {
        ContextValue::Null => Value::Absent,
        ContextValue::String(text) => Value::Text(Cow::Borrowed(text)),
        // REST APIs know text only.
        scalar if scalar.is_scalar() && rejection.api_kind() != ApiKind::Http => Value::of(scalar.to_text()),
        other => Value::Json(Cow::Owned(serde_json::Value::from(other).to_string())),
    }
}

impl ContextName {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "accountId" => Self::AccountId,
            "apiId" => Self::ApiId,
            "domainName" => Self::DomainName,
            "domainPrefix" => Self::DomainPrefix,
            "error.message" => Self::ErrorMessage,
            "error.messageString" => Self::ErrorMessageString,
            "error.responseType" => Self::ErrorResponseType,
            "httpMethod" => Self::HttpMethod,
            "path" => Self::Path,
            "protocol" => Self::Protocol,
            "requestId" => Self::RequestId,
            "requestTime" => Self::RequestTime,
            "requestTimeEpoch" => Self::RequestTimeEpoch,
            "resourcePath" => Self::ResourcePath,
            "identity.sourceIp" => Self::SourceIp,
            "stage" => Self::Stage,
            "identity.userAgent" => Self::UserAgent,
            "awsEndpointRequestId"
            | "deploymentId"
            | "error.validationErrorString"
            | "extendedRequestId"
            | "identity.accountId"
            | "identity.apiKey"
            | "identity.apiKeyId"
            | "identity.caller"
            | "identity.cognitoAuthenticationProvider"
            | "identity.cognitoAuthenticationType"
            | "identity.cognitoIdentityId"
            | "identity.cognitoIdentityPoolId"
            | "identity.principalOrgId"
            | "identity.user"
            | "identity.userArn"
            | "identity.vpcId"
            | "identity.vpceId"
            | "isCanaryRequest"
            | "resourceId"
            | "wafResponseCode"
            | "webaclArn" => Self::Nothing,
            _ => return None,
        })
    }

    fn value<'a>(self, facts: &Facts<'a>) -> Value<'a> {
        let Facts { rejection, builtin, request } = *facts;
        match self {
            Self::ErrorMessage => return Value::of(builtin.message),
            Self::ErrorMessageString => {
                return Value::Json(match builtin.message {
                    Some(message) => Cow::Owned(serde_json::Value::from(message).to_string()),
                    None => Cow::Borrowed("null"),
                });
            }
            Self::ErrorResponseType => return Value::of(Some(rejection.kind().response_type().as_str())),
            Self::RequestId => return Value::of(Some(rejection.request_id())),
            _ => {}
        }
        let Some(request) = request else { return Value::Absent };
        let arn = request.stage().arn();
        match self {
            Self::AccountId => Value::of(Some(arn.account_id())),
            Self::ApiId => Value::of(Some(arn.api_id())),
            Self::DomainName => Value::of(Some(request.stage().domain_name())),
            Self::DomainPrefix => {
                let domain = request.stage().domain_name();
                Value::of(domain.split('.').next().map(str::to_owned))
            }
            Self::HttpMethod => Value::of(Some(request.method().as_str())),
            Self::Path => Value::of(Some(request.context_path())),
            Self::Protocol => Value::of(Some("HTTP/1.1")),
            Self::RequestTime => Value::of(clf_time(request)),
            Self::RequestTimeEpoch => Value::Json(Cow::Owned(request.now().wall.as_millis().to_string())),
            Self::ResourcePath => Value::of(Some(resource(request.location().template()).into_string())),
            Self::SourceIp => Value::of(request.source_ip().map(|address| address.to_string())),
            Self::Stage => Value::of(Some(arn.stage())),
            Self::UserAgent => Value::of(
                request.headers().get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok()),
            ),
            Self::ErrorMessage
            | Self::ErrorMessageString
            | Self::ErrorResponseType
            | Self::Nothing
            | Self::RequestId => Value::Absent,
        }
    }
}

/// `09/Apr/2015:12:34:56 +0000`.
fn clf_time(request: &RefusedRequest<'_>) -> Option<String> {
    let seconds = i64::try_from(request.now().wall.as_secs()).ok()?;
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    let mut text = String::new();
    write!(text, "{}", time.strftime("%d/%b/%Y:%H:%M:%S +0000")).ok()?;
    Some(text)
}
