//! The one spelling a path has in an ARN.

use std::borrow::Cow;

const UNRESERVED: u8 = 1;
const RESERVED: u8 = 2;
const SLASH: u8 = 4;
const WILDCARD: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [0_u8; 256];
    let mut byte = 0_u8;
    loop {
        let class = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => UNRESERVED,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'+' | b',' | b';' | b'=' | b':' | b'@' => RESERVED,
            b'/' => SLASH,
            b'*' | b'?' => WILDCARD,
            _ => 0,
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "a table of 256 has room for every byte; evaluated when compiled"
        )]
        {
            classes[byte as usize] = class;
        }
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// RFC 3986 unreserved: escaping these changes nothing but the look.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    class(byte) == UNRESERVED
}

/// The reserved characters that a path segment may hold raw, and that are raw in an ARN (`*` is not one).
pub(crate) fn is_reserved(byte: u8) -> bool {
    class(byte) == RESERVED
}

/// What stands for itself in a path: all of these, and the slash.
#[inline]
pub(crate) fn stands_for_itself(byte: u8) -> bool {
    class(byte) & (UNRESERVED | RESERVED | SLASH) != 0
}

/// What happens to `*` and `?`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wildcards {
    /// Both mean something: the text is a pattern.
    Keep,
    /// Only `*` means something: the text is a template.
    KeepStar,
    /// Neither: the text is the path of a request.
    Escape,
}

/// Whether `text` is in the ARN's spelling already, wildcards included.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| class(byte) != 0)
}

/// Appends `text` in the ARN's spelling: escapes in upper case, escaped unreserved characters decoded,
/// everything that is no `pchar` encoded. A `%` whose escape holds a wildcard is left as it is.
pub(super) fn push_spelled(text: &str, wildcards: Wildcards, out: &mut String) {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut ahead = bytes.clone();
            let pair = (ahead.next(), ahead.next());
            if let (Some(high), Some(low)) = pair
                && let (Some(high), Some(low)) = (hex_value(high), hex_value(low))
            {
                bytes = ahead;
                push_escape_or_unreserved(high * 16 + low, out);
            } else if wildcards != Wildcards::Escape && may_become_escape(pair) {
                out.push('%');
                if let Some(digit) = pair.0.filter(u8::is_ascii_hexdigit) {
                    out.push(char::from(digit.to_ascii_uppercase()));
                    bytes.next();
                }
            } else {
                push_escape(byte, out);
            }
            continue;
        }
        let keep = match class(byte) {
            0 => false,
            WILDCARD => wildcards == Wildcards::Keep || (wildcards == Wildcards::KeepStar && byte == b'*'),
            _ => true,
        };
        if keep {
            out.push(char::from(byte));
        } else {
            push_escape(byte, out);
        }
    }
}

/// Appends `value` as one segment: nothing in it can end the segment, be a wildcard or be an escape.
pub(super) fn push_segment(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if class(byte) & (UNRESERVED | RESERVED) == 0 {
            push_escape(byte, out);
        } else {
            out.push(char::from(byte));
        }
    }
}

/// Appends `value` as data: like [`push_segment`], but a slash stays one.
pub(super) fn push_literal(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if class(byte) & (UNRESERVED | RESERVED | SLASH) == 0 {
            push_escape(byte, out);
        } else {
            out.push(char::from(byte));
        }
    }
}

/// The text with the escapes of reserved characters decoded, or `None` when it holds none.
pub(super) fn decode_reserved(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let mut ahead = after.bytes();
        let decoded = match (ahead.next().and_then(hex_value), ahead.next().and_then(hex_value)) {
            (Some(high), Some(low)) => Some(high * 16 + low).filter(|byte| class(*byte) == RESERVED),
            _ => None,
        };
        if let (Some(byte), Some(behind)) = (decoded, after.get(2..)) {
            out.push(char::from(byte));
            changed = true;
            rest = behind;
        } else {
            out.push('%');
            rest = after;
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// Where the first `%` stands that does not begin an escape.
pub(super) fn malformed_escape(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (_, from) = rest.split_at_checked(at)?;
        let mut ahead = from.bytes().skip(1);
        let digits = (ahead.next().and_then(hex_value), ahead.next().and_then(hex_value));
        match (digits, from.get(3..)) {
            ((Some(_), Some(_)), Some(behind)) => rest = behind,
            _ => return Some(from),
        }
    }
    None
}

fn may_become_escape(pair: (Option<u8>, Option<u8>)) -> bool {
    let wild = |byte: u8| class(byte) == WILDCARD;
    match pair {
        (Some(first), _) if wild(first) => true,
        (Some(first), Some(second)) => first.is_ascii_hexdigit() && wild(second),
        _ => false,
    }
}

fn push_escape_or_unreserved(byte: u8, out: &mut String) {
    if class(byte) == UNRESERVED {
        out.push(char::from(byte));
    } else {
        push_escape(byte, out);
    }
}

pub(crate) fn push_escape(byte: u8, out: &mut String) {
    out.push('%');
    out.push(hex_digit(byte >> 4));
    out.push(hex_digit(byte & 15));
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

pub(crate) fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// So many segments of one path may hold an escaped slash: each of them may be data, or not.
pub(crate) const MAX_SLASHED: usize = 3;

/// What a path is to those who take `%2F` for a slash. Which do is not known here, nor where: a parameter before the rest of a path
/// is one segment all the same. So there is a reading for each choice of the segments that hold one, and next to it the same with
/// single slashes. `None`: there are too many.
pub(crate) fn slash_readings(path: &str) -> Option<Vec<String>> {
    let segments: Vec<&str> = path.split('/').collect();
    let is_slashed = |segment: &&str| segment.contains("%2F") || segment.contains("%2f");
    let count = segments.iter().filter(|segment| is_slashed(segment)).count();
    if count > MAX_SLASHED {
        return None;
    }
    let reading = |choice: u32| {
        let mut left = choice;
        let segments = segments.iter().map(|segment| {
            if !is_slashed(segment) {
                return Cow::Borrowed(*segment);
            }
            let is_chosen = left & 1 == 1;
            left >>= 1;
            if is_chosen {
                Cow::Owned(segment.replace("%2F", "/").replace("%2f", "/"))
            } else {
                Cow::Borrowed(*segment)
            }
        });
        segments.collect::<Vec<_>>().join("/")
    };
    let slashed = (1..1 << count).map(reading);
    Some(slashed.flat_map(|slashed| [with_single_slashes(&slashed), slashed]).collect())
}

/// The path as it is to whoever takes slashes side by side for one.
fn with_single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::{Wildcards, decode_reserved, malformed_escape, push_segment, push_spelled};

    fn spelled(text: &str) -> String {
        let mut out = String::new();
        push_spelled(text, Wildcards::Keep, &mut out);
        out
    }

    #[test]
    fn a_pattern_is_brought_to_the_spelling_of_the_arn() {
        assert_eq!(spelled("/a b/%2e%7e/%2f%3a/{x}/é*?"), "/a%20b/.~/%2F%3A/%7Bx%7D/%C3%A9*?");
        assert_eq!(spelled("/100%"), "/100%25");
        assert_eq!(spelled("/%zz"), "/%25zz");
    }

    #[test]
    fn an_escape_that_a_wildcard_completes_stays_open() {
        assert_eq!(spelled("/a%*"), "/a%*");
        assert_eq!(spelled("/a%?0"), "/a%?0");
        assert_eq!(spelled("/a%c*"), "/a%C*");
    }

    #[test]
    fn a_value_is_one_segment() {
        let mut out = String::new();
        push_segment("a/*?%{}:@é", &mut out);
        assert_eq!(out, "a%2F%2A%3F%25%7B%7D:@%C3%A9");
    }

    #[test]
    fn only_reserved_characters_are_decoded() {
        assert_eq!(decode_reserved("/a%40b%2Fc%3A%20%"), Some("/a@b%2Fc:%20%".to_owned()));
        assert_eq!(decode_reserved("/a%2Fb"), None);
    }

    #[test]
    fn malformed_escapes_are_found() {
        assert_eq!(malformed_escape("/a%20b"), None);
        assert_eq!(malformed_escape("/a%20%2"), Some("%2"));
        assert_eq!(malformed_escape("/%zé"), Some("%zé"));
    }
}
