//! Text with `*` and `?`, matched in linear time for as long as no `?` is in it: a condition compares texts of any
//! length, and a client may write both of them.

use super::glob::{Token, character_length};

/// Whether a pattern covers the whole of a text; [`Token::One`] is one character.
#[cold]
pub(super) fn matches(pattern: &[Token], text: &str) -> bool {
    let mut segments = pattern.split(|token| *token == Token::Star);
    let Some(first) = segments.next() else { return text.is_empty() };
    let Some(mut middle) = behind_start(first, text) else { return false };
    let Some(last) = segments.next_back() else { return middle.is_empty() };
    let continues = |token: &&Token| matches!(token, Token::Byte(0x80..=0xBF));
    let characters = last.len() - last.iter().filter(continues).count();
    let Some(at) = start_of_last(characters, middle) else { return false };
    let Some((before, end)) = middle.split_at_checked(at) else { return false };
    if behind_start(last, end).is_none_or(|rest| !rest.is_empty()) {
        return false;
    }
    middle = before;
    for segment in segments {
        let Some(behind) = behind_found(segment, middle) else { return false };
        middle = behind;
    }
    true
}

/// What follows a segment at the start of the text.
fn behind_start<'t>(segment: &[Token], text: &'t str) -> Option<&'t str> {
    let mut at = 0_usize;
    for token in segment {
        let byte = *text.as_bytes().get(at)?;
        at += match token {
            Token::Byte(wanted) if *wanted == byte => 1,
            Token::One => character_length(byte),
            Token::Byte(_) | Token::Star => return None,
        };
    }
    text.get(at..)
}

/// Where the last so many characters begin.
fn start_of_last(characters: usize, text: &str) -> Option<usize> {
    match characters.checked_sub(1) {
        None => Some(text.len()),
        Some(before) => text.char_indices().rev().nth(before).map(|(at, _)| at),
    }
}

/// What follows the first place in the text where the segment is.
fn behind_found<'t>(segment: &[Token], text: &'t str) -> Option<&'t str> {
    let literal: Option<Vec<u8>> =
        segment.iter().map(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None }).collect();
    match literal.map(String::from_utf8) {
        Some(Ok(literal)) => text.split_once(&literal).map(|(_, behind)| behind),
        _ => behind_found_with_wildcards(segment, text),
    }
}

/// The same for a segment with `?`: every place of the segment is a bit, and all of them move on with each byte. A
/// place that takes any character keeps it until the character is over.
fn behind_found_with_wildcards<'t>(segment: &[Token], text: &'t str) -> Option<&'t str> {
    // None of them is less than a byte.
    if segment.len() > text.len() {
        return None;
    }
    let words = segment.len().div_ceil(64);
    let mut literal = vec![0_u64; words * 256];
    let mut wild = vec![0_u64; words];
    for (place, token) in segment.iter().enumerate() {
        let word = match token {
            Token::Byte(byte) => literal.get_mut(usize::from(*byte) * words + place / 64),
            Token::One | Token::Star => wild.get_mut(place / 64),
        };
        *word? |= 1 << (place % 64);
    }
    let last = segment.len().checked_sub(1)?;
    let mut reached = vec![0_u64; words];
    for (at, byte) in text.bytes().enumerate() {
        let from = usize::from(byte) * words;
        let is_first = character_length(byte) > 0;
        let mut carried = 1;
        for ((word, fits), wild) in reached.iter_mut().zip(literal.get(from..from + words)?).zip(&wild) {
            let next = *word >> 63;
            let moved = *word << 1 | carried;
            *word = if is_first { moved & (fits | wild) } else { moved & fits | *word & wild };
            carried = next;
        }
        if reached.get(last / 64).is_some_and(|word| word >> (last % 64) & 1 == 1)
            && text.is_char_boundary(at + 1)
        {
            return text.get(at + 1..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::matches;
    use crate::policy::glob::{Token, matches_text, matches_tokens};

    #[test]
    fn both_matchers_of_characters_agree_on_every_short_input() {
        let words = |letters: &[char], up_to: usize| {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..up_to {
                last = last
                    .iter()
                    .flat_map(|word: &String| letters.iter().map(move |letter| format!("{word}{letter}")))
                    .collect();
                all.extend(last.iter().cloned());
            }
            all
        };
        let texts = words(&['a', 'é', '漢'], 4);
        for pattern in words(&['a', 'é', '漢', '*', '?'], 5) {
            let tokens: Vec<_> = pattern.bytes().map(Token::from_pattern).collect();
            for text in &texts {
                let expected = matches_text(&pattern, text);
                assert_eq!(matches_tokens(&tokens, text), expected, "{pattern} {text}");
                assert_eq!(matches(&tokens, text), expected, "{pattern} {text}");
            }
        }
        let long = "a".repeat(70);
        for (pattern, text, expected) in [
            (format!("*?{long}é?*b"), format!("{long}{long}é漢ab"), true),
            (format!("*?{long}é?*b"), format!("{long}é漢ab"), false),
            (format!("*{long}?{long}?*"), format!("aa{long}é{long}漢"), true),
            (format!("*{long}?{long}?*"), format!("aa{long}é{long}"), false),
        ] {
            let tokens: Vec<_> = pattern.bytes().map(Token::from_pattern).collect();
            assert_eq!(matches(&tokens, &text), expected, "{pattern} {text}");
        }
    }
}
