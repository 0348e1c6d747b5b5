//! One authorizer, several homes, one answer: a table of requests that go through all of them.

mod api;
mod authorizers;
#[path = "../backend/mod.rs"]
mod backend;
mod homes;

use api::Api;
use http::Request;
use http::header::{AUTHORIZATION, CONNECTION, UPGRADE};
use serde_json::{Value, json};
use tower_lambda_authorizer::contract::EventKind;
use tower_lambda_authorizer::{AuthorizerEvent, authorizer_fn};

/// An API, a request with `open sesame` as its token, an authorizer by its name, and the status of every home.
type Row = (&'static str, &'static str, &'static str, u16);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Tokens.
    ("token",             "GET /users/42",                     "token",                 200),
    ("token+cached",      "GET /users/42",                     "token",                 200),
    ("token",             "POST /users/42?a=1",                "echo",                  200),
    ("token",             "GET /users/0",                      "get users",             403),
    ("token",             "DELETE /users/42",                  "get users",             403),
    ("token",             "GET /users/42",                     "scalars",               200),
    ("token",             "GET /users/42",                     "short",                 200),
    ("token",             "GET /users/42",                     "unauthorized",          401),
    ("token",             "GET /users/42",                     "panic",                 500),
    // REST.
    ("rest",              "GET /",                             "all",                   200),
    ("rest",              "GET /users/42",                     "echo",                  200),
    ("rest+cached",       "GET /users/42",                     "get users",             200),
    ("rest+cached",       "GET /users/0",                      "get users",             403),
    ("rest",              "HEAD /users/42",                    "all",                   200),
    ("rest",              "HEAD /users/0",                     "get users",             403),
    ("rest",              "PUT /users/42/files/a/b/c.txt",     "all",                   200),
    ("rest",              "GET /elsewhere/",                   "echo",                  200),
    ("rest",              "GET /users/a%20b?q=x%20y",          "echo",                  200),
    ("rest",              "GET /users/caf%C3%A9",              "echo",                  200),
    ("rest",              "GET /users/me%40example.com",       "echo",                  200),
    ("rest",              "GET /users/%2A%3F",                 "echo",                  200),
    ("rest",              "GET /users/a|b",                    "echo",                  200),
    ("rest",              "GET /users/100%25",                 "echo",                  200),
    ("rest",              "GET /prod/users/42",                "echo",                  200),
    ("rest",              "GET /prod/prod",                    "echo",                  200),
    ("rest",              "GET /production",                   "echo",                  200),
    ("rest+slashes",      "GET /users/a%2Fb",                  "echo",                  200),
    ("rest",              "GET /users/a%2Fb",                  "all",                   400),
    ("rest",              "GET /users/../admin",               "all",                   400),
    ("rest",              "GET /users/%2e%2e/admin",           "all",                   400),
    ("rest",              "GET //users/42",                    "all",                   400),
    ("rest",              "GET /users/%6De",                   "all",                   400),
    ("rest+based",        "GET /api/users/42",                 "echo",                  200),
    ("rest+based",        "GET /api",                          "echo",                  200),
    ("rest+based",        "GET /users/42",                     "all",                   404),
    ("rest",              "GET /users/42",                     "deny",                  403),
    ("rest",              "GET /users/42",                     "nothing",               403),
    ("rest",              "GET /users/42",                     "conditions",            200),
    ("rest",              "GET /users/42",                     "scalars",               200),
    ("rest",              "GET /users/42",                     "repeats itself",        200),
    ("rest",              "GET /users/42",                     "long id",               200),
    ("rest",              "GET /users/42",                     "usage key",             200),
    ("rest",              "GET /users/42",                     "short",                 200),
    ("rest",              "GET /users/42",                     "ageless",               200),
    ("rest+cached",       "GET /users/42",                     "for ever",              200),
    ("rest",              "GET /users/42",                     "nested",                500),
    ("rest",              "GET /users/42",                     "nobody",                500),
    ("rest",              "GET /users/42",                     "yes",                   500),
    ("rest",              "GET /users/42",                     "steals the principal",  500),
    ("rest",              "GET /users/42",                     "steals the expiry",     500),
    ("rest",              "GET /users/42",                     "steals the latency",    500),
    ("rest",              "GET /users/42",                     "steals the claims",     200),
    ("rest",              "GET /users/42",                     "unauthorized",          401),
    ("rest",              "GET /users/42",                     "Unauthorized",          401),
    ("rest",              "GET /users/42",                     "Unauthorized: expired", 500),
    ("rest+cached",       "GET /users/42",                     "failure",               500),
    ("rest",              "GET /users/42",                     "panic",                 500),
    ("cn",                "GET /users/42",                     "echo",                  200),
    ("cn",                "GET /v1/users/42",                  "echo",                  200),
    // HTTP, format 1.0.
    ("http1",             "GET /users/42",                     "echo",                  200),
    ("http1+cached",      "GET /users/a%20b",                  "echo",                  200),
    ("http1",             "GET /users/42",                     "scalars",               200),
    ("http1",             "GET /users/42",                     "nobody",                200),
    ("http1",             "GET /users/42",                     "nobody at all",         200),
    ("http1",             "GET /users/42",                     "short",                 200),
    ("http1",             "GET /users/42",                     "nested",                500),
    ("http1",             "GET /users/42",                     "steals the claims",     500),
    ("http1",             "GET /users/42",                     "deny",                  403),
    ("http1-named",       "GET /users/42",                     "echo",                  200),
    ("http1-named",       "GET /users/users",                  "echo",                  200),
    ("http1+based",       "GET /api/users/42",                 "echo",                  200),
    ("http1",             "GET /users/42",                     "unauthorized",          401),
    // HTTP, format 2.0.
    ("http2",             "GET /",                             "all",                   200),
    ("http2+cached",      "GET /users/42?a=1",                 "echo",                  200),
    ("http2",             "GET /users/caf%C3%A9",              "echo",                  200),
    ("http2",             "GET /users/%7Bid%7D%2A",            "echo",                  200),
    ("http2",             "GET /users/100%25",                 "echo",                  200),
    ("http2",             "PATCH /users/a%20b/files/x%20y",    "all",                   200),
    ("http2",             "GET /users//42",                    "all",                   400),
    ("http2",             "GET /users/42",                     "nested",                200),
    ("http2",             "GET /users/42",                     "scalars",               200),
    ("http2",             "GET /users/42",                     "repeats itself",        200),
    ("http2",             "GET /users/42",                     "nobody",                200),
    ("http2",             "GET /users/42",                     "nobody at all",         200),
    ("http2",             "GET /users/42",                     "short",                 200),
    ("http2",             "GET /users/42",                     "steals the claims",     200),
    ("http2",             "GET /users/42",                     "steals the latency",    200),
    ("http2",             "GET /users/42",                     "steals the expiry",     500),
    ("http2",             "GET /users/42",                     "steals the principal",  500),
    ("http2",             "GET /users/42",                     "deep",                  500),
    ("http2",             "GET /users/42",                     "yes",                   500),
    ("http2",             "GET /users/42",                     "deny",                  403),
    ("http2",             "GET /users/42",                     "nothing",               403),
    ("http2",             "GET /users/42",                     "unauthorized",          401),
    ("http2",             "GET /users/42",                     "failure",               500),
    ("http2-named",       "GET /",                             "echo",                  200),
    ("http2-named",       "GET /users/42",                     "echo",                  200),
    ("http2-named",       "GET /users",                        "echo",                  200),
    ("http2-named+based", "GET /api/users/42",                 "echo",                  200),
    ("http2+based",       "GET /api/users/42",                 "echo",                  200),
    // Simple responses.
    ("simple",            "GET /users/42",                     "yes",                   200),
    ("simple+cached",     "GET /users/42",                     "yes, with context",     200),
    ("simple",            "GET /users/42",                     "no",                    403),
    ("simple",            "GET /users/42",                     "all",                   500),
    ("simple",            "GET /users/42",                     "unauthorized",          401),
    // WebSocket.
    ("ws",                "GET /",                             "all",                   200),
    ("ws",                "GET /",                             "scalars",               200),
    ("ws+cached",         "GET /",                             "short",                 200),
    ("ws",                "GET /",                             "deny",                  403),
    ("ws",                "GET /",                             "nested",                500),
    ("ws",                "GET /",                             "unauthorized",          401),
];

fn request(api: &Api, line: &str) -> Request<()> {
    let (method, target) = line.split_once(' ').unwrap();
    let request = Request::builder().method(method).uri(target).header("user-agent", "curl/8.5.0");
    let request = request.header(AUTHORIZATION, "Bearer open sesame").header("x-note", "a \"note\"");
    match api.kind {
        EventKind::WebSocketConnect => {
            request.header(CONNECTION, "upgrade").header(UPGRADE, "websocket").body(()).unwrap()
        }
        _ => request.body(()).unwrap(),
    }
}

#[tokio::test]
async fn every_home_gives_the_same_answer() {
    let mut wrong = Vec::new();
    let mut allowed = 0;
    for &(name, line, authorizer, status) in TABLE {
        let api = Api::named(name);
        let request = request(&api, line);
        let asked =
            || authorizer_fn(async move |event: AuthorizerEvent| authorizers::named(authorizer, &event));
        let mut check = |home: &str, seen: &dyn std::fmt::Debug, is_right: bool| {
            if !is_right {
                wrong.push(format!("{name}: {line} with `{authorizer}`, {home}: {seen:?}"));
            }
        };

        let (here, _) = homes::self_hosted(&api, asked(), &request).await;
        check("self-hosted", &here, here.status == status && here.handled == (status == 200));
        let over_json = homes::over_json(&api, asked(), &request).await;
        check("over JSON", &(&over_json, &here), over_json == here);
        let (in_function, answer) = homes::in_function(&api, asked(), &request).await;
        check("as a function", &(&in_function, &here), in_function == here);
        check("the function's answer", &answer, answer.is_some() == matches!(status, 200 | 403));

        // A target that is refused here is refused there too, even if a gateway has let it through.
        if matches!(status, 200 | 400 | 404) {
            let answer = answer.unwrap_or_else(|| json!({"principalId": "me"}));
            let mut behind = homes::behind_gateway(&api, &request, &answer).await;
            // AWS has compared the path as it was sent, and so it is routed there.
            if let Some(path) = behind.body.get_mut("path") {
                *path = path.as_str().unwrap_or_default().replace("%40", "@").replace('|', "%7C").into();
            }
            check("behind a gateway", &(&behind, &here), behind == here);
            allowed += usize::from(status == 200);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(TABLE.len() >= 100 && allowed >= 60, "{} rows, {allowed} allowed", TABLE.len());
}

/// What a function says besides what the layer reads, and nobody else does.
#[tokio::test]
async fn a_function_tells_its_backend_until_when_and_about_whom() {
    // 2026-01-01T00:00:00Z, and the clock stands still.
    let start = 1_767_225_600_u64;
    for (name, authorizer, expected) in [
        ("rest", "short", json!({"plan": "free", "authorizerExpiresAt": start + 61})),
        ("rest", "ageless", json!({"authorizerExpiresAt": start + 1})),
        ("rest", "repeats itself", json!({"x": 1})),
        ("rest", "all", Value::Null),
        ("ws", "short", json!({"plan": "free", "authorizerExpiresAt": start + 61})),
        ("http1", "short", json!({"plan": "free", "authorizerExpiresAt": start + 61})),
        ("http2", "short", json!({"plan": "free", "principalId": "me", "authorizerExpiresAt": start + 61})),
        ("http2", "all", json!({"principalId": "me"})),
        ("http2", "repeats itself", json!({"x": 1, "principalId": "me"})),
        ("http2", "nobody at all", Value::Null),
        ("http2", "for ever", json!({"principalId": "me", "authorizerExpiresAt": u64::MAX})),
        ("simple", "yes", Value::Null),
        ("simple", "yes, with context", json!({"roles": ["a", "b"], "authorizerExpiresAt": start + 10})),
    ] {
        let api = Api::named(name);
        let asked = authorizer_fn(async move |event: AuthorizerEvent| authorizers::named(authorizer, &event));
        let (_, answer) = homes::in_function(&api, asked, &request(&api, "GET /")).await;
        assert_eq!(answer.unwrap()["context"], expected, "{name}: {authorizer}");
    }
}
