//! The authorizers of the table, by name.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tower_lambda_authorizer::contract::{ContextValue, EventKind};
use tower_lambda_authorizer::policy::{AnyMethod, PolicyDocument};
use tower_lambda_authorizer::{AuthorizerError, AuthorizerEvent, AuthorizerResponse};

pub(crate) type Answered = Result<AuthorizerResponse, AuthorizerError>;

pub(crate) fn named(name: &str, event: &AuthorizerEvent) -> Answered {
    let everything = || match event.kind() {
        EventKind::WebSocketConnect => echo(event, "Allow"),
        _ => Ok(event.policy().allow(AnyMethod, "/*").build()?),
    };
    let me = || Ok::<_, AuthorizerError>(AuthorizerResponse::new("me", everything()?)?);
    match name {
        "all" => me(),
        // Only for whoever sends this token.
        "token" => match event.bearer_token() {
            Some("open sesame") => me(),
            _ => Err(AuthorizerError::unauthorized()),
        },
        "get users" => {
            let policy =
                event.policy().allow(Method::GET, "/users/*").deny(Method::GET, "/users/0").build()?;
            Ok(AuthorizerResponse::new("reader", policy)?)
        }
        "echo" => Ok(AuthorizerResponse::new("echo", echo(event, "Allow")?)?),
        "deny" => Ok(AuthorizerResponse::new("me", echo(event, "Deny")?)?),
        "nothing" => Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(r#"{"Statement":[]}"#)?)?),
        "conditions" => {
            let text = json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*",
                "Condition": {"StringLike": {"aws:UserAgent": "curl/*"}}
            }]});
            Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(&text.to_string())?)?)
        }
        "scalars" => Ok(me()?
            .with_context("text", "Zoë \"quoted\" \u{1F600}")
            .with_context("empty", "")
            .with_context("number", 123)
            .with_context("negative", -5)
            .with_context("fraction", serde_json::Number::from_f64(0.25).unwrap())
            .with_context("yes", true)
            .with_context("no", false)
            .with_context("null", ContextValue::Null)
            .with_context("PrincipalId", "an ordinary name")),
        "nested" => {
            let roles = json!({"roles": ["admin", "ops"], "depth": {"of": {"three": null}}, "n": 1.5});
            Ok(me()?.with_context("nested", ContextValue::from(roles)))
        }
        "repeats itself" => Ok(me()?.with_context("principalId", "me").with_context("x", 1)),
        "long id" => Ok(AuthorizerResponse::new("é".repeat(1000), everything()?)?),
        "usage key" => Ok(me()?.with_usage_identifier_key("the-key").with_context("plan", "gold")),
        "short" => Ok(me()?.with_max_age(Duration::from_secs(60)).with_context("plan", "free")),
        "ageless" => Ok(me()?.with_max_age(Duration::ZERO)),
        "for ever" => Ok(me()?.with_max_age(Duration::MAX)),
        "nobody" => Ok(AuthorizerResponse::without_principal(everything()?).with_context("x", "y")),
        "nobody at all" => Ok(AuthorizerResponse::without_principal(everything()?)),
        "yes" => Ok(AuthorizerResponse::simple(true)),
        "yes, with context" => Ok(AuthorizerResponse::simple(true)
            .with_context("roles", vec!["a", "b"])
            .with_max_age(Duration::from_secs(9))),
        "no" => Ok(AuthorizerResponse::simple(false).with_context("why", "not")),
        "unauthorized" => Err(AuthorizerError::unauthorized().with_reason("expired")),
        "Unauthorized" => Err(AuthorizerError::failure("Unauthorized")),
        "Unauthorized: expired" => Err(AuthorizerError::failure("Unauthorized: expired")),
        "failure" => Err(AuthorizerError::failure("the database of secrets is down")),
        "panic" => panic!("an authorizer panics"),
        "steals the principal" => Ok(me()?.with_context("principalId", "you")),
        "steals the expiry" => Ok(me()?.with_context("authorizerExpiresAt", 4_000_000_000_u64)),
        "steals the latency" => Ok(me()?.with_context("integrationLatency", 1)),
        "steals the claims" => Ok(me()?.with_context("claims", "x").with_context("scopes", "y")),
        "deep" => {
            let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
            Ok(me()?.with_context("deep", ContextValue::from(deep)))
        }
        other => panic!("there is no authorizer called {other}"),
    }
}

/// A policy about the very ARN of the event.
fn echo(event: &AuthorizerEvent, effect: &str) -> Result<PolicyDocument, AuthorizerError> {
    let text = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": effect, "Action": "execute-api:Invoke", "Resource": event.arn().to_string()
    }]});
    Ok(PolicyDocument::from_json(&text.to_string())?)
}
