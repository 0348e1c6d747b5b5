//! What policy variables stand for.

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

/// A condition value with everything put in its place. What was put there is literal.
pub(super) fn tokens<'p>(
    text: &'p str,
    context: &dyn ConditionContext,
) -> Result<Vec<Token>, Unresolved<'p>> {
    let mut tokens = Vec::with_capacity(text.len());
    walk(text, context, |part, literal| {
        tokens.extend(
            part.bytes().map(|byte| if literal { Token::Byte(byte) } else { Token::from_pattern(byte) }),
        );
    })?;
    Ok(tokens)
}

/// The same for operators without wildcards.
pub(super) fn text<'p>(text: &'p str, context: &dyn ConditionContext) -> Result<String, Unresolved<'p>> {
    let mut resolved = String::with_capacity(text.len());
    walk(text, context, |part, _| resolved.push_str(part))?;
    Ok(resolved)
}

/// The sixth field of a resource, `{api}/{stage}/{method}{path}`, in the spelling of ARNs.
pub(super) fn resource<'p>(sixth: &'p str, context: &dyn ConditionContext) -> Result<String, Unresolved<'p>> {
    spelled(sixth, false, context)
}

/// The same as it was written, but for what stands for something: that is in the spelling of ARNs.
pub(super) fn as_written<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
) -> Result<String, Unresolved<'p>> {
    let mut resolved = String::with_capacity(sixth.len() + 32);
    walk(sixth, context, |part, literal| match literal {
        true => push_literal(part, &mut resolved),
        false => resolved.push_str(part),
    })?;
    Ok(resolved)
}

/// The same behind a `*` that may run past colons: all of it may be a path.
pub(super) fn behind_star<'p>(
    sixth: &'p str,
    context: &dyn ConditionContext,
) -> Result<String, Unresolved<'p>> {
    spelled(sixth, true, context)
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
) -> Result<String, Unresolved<'p>> {
    let mut resolved = String::with_capacity(sixth.len() + 32);
    let mut slashes = 0_usize;
    walk(sixth, context, |part, literal| {
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
    Ok(resolved)
}

fn walk<'p>(
    text: &'p str,
    context: &dyn ConditionContext,
    mut push: impl FnMut(&str, bool),
) -> Result<(), Unresolved<'p>> {
    let mut unavailable = None;
    for piece in Pieces::new(text) {
        match piece {
            Ok(Piece::Text(part)) => push(part, false),
            Ok(Piece::Escaped(character)) => {
                let mut buffer = [0_u8; 4];
                push(character.encode_utf8(&mut buffer), true);
            }
            Ok(Piece::Variable { key, default }) => match value(key, default, context) {
                Ok(value) => push(&value, true),
                // Whatever the others stand for: the whole stands for nothing.
                Err(missing @ Unresolved::Missing(_)) => return Err(missing),
                Err(unknown @ Unresolved::Unavailable(_)) => unavailable = unavailable.or(Some(unknown)),
            },
            // Cannot be put right at this point: the text came from a policy of another version.
            Err(_) => return Err(Unresolved::Unavailable(text)),
        }
    }
    unavailable.map_or(Ok(()), Err)
}

fn value<'p>(
    name: &'p str,
    default: Option<&'p str>,
    context: &dyn ConditionContext,
) -> Result<String, Unresolved<'p>> {
    let key = ConditionKey::from(name);
    match context.value(&key) {
        ConditionValue::Unavailable => Err(Unresolved::Unavailable(name)),
        ConditionValue::Absent => default.map(str::to_owned).ok_or(Unresolved::Missing(name)),
        ConditionValue::Texts(ref texts) if texts.is_empty() => {
            default.map(str::to_owned).ok_or(Unresolved::Missing(name))
        }
        value => text_of(&key, &value).map(Cow::into_owned).ok_or(Unresolved::Missing(name)),
    }
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
            assert_eq!(resource(pattern, &NoContext).unwrap(), "abc/prod/GET/one", "{pattern}");
        }
    }
}
