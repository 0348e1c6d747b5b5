//! Policies of any length.

use std::sync::LazyLock;

use tower_lambda_authorizer::policy::{BoundPolicy, PolicyDocument, StageArn};

pub(crate) const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/";

/// `count` statements of which the last one matches, and the second (if there are more than two) is a `Deny` that does
/// not. *Head*: the others differ right behind the method; *Tail*: behind wildcards that they share; *Stars*: between
/// wildcards.
pub(crate) fn text(shape: &str, last: &str, count: usize) -> String {
    let statements: Vec<_> = (1..=count)
        .map(|number| {
            let resource = match shape {
                _ if number == count => last.to_owned(),
                "Head" => format!("GET/svc-{number:04}/*/items/*"),
                "Tail" => format!("GET/users/*/orders/*/item-{number:04}"),
                _ => format!("GET/*/users/*/item-{number:04}/*/orders/*"),
            };
            let effect = if number == 2 && number < count { "Deny" } else { "Allow" };
            format!(r#"{{"Effect":"{effect}","Action":"execute-api:Invoke","Resource":"{STAGE}{resource}"}}"#)
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

pub(crate) fn bound(text: &str) -> BoundPolicy {
    /// A layer's stage is made once.
    static BOUND_TO: LazyLock<StageArn> = LazyLock::new(|| {
        StageArn::new("aws", "us-east-1", "123456789012", "abcdef123", "prod").expect("a good stage")
    });
    PolicyDocument::from_json(text).expect("a good policy").bind(&BOUND_TO)
}
