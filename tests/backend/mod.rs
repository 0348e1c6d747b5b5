//! What a gateway sends to a backend in Lambda: proxy events, and what is in them for an authorizer's answer.
#![allow(dead_code, reason = "each test program uses its own part")]

use http::Request;
use serde_json::{Map, Value, json};
use tower_lambda_authorizer::ApiStage;
use tower_lambda_authorizer::contract::{ApiKind, PayloadFormat};

/// `requestContext.authorizer` for an answer of a Lambda authorizer that allowed the request.
pub(crate) fn authorizer(kind: ApiKind, format: PayloadFormat, answer: &Value) -> Value {
    let context = answer["context"].as_object().cloned().unwrap_or_default();
    if (kind, format) == (ApiKind::Http, PayloadFormat::V2) {
        let context = if context.is_empty() { Value::Null } else { context.into() };
        return json!({ "lambda": context });
    }
    let as_sent = |value: Value| match value {
        Value::Number(_) | Value::Bool(_) if kind != ApiKind::Http => value.to_string().into(),
        value => value,
    };
    let mut flat: Map<_, _> = context.into_iter().map(|(name, value)| (name, as_sent(value))).collect();
    if let Some(principal_id) = answer.get("principalId") {
        flat.insert("principalId".to_owned(), principal_id.clone());
    }
    flat.insert("integrationLatency".to_owned(), 17.into());
    flat.into()
}

/// The event of a handler: without `authorizer` if that is `None`.
pub(crate) fn event(
    stage: &ApiStage,
    format: PayloadFormat,
    request: &Request<()>,
    authorizer: Option<Value>,
) -> Value {
    let mut event = match (stage.kind(), format) {
        (ApiKind::Rest, _) => resource_event(stage, request, request.uri().path()),
        (ApiKind::WebSocket, _) => connection_event(stage, request),
        (_, PayloadFormat::V1) => {
            let mut event = resource_event(stage, request, &decoded(request.uri().path()));
            event["version"] = "1.0".into();
            event
        }
        _ => route_event(stage, request),
    };
    if let Some(authorizer) = authorizer {
        event["requestContext"]["authorizer"] = authorizer;
    }
    event
}

/// The event as `lambda_http` reads it.
pub(crate) fn read(event: &Value) -> lambda_http::Request {
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

/// `path` is what clients ask for. Behind a mapped domain it has a base path, of which the gateway's routes know nothing.
fn resource_event(stage: &ApiStage, request: &Request<()>, path: &str) -> Value {
    let arn = stage.arn();
    let asked = stage.base_path().and_then(|base_path| path.strip_prefix(base_path)).unwrap_or(path);
    let (domain_name, full_path) = match stage.base_path() {
        Some(_) if stage.domain_name().contains(".execute-api.") => {
            ("mapped.example.com".into(), path.to_owned())
        }
        Some(_) => (stage.domain_name(), path.to_owned()),
        None => (stage.domain_name(), format!("/{}{path}", arn.stage())),
    };
    json!({
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": request.method().as_str(),
        "headers": headers(request, |values| values.last().cloned().unwrap_or_default().into()),
        "multiValueHeaders": headers(request, Value::from),
        "queryStringParameters": query(request, |values| values.last().cloned().unwrap_or_default().into()),
        "multiValueQueryStringParameters": query(request, Value::from),
        "pathParameters": {"proxy": asked.trim_start_matches('/')},
        "stageVariables": null,
        "requestContext": {
            "accountId": arn.account_id(),
            "apiId": arn.api_id(),
            "stage": arn.stage(),
            "domainName": domain_name,
            "path": full_path,
            "httpMethod": request.method().as_str(),
            "identity": {"sourceIp": "192.0.2.7", "userAgent": null},
            "protocol": "HTTP/1.1",
            "requestId": "5a3d4f1e-0000-4000-8000-00000000c0de",
            "requestTime": "24/Apr/2026:03:06:40 +0000",
            "requestTimeEpoch": 1_777_000_000_123_u64,
            "resourceId": "r3s0rc",
            "resourcePath": "/{proxy+}"
        },
        "body": null,
        "isBase64Encoded": false
    })
}

fn route_event(stage: &ApiStage, request: &Request<()>) -> Value {
    let arn = stage.arn();
    let path = decoded(request.uri().path());
    let path = match arn.stage() {
        "$default" => path,
        name => format!("/{name}{path}"),
    };
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.uri().query().unwrap_or_default(),
        "headers": headers(request, |values| values.join(",").into()),
        "requestContext": {
            "accountId": arn.account_id(),
            "apiId": arn.api_id(),
            "domainName": stage.domain_name(),
            "domainPrefix": arn.api_id(),
            "http": {
                "method": request.method().as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": ""
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": arn.stage(),
            "time": "24/Apr/2026:03:06:40 +0000",
            "timeEpoch": 1_777_000_000_123_u64
        },
        "isBase64Encoded": false
    })
}

fn connection_event(stage: &ApiStage, request: &Request<()>) -> Value {
    json!({
        "headers": headers(request, |values| values.last().cloned().unwrap_or_default().into()),
        "multiValueHeaders": headers(request, Value::from),
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "messageDirection": "IN",
            "apiId": stage.arn().api_id(),
            "stage": stage.arn().stage(),
            "domainName": stage.domain_name(),
            "connectionId": "JKJaXmPLvHcESHA=",
            "connectedAt": 1_777_000_000_123_u64,
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "requestId": "JKJaXmPLvHcESHA=",
            "requestTime": "24/Apr/2026:03:06:40 +0000",
            "requestTimeEpoch": 1_777_000_000_123_u64,
            "identity": {"sourceIp": "192.0.2.7"}
        },
        "isBase64Encoded": false
    })
}

fn headers(request: &Request<()>, value: fn(Vec<String>) -> Value) -> Value {
    let all = |name| request.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
    let headers = request.headers().keys();
    headers.map(|name| (name.as_str().to_owned(), value(all(name).collect()))).collect::<Map<_, _>>().into()
}

fn query(request: &Request<()>, value: fn(Vec<String>) -> Value) -> Value {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for pair in request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        match all.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(decoded(text)),
            None => all.push((name.to_owned(), vec![decoded(text)])),
        }
    }
    if all.is_empty() {
        return Value::Null;
    }
    all.into_iter().map(|(name, values)| (name, value(values))).collect::<Map<_, _>>().into()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = (byte == b'%').then(|| tail.get(..2)).flatten();
        let escape = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(escape.unwrap_or(byte));
        rest = if escape.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}
