//! Wildcards that run past colons.
//!
//! Patterns are compared field by field. IAM's documentation says that a `*` which ends a field may also run past the
//! colon behind it, and nobody says what becomes of one in the middle. An `Allow` gains nothing from that. A `Deny`, and
//! what is excepted from an `Allow`, is compared as plain text too, so that it covers whatever it may cover on AWS.

use super::bind::Aliases;
use super::plan::{Origin, Plan, Scope};
use super::spelling::{Wildcards, decode_reserved, push_spelled};
use super::stage::StageArn;
use super::target::Spellings;

/// A pattern that can be left at more places than this says nothing that anybody meant: it covers everything.
const MOST: usize = 16;

/// Adds what a pattern covers in this stage when it is read as plain text, if a `*` stands before its sixth field.
pub(super) fn push(plan: &mut Plan, aliases: Aliases, origin: Origin, pattern: &str, stage: &StageArn) {
    let Some(star) = pattern.find('*') else { return };
    let Some((fixed, wild)) = pattern.split_at_checked(star) else { return };
    if fixed.bytes().filter(|byte| *byte == b':').count() >= 5 {
        return;
    }
    let mut spelled = fixed.to_owned();
    push_spelled(wild, Wildcards::Keep, &mut spelled);
    let mut push = |pattern: &str, spellings| {
        for rest in rests(pattern, stage.as_str()) {
            plan.push(origin, rest, Scope::Resource, spellings);
            if let Some(shorter) = rest.strip_suffix('/').filter(|_| aliases == Aliases::All) {
                plan.push(origin, shorter, Scope::Resource, spellings);
            }
        }
    };
    push(&spelled, Spellings::ALL);
    if spelled != pattern {
        push(pattern, Spellings::SENT);
    }
    if let Some(decoded) = decode_reserved(&spelled).filter(|_| aliases != Aliases::None) {
        push(&decoded, Spellings::ALL);
    }
}

/// The first five fields of a pattern, last colon included, and the sixth; `None` if no `*` stands before that.
pub(super) fn split(pattern: &str) -> Option<(&str, &str)> {
    let (colon, _) = pattern.match_indices(':').nth(4)?;
    let (fields, sixth) = pattern.split_at_checked(colon + 1)?;
    fields.contains('*').then_some((fields, sixth))
}

/// What may be left of a pattern once it has covered `prefix`: the places that can be reached, found by walking all of
/// them at once.
fn rests<'p>(pattern: &'p str, prefix: &str) -> Vec<&'p str> {
    let at = |place: usize| pattern.as_bytes().get(place).copied();
    let mut places = vec![0];
    skip_stars(&mut places, at);
    for wanted in prefix.bytes() {
        let mut next = Vec::with_capacity(places.len() + 1);
        for place in places {
            let to = match at(place) {
                Some(b'*') => place,
                Some(byte) if byte == wanted || byte == b'?' => place + 1,
                _ => continue,
            };
            if !next.contains(&to) {
                next.push(to);
            }
        }
        places = next;
        skip_stars(&mut places, at);
    }
    // What is left behind a star is covered by what is left from the star on.
    let behind_star = places.iter().find(|place| at(**place) == Some(b'*')).map(|star| star + 1);
    places.retain(|place| Some(*place) != behind_star);
    if places.len() > MOST {
        return vec!["*"];
    }
    places.into_iter().filter_map(|place| pattern.get(place..)).filter(|rest| !rest.is_empty()).collect()
}

/// From a star, the place behind it can be reached at once. Of several stars only the last counts: it covers what the
/// ones before it do.
fn skip_stars(places: &mut Vec<usize>, at: impl Fn(usize) -> Option<u8>) {
    let mut index = 0;
    while let Some(&place) = places.get(index) {
        if at(place) == Some(b'*') && !places.contains(&(place + 1)) {
            places.push(place + 1);
        }
        index += 1;
    }
    let last_star = places.iter().copied().filter(|place| at(*place) == Some(b'*')).max();
    if let Some(last_star) = last_star {
        places.retain(|place| *place >= last_star);
    }
}

#[cfg(test)]
mod tests {
    use super::rests;

    const PREFIX: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/";

    #[test]
    fn what_is_left_begins_behind_the_stage() {
        let rests = |pattern| {
            let mut rests = rests(pattern, PREFIX);
            rests.sort_unstable();
            rests
        };
        assert_eq!(rests("arn:aws:execute-api:*/prod/GET/x"), ["*/prod/GET/x", "GET/x", "prod/GET/x"]);
        assert_eq!(rests("arn:aws:execute-api:*:abc/prod/GET/*"), ["*:abc/prod/GET/*", "GET/*"]);
        assert_eq!(rests("arn:aws:execute-api:eu-*"), [""; 0]);
        assert_eq!(rests("arn:aws:*d/"), ["*d/"]);
        assert_eq!(rests("*"), ["*"]);
    }

    #[test]
    fn nobody_makes_a_long_list_of_a_short_pattern() {
        let wild = |count| format!("arn:*{}", "?".repeat(count));
        assert_eq!(rests(&wild(15), PREFIX).len(), 15);
        assert_eq!(rests(&wild(16), PREFIX), ["*"]);
        assert_eq!(rests(&wild(500), PREFIX), ["*"]);
    }
}
