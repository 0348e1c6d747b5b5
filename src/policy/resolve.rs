//! What policy variables stand for.
//!
//! Values may be long, come from the client, and stand in a text as often as its author likes. But all that is no wildcard
//! takes its place in what the text is compared with: one that becomes longer than that fits nothing, and is not made.

use std::borrow::Cow;

use super::condition::text_of;
use super::context::{ConditionContext, ConditionKey, ConditionValue};
use super::glob::Token;
use super::spelling::{Wildcards, push_literal, push_spelled};
use super::variable::{Piece, Pieces};

/// Why a text with variables stands for nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unresolved<'p> {
    /// The key has no value that could be put in its place.
    Missing(&'p str),
    /// It may have one, but it is not known.
    Unavailable(&'p str),
}

impl<'p> Unresolved<'p> {
    pub(super) const fn key(self) -> &'p str {
        match self {
            Self::Missing(key) | Self::Unavailable(key) => key,
        }
    }
}

/// A text with everything in its place; `None` if it is longer than all that it could fit.
type Resolved<'p, T> = Result<Option<T>, Unresolved<'p>>;

/// A condition value with everything put in its place, to be compared with a text of `longest` bytes. What was put there
/// is literal.
pub(super) fn tokens<'p>(
    text: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, Vec<Token>> {
    let mut tokens = Vec::with_capacity(text.len());
    let fits = walk(text, context, longest, |part, literal| {
        tokens.extend(
            part.bytes().map(|byte| if literal { Token::Byte(byte) } else { Token::from_pattern(byte) }),
        );
    })?;
    Ok(fits.then_some(tokens))
}

/// The same for operators without wildcards.
pub(super) fn text<'p>(
    text: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, String> {
    let mut resolved = String::with_capacity(text.len());
    let fits = walk(text, context, longest, |part, _| resolved.push_str(part))?;
    Ok(fits.then_some(resolved))
}

/// The sixth field of a resource, `{api}/{stage}/{method}{path}`, in the spelling of ARNs, to be compared with a target of
/// `longest` bytes.
pub(super) fn resource<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, String> {
    spelled(sixth, false, context, longest)
}

/// The same as it was written, but for what stands for something: that is in the spelling of ARNs.
pub(super) fn as_written<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, String> {
    with_values(sixth, context, longest, push_literal)
}

/// The same with what stands for something as it is, but for its wildcards: it may complete an escape, or be one. It is
/// not yet in the spelling of ARNs.
pub(super) fn as_text<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, String> {
    // An escape may take three bytes, and one of what it is compared with.
    let text = with_values(sixth, context, longest.saturating_mul(3), |value, text| {
        for character in value.chars() {
            match character {
                '*' => text.push_str("%2A"),
                '?' => text.push_str("%3F"),
                _ => text.push(character),
            }
        }
    })?;
    Ok(text.filter(|text| least_length(text) <= longest))
}

fn with_values<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
    push_value: impl Fn(&str, &mut String),
) -> Resolved<'p, String> {
    let mut resolved = String::with_capacity(sixth.len() + 32);
    let fits = walk(sixth, context, longest, |part, literal| match literal {
        true => push_value(part, &mut resolved),
        false => resolved.push_str(part),
    })?;
    Ok(fits.then_some(resolved))
}

/// The same behind a `*` that may run past colons: all of it may be a path.
pub(super) fn behind_star<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, String> {
    spelled(sixth, true, context, longest)
}

/// The same, with wildcards for all that variables could stand for: in the spelling of ARNs, and as it was written.
pub(super) fn widest(sixth: &str) -> String {
    with_wildcards(sixth, |part, widest| push_spelled(part, Wildcards::Keep, widest))
}

pub(super) fn widest_as_written(sixth: &str) -> String {
    with_wildcards(sixth, |part, widest| widest.push_str(part))
}

fn with_wildcards(sixth: &str, push_text: impl Fn(&str, &mut String)) -> String {
    let mut widest = String::with_capacity(sixth.len());
    for piece in Pieces::new(sixth) {
        match piece {
            Ok(Piece::Text(part)) => push_text(part, &mut widest),
            Ok(Piece::Escaped(character)) => push_literal(character.encode_utf8(&mut [0_u8; 4]), &mut widest),
            Ok(Piece::Variable { .. }) | Err(_) => widest.push('*'),
        }
    }
    widest
}

fn spelled<'p>(
    sixth: &'p str,
    mut in_path: bool,
    context: &dyn ConditionContext,
    longest: usize,
) -> Resolved<'p, String> {
    let mut resolved = String::with_capacity(sixth.len() + 32);
    let mut slashes = 0_usize;
    let fits = walk(sixth, context, longest, |part, literal| {
        if literal {
            push_literal(part, &mut resolved);
            slashes += part.bytes().filter(|byte| *byte == b'/').count();
            in_path = in_path || slashes >= 3;
            return;
        }
        let mut fixed = 0_usize;
        for byte in part.bytes() {
            if in_path {
                break;
            }
            in_path = matches!(byte, b'*' | b'?');
            if !in_path {
                fixed += 1;
                slashes += usize::from(byte == b'/');
                in_path = slashes >= 3;
            }
        }
        let (before, path) = part.split_at_checked(fixed).unwrap_or((part, ""));
        resolved.push_str(before);
        push_spelled(path, Wildcards::Keep, &mut resolved);
    })?;
    Ok(fits.then_some(resolved))
}

/// Calls `push` with every part, until they are longer than what they are compared with. Whether they are not. Every
/// variable is looked at all the same: one without a value leaves the whole without one.
fn walk<'p>(
    text: &'p str,
    context: &dyn ConditionContext,
    longest: usize,
    mut push: impl FnMut(&str, bool),
) -> Result<bool, Unresolved<'p>> {
    let mut left = Some(longest);
    let mut take = |part: &str, literal: bool| {
        let least = if literal { part.len() } else { least_length(part) };
        left = left.and_then(|left| left.checked_sub(least));
        if left.is_some() {
            push(part, literal);
        }
    };
    let mut unavailable = None;
    for piece in Pieces::new(text) {
        match piece {
            Ok(Piece::Text(part)) => take(part, false),
            Ok(Piece::Escaped(character)) => take(character.encode_utf8(&mut [0_u8; 4]), true),
            Ok(Piece::Variable { key, default }) => {
                match with_value(key, default, context, |value| take(value, true)) {
                    Ok(()) => {}
                    // Whatever the others stand for: the whole stands for nothing.
                    Err(missing @ Unresolved::Missing(_)) => return Err(missing),
                    Err(unknown @ Unresolved::Unavailable(_)) => unavailable = unavailable.or(Some(unknown)),
                }
            }
            // Cannot be put right at this point: the text came from a policy of another version.
            Err(_) => return Err(Unresolved::Unavailable(text)),
        }
    }
    unavailable.map_or(Ok(left.is_some()), Err)
}

/// How many bytes a pattern takes at least of what it covers: a `*` none, an escape one.
fn least_length(pattern: &str) -> usize {
    let of = |wanted: u8| pattern.bytes().filter(|byte| *byte == wanted).count();
    pattern.len().saturating_sub(of(b'*') + 2 * of(b'%'))
}

fn with_value<'p>(
    name: &'p str,
    default: Option<&str>,
    context: &dyn ConditionContext,
    take: impl FnOnce(&str),
) -> Result<(), Unresolved<'p>> {
    let key = ConditionKey::from(name);
    let value = context.value(&key);
    let text = match &value {
        ConditionValue::Unavailable => return Err(Unresolved::Unavailable(name)),
        ConditionValue::Absent => default.map(Cow::Borrowed),
        ConditionValue::Texts(texts) if texts.is_empty() => default.map(Cow::Borrowed),
        value => text_of(&key, value),
    };
    take(&text.ok_or(Unresolved::Missing(name))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::context::NoContext;
    use super::resource;

    #[test]
    fn the_path_begins_behind_the_third_slash_whoever_wrote_it() {
        for pattern in [
            "abc/prod/GET/%6fne",
            "${x:no, 'abc/prod'}/GET/%6fne",
            "abc/${x:no, 'prod/GET'}/%6fne",
            "abc/prod/${x:no, 'GET/'}%6fne",
            "${x:no, 'abc/prod/GET/o'}%6ee",
        ] {
            assert_eq!(
                resource(pattern, &NoContext, 16).unwrap().as_deref(),
                Some("abc/prod/GET/one"),
                "{pattern}"
            );
        }
    }
}
