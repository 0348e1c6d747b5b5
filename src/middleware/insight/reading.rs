//! In how many ways a text can be read that somebody put together from values: as it is, and with the escapes undone that
//! URLs, forms, quotes and markup have.

/// A text as somebody would read it, and where in it each byte comes from.
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<(usize, usize)>,
}

/// The readings of a text. No escape is undone twice.
pub(super) fn readings(text: &str) -> impl Iterator<Item = Reading> {
    let is_escaped = text.contains(ESCAPES);
    let has_plus = text.contains('+');
    let whole = without_cut_escape(text);
    let of_form = |rest: &[u8]| match rest {
        [b'+', ..] => Some((Letter::Byte(b' '), 1)),
        _ => unescape(rest),
    };
    std::iter::once(read(text, |_| None))
        .chain(is_escaped.then(move || read(whole, unescape)))
        .chain(has_plus.then(move || read(whole, of_form)))
}

/// What escapes begin with.
const ESCAPES: [char; 3] = ['%', '\\', '&'];

/// Without the escape in which a text may have been cut, so that it ends with what stands before that.
fn without_cut_escape(text: &str) -> &str {
    let is_open = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'{');
    match text.rfind(ESCAPES).and_then(|at| text.split_at_checked(at)) {
        Some((whole, cut))
            if cut.len() < MAX_ESCAPE
                && cut.bytes().skip(1).all(is_open)
                && unescape(cut.as_bytes()).is_none() =>
        {
            whole
        }
        _ => text,
    }
}

/// The longest is `&#1114111;`, or as long.
const MAX_ESCAPE: usize = 10;

/// What an escape stands for.
#[derive(Clone, Copy)]
enum Letter {
    Byte(u8),
    Character(char),
}

fn read(text: &str, unescape: impl Fn(&[u8]) -> Option<(Letter, usize)>) -> Reading {
    let mut reading =
        Reading { bytes: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
    let mut rest = text.as_bytes();
    while let Some(first) = rest.first() {
        let at = text.len() - rest.len();
        let (letter, length) = unescape(rest).unwrap_or((Letter::Byte(*first), 1));
        match letter {
            Letter::Byte(byte) => reading.bytes.push(byte),
            Letter::Character(character) => {
                reading.bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        reading.places.resize(reading.bytes.len(), (at, at + length));
        rest = rest.get(length..).unwrap_or_default();
    }
    reading
}

/// What the escape stands for that a text begins with, and how long it is.
fn unescape(text: &[u8]) -> Option<(Letter, usize)> {
    match text {
        [b'%', high, low, ..] => Some((Letter::Byte(u8::try_from(number(&[*high, *low], 16)?).ok()?), 3)),
        [b'\\', quoted @ ..] => unquote(quoted).map(|(letter, length)| (letter, length + 1)),
        [b'&', entity @ ..] => {
            let end = entity.iter().take(MAX_ESCAPE - 1).position(|byte| *byte == b';')?;
            Some((Letter::Character(character(entity.get(..end)?)?), end + 2))
        }
        _ => None,
    }
}

/// Behind a backslash, as in JSON, scripts, and what Rust's `Debug` prints.
fn unquote(text: &[u8]) -> Option<(Letter, usize)> {
    match text {
        [b'u', b'{', digits @ ..] => {
            let end = digits.iter().take(7).position(|byte| *byte == b'}')?;
            let character = char::from_u32(number(digits.get(..end)?, 16)?)?;
            Some((Letter::Character(character), end + 3))
        }
        [b'u', a, b, c, d, ..] => {
            Some((Letter::Character(char::from_u32(number(&[*a, *b, *c, *d], 16)?)?), 5))
        }
        [b'x', high, low, ..] => Some((Letter::Byte(u8::try_from(number(&[*high, *low], 16)?).ok()?), 3)),
        [b'n', ..] => Some((Letter::Byte(b'\n'), 1)),
        [b'r', ..] => Some((Letter::Byte(b'\r'), 1)),
        [b't', ..] => Some((Letter::Byte(b'\t'), 1)),
        [b'0', ..] => Some((Letter::Byte(0), 1)),
        [mark @ (b'"' | b'\'' | b'\\' | b'/'), ..] => Some((Letter::Byte(*mark), 1)),
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
        readings(text).map(|reading| String::from_utf8_lossy(&reading.bytes).into_owned()).collect()
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(read("plain"), ["plain"]);
        for (text, expected) in [
            ("a%2Fb%2fb%c3%a9", "a/b/bé"),
            ("%252F %2 %zz %+1 and on", "%2F %2 %zz %+1 and on"),
            (r#"\"a\\b\/c\'\n\r\t\0"#, "\"a\\b/c'\n\r\t\0"),
            (r"\u00e9\u{e9}\u{1F600}\x41 \q \u12 \u{} \ud800 and on", "éé😀A \\q \\u12 \\u{} \\ud800 and on"),
            ("&amp;&lt;&gt;&quot;&apos;&#39;&#x2F;&#X2f;", "&<>\"''//"),
            ("&amp &nope; &; &#; &#1114112; &amp;amp;", "&amp &nope; &; &#; &#1114112; &amp;"),
        ] {
            let plus_or_space = read(text);
            assert_eq!(plus_or_space.get(1).map(String::as_str), Some(expected), "{text}");
            assert_eq!(plus_or_space.first().map(String::as_str), Some(text));
        }
        assert_eq!(read("a+b%2B"), ["a+b%2B", "a+b+", "a b+"]);
        assert_eq!(read("a+b"), ["a+b", "a b"]);
    }

    #[test]
    fn each_byte_has_its_place() {
        for text in ["é%C3%A9\\u00e9&#233;x", "é", "\\u{e9}+"] {
            for reading in readings(text) {
                assert_eq!(reading.bytes.len(), reading.places.len());
                let mut last = (0, 0);
                for place in &reading.places {
                    assert!(*place == last || place.0 == last.1, "{text}: {place:?} behind {last:?}");
                    last = *place;
                }
                assert_eq!(last.1, text.len());
            }
        }
        let undone = readings("a\\u00e9b").nth(1).unwrap();
        assert_eq!(undone.places, [(0, 1), (1, 7), (1, 7), (7, 8)]);
    }

    #[test]
    fn an_escape_that_was_cut_is_left_out() {
        for cut in ["%", "%2", "\\", "\\u", "\\u00e", "\\u{10", "&", "&#11141"] {
            assert_eq!(read(&format!("pass{cut}"))[1], "pass", "{cut}");
        }
        assert_eq!(read("100% of it, all the way")[1], "100% of it, all the way");
        assert_eq!(read("pass%2F")[1], "pass/");
    }
}
