//! What a refusal repeats of a request is a value, and nothing more; what the inner service is told is ours.

use tower_lambda_authorizer::mapping::ParameterMapping;
use tower_lambda_authorizer::middleware::{GatewayResponse, GatewayResponseType, GatewayResponses};

use super::harness::{Server, Setup, home};
use super::tally::Tally;

/// Refusals that repeat whatever a template can name.
fn echoing() -> Server {
    let template = r#"{"path":$context.path,"query":"<$method.request.querystring.q>",
        "agent":$method.request.header.user-agent,"method":$context.httpMethod}"#;
    let response = || {
        GatewayResponse::new()
            .with_header("x-query", "method.request.querystring.q")
            .with_header("x-agent", "method.request.header.user-agent")
            .with_header("x-path", "context.path")
            .with_template("application/json", template)
    };
    let responses = GatewayResponses::builder()
        .with(GatewayResponseType::Default4xx, response())
        .with(GatewayResponseType::Default5xx, response())
        .build()
        .unwrap();
    Setup::default()
        .policy(&[])
        .layer(|layer| layer.with_rejection_response(responses))
        .serve(home::protected)
}

#[test]
fn a_template_repeats_a_request_as_values() {
    let mut tally = Tally::of("response templates and headers", 24);
    let server = echoing();
    for (target, header) in [
        ("/a?q=%0d%0aSet-Cookie:%20a=b", "User-Agent: x"),
        ("/a?q=%0aSet-Cookie:%20a=b", "User-Agent: x"),
        ("/a?q=%22,%22admin%22:true,%22x%22:%22", "User-Agent: x"),
        ("/a?q=%5c", "User-Agent: x"),
        ("/a?q=%5c%22", "User-Agent: \\\",\"admin\":true"),
        ("/a?q=%3c/script%3e%3cscript%3ealert(1)%3c/script%3e", "User-Agent: <script>"),
        ("/a?q=$context.authorizer.principalId", "User-Agent: $context.authorizer.principalId"),
        ("/a?q=${context.path}", "User-Agent: ${context.path}"),
        ("/a?q=%00%1f%7f", "User-Agent: x"),
        ("/a?q=%ff", "User-Agent: x"),
        ("/a?q=%c2%85%e2%80%a8", "User-Agent: x"),
        ("/a?q=%f0%9f%a6%80", "User-Agent: x"),
        ("/a?q=1&q=2", "User-Agent: x"),
        ("/a?q", "User-Agent:"),
        ("/a?q=%7b%7b7*7%7d%7d", "User-Agent: {{7*7}}"),
        ("/a?q=x", "User-Agent: a\r\nUser-Agent: b"),
        ("/a?q=x", "X: y"),
        ("/%22%2c%22admin%22%3atrue", "User-Agent: x"),
        ("/%0d%0aSet-Cookie:a", "User-Agent: x"),
        ("/%5c%22", "User-Agent: x"),
        ("/a%c2%85?q=x", "User-Agent: x"),
        ("/%3cscript%3e", "User-Agent: x"),
        ("/$context.authorizer.x", "User-Agent: x"),
        ("/..?q=%22", "User-Agent: \"\\"),
    ] {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\nAccept: text/html\r\n{header}\r\n\r\n"
        );
        let answer = server.send(request.as_bytes());
        assert!(matches!(answer.status, 400 | 403), "{target} {header}: {}", answer.status);
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let members: Vec<_> = body.as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
        assert_eq!(members, ["agent", "method", "path", "query"], "{target} {header}: {}", answer.body);
        assert!(body["method"] == "GET" || body["method"].is_null(), "{target}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{target}");
        for name in answer.header_names() {
            let ours = [
                "x-query",
                "x-agent",
                "x-path",
                "x-content-type-options",
                "content-type",
                "content-length",
                "cache-control",
                "date",
            ];
            let known = ours.contains(&name) || name.starts_with("x-amzn-");
            assert!(known, "{target} {header}: {name}");
        }
        tally.refused(&server.world, format!("{target} {header}"));
    }
}

#[test]
fn a_client_cannot_speak_for_the_authorizer() {
    let mut tally = Tally::of("mapped headers", 12);
    let mapping = ParameterMapping::new()
        .with("overwrite:header.x-user", "$context.authorizer.principalId")
        .unwrap()
        .with("overwrite:header.x-note", "$request.querystring.q")
        .unwrap();
    let server = Setup::default().layer(|layer| layer.with_parameter_mapping(mapping)).serve(home::protected);
    for (target, headers) in [
        ("/any", "Connection: x-user\r\n"),
        ("/any", "Connection: close, X-User\r\n"),
        ("/any", "Connection: keep-alive\r\nConnection: x_user\r\n"),
        ("/any", "Connection: X.User\r\n"),
        ("/any", "Connection: x-note\r\n"),
        ("/any?q=a%0d%0ax-user:%20root", ""),
        ("/any?q=a%0ax-user:%20root", ""),
        ("/any?q=%00", ""),
        ("/any?q=%ff", ""),
        ("/any?q=+a", ""),
        ("/any?q=%c3%a9", ""),
        ("/any?q=a%7f", ""),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: ok\r\n{headers}\r\n");
        assert_eq!(server.send(request.as_bytes()).status, 400, "{target} {headers}");
        tally.refused(&server.world, format!("{target} {headers}"));
    }
    assert_eq!(server.ask_with("GET", "/any", &[("X-User", b"root"), ("x_user", b"root")]).status, 200);
    assert_eq!(server.world.take_calls(), ["any"]);
}
