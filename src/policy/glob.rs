//! Text with `*` and `?`, matched without recursion and, but for giant texts in conditions, without allocation.

use super::segments;

/// Steps the simple matcher may take for each byte of the input before the other one takes over.
const PATIENCE: usize = 2;

/// The longest segment with `?` that is searched for without allocation.
const LONGEST_IN_WORDS: usize = 512;

/// Whether `pattern` covers the whole of `text`: `*` is any run of bytes, `?` one byte.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let budget = (pattern.len() + text.len()) * PATIENCE;
    let mut steps = 0_usize;
    let (mut at_pattern, mut at_text) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                at_pattern += 1;
                star = Some((at_pattern, at_text));
            }
            Some(&wanted) if wanted == byte || wanted == b'?' => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((behind_star, tried)) = star else { return false };
                at_pattern = behind_star;
                at_text = tried + 1;
                star = Some((behind_star, at_text));
            }
        }
        steps += 1;
        if steps > budget {
            return matches_by_segment(pattern, text);
        }
    }
    pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// The same for a pattern that begins and ends with `*` and has no `?`.
pub(super) fn matches_stars(pattern: &[u8], text: &[u8]) -> bool {
    let mut rest = text;
    for segment in pattern.split(|byte| *byte == b'*') {
        let Some(behind) = behind_first(segment, rest) else { return false };
        rest = behind;
    }
    true
}

/// Whether the segment is anywhere in the text.
#[inline]
pub(super) fn contains(segment: &[u8], text: &[u8]) -> bool {
    behind_first(segment, text).is_some()
}

/// What follows the first place in the text where the segment is.
#[inline]
fn behind_first<'t>(segment: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    let Some((first, others)) = segment.split_first() else { return Some(text) };
    let mut rest = text;
    loop {
        let at = rest.iter().position(|byte| byte == first)?;
        rest = rest.get(at + 1..)?;
        if let Some(behind) = rest.strip_prefix(others) {
            return Some(behind);
        }
    }
}

/// The same for a text that comes in parts.
pub(super) fn matches_parts(pattern: &[u8], parts: [&str; 3]) -> bool {
    const ROOM: usize = 2048;
    let mut buffer = [0_u8; ROOM];
    let mut used = 0_usize;
    for part in parts {
        let Some(place) = buffer.get_mut(used..used + part.len()) else {
            return matches(pattern, parts.concat().as_bytes());
        };
        place.copy_from_slice(part.as_bytes());
        used += part.len();
    }
    matches(pattern, buffer.get(..used).unwrap_or_default())
}

/// The same without case, for the names of actions.
pub(super) fn matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    let covers = walk(
        pattern,
        text,
        usize::MAX,
        |wanted| *wanted == b'*',
        |wanted, rest| match rest.first() {
            Some(byte) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => 1,
            _ => 0,
        },
    );
    covers.unwrap_or_default()
}

/// One element of a pattern in which a wildcard can also be meant literally.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token {
    Byte(u8),
    One,
    Star,
}

impl Token {
    /// A byte of a pattern in which nothing is meant literally.
    pub(super) const fn from_pattern(byte: u8) -> Self {
        match byte {
            b'*' => Self::Star,
            b'?' => Self::One,
            _ => Self::Byte(byte),
        }
    }
}

/// Whether a pattern covers the whole of a text in UTF-8; [`Token::One`] is one character.
pub(super) fn matches_tokens(pattern: &[Token], text: &str) -> bool {
    let covers = walk(
        pattern,
        text.as_bytes(),
        (pattern.len() + text.len()) * PATIENCE,
        |token| *token == Token::Star,
        |token, rest| match (token, rest.first()) {
            (Token::Byte(wanted), Some(byte)) if wanted == byte => 1,
            (Token::One, Some(byte)) => character_length(*byte),
            _ => 0,
        },
    );
    covers.unwrap_or_else(|| segments::matches(pattern, text))
}

/// The same for a pattern in which nothing is meant literally.
pub(super) fn matches_text(pattern: &str, text: &str) -> bool {
    if pattern.len() <= LONGEST_IN_WORDS && pattern.is_ascii() && text.is_ascii() {
        return matches(pattern.as_bytes(), text.as_bytes());
    }
    let covers = walk(
        pattern.as_bytes(),
        text.as_bytes(),
        (pattern.len() + text.len()) * PATIENCE,
        |wanted| *wanted == b'*',
        |wanted, rest| match rest.first() {
            Some(byte) if *wanted == b'?' => character_length(*byte),
            Some(byte) if wanted == byte => 1,
            _ => 0,
        },
    );
    covers.unwrap_or_else(|| {
        let tokens: Vec<_> = pattern.bytes().map(Token::from_pattern).collect();
        segments::matches(&tokens, text)
    })
}

/// How many bytes the character has that begins with this one; 0 when none begins with it.
pub(super) const fn character_length(first: u8) -> usize {
    match first {
        0..=0x7F => 1,
        0x80..=0xBF => 0,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
    }
}

/// The matcher with last-star memory over any kind of pattern. `fits` says how many bytes an element covers at the
/// start of the text, 0 for none. Gives up after so many steps.
fn walk<P>(
    pattern: &[P],
    text: &[u8],
    budget: usize,
    is_star: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &[u8]) -> usize,
) -> Option<bool> {
    let mut steps = 0_usize;
    let (mut at_pattern, mut at_text) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(rest) = text.get(at_text..).filter(|rest| !rest.is_empty()) {
        steps += 1;
        if steps > budget {
            return None;
        }
        let element = pattern.get(at_pattern);
        if element.is_some_and(&is_star) {
            at_pattern += 1;
            star = Some((at_pattern, at_text));
            continue;
        }
        let covered = element.map_or(0, |element| fits(element, rest));
        if covered > 0 {
            at_pattern += 1;
            at_text += covered;
        } else {
            let Some((behind_star, tried)) = star else { return Some(false) };
            at_pattern = behind_star;
            at_text = tried + 1;
            star = Some((behind_star, at_text));
        }
    }
    Some(pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(is_star)))
}

/// The same answer for hostile input: the ends are compared in place, what stands between two stars is
/// searched for with the linear search of the standard library.
#[cold]
fn matches_by_segment(pattern: &[u8], text: &[u8]) -> bool {
    let mut segments = pattern.split(|byte| *byte == b'*');
    let Some(first) = segments.next() else { return text.is_empty() };
    let Some(last) = segments.next_back() else { return equals(first, text) };
    let Some((head, rest)) = text.split_at_checked(first.len()) else { return false };
    let Some((mut middle, tail)) =
        rest.len().checked_sub(last.len()).and_then(|at| rest.split_at_checked(at))
    else {
        return false;
    };
    if !equals(first, head) || !equals(last, tail) {
        return false;
    }
    for segment in segments {
        let Some(behind) = find(segment, middle).and_then(|at| middle.get(at + segment.len()..)) else {
            return false;
        };
        middle = behind;
    }
    true
}

fn equals(segment: &[u8], text: &[u8]) -> bool {
    segment.len() == text.len()
        && segment.iter().zip(text).all(|(wanted, byte)| *wanted == b'?' || wanted == byte)
}

fn find(segment: &[u8], text: &[u8]) -> Option<usize> {
    if segment.is_empty() {
        return Some(0);
    }
    if !segment.contains(&b'?')
        && let (Ok(needle), Ok(haystack)) = (std::str::from_utf8(segment), std::str::from_utf8(text))
    {
        return haystack.find(needle);
    }
    find_with_wildcards(segment, text)
}

/// Where a segment with `?` begins.
fn find_with_wildcards(segment: &[u8], text: &[u8]) -> Option<usize> {
    const WORDS: usize = LONGEST_IN_WORDS / 64;
    if segment.len() > text.len() {
        return None;
    }
    match segment.len() {
        0..=64 => find_by_places(segment, text, &mut [0; 257], &mut [0; 1]),
        65..=LONGEST_IN_WORDS => find_by_places(segment, text, &mut [0; WORDS * 257], &mut [0; WORDS]),
        // A variable may have made it long.
        length => {
            let words = length.div_ceil(64);
            find_by_places(segment, text, &mut vec![0; words * 257], &mut vec![0; words])
        }
    }
}

/// Every place of the segment is a bit, and all of them move on with each byte. `fitting` has a row of words for each byte,
/// and one more for `?`; all is zero.
#[inline(always)]
fn find_by_places(segment: &[u8], text: &[u8], fitting: &mut [u64], reached: &mut [u64]) -> Option<usize> {
    const ANY: usize = 256;
    let words = reached.len();
    for (place, wanted) in segment.iter().enumerate() {
        let row = if *wanted == b'?' { ANY } else { usize::from(*wanted) };
        *fitting.get_mut(row * words + place / 64)? |= 1 << (place % 64);
    }
    let row = |row: usize| fitting.get(row * words..(row + 1) * words);
    let wild = row(ANY)?;
    let last = segment.len().checked_sub(1)?;
    for (at, byte) in text.iter().enumerate() {
        let mut carried = 1;
        for ((word, fits), wild) in reached.iter_mut().zip(row(usize::from(*byte))?).zip(wild) {
            let next = *word >> 63;
            *word = (*word << 1 | carried) & (fits | wild);
            carried = next;
        }
        if reached.get(last / 64).is_some_and(|word| word >> (last % 64) & 1 == 1) {
            return at.checked_sub(last);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{
        find_with_wildcards, matches, matches_by_segment, matches_ignoring_case, matches_stars, matches_text,
    };

    #[test]
    fn wildcards_mean_what_iam_says() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*b*", "abc", true),
            ("?b?", "abc", true),
            ("??", "é", true),
            ("a**b", "ab", true),
            ("*.jpg", "a/b.jpg", true),
            ("*?", "a", true),
            ("*??", "a", false),
            ("[a]", "a", false),
            ("a.b", "axb", false),
            ("a*b*c", "a1c2b3c", true),
            ("a*b*b", "ab", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
            assert_eq!(matches_by_segment(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn both_matchers_agree_on_every_short_input() {
        let alphabet = [b'a', b'b', b'*', b'?'];
        let words = |letters: &[u8], up_to: usize| {
            let mut all = vec![Vec::new()];
            let mut last = all.clone();
            for _ in 0..up_to {
                last = last
                    .iter()
                    .flat_map(|word: &Vec<u8>| letters.iter().map(|l| [word.as_slice(), &[*l]].concat()))
                    .collect();
                all.extend(last.iter().cloned());
            }
            all
        };
        for pattern in words(&alphabet, 4) {
            let inner = [b"*", pattern.as_slice(), b"*"].concat();
            for text in words(&alphabet[..2], 4) {
                assert_eq!(matches(&pattern, &text), matches_by_segment(&pattern, &text));
                if !pattern.contains(&b'?') {
                    assert_eq!(matches(&inner, &text), matches_stars(&inner, &text));
                }
            }
        }
    }

    #[test]
    fn actions_ignore_case() {
        assert!(matches_ignoring_case(b"EXECUTE-API:inv*", b"execute-api:Invoke"));
        assert!(!matches_ignoring_case(b"execute-api:Manage*", b"execute-api:Invoke"));
    }

    #[test]
    fn a_character_counts_once_in_conditions() {
        assert!(matches_text("caf?", "café"));
        assert!(!matches_text("caf??", "café"));
        assert!(matches_text("*é?", "aéé"));
        assert!(!matches_text("?", ""));
    }

    #[test]
    fn long_segments_are_found_where_they_are() {
        for front in [0, 1, 63, 64, 65, 200, 439, 440, 441, 600, 1_500] {
            let segment = format!("{}?b{}", "a".repeat(front), "c".repeat(70));
            let text = format!("{}zb{}", "a".repeat(front + 9), "c".repeat(80));
            assert_eq!(find_with_wildcards(segment.as_bytes(), text.as_bytes()), Some(9), "{front}");
            let other = text.replace('b', "d");
            assert_eq!(find_with_wildcards(segment.as_bytes(), other.as_bytes()), None, "{front}");
            assert_eq!(find_with_wildcards(segment.as_bytes(), b"aab"), None, "{front}");
        }
    }

    #[test]
    fn hostile_patterns_take_no_time() {
        let text = "a".repeat(1600);
        let stars = "*a".repeat(255) + "b";
        assert!(!matches(stars.as_bytes(), text.as_bytes()));
        let needle = "*".to_owned() + &"a".repeat(500) + "b*";
        assert!(!matches(needle.as_bytes(), text.as_bytes()));
    }
}
