//! Why a request was refused, as a text that holds no credential.
//!
//! What a [`Rejection`] says was written here. What its sources say may be the authorizer's, and an authorizer may say
//! `no user with the token …`. So whatever came with the request is struck out of it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST,
    USER_AGENT,
};
use http::{HeaderName, Request};

use crate::authorizer::discard;
use crate::middleware::advice;
use crate::middleware::gateway::Gateway;
use crate::middleware::rejection::Rejection;
use crate::policy::printable;
use crate::request::{decode_query, query_pairs};

/// The longest text of sources that is shown, in characters.
const MAX_SOURCES: usize = 512;
/// How much of it is searched for credentials, in bytes: the client chooses how many there are to look for.
const MAX_SEARCHED: usize = 4096;
/// How many credentials are searched for. A browser sends a few dozen cookies.
const MAX_SECRETS: usize = 256;
/// How many errors deep.
const MAX_DEPTH: usize = 8;
/// A text that is shorter is no credential, and would be found everywhere.
const MIN_SECRET: usize = 4;

/// Headers that hold no credentials, and words that an honest error may hold, too. They count if they are identity
/// sources.
const HARMLESS: [HeaderName; 8] =
    [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT];

/// What a rejection says, and what its sources say.
pub(super) fn reason<B>(rejection: &Rejection, of: Option<(&Gateway, &Request<B>)>) -> String {
    let mut text = rejection.to_string();
    if of.is_some_and(|(_, request)| advice::is_preflight(request, rejection.status())) {
        let _ = write!(text, "; {}", advice::PREFLIGHT);
    }
    // Errors are printed by code that is not ours.
    let sources = catch_unwind(AssertUnwindSafe(|| sources(rejection))).unwrap_or_else(|payload| {
        discard(payload);
        ": an error that does not print".to_owned()
    });
    if let (false, Some((gateway, request))) = (sources.is_empty(), of) {
        let mut struck = sources;
        match secrets(gateway, request) {
            Some(secrets) => secrets.iter().for_each(|secret| strike(&mut struck, secret)),
            None => struck = ": not shown, since too much came with the request".to_owned(),
        }
        text.push_str(&printable(&struck, MAX_SOURCES));
    }
    text
}

fn sources(rejection: &Rejection) -> String {
    let mut text = String::new();
    let mut next = rejection.source();
    for _ in 0..MAX_DEPTH {
        let Some(error) = next else { break };
        // An error that does not print is left out.
        let _ = write!(text, ": {error}");
        next = error.source();
    }
    if text.len() > MAX_SEARCHED {
        let end = (0..=MAX_SEARCHED).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
    }
    text
}

/// All that came with a request and may be a credential, the longest first: what is a part of another must not break it up
/// before that is struck out. `None` if there is too much of it.
fn secrets<'r, B>(gateway: &Gateway, request: &'r Request<B>) -> Option<Vec<Cow<'r, str>>> {
    let is_identity = |name| gateway.space.sources.iter().any(|source| source.header_name() == Some(name));
    let mut secrets: Vec<Cow<'_, str>> = Vec::new();
    for (name, value) in request.headers() {
        let Ok(value) = std::str::from_utf8(value.as_bytes()) else { continue };
        if HARMLESS.contains(name) && !is_identity(name) {
            continue;
        }
        secrets.push(value.trim().into());
        if *name == COOKIE {
            let values = value.split(';').filter_map(|pair| pair.split_once('='));
            secrets.extend(values.take(MAX_SECRETS).map(|(_, value)| value.trim().into()));
        } else if let Some((_, credential)) = value.split_once(' ') {
            secrets.push(credential.trim().into());
        }
    }
    for (_, value) in query_pairs(request.uri().query().unwrap_or_default()).take(MAX_SECRETS) {
        secrets.push(value.into());
        if let Some(Cow::Owned(decoded)) = decode_query(value) {
            secrets.push(decoded.into());
        }
    }
    if secrets.len() >= MAX_SECRETS {
        return None;
    }
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    Some(secrets)
}

/// Strikes out a text wherever it stands, and the beginning of it where the whole ends with that: it may have been cut.
fn strike(text: &mut String, secret: &str) {
    if secret.len() < MIN_SECRET {
        return;
    }
    if text.contains(secret) {
        *text = text.replace(secret, "…");
    }
    let beginnings = (MIN_SECRET..secret.len()).rev().filter_map(|length| secret.get(..length));
    let cut = beginnings.into_iter().find_map(|beginning| text.strip_suffix(beginning).map(str::len));
    if let Some(length) = cut {
        text.truncate(length);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::strike;

    #[test]
    fn a_secret_is_struck_out_whole_and_where_it_was_cut() {
        for (text, expected) in [
            ("no user with eyJhbGci.x", "no user with …"),
            ("eyJhbGci.x and eyJhbGci.x", "… and …"),
            ("no user with eyJhb", "no user with …"),
            ("nothing of it", "nothing of it"),
        ] {
            let mut struck = text.to_owned();
            strike(&mut struck, "eyJhbGci.x");
            assert_eq!(struck, expected);
        }
        let mut short = "no".to_owned();
        strike(&mut short, "no");
        assert_eq!(short, "no");
    }
}
