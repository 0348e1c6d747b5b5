//! In how many ways a text can be read that somebody put together from values: as it is, and with the escapes undone that
//! URLs, forms, quotes and markup have.

/// A text as somebody would read it, and where in it each byte comes from.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<(usize, usize)>,
}

/// What the escape stands for that a text begins with, and how long it is.
type Unescape = fn(&[u8]) -> Option<(Letter, usize)>;

/// What the escapes of a language begin with, and how they are undone.
const LANGUAGES: [(&[char], &[Unescape]); 6] = [
    (&['%'], &[percent]),
    (&['+'], &[percent, plus]),
    (&['\\'], &[backslash]),
    (&['&'], &[entity]),
    (&['%', '\\', '&'], &[percent, backslash, entity]),
    (&['+'], &[percent, plus, backslash, entity]),
];

/// The longest escape is `&#1114111;`. Surrogates are two.
const MAX_ESCAPE: usize = 10;

/// The readings of a text: as it is, with the escapes of each language undone, and with those of all, which may be mixed. No
/// escape is undone twice. Where an escape may have been cut off at the end, also without what is left of it.
pub(super) fn readings(text: &str) -> Vec<Reading> {
    let mut readings = vec![read(text, &[]).0];
    for (marks, language) in LANGUAGES {
        if text.contains(marks) {
            let (reading, cut) = read(text, language);
            if let Some(cut) = cut {
                let mut shorter = reading.clone();
                shorter.bytes.truncate(cut);
                shorter.places.truncate(cut);
                readings.push(shorter);
            }
            readings.push(reading);
        }
    }
    readings
}

/// What an escape stands for.
#[derive(Clone, Copy)]
enum Letter {
    Byte(u8),
    Character(char),
}

/// Reads a text, and says where in it an escape begins that may have been cut.
fn read(text: &str, language: &[Unescape]) -> (Reading, Option<usize>) {
    let mut reading =
        Reading { bytes: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
    let mut cut = None;
    let mut rest = text.as_bytes();
    while let Some(first) = rest.first() {
        let at = text.len() - rest.len();
        let escape = language.iter().find_map(|unescape| unescape(rest));
        if escape.is_none() && cut.is_none() && may_be_cut(rest) {
            cut = Some(reading.bytes.len());
        }
        let (letter, length) = escape.unwrap_or((Letter::Byte(*first), 1));
        match letter {
            Letter::Byte(byte) => reading.bytes.push(byte),
            Letter::Character(character) => {
                reading.bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        reading.places.resize(reading.bytes.len(), (at, at + length));
        rest = rest.get(length..).unwrap_or_default();
    }
    (reading, cut)
}

/// Whether a text may be the beginning of an escape.
fn may_be_cut(text: &[u8]) -> bool {
    let is_open = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'{');
    text.len() < MAX_ESCAPE && matches!(text, [b'%' | b'\\' | b'&', open @ ..] if open.iter().all(is_open))
}

fn percent(text: &[u8]) -> Option<(Letter, usize)> {
    match text {
        [b'%', high, low, ..] => Some((Letter::Byte(u8::try_from(number(&[*high, *low], 16)?).ok()?), 3)),
        _ => None,
    }
}

fn plus(text: &[u8]) -> Option<(Letter, usize)> {
    (text.first() == Some(&b'+')).then_some((Letter::Byte(b' '), 1))
}

fn entity(text: &[u8]) -> Option<(Letter, usize)> {
    let entity = text.strip_prefix(b"&")?;
    let end = entity.iter().take(MAX_ESCAPE - 1).position(|byte| *byte == b';')?;
    Some((Letter::Character(character(entity.get(..end)?)?), end + 2))
}

/// A text with what stands behind backslashes undone.
pub(super) fn without_backslashes(text: &str) -> String {
    let (reading, _) = read(text, &[backslash]);
    String::from_utf8_lossy(&reading.bytes).into_owned()
}

/// Behind a backslash, as in JSON, scripts, quoted cookies, and what Rust's `Debug` prints. Any other character stands for
/// itself.
fn backslash(text: &[u8]) -> Option<(Letter, usize)> {
    let byte = |byte| Some((Letter::Byte(byte), 2));
    match text.strip_prefix(b"\\")? {
        [b'u', b'{', digits @ ..] => {
            let end = digits.iter().take(7).position(|byte| *byte == b'}')?;
            let character = char::from_u32(number(digits.get(..end)?, 16)?)?;
            Some((Letter::Character(character), end + 4))
        }
        [b'u', digits @ ..] => {
            let first = number(digits.get(..4)?, 16)?;
            // A character beyond the first 65,536 is written as two halves.
            let second =
                digits.get(4..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(|rest| rest.get(..4));
            let (character, length) = match (first, second.and_then(|second| number(second, 16))) {
                (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                    (0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00), 12)
                }
                _ => (first, 6),
            };
            Some((Letter::Character(char::from_u32(character)?), length))
        }
        [b'x', high, low, ..] => Some((Letter::Byte(u8::try_from(number(&[*high, *low], 16)?).ok()?), 4)),
        // In octal, as in cookies with quotes.
        [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some((Letter::Byte(u8::try_from(number(&[*a, *b, *c], 8)?).ok()?), 4))
        }
        [b'n', ..] => byte(b'\n'),
        [b'r', ..] => byte(b'\r'),
        [b't', ..] => byte(b'\t'),
        [b'0', ..] => byte(0),
        [mark, ..] if mark.is_ascii_punctuation() => byte(*mark),
        _ => None,
    }
}

/// What stands between `&` and `;`.
fn character(entity: &[u8]) -> Option<char> {
    match entity {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?),
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?),
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_plain = digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::readings;

    fn read(text: &str) -> Vec<String> {
        readings(text).iter().map(|reading| String::from_utf8_lossy(&reading.bytes).into_owned()).collect()
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(read("plain"), ["plain"]);
        for (text, expected) in [
            ("a%2Fb%2fb%c3%a9", "a/b/bé"),
            ("%252F %2 %zz %+1 and on", "%2F %2 %zz % 1 and on"),
            (r#"\"a\\b\/c\'\n\r\t\0\054\101"#, "\"a\\b/c'\n\r\t\0,A"),
            (r"\u00e9\u{e9}\u{1F600}\x41 \q \u12 \u{} \ud800", "éé😀A \\q \\u12 \\u{} \\ud800"),
            (r"\ud83d\ude00 \ud83dx \ude00 \ud83d\u0041.", "😀 \\ud83dx \\ude00 \\ud83dA."),
            ("&amp;&lt;&gt;&quot;&apos;&#39;&#x2F;&#X2f;", "&<>\"''//"),
            ("&amp &nope; &; &#; &#1114112; &amp;amp;", "&amp &nope; &; &#; &#1114112; &amp;"),
            ("a+b%2B", "a b+"),
            ("a%2F&lt;\\u0041", "a/<A"),
        ] {
            let found = read(text);
            assert_eq!(found.first().map(String::as_str), Some(text));
            assert_eq!(found.last().map(String::as_str), Some(expected), "{text}");
        }
        // What is an escape in one language only is none in the others.
        assert!(read(r#"0c%b7:\"Z"#).contains(&r#"0c%b7:"Z"#.to_owned()));
        assert!(read(r"4\0Z&lt;6").contains(&r"4\0Z<6".to_owned()));
        assert!(read("a+b%2F").contains(&"a+b/".to_owned()));
    }

    #[test]
    fn each_byte_has_its_place() {
        for text in ["é%C3%A9\\u00e9&#233;x", "é", "\\u{e9}+", "%", "a\\", "\\ud83d\\ude00&#", "+%C"] {
            for reading in readings(text) {
                assert_eq!(reading.bytes.len(), reading.places.len());
                let mut last = (0, 0);
                for place in &reading.places {
                    assert!(*place == last || place.0 == last.1, "{text}: {place:?} behind {last:?}");
                    last = *place;
                }
                assert!(last.1 <= text.len());
            }
            assert_eq!(readings(text).last().unwrap().places.last().unwrap().1, text.len());
        }
        let undone = readings("a\\u00e9b").pop().unwrap();
        assert_eq!(undone.places, [(0, 1), (1, 7), (1, 7), (7, 8)]);
    }

    #[test]
    fn an_escape_that_was_cut_is_left_out_too() {
        for cut in ["%", "%2", "\\", "\\u", "\\u00e", "\\u{10", "&", "&#11141", "\\ud83d\\ude"] {
            let found = read(&format!("pass{cut}"));
            assert!(found.contains(&"pass".to_owned()) || cut.len() > 6, "{cut}: {found:?}");
        }
        assert!(read("x%20y&abcdefg").contains(&"x y&abcdefg".to_owned()));
        assert!(read(r"no 1\\ffZ").contains(&r"no 1\ffZ".to_owned()));
        assert!(read("100% of it, all the way").contains(&"100% of it, all the way".to_owned()));
    }
}
