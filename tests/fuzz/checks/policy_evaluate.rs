//! The library and the naive evaluator say the same.
//!
//! The input is text: a line with the method, the path and, where they differ, the path with its reserved escapes
//! decoded and the path as it was sent; a line with the condition keys as JSON; and then the policy.

use tower_lambda_authorizer::policy::PolicyDocument;

use crate::support::{Context, Question, stage};

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/";
const LONGEST_PATH: usize = 1600;

/// Whether the input was of the right form; panics if what must hold does not.
pub(crate) fn check(text: &str) -> bool {
    match case(text) {
        Some((policy, question)) => {
            let document = PolicyDocument::from_json(policy).expect("read before");
            match question.ask_both(policy, &document) {
                Ok(verdict) => assert_eq!(question.ask(&document), verdict),
                Err(difference) => panic!("{difference}\n{question:?}\n{policy}"),
            }
            true
        }
        None => false,
    }
}

fn case(text: &str) -> Option<(&str, Question)> {
    let (request, text) = text.split_once('\n')?;
    let (context, policy) = text.split_once('\n')?;
    let mut parts = request.split(' ');
    let (method, path, canonical_path, sent_path) =
        (parts.next()?, parts.next()?, parts.next(), parts.next());
    // An ARN is ASCII and of limited length before it gets here.
    if parts.next().is_some() || !request.is_ascii() || request.len() > LONGEST_PATH {
        return None;
    }
    PolicyDocument::from_json(policy).ok()?;
    let question = Question {
        stage: stage(STAGE)?,
        method: method.to_owned(),
        path: path.to_owned(),
        canonical_path: canonical_path.map(str::to_owned),
        sent_path: sent_path.map(str::to_owned),
        context: Context::from_json(&serde_json::from_str(context).ok()?).ok()?,
    };
    Some((policy, question))
}
