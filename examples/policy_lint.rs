//! Reads a policy and says what in it is most likely not meant.
//!
//! ```console
//! $ cargo run -q --example policy_lint examples/policies/suspicious.json
//! Statement[0].Resource[0]: `…/GET/users*` also covers what only begins alike, such as `…/GET/users-other`; write the path itself and the path with `/*` as two resources
//! $ cargo run -q --example policy_lint examples/policies/malformed.json
//! error: examples/policies/malformed.json: malformed policy at Statement[0]: element `Effect` is missing from the statement
//! $ cargo run -q --example policy_lint examples/policies/after.json 'GET /users/{id}' 'GET /invoices'
//! no statement can allow GET /invoices, which shares this policy while it is cached; allow every route that the caller may use, not only the one that was asked for
//! ```
//!
//! The first argument is a file; `-` reads what another program prints. Every further one is a route that callers use.
//! It exits with 0 if there is nothing to say, with 1 if there is, and with 2 if no gateway would accept the policy.

use std::io::Read;
use std::process::ExitCode;

use tower_lambda_authorizer::policy::{ExecuteApiArn, Lint, PolicyDocument, StageArn};

fn main() -> ExitCode {
    match lint() {
        Ok(lints) if lints.is_empty() => ExitCode::SUCCESS,
        Ok(lints) => {
            lints.iter().for_each(|lint| println!("{lint}"));
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn lint() -> Result<Vec<Lint>, String> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which policy? Name a file, or `-`")?;
    let text = match &*path {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        path => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| format!("{path}: {error}"))?;
    let policy = PolicyDocument::from_json(&text).map_err(|error| format!("{path}: {error}"))?;

    let routes: Vec<String> = arguments.collect();
    let routes: Vec<(&str, &str)> = routes
        .iter()
        .map(|route| route.split_once(' ').ok_or(format!("`{route}` is no route: write `GET /users/{{id}}`")))
        .collect::<Result<_, _>>()?;
    let mut lints = policy.lint();
    if !routes.is_empty() {
        lints.extend(policy.lint_routes(&stage_of(&policy)?, routes));
    }
    Ok(lints)
}

/// The stage that the policy is about: the first that one of its resources names.
fn stage_of(policy: &PolicyDocument) -> Result<StageArn, String> {
    let resources = policy.statements().iter().flat_map(|statement| statement.resources());
    let mut stages = resources.filter_map(|resource| {
        let stage: Vec<&str> = resource.as_str().splitn(3, '/').take(2).collect();
        let arn: ExecuteApiArn = format!("{}/GET/", stage.join("/")).parse().ok()?;
        Some(arn.stage_arn().clone())
    });
    stages
        .next()
        .ok_or("no resource of the policy names its stage, so nobody knows the ARNs of the routes".to_owned())
}
