//! Whether a resource pattern and a route have a request in common.

/// One element of either side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Element {
    /// Any run of bytes.
    Any,
    Byte(u8),
    /// One byte.
    One,
    /// Any run of bytes without a slash.
    Segment,
}

/// A resource pattern; variables stand for anything.
pub(super) fn pattern(text: &str) -> Vec<Element> {
    let mut elements = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        elements.extend(before.bytes().map(element));
        elements.push(Element::Any);
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    elements.extend(rest.bytes().map(element));
    elements
}

/// A path template behind what stands in front of it.
pub(super) fn route(front: &str, template: &str) -> Vec<Element> {
    let mut elements: Vec<_> = front.bytes().map(Element::Byte).collect();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        elements.extend(before.bytes().map(Element::Byte));
        let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
        let many = name.ends_with('+') || name.starts_with('*');
        elements.push(if many { Element::Any } else { Element::Segment });
        rest = behind;
    }
    elements.extend(rest.bytes().map(Element::Byte));
    elements
}

/// Whether any text fits both: which pairs of places can be reached with the same text, row by row.
pub(super) fn overlaps(left: &[Element], right: &[Element]) -> bool {
    let mut row = vec![false; right.len() + 1];
    let mut above: Vec<bool>;
    for i in 0..=left.len() {
        above = std::mem::replace(&mut row, vec![false; right.len() + 1]);
        for j in 0..=right.len() {
            let reached =
                |row: &[bool], j: Option<usize>| j.and_then(|j| row.get(j)).copied().unwrap_or(false);
            let before_left = i.checked_sub(1).and_then(|i| left.get(i)).copied();
            let before_right = j.checked_sub(1).and_then(|j| right.get(j)).copied();
            let diagonal = reached(&above, j.checked_sub(1));
            let up = i > 0 && reached(&above, Some(j));
            let back = reached(&row, j.checked_sub(1));
            let value = (i == 0 && j == 0)
                || matches!((before_left, before_right), (Some(a), Some(b)) if diagonal && meet(a, b))
                || (up && skips(before_left, before_right))
                || (back && skips(before_right, before_left));
            if let Some(place) = row.get_mut(j) {
                *place = value;
            }
        }
    }
    row.last().copied().unwrap_or(false)
}

/// Whether one element can pass while the other side stays: it is a run that is empty or over, or the other is a run
/// that takes it.
fn skips(passing: Option<Element>, staying: Option<Element>) -> bool {
    match (passing, staying) {
        (Some(Element::Any | Element::Segment), _) => true,
        (Some(passing), Some(run @ (Element::Any | Element::Segment))) => meet(passing, run),
        _ => false,
    }
}

fn meet(left: Element, right: Element) -> bool {
    match (left, right) {
        (Element::Byte(left), Element::Byte(right)) => left == right,
        (Element::Byte(byte), Element::Segment) | (Element::Segment, Element::Byte(byte)) => byte != b'/',
        _ => true,
    }
}

fn element(byte: u8) -> Element {
    match byte {
        b'*' => Element::Any,
        b'?' => Element::One,
        byte => Element::Byte(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::{overlaps, pattern, route};

    #[test]
    fn what_both_can_mean_is_found() {
        for (resource, template, expected) in [
            ("GET/users/42", "/users/{id}", true),
            ("GET/users/42/x", "/users/{id}", false),
            ("GET/users/*", "/users/{id}/orders", true),
            ("GET/users/42/*", "/users/{id}/orders", true),
            ("GET/orders", "/users", false),
            ("*", "/users", true),
            ("*/users", "/users", true),
            ("POST/*", "/users", false),
            ("GET/files/a/b", "/files/{rest+}", true),
            ("GET/files/a/b", "/files/{rest}", false),
            ("GET/${aws:x}", "/users", true),
            ("GET/user?", "/users", true),
            ("GET/*a*", "/b/{x}", true),
            ("GET/*a", "/b", false),
        ] {
            assert_eq!(
                overlaps(&pattern(resource), &route("GET", template)),
                expected,
                "{resource} {template}"
            );
        }
    }
}
