//! A second reader of targets: slow, by the letter of the rules, and without a line of the library.
//!
//! The fuzz package includes this file by path, so it may use nothing but `std`.

/// What a layer accepts beside the canonical spelling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leniency {
    pub(crate) decodes_unreserved: bool,
    pub(crate) allows_encoded_slash: bool,
}

/// A path in the spelling of ARNs: as it was sent, and with its reserved characters decoded.
#[derive(Debug, PartialEq)]
pub(crate) struct Spelled {
    pub(crate) as_sent: String,
    pub(crate) canonical: String,
}

/// Reads a path by the letter of the rules; `None` is a 400.
pub(crate) fn read(path: &str, leniency: Leniency) -> Option<Spelled> {
    // Every byte, and whether it was escaped.
    let mut bytes: Vec<(u8, bool)> = vec![];
    let mut rest = path.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push((byte, false));
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push((u8::from_str_radix(digits, 16).ok()?, true));
        rest = &rest[2..];
    }
    let text = String::from_utf8(bytes.iter().map(|(byte, _)| *byte).collect()).ok()?;
    if text.chars().any(char::is_control) || text.contains('\\') {
        return None;
    }
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let reserved = |byte: u8| b"!$&'()+,;=:@".contains(&byte);
    for (byte, escaped) in &bytes {
        let fine = match escaped {
            false => byte.is_ascii(),
            true if *byte == b'/' => leniency.allows_encoded_slash,
            true => !unreserved(*byte) || leniency.decodes_unreserved,
        };
        if !fine {
            return None;
        }
    }
    let segments: Vec<&[(u8, bool)]> = bytes.split(|byte| *byte == (b'/', false)).collect();
    let [first, segments @ ..] = &segments[..] else { return None };
    if !first.is_empty() || segments.is_empty() {
        return None;
    }
    if segments.iter().filter(|segment| segment.contains(&(b'/', true))).count() > 3 {
        return None;
    }
    for (at, segment) in segments.iter().enumerate() {
        if segment.is_empty() && at + 1 < segments.len() {
            return None;
        }
        for part in segment.split(|byte| *byte == (b'/', true)) {
            let name: Vec<u8> = part.iter().map(|(byte, _)| *byte).take_while(|byte| *byte != b';').collect();
            if name == b"." || name == b".." {
                return None;
            }
        }
    }
    let spell = |decodes_reserved: bool| -> String {
        let spelled = bytes.iter().map(|&(byte, escaped)| match byte {
            b'/' if !escaped => "/".to_owned(),
            _ if unreserved(byte) || (reserved(byte) && (!escaped || decodes_reserved)) => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        });
        spelled.collect()
    };
    Some(Spelled { as_sent: spell(false), canonical: spell(true) })
}

#[test]
fn the_slow_reader_reads_what_the_rules_say() {
    let strict = Leniency { decodes_unreserved: false, allows_encoded_slash: false };
    let spelled = |as_sent: &str, canonical: &str| {
        Some(Spelled { as_sent: as_sent.to_owned(), canonical: canonical.to_owned() })
    };
    assert_eq!(read("/a%40b", strict), spelled("/a%40b", "/a@b"));
    assert_eq!(read("/a*{}", strict), spelled("/a%2A%7B%7D", "/a%2A%7B%7D"));
    for path in [
        "", "*", "//", "/a//b", "/./", "/..;x", "/..%3bx", "/%2e", "/%61", "/%2f", "/%5c", "/\\", "/%",
        "/%ff",
    ] {
        assert_eq!(read(path, strict), None, "{path}");
    }
    let slashes = Leniency { allows_encoded_slash: true, ..strict };
    assert_eq!(read("/a%2fb", slashes), spelled("/a%2Fb", "/a%2Fb"));
    assert_eq!(read("/a%2f..", slashes), None);
    let lenient = Leniency { decodes_unreserved: true, ..strict };
    assert_eq!(read("/%61", lenient), spelled("/a", "/a"));
    assert_eq!(read("/%2e%2E", lenient), None);
}
