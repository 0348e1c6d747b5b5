//! Why a request was refused, as a text that holds no credential.
//!
//! What a [`Rejection`] says was written here. What its sources say may be the authorizer's, and an authorizer may say
//! `no user with the token …`. So whatever came with the request is struck out of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, NO_PAD};
use base64::{Engine, alphabet};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT,
};
use http::{HeaderName, Request};
use percent_encoding::percent_decode_str;

use super::reading::{Reading, readings, without_backslashes};
use crate::authorizer::discard;
use crate::middleware::advice;
use crate::middleware::gateway::Gateway;
use crate::middleware::rejection::Rejection;
use crate::policy::printable;
use crate::request::{decode_query, query_pairs, sent_path};

/// The longest text of sources that is shown, in characters.
const MAX_SOURCES: usize = 512;
/// How much of it is searched for credentials, in bytes.
const MAX_SEARCHED: usize = 4096;
/// How much may have come with the request, in bytes: the client chooses what there is to look for.
const MAX_CAME: usize = 16 * 1024;
/// How many errors deep.
const MAX_DEPTH: usize = 8;
/// So many bytes in a row that came with the request are a part of a credential.
const COMMON: usize = 12;
/// A part of a value that is shorter, from one separator to the next, is a word like any other.
const MIN_PART: usize = 8;
/// A value that is shorter is no credential, and would be found everywhere.
const MIN_VALUE: usize = 4;

/// Base64 that is shorter holds no credential.
const MIN_ENCODED: usize = 6;

/// Headers that hold no credentials, and words that an honest error may hold, too. They count if they are identity
/// sources.
const HARMLESS: [HeaderName; 8] =
    [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT];

/// Pieces of a text, under a hash that is quick: there is one for each byte that came with a request.
type Windows<'t> = HashSet<&'t [u8], foldhash::quality::RandomState>;

/// What a rejection says, and what its sources say.
pub(super) fn reason<B>(rejection: &Rejection, of: Option<(&Gateway, &Request<B>)>) -> String {
    let mut text = rejection.to_string();
    // Errors are printed by code that is not ours.
    let sources = catch_unwind(AssertUnwindSafe(|| sources(rejection))).unwrap_or_else(|payload| {
        discard(payload);
        ": an error that does not print".to_owned()
    });
    if let (false, Some((gateway, request))) = (sources.is_empty(), of) {
        let struck = match came_with(gateway, request) {
            Some(values) => strike(&sources, &values),
            None => ": not shown, since too much came with the request".to_owned(),
        };
        text.push_str(&printable(&struck, MAX_SOURCES));
    }
    if of.is_some_and(|(_, request)| advice::is_preflight(request, rejection.status())) {
        let _ = write!(text, "; {}", advice::PREFLIGHT);
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

/// All that came with a request and may be a credential, or hold one, as it was sent and decoded. `None` if there is too much
/// of it.
fn came_with<'r, B>(gateway: &Gateway, request: &'r Request<B>) -> Option<Vec<Cow<'r, str>>> {
    let is_identity = |name| gateway.space.sources.iter().any(|source| source.header_name() == Some(name));
    let headers = request.headers().iter();
    let headers = headers.filter(|(name, _)| !HARMLESS.contains(name) || is_identity(name));
    let headers = headers.map(|(_, value)| value.as_bytes());
    // Routers cut the path, and have it in one spelling. The authorizer has been told all of it.
    let (uri, extensions) = (request.uri(), request.extensions());
    let whole = gateway.locate(request).ok().map(|located| located.path).filter(|path| *path != uri.path());
    let target = [Some(uri.path()), whole, sent_path(extensions), uri.query()];
    let target = target.into_iter().flatten().map(str::as_bytes);
    let mut values = Vec::new();
    let mut bytes = 0_usize;
    for sent in headers.chain(target) {
        bytes += sent.len();
        if bytes > MAX_CAME {
            return None;
        }
        for value in texts(sent) {
            let spaced = value.replace('+', " ");
            for decoded in [&*value, &spaced].map(|text| Cow::from(percent_decode_str(text))) {
                let others = texts(&decoded).filter(|other| *other != value);
                values.extend(others.map(|other| Cow::Owned(other.into_owned())));
            }
            values.push(value);
        }
    }
    // Whole, whatever separators are in them.
    let parameters = query_pairs(request.uri().query().unwrap_or_default());
    let parameters = parameters.map(|(_, value)| value);
    let cookies =
        request.headers().get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let named = parameters.chain(cookies.map(|(_, value)| value.trim()));
    values.extend(named.flat_map(|value| [Some(value.into()), decode_query(value)]).flatten());
    let encoded = values.iter().flat_map(|value| encoded(value)).filter_map(decode_base64);
    let encoded: HashSet<Vec<u8>> = encoded.collect();
    for text in encoded.iter().flat_map(|bytes| texts(bytes)) {
        // SASL has NULs between its parts.
        for part in text.split(char::is_control) {
            // Of `name:password` the name is no secret.
            values.extend(part.split_once(':').map(|(_, password)| password.to_owned().into()));
            values.push(part.to_owned().into());
        }
        values.push(text.into_owned().into());
    }
    // Between quotes, in cookies, and in the JSON of tokens.
    let plain: Vec<_> =
        values.iter().filter(|value| value.contains('\\')).map(|value| without_backslashes(value)).collect();
    values.extend(plain.into_iter().map(Cow::Owned));
    Some(values)
}

/// What may be Base64 in a value: what stands between separators, or behind a name, and each part of a token.
fn encoded(value: &str) -> impl Iterator<Item = &str> {
    let words = value.split(|c: char| matches!(c, ';' | ',' | '&' | '"') || c.is_whitespace());
    let words = words.map(|word| word.trim_end_matches('='));
    let words = words.flat_map(|word| [Some(word), word.split_once('=').map(|(_, value)| value)]).flatten();
    let parts = words.flat_map(|word| {
        let last = word.rsplit_once('/').map(|(_, last)| last);
        std::iter::once(word).chain(last).flat_map(|word| word.split('.'))
    });
    parts.filter(|part| part.len() >= MIN_ENCODED)
}

/// What bytes are as text: in UTF-8 and, where that makes a difference, byte by byte in ISO 8859-1, as events have headers.
fn texts(bytes: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    let latin = (!bytes.is_ascii()).then(|| bytes.iter().copied().map(char::from).collect::<String>());
    std::iter::once(String::from_utf8_lossy(bytes)).chain(latin.map(Cow::Owned))
}

/// As leniently as whoever read the credential.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Replaces what a text has in common with values, in whatever way the text is read: whole values and parts of them,
/// `COMMON` bytes in a row, and the beginning of a value or part at the end of the text, where it may have been cut.
fn strike(text: &str, values: &[Cow<'_, str>]) -> String {
    let readings = readings(text);
    // What came with the request is gone through once, however the text may be read.
    let wanted: Windows<'_> = readings.iter().flat_map(|reading| reading.bytes.windows(COMMON)).collect();
    let in_common = values.iter().flat_map(|value| value.as_bytes().windows(COMMON));
    let in_common: Windows<'_> = in_common.filter(|window| wanted.contains(window)).collect();
    let secrets = secrets(values);
    // Longer ones are among those.
    let short = secrets.iter().map(|(secret, _)| secret.as_bytes()).filter(|secret| secret.len() < COMMON);
    let short: Windows<'_> = short.collect();
    let ends = readings.iter().map(|reading| last(&reading.bytes, COMMON - 1));
    let ends: Windows<'_> = ends.flat_map(|end| end.windows(MIN_VALUE)).collect();
    let is_begun = |(secret, _): &&(&str, usize)| {
        secret.as_bytes().get(..MIN_VALUE).is_some_and(|beginning| ends.contains(beginning))
    };
    let begun: Vec<_> = secrets.iter().filter(is_begun).collect();

    let mut struck = vec![false; text.len()];
    for Reading { bytes, places } in &readings {
        let mut mark = |at: usize, length: usize| {
            for &(start, end) in places.get(at..at + length).unwrap_or_default() {
                if let Some(range) = struck.get_mut(start..end) {
                    range.fill(true);
                }
            }
        };
        let lengths = (MIN_VALUE..COMMON).filter(|_| !short.is_empty()).map(|length| (length, &short));
        for (length, found) in lengths.chain([(COMMON, &in_common)]) {
            for (at, window) in bytes.windows(length).enumerate() {
                if found.contains(window) {
                    mark(at, length);
                }
            }
        }
        for (secret, least) in &begun {
            let secret = secret.as_bytes();
            let beginnings =
                (*least..COMMON.min(secret.len())).rev().filter_map(|length| secret.get(..length));
            if let Some(cut) = beginnings.into_iter().find(|beginning| bytes.ends_with(beginning)) {
                mark(bytes.len() - cut.len(), cut.len());
            }
        }
    }
    // Spaces at the ends of what is struck out stay.
    let (mut shown, mut spaces) = (String::with_capacity(text.len()), String::new());
    let mut is_inside = false;
    for (at, character) in text.char_indices() {
        let is_struck = struck.get(at..at + character.len_utf8()).is_none_or(|bytes| bytes.contains(&true));
        if is_struck && character.is_whitespace() {
            spaces.push(character);
        } else if is_struck && is_inside {
            spaces.clear();
        } else {
            shown.push_str(&spaces);
            spaces.clear();
            shown.push(if is_struck { '…' } else { character });
            is_inside = is_struck;
        }
    }
    shown + &spaces
}

/// Values, and parts of them, that are found also where they are short, with the least of them that counts.
type Secrets<'v> = HashSet<(&'v str, usize), foldhash::quality::RandomState>;

fn secrets<'v>(values: &'v [Cow<'_, str>]) -> Secrets<'v> {
    let is_separator =
        |c: char| matches!(c, ',' | ';' | '=' | '&' | '/' | '"' | ':' | '\u{FFFD}') || c.is_whitespace();
    let whole = values.iter().map(|value| (value.trim(), MIN_VALUE));
    // What stands behind an equals sign is a value: that of a cookie, or of a parameter.
    let named =
        values.iter().flat_map(|value| value.split([';', '&', ',']).filter_map(|pair| pair.split_once('=')));
    // And behind the first space, a credential: the scheme is before it.
    let behind = values.iter().flat_map(|value| [value.split_once(' '), value.split_once('=')]).flatten();
    let named = named.chain(behind).map(|(_, value)| value).chain(values.iter().map(|value| &**value));
    let named = named.map(|value| (value.trim().trim_matches('"'), MIN_VALUE));
    let parts = values.iter().flat_map(|value| value.split(is_separator)).map(|part| (part, MIN_PART));
    whole.chain(named).chain(parts).filter(|(secret, least)| secret.len() >= *least).collect()
}

fn last(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(count)..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::strike;

    #[test]
    fn a_value_is_struck_out_whole_in_part_and_where_it_was_cut() {
        let values = [
            "eyJhbGci.x".into(),
            "session=\"s:cookie\"; a=b-long-value-in-the-middle".into(),
            "Bearer k-17".into(),
            "no".into(),
        ];
        for (text, expected) in [
            ("no user with eyJhbGci.x", "no user with …"),
            ("eyJhbGci.x and eyJhbGci.x", "… and …"),
            ("no user with eyJhb", "no user with …"),
            ("s:cookie is none", "… is none"),
            ("there is no k-17", "there is no …"),
            ("no long-value-in-t of ours", "no … of ours"),
            ("é long-value-in-t é", "é … é"),
            ("nothing of it", "nothing of it"),
            ("no user with eyJhbGci%2ex", "no user with …"),
            ("no eyJ\\u0068bGci.x here", "no … here"),
            ("what ends with eyJh%62", "what ends with …"),
        ] {
            assert_eq!(strike(text, &values), expected);
        }
    }
}
