//! Names of headers: which are the same, and which are not to be mapped.

use http::HeaderMap;

/// Names that AWS reserves, and names that concern one connection only.
const RESERVED: [&str; 27] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "sec-websocket-accept",
    "sec-websocket-key",
    "sec-websocket-version",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

const RESERVED_PREFIXES: [&str; 4] = ["access-control-", "apigw-", "x-amz-", "x-amzn-"];

/// Whether two names are one to some program behind us: CGI and what descends from it write `-` and other
/// punctuation as `_`.
pub(super) fn is_same(name: &str, other: &str) -> bool {
    name.len() == other.len() && name.bytes().map(folded).eq(other.bytes().map(folded))
}

pub(super) fn is_reserved(name: &str) -> bool {
    let starts_with = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| is_same(start, prefix));
    RESERVED.iter().any(|reserved| is_same(name, reserved)) || RESERVED_PREFIXES.iter().any(starts_with)
}

/// Deletes a header under all of its names.
pub(super) fn remove(headers: &mut HeaderMap, name: &str) {
    // Most requests hold none.
    let names: Vec<_> = headers.keys().filter(|known| is_same(known.as_str(), name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// What a header's value may be: `HeaderValue` alone would let through tabs, spaces at the ends and raw bytes.
pub(super) fn is_value(text: &str) -> bool {
    let printable = text.bytes().all(|byte| matches!(byte, 0x20..=0x7E));
    printable && !text.is_empty() && text.len() <= 8 * 1024 && text.trim_matches(' ').len() == text.len()
}

const fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_whatever_the_case_and_punctuation() {
        for alias in ["x-user-id", "X-User-ID", "x_user_id", "x.user.id", "x-user_id", "x~user!id"] {
            assert!(is_same("x-user-id", alias), "{alias}");
        }
        for other in ["xuser-id", "x-user-ie", "x-user-id-", "x-user"] {
            assert!(!is_same("x-user-id", other), "{other}");
        }
    }

    #[test]
    fn reserved_names_are_reserved_in_every_spelling() {
        for name in ["authorization", "transfer_encoding", "x.forwarded.for", "x-amz-date", "x_amzn_trace"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["x-user", "x-ama", "accept", "x-forwarded-user", "x-amz"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn values_are_printable_and_not_padded() {
        for value in ["a", "a b", "~", "a,b"] {
            assert!(is_value(value), "{value:?}");
        }
        for value in ["", " ", " a", "a ", "a\tb", "a\r\nx: y", "a\nb", "a\0", "é", "\u{7f}"] {
            assert!(!is_value(value), "{value:?}");
        }
        assert!(is_value(&"a".repeat(8192)) && !is_value(&"a".repeat(8193)));
    }
}
