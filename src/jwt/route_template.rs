//! Path templates: what they fit, and which of two a router takes; and the spellings of a path.

use crate::policy::{hex_value, is_reserved, is_unreserved};

/// A segment of a template. The order is the order of preference, the least first.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Segment {
    /// `{name+}`
    Rest,
    /// `{name}`
    One,
    Literal(Box<str>),
}

/// A template that ends in a slash, without it. Of the root nothing is left.
pub(super) fn without_slash(template: &[Segment]) -> Option<&[Segment]> {
    match template {
        [rest @ .., Segment::Literal(last)] if last.is_empty() => Some(rest),
        _ => None,
    }
}

/// A template without the slash or the rest that it ends in.
pub(super) fn without_end(template: &[Segment]) -> Option<&[Segment]> {
    match template {
        [shorter @ .., Segment::Rest] => Some(shorter),
        _ => without_slash(template),
    }
}

/// Whether the segments of a path fit a template. The root has one, which is empty.
pub(super) fn fits(template: &[Segment], path: &[&str]) -> bool {
    if template.is_empty() {
        return path == [""];
    }
    let mut ahead = path.iter();
    for segment in template {
        let found = ahead.next().copied();
        match segment {
            Segment::Rest => return found.is_some_and(|found| !found.is_empty()),
            Segment::One if found.is_some_and(|found| !found.is_empty()) => {}
            Segment::Literal(text) if found == Some(&**text) => {}
            Segment::One | Segment::Literal(_) => return false,
        }
    }
    ahead.next().is_none()
}

/// Whether a router that has both templates takes the first, or cannot tell them apart.
pub(super) fn goes_before(template: &[Segment], other: &[Segment]) -> bool {
    match template.iter().zip(other).find(|(one, other)| one != other) {
        None => template.len() == other.len(),
        // Two spellings: there is no saying which of them is routed.
        Some((Segment::Literal(_), Segment::Literal(_))) => false,
        Some((one, other)) => one > other,
    }
}

/// Whether a template is more specific than another somewhere, though perhaps not as a whole. Where a router has several levels,
/// as with nested services, each of the two may be taken.
pub(super) fn crosses(template: &[Segment], other: &[Segment]) -> bool {
    let weight = |segment: &Segment| match segment {
        Segment::Rest => 0,
        Segment::One => 1,
        Segment::Literal(_) => 2,
    };
    let other = other.iter().map(weight).chain(std::iter::repeat(0));
    template.iter().map(weight).zip(other).any(|(own, other)| own > other)
}

/// Reads a template; `None` if no path of an ARN fits it.
pub(super) fn read(template: &str) -> Option<Vec<Segment>> {
    let path = template.strip_prefix('/')?;
    let count = path.split('/').count();
    let segments = path.split('/').enumerate().map(|(index, text)| {
        let is_last = index + 1 == count;
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            let (name, segment) = match name.strip_suffix('+') {
                Some(name) => (name, Segment::Rest),
                None => (name, Segment::One),
            };
            let is_name = !name.is_empty() && !name.contains(['{', '}', '+']);
            return (is_name && (is_last || segment == Segment::One)).then_some(segment);
        }
        // The root is one empty segment, and a trailing slash is one at the end.
        let is_literal = (is_last || !text.is_empty()) && !matches!(text, "." | "..") && is_canonical(text);
        is_literal.then(|| Segment::Literal(text.into()))
    });
    segments.collect()
}

/// Whether a segment is in the one spelling that others are compared in: nothing is escaped that need not be, nor a slash.
fn is_canonical(text: &str) -> bool {
    let is_raw = |byte| is_unreserved(byte) || is_reserved(byte) || byte == b'/';
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => {
                let digits = (bytes.next().and_then(upper_hex), bytes.next().and_then(upper_hex));
                matches!(digits, (Some(high), Some(low)) if !is_raw(high * 16 + low))
            }
            byte => is_raw(byte),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

fn upper_hex(byte: u8) -> Option<u8> {
    hex_value(byte).filter(|_| !byte.is_ascii_lowercase())
}

/// The spelling that most others are taken for: nothing is escaped that need not be.
pub(super) fn spell(path: &str) -> String {
    let mut spelt = String::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let byte = match (byte, ahead.next().and_then(hex_value), ahead.next().and_then(hex_value)) {
            (b'%', Some(high), Some(low)) => {
                rest = ahead;
                high * 16 + low
            }
            (b'/', ..) => {
                spelt.push('/');
                continue;
            }
            _ => byte,
        };
        if is_unreserved(byte) || is_reserved(byte) {
            spelt.push(char::from(byte));
        } else {
            spelt.push_str(&format!("%{byte:02X}"));
        }
    }
    spelt
}

/// Whether all segments are there, and none stands for another.
pub(super) fn is_plain(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.is_empty()
        || path
            .strip_suffix('/')
            .unwrap_or(path)
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."))
}
