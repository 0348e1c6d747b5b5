//! From what the gateway says to what a handler reads.

use std::sync::Arc;
use std::time::Duration;

use super::received::{Received, Told};
use crate::clock::Clock;
use crate::contract::claim_date;
use crate::contract::reserved::{EXPIRES_AT, INTEGRATION_LATENCY, PRINCIPAL_ID};
use crate::contract::{
    Authorization, AuthorizerResponse, Context, ContextValue, EventKind, Expiry, Principal,
};
use crate::middleware::{Rejection, RejectionKind};

/// Where the principal's id is found.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    /// Where the gateway, or a function of this crate, has put it; for claims, in `sub`.
    Told,
    /// The same, but there need not be one.
    Optional,
    /// In a value of the context, or in a claim.
    From(Box<str>),
}

/// The claim that names the principal.
const SUBJECT: &str = "sub";

/// The claim that says until when a token is good.
const EXPIRATION: &str = "exp";

/// Reads the answer that the gateway has acted upon.
pub(super) fn read(
    received: Received<'_>,
    naming: &Naming,
    clock: &dyn Clock,
) -> Result<Principal, Rejection> {
    let Received { kind, told, can_expire } = received;
    let answer = match told {
        Told::Claims(claims) => claimed(collected(claims), kind, naming)?,
        Told::ClaimsAsText(claims) => {
            let claims = claims.iter().map(|(name, value)| (&**name, ContextValue::from(value.as_str())));
            claimed(sorted(claims), kind, naming)?
        }
        Told::Context(fields) => answered(collected(fields), kind, naming)?,
        // Nothing tells an answer without principal and context from a route without an authorizer.
        Told::Empty if matches!(naming, Naming::Optional) => Answer::default(),
        Told::Empty | Told::Nothing => return Err(Rejection::new(RejectionKind::MissingAuthorizer)),
    };
    if let Some(id) = &answer.principal_id
        && let Some(detail) = wrong_with(id)
    {
        return Err(Rejection::with_detail(RejectionKind::InvalidResponse, detail));
    }

    let now = clock.wall();
    if can_expire && answer.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Rejection::new(RejectionKind::ExpiredAnswer));
    }
    let expiry = answer
        .expires_at
        .map(|wall| Expiry { monotonic: clock.monotonic().saturating_add(wall.saturating_sub(now)), wall });
    let authorization = Authorization::granted(answer.principal_id, answer.context, expiry);
    Ok(Principal::new(Arc::new(authorization), None, false))
}

#[derive(Default)]
struct Answer {
    principal_id: Option<Box<str>>,
    context: Context,
    expires_at: Option<Duration>,
}

/// The answer of a Lambda authorizer. What the gateway added to the context is taken out of it, and so is what a
/// function of this crate did.
fn answered(mut context: Context, kind: EventKind, naming: &Naming) -> Result<Answer, Rejection> {
    let invalid = |detail: String| Rejection::with_detail(RejectionKind::InvalidResponse, detail);

    let told = match context.remove(PRINCIPAL_ID) {
        None | Some(ContextValue::Null) => None,
        Some(ContextValue::String(id)) => Some(id).filter(|id| !id.is_empty()),
        Some(_) => return Err(invalid(format!("`{PRINCIPAL_ID}` is not text"))),
    };
    if kind != EventKind::HttpRequestV2 {
        context.remove(INTEGRATION_LATENCY);
    }
    let expires_at = match context.remove(EXPIRES_AT) {
        None => None,
        Some(value) => Some(seconds(&value).ok_or_else(|| invalid(format!("`{EXPIRES_AT}` is not a time")))?),
    };
    let principal_id = match naming {
        Naming::Told | Naming::Optional => told.map(Into::into),
        Naming::From(key) if **key == *PRINCIPAL_ID => told.map(Into::into),
        Naming::From(key) => text(&context, key),
    };
    if principal_id.is_none() && !matches!(naming, Naming::Optional) {
        let detail = "the authorizer's answer names no principal where it is looked for: \
                      see `principal_from` and `without_principal`";
        return Err(invalid(detail.to_owned()));
    }
    Ok(Answer { principal_id, context, expires_at })
}

/// A token's claims. What is missing there is missing in what the client sent.
fn claimed(claims: Context, kind: EventKind, naming: &Naming) -> Result<Answer, Rejection> {
    let claim = match naming {
        Naming::Told | Naming::Optional => SUBJECT,
        Naming::From(claim) => claim,
    };
    let principal_id = text(&claims, claim);
    if principal_id.is_none() && !matches!(naming, Naming::Optional) {
        return Err(Rejection::with_detail(RejectionKind::Unauthorized, "the token names no principal"));
    }
    let expires_at = match claims.get(EXPIRATION) {
        None => None,
        Some(value) => {
            // A Cognito authorizer of a REST API prints it as a date.
            let date = value.as_str().filter(|_| kind == EventKind::RestRequest).and_then(claim_date::read);
            Some(date.or_else(|| seconds(value)).ok_or_else(|| {
                Rejection::with_detail(RejectionKind::InvalidResponse, "the claim `exp` is not a time")
            })?)
        }
    };
    Ok(Answer { principal_id, context: claims, expires_at })
}

fn collected(fields: Vec<(&str, &serde_json::Value)>) -> Context {
    sorted(fields.into_iter().map(|(name, value)| (name, ContextValue::from(value.clone()))))
}

/// The events come with their names in no order. Here they always have the same.
fn sorted<'n>(fields: impl Iterator<Item = (&'n str, ContextValue)>) -> Context {
    let mut entries: Vec<(Box<str>, ContextValue)> =
        fields.map(|(name, value)| (Box::from(name), value)).collect();
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Context::from_distinct(entries)
}

/// A value that may name somebody: text, or a number, which is text behind a REST API anyway.
fn text(context: &Context, name: &str) -> Option<Box<str>> {
    let text = match context.get(name)? {
        ContextValue::String(text) => text.clone(),
        ContextValue::Number(number) => number.to_string(),
        _ => return None,
    };
    if text.is_empty() { None } else { Some(text.into()) }
}

/// Seconds since the epoch, as a number or, as a REST API has it, as its text.
fn seconds(value: &ContextValue) -> Option<Duration> {
    let number = value.to_number()?;
    match number.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => Duration::try_from_secs_f64(number.as_f64()?).ok(),
    }
}

/// What a principal's id has to be wherever it comes from.
fn wrong_with(id: &str) -> Option<&'static str> {
    if id.len() > AuthorizerResponse::MAX_PRINCIPAL_ID {
        Some("the principal id is over 2 KiB")
    } else if id.chars().any(char::is_control) {
        Some("the principal id holds a control character")
    } else {
        None
    }
}
