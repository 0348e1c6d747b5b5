//! The one reading of a request target.
//!
//! Everything that decides (the ARN, the event, the cache key) starts from what is accepted here, and what is
//! accepted has one meaning for everybody behind us. Whatever two programs could read in two ways is refused.

use std::borrow::Cow;

use http::header::{CONNECTION, HOST, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};

use crate::policy::{MAX_SLASHED, hex_value, is_reserved, is_unreserved, push_escape, stands_for_itself};

/// How lenient to be with targets that are legal but not canonical.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TargetRules {
    /// Read `%61` as `a`. Only for those who can rewrite the request accordingly.
    pub(crate) decode_unreserved: bool,
    /// Let `%2F` stand, as data that never becomes a separator.
    pub(crate) allow_encoded_slash: bool,
}

/// Why a target is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TargetError {
    BadMethod,
    ControlCharacter,
    DotSegment,
    EmptySegment,
    EncodedSeparator,
    EncodedUnreserved,
    ManyEncodedSlashes,
    MalformedEscape,
    NoLeadingSlash,
    NotAscii,
    NotUtf8,
    OtherHost,
    RawBackslash,
    SeveralHosts,
    UserInfo,
}

impl TargetError {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::BadMethod => {
                "the method is not a letter followed by at most 31 letters, digits, `-` or `_`"
            }
            Self::ControlCharacter => "the path holds a control character",
            Self::DotSegment => "the path holds a `.` or `..` segment",
            Self::EmptySegment => "the path holds an empty segment",
            Self::EncodedSeparator => "the path holds an escaped `/` or `\\`",
            Self::EncodedUnreserved => "the path escapes a character that needs no escape",
            Self::ManyEncodedSlashes => "more than three segments of the path hold an escaped `/`",
            Self::MalformedEscape => "the path holds a `%` without two hexadecimal digits",
            Self::NoLeadingSlash => "the request target is not a path",
            Self::NotAscii => "the path holds a raw character that is not ASCII",
            Self::NotUtf8 => "the path is not UTF-8 when decoded",
            Self::OtherHost => "`Host` names another host than the request target",
            Self::RawBackslash => "the path holds a `\\`",
            Self::SeveralHosts => "`Host` is there more than once",
            Self::UserInfo => "the request target holds user information",
        }
    }
}

/// An accepted path, in the spelling of ARNs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CanonicalPath<'a> {
    /// As sent, with hexadecimal digits in upper case and raw characters that no path may hold escaped.
    pub(crate) as_sent: Cow<'a, str>,
    /// The same with the escapes of `! $ & ' ( ) + , ; = : @` decoded, where there are any.
    pub(crate) decoded: Option<String>,
    /// The very bytes, where they are not `as_sent`.
    pub(crate) raw: Option<&'a str>,
}

impl CanonicalPath<'_> {
    /// The one spelling of this path.
    pub(crate) fn canonical(&self) -> &str {
        self.decoded.as_deref().unwrap_or(&self.as_sent)
    }
}

/// Checks what surrounds the path. Methods are compared as they are, so only plain ones are let in.
#[inline(always)]
pub(crate) fn check_request_line(method: &Method, uri: &Uri) -> Result<(), TargetError> {
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(TargetError::UserInfo);
    }
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    match method.as_str().as_bytes() {
        _ if matches!(*method, Method::GET | Method::POST | Method::PUT | Method::DELETE) => Ok(()),
        [first, rest @ ..] if first.is_ascii_alphabetic() && rest.len() <= 31 && rest.iter().all(plain) => {
            Ok(())
        }
        _ => Err(TargetError::BadMethod),
    }
}

/// Checks that a request names one host. The target counts for one program, and `Host` for another.
#[inline(always)]
pub(crate) fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), TargetError> {
    if headers.get_all(HOST).iter().nth(1).is_some() {
        return Err(TargetError::SeveralHosts);
    }
    match uri.authority() {
        None => Ok(()),
        Some(authority) => check_hosts(authority.as_str(), headers),
    }
}

#[cold]
fn check_hosts(authority: &str, headers: &HeaderMap) -> Result<(), TargetError> {
    // The usual ports may be named, or not.
    let bare = |host: &[u8]| -> Vec<u8> {
        let bare = host.strip_suffix(b":443").or_else(|| host.strip_suffix(b":80"));
        bare.unwrap_or(host).to_ascii_lowercase()
    };
    let authority = bare(authority.as_bytes());
    let is_same = |host: &HeaderValue| bare(host.as_bytes()) == authority;
    if headers.get_all(HOST).iter().all(is_same) { Ok(()) } else { Err(TargetError::OtherHost) }
}

/// Whether a request opens a WebSocket: an HTTP/1.1 upgrade, or the extended CONNECT of HTTP/2 and later. There a plain
/// CONNECT has no path and is refused before; one of HTTP/1 may come with a path, and opens nothing.
pub(crate) fn opens_websocket<B>(request: &Request<B>) -> bool {
    let (headers, version) = (request.headers(), request.version());
    let is = |text: &[u8], word: &str| text.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
    let upgrades = || {
        let mut values = headers.get_all(UPGRADE).iter();
        let first = values.next().is_some_and(|value| is(value.as_bytes(), "websocket"));
        first && values.next().is_none()
    };
    // Without this word the header above concerns nobody, and the request is a plain one.
    let names_upgrade = || {
        let mut options = headers.get_all(CONNECTION).iter().flat_map(|v| v.as_bytes().split(|b| *b == b','));
        options.any(|option| is(option, "upgrade"))
    };
    match *request.method() {
        Method::CONNECT => version >= Version::HTTP_2,
        Method::GET => version == Version::HTTP_11 && upgrades() && names_upgrade(),
        _ => false,
    }
}

/// Reads a path. In the plain case this is one scan, and nothing is copied.
#[inline]
pub(crate) fn read_path(path: &str, rules: TargetRules) -> Result<CanonicalPath<'_>, TargetError> {
    if is_plain(path) {
        return Ok(CanonicalPath { as_sent: Cow::Borrowed(path), decoded: None, raw: None });
    }
    if !path.starts_with('/') {
        return Err(TargetError::NoLeadingSlash);
    }
    let rewritten = rewrite(path.as_bytes(), rules)?;
    let raw = (rewritten.as_sent != path).then_some(path);
    Ok(CanonicalPath { raw, ..rewritten })
}

/// Whether a path is accepted as it is, whatever the rules, and has one spelling.
#[inline]
pub(crate) fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        let is_plain = match byte {
            // A slash or dot right behind a slash may start an empty or dot segment; so may a dot that ends one.
            b'/' => !matches!(rest.as_slice().first(), Some(b'/' | b'.')),
            // The rest of the rules only concern characters that have to be written anew.
            _ => stands_for_itself(byte),
        };
        if !is_plain {
            return false;
        }
    }
    bytes.first() == Some(&b'/')
}

/// Whether a path is another spelling of a canonical one, by the most lenient rules.
pub(crate) fn is_spelling_of(path: &str, canonical: &str) -> bool {
    let rules = TargetRules { decode_unreserved: true, allow_encoded_slash: true };
    read_path(path, rules).is_ok_and(|read| read.canonical() == canonical)
}

/// The general case: two spellings are written, and the text they stand for is checked.
#[inline(never)]
fn rewrite(bytes: &[u8], rules: TargetRules) -> Result<CanonicalPath<'static>, TargetError> {
    let mut as_sent = String::with_capacity(bytes.len() + 8);
    let mut canonical = String::with_capacity(bytes.len() + 8);
    let mut text = Vec::with_capacity(bytes.len());

    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            text.push(byte);
            match byte {
                b'\\' => return Err(TargetError::RawBackslash),
                0x80.. => return Err(TargetError::NotAscii),
                _ if byte.is_ascii_control() => return Err(TargetError::ControlCharacter),
                _ if byte == b'/' || is_unreserved(byte) || is_reserved(byte) => {
                    as_sent.push(char::from(byte));
                    canonical.push(char::from(byte));
                }
                _ => {
                    push_escape(byte, &mut as_sent);
                    push_escape(byte, &mut canonical);
                }
            }
            continue;
        }

        let byte = escaped_byte(&mut rest).ok_or(TargetError::MalformedEscape)?;
        match byte {
            b'/' if rules.allow_encoded_slash => {}
            b'/' | b'\\' => return Err(TargetError::EncodedSeparator),
            _ if is_unreserved(byte) && !rules.decode_unreserved => {
                return Err(TargetError::EncodedUnreserved);
            }
            _ => {}
        }
        text.push(byte);
        if is_unreserved(byte) {
            as_sent.push(char::from(byte));
            canonical.push(char::from(byte));
        } else {
            push_escape(byte, &mut as_sent);
            if is_reserved(byte) {
                canonical.push(char::from(byte));
            } else {
                push_escape(byte, &mut canonical);
            }
        }
    }

    let text = std::str::from_utf8(&text).map_err(|_| TargetError::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(TargetError::ControlCharacter);
    }
    check_segments(&canonical)?;
    let decoded = (canonical != as_sent).then_some(canonical);
    Ok(CanonicalPath { as_sent: Cow::Owned(as_sent), decoded, raw: None })
}

/// Not many segments with an escaped slash, no empty segment but one at the end, and no dot segment, also not before a `;` or beside an escaped `/`: whoever
/// decodes a parameter and joins it to a path would follow it.
fn check_segments(canonical: &str) -> Result<(), TargetError> {
    if canonical.split('/').filter(|segment| segment.contains("%2F")).count() > MAX_SLASHED {
        return Err(TargetError::ManyEncodedSlashes);
    }
    let mut segments = canonical.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(TargetError::EmptySegment);
        }
        for part in segment.split("%2F") {
            let name = part.split_once(';').map_or(part, |(name, _)| name);
            if matches!(name, "." | "..") {
                return Err(TargetError::DotSegment);
            }
        }
    }
    Ok(())
}

fn escaped_byte(digits: &mut std::slice::Iter<'_, u8>) -> Option<u8> {
    let high = hex_value(*digits.next()?)?;
    let low = hex_value(*digits.next()?)?;
    Some(high * 16 + low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: TargetRules = TargetRules { decode_unreserved: false, allow_encoded_slash: false };
    const LENIENT: TargetRules = TargetRules { decode_unreserved: true, allow_encoded_slash: false };
    const SLASHES: TargetRules = TargetRules { decode_unreserved: false, allow_encoded_slash: true };

    #[track_caller]
    fn reads(path: &str, rules: TargetRules, as_sent: &str, canonical: &str) {
        let read = read_path(path, rules).unwrap();
        assert_eq!(read.as_sent, as_sent, "as sent");
        assert_eq!(read.canonical(), canonical, "canonical");
        assert_eq!(read.decoded.is_some(), as_sent != canonical);
        // What was made canonical stays as it is, without a copy.
        let again = read_path(canonical, rules).unwrap();
        assert_eq!((again.canonical(), again.decoded.as_ref()), (canonical, None));
    }

    #[track_caller]
    fn refuses(path: &str, rules: TargetRules, error: TargetError) {
        assert_eq!(read_path(path, rules), Err(error), "{path}");
    }

    #[test]
    fn a_websocket_is_opened_by_an_upgrade_or_an_extended_connect() {
        let opens = |method: &str, version, headers: &[(&str, &str)]| {
            let request = Request::builder().method(method).version(version).uri("/ws");
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            opens_websocket(&request.body(()).unwrap())
        };
        let socket = ("upgrade", "WebSocket");
        for connection in ["upgrade", "keep-alive, Upgrade", "x,upgrade ,y"] {
            assert!(opens("GET", Version::HTTP_11, &[socket, ("connection", connection)]), "{connection}");
            for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_2, Version::HTTP_3] {
                assert!(!opens("GET", version, &[socket, ("connection", connection)]), "{version:?}");
            }
            assert!(!opens("GET", Version::HTTP_11, &[("connection", connection)]));
        }
        assert!(opens("GET", Version::HTTP_11, &[("connection", "x"), socket, ("connection", "upgrade")]));
        for connection in ["", "close", "upgrades", "up grade", "x-upgrade"] {
            assert!(!opens("GET", Version::HTTP_11, &[socket, ("connection", connection)]), "{connection}");
        }
        assert!(!opens("GET", Version::HTTP_11, &[socket]));
        assert!(!opens("GET", Version::HTTP_11, &[socket, socket, ("connection", "upgrade")]));
        assert!(opens("CONNECT", Version::HTTP_2, &[]) && opens("CONNECT", Version::HTTP_3, &[]));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert!(!opens("CONNECT", version, &[socket, ("connection", "upgrade")]));
        }
    }

    #[test]
    fn a_plain_path_is_not_copied() {
        for path in [
            "/",
            "/users",
            "/users/",
            "/a/b.c/..d/e..",
            "/v1.2/x-y_z~",
            "/!$&'()+,;=:@",
            "/a;b/...",
            "/a..;/x",
        ] {
            let read = read_path(path, STRICT).unwrap();
            assert!(matches!(read.as_sent, Cow::Borrowed(_)) || path.contains("/."), "{path}");
            assert_eq!(read.as_sent, path);
            assert_eq!(read.decoded, None);
        }
    }

    #[test]
    fn raw_characters_that_no_path_may_hold_are_shown_escaped() {
        reads("/a*b", STRICT, "/a%2Ab", "/a%2Ab");
        reads("/{id}", STRICT, "/%7Bid%7D", "/%7Bid%7D");
        reads("/${x}", STRICT, "/$%7Bx%7D", "/$%7Bx%7D");
        reads("/\"<>[]^`|", STRICT, "/%22%3C%3E%5B%5D%5E%60%7C", "/%22%3C%3E%5B%5D%5E%60%7C");
    }

    #[test]
    fn escapes_of_reserved_characters_have_two_spellings() {
        reads("/a%40b", STRICT, "/a%40b", "/a@b");
        reads(
            "/%21%24%26%27%28%29%2b%2C%3b%3D%3a%40",
            STRICT,
            "/%21%24%26%27%28%29%2B%2C%3B%3D%3A%40",
            "/!$&'()+,;=:@",
        );
    }

    #[test]
    fn all_other_escapes_are_written_in_upper_case() {
        reads("/a%20b%2a%3f%23%25%7b", STRICT, "/a%20b%2A%3F%23%25%7B", "/a%20b%2A%3F%23%25%7B");
        reads("/caf%c3%a9", STRICT, "/caf%C3%A9", "/caf%C3%A9");
        reads("/%252e%252e", STRICT, "/%252e%252e", "/%252e%252e");
    }

    #[test]
    fn leniency_decodes_what_needs_no_escape() {
        refuses("/%61dmin", STRICT, TargetError::EncodedUnreserved);
        reads("/%61dmin%7e", LENIENT, "/admin~", "/admin~");
        refuses("/%2e%2e/x", LENIENT, TargetError::DotSegment);
        refuses("/x/%2e", LENIENT, TargetError::DotSegment);
    }

    #[test]
    fn an_escaped_slash_is_data_where_it_is_allowed() {
        refuses("/a%2fb", STRICT, TargetError::EncodedSeparator);
        refuses("/a%5cb", SLASHES, TargetError::EncodedSeparator);
        reads("/a%2fb", SLASHES, "/a%2Fb", "/a%2Fb");
        assert!(read_path(&"/a%2Fb".repeat(3), SLASHES).is_ok());
        refuses(&"/a%2fb".repeat(4), SLASHES, TargetError::ManyEncodedSlashes);
        reads("/..a%2fb..%252F..x", SLASHES, "/..a%2Fb..%252F..x", "/..a%2Fb..%252F..x");
        for path in ["/..%2fb", "/a%2F..", "/a%2f.%2Fb", "/a%2f..;x%2fb", "/a%2f..%3bx"] {
            refuses(path, SLASHES, TargetError::DotSegment);
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for path in ["", "*", "users", "h:443", "?x"] {
            refuses(path, STRICT, TargetError::NoLeadingSlash);
        }
        for path in ["//", "//x", "/a//b", "/a//"] {
            refuses(path, STRICT, TargetError::EmptySegment);
        }
        for path in ["/.", "/..", "/a/./b", "/a/../b", "/a/..", "/..;x=1/b", "/.;/b", "/..%3Bx", "/a/.."] {
            refuses(path, STRICT, TargetError::DotSegment);
        }
        for path in ["/%", "/%2", "/%zz", "/%+1", "/a%2", "/%%41"] {
            refuses(path, STRICT, TargetError::MalformedEscape);
        }
        for path in ["/%00", "/%0a", "/%7f", "/\u{1}", "/\u{7f}", "/%c2%80"] {
            refuses(path, STRICT, TargetError::ControlCharacter);
        }
        refuses("/%ff", STRICT, TargetError::NotUtf8);
        refuses("/%c3/%a9", STRICT, TargetError::NotUtf8);
        refuses("/%c0%af", STRICT, TargetError::NotUtf8);
        refuses("/é", STRICT, TargetError::NotAscii);
        refuses("/a\\b", STRICT, TargetError::RawBackslash);
    }

    fn line(method: &str, uri: &str) -> Result<(), TargetError> {
        check_request_line(&Method::from_bytes(method.as_bytes()).unwrap(), &uri.parse().unwrap())
    }

    #[test]
    fn user_information_is_refused() {
        assert_eq!(line("GET", "http://u:p@example.com/x"), Err(TargetError::UserInfo));
        assert_eq!(line("GET", "http://@example.com/x"), Err(TargetError::UserInfo));
        assert_eq!(line("GET", "http://example.com/@x"), Ok(()));
    }

    #[test]
    fn methods_are_plain_words() {
        for name in ["GET", "get", "X-PURGE", "M_SEARCH", "A23456789012345678901234567890123"] {
            let ok = name.len() <= 32;
            assert_eq!(line(name, "/").is_ok(), ok, "{name}");
        }
        for name in ["*", "GET*", "1GET", "-GET", "G.T", "GE$T", "G|T"] {
            assert_eq!(line(name, "/"), Err(TargetError::BadMethod), "{name}");
        }
    }
}
