//! There is one spelling of a token. Where two are taken for one, caches, logs and lists of revoked tokens are evaded.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use serde_json::{Value, json};
use tower_lambda_authorizer::jwt::{Issuer, JwtReason};
use tower_lambda_authorizer::testing::{TestKey, TestToken};

use crate::homes::{AUD, Home, ISS, NOW, a, but, good, set, token, token_of_text, with};
use crate::numbers::base64url;
use crate::table::Table;

pub fn rows(table: &mut Table) {
    segments(table);
    spellings(table);
    payloads(table);
    repeated(table);
    sizes(table);
}

const HEADER: &str = r#"{"kid":"a","alg":"RS256"}"#;

/// Signed as it is spelt, so that only its spelling is wrong.
fn spelt(header: &str, payload: &str) -> String {
    let message = format!("{header}.{payload}");
    let signature = a().sign(message.as_bytes());
    format!("{message}.{}", base64url(&signature))
}

fn segments(table: &mut Table) {
    table.class("segments");
    let two = Home::two_keys();
    let whole = spelt(&base64url(HEADER.as_bytes()), &base64url(good().to_string().as_bytes()));
    table.accepts("three", &two, whole.clone());
    let parts: Vec<_> = whole.split('.').collect();
    let [header, payload, signature] = parts[..] else { unreachable!() };
    let mut malformed = |name: &str, token: String| table.refuses(JwtReason::Malformed, name, &two, token);
    malformed("a dot", ".".to_owned());
    malformed("two dots", "..".to_owned());
    malformed("three dots", "...".to_owned());
    malformed("two thousand dots", ".".repeat(2000));
    malformed("text", "token".to_owned());
    malformed("one", header.to_owned());
    malformed("two", format!("{header}.{payload}"));
    malformed("payload and signature", format!("{payload}.{signature}"));
    malformed("four", format!("{whole}.{signature}"));
    malformed("a fourth, empty", format!("{whole}."));
    malformed("an empty one in front", format!(".{whole}"));
    malformed("an empty one between", format!("{header}..{payload}.{signature}"));
    malformed("empty header", format!(".{payload}.{signature}"));
    malformed("empty payload", format!("{header}..{signature}"));
    malformed("header and payload swapped", spelt(payload, header).replacen("eyJhdWQ", "fyJhdWQ", 1));
    malformed("twice", format!("{whole}.{whole}"));
    malformed("JSON serialization", {
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#)
            .replace(',', ";")
    });
    malformed("in quotes", format!("\"{whole}\""));
    malformed("in angle brackets", format!("<{whole}>"));
    malformed("dots escaped", whole.replace('.', "%2E"));
    malformed("dots of full width", whole.replace('.', "．"));
    malformed("semicolons", whole.replace('.', ";"));
    malformed("JWE", {
        let header = base64url(br#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"a"}"#);
        format!("{header}.{signature}.AAAAAAAAAAAAAAAA.{payload}.AAAAAAAAAAAAAAAAAAAAAA")
    });
    malformed("JWE, empty key", format!("{header}..AAAAAAAAAAAAAAAA.{payload}.AAAAAAAAAAAAAAAAAAAAAA"));
    malformed("SD-JWT", format!("{whole}~"));
    table.refuses(JwtReason::Signature, "empty signature", &two, format!("{header}.{payload}."));
    table.refuses(JwtReason::Several, "two, with a comma", &two, format!("{whole},{whole}"));
    table.refuses(JwtReason::Several, "two, with a space", &two, format!("{whole} {whole}"));
    table.refuses(JwtReason::Several, "a scheme again", &two, format!("Bearer {whole}"));
    table.refuses(JwtReason::Missing, "none", &two, "");
}

fn spellings(table: &mut Table) {
    table.class("spelling");
    let two = Home::two_keys();
    // Of such lengths that each part has bits to spare, and with bytes that the alphabets write differently.
    let header = br#"{"alg":"RS256","kid":"a","x":"~~~???"}"#;
    let payload = with(good(), "x", "~~~???~~~???").to_string();
    let payload = payload.as_bytes();
    let (in_header, in_payload) = (base64url(header), base64url(payload));
    for part in [&in_header, &in_payload] {
        assert!(part.contains('_') && part.len() % 4 != 0, "{part}");
    }
    let right = spelt(&in_header, &in_payload);
    table.accepts("base64url", &two, right.clone());
    let (message, signature) = right.rsplit_once('.').unwrap();
    let mut malformed = |name: &str, token: String| table.refuses(JwtReason::Malformed, name, &two, token);
    malformed("header padded", spelt(&URL_SAFE.encode(header), &in_payload));
    malformed("payload padded", spelt(&in_header, &URL_SAFE.encode(payload)));
    malformed("signature padded", format!("{right}=="));
    malformed("signature padded once", format!("{right}="));
    malformed("header in standard base64", spelt(&STANDARD_NO_PAD.encode(header), &in_payload));
    malformed("payload in standard base64", spelt(&in_header, &STANDARD_NO_PAD.encode(payload)));
    malformed("signature in standard base64", {
        // One that has such a byte.
        let tokens = (0..64).map(|number| token(&but("jti", number)));
        let token =
            tokens.into_iter().find(|token| token.rsplit_once('.').unwrap().1.contains(['-', '_'])).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        format!("{message}.{}", signature.replace('-', "+").replace('_', "/"))
    });
    malformed("spare bits in the header", spelt(&with_spare_bit(&in_header), &in_payload));
    malformed("spare bits in the payload", spelt(&in_header, &with_spare_bit(&in_payload)));
    malformed("spare bits in the signature", format!("{message}.{}", with_spare_bit(signature)));
    malformed("a letter too many in the header", spelt(&(base64url(&header[..36]) + "A"), &in_payload));
    malformed("a letter too many in the signature", format!("{message}.{}A", &signature[..340]));
    malformed("not base64", spelt("!!!!", &in_payload));
    malformed("a comment", spelt(&in_header, &format!("{in_payload}#")));
    for (name, space) in
        [("line break", "\n"), ("tab", "\t"), ("NUL", "\u{0}"), ("umlaut", "ü"), ("BOM", "\u{feff}")]
    {
        malformed(&format!("{name} in the header"), spelt(&format!("{space}{in_header}"), &in_payload));
        malformed(&format!("{name} in the payload"), spelt(&in_header, &format!("{in_payload}{space}")));
        malformed(
            &format!("{name} in the signature"),
            format!("{}{space}{}", &right[..right.len() - 8], &right[right.len() - 8..]),
        );
    }
}

/// The same bytes, if a reader does not look closely.
fn with_spare_bit(part: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (front, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.iter().position(|letter| *letter == last.as_bytes()[0]).unwrap();
    assert_eq!(value & 1, 0, "{part} has no bits to spare");
    format!("{front}{}", char::from(ALPHABET[value | 1]))
}

fn payloads(table: &mut Table) {
    table.class("payload");
    let two = Home::two_keys();
    let text = good().to_string();
    table.accepts(
        "spaces in the JSON",
        &two,
        token_of_text(format!("\r\n\t {} \n", text.replace("\":", "\" : "))),
    );
    table.accepts("letters escaped", &two, token_of_text(text.replace("alice", r"\u0061lic\u0065")));
    table.accepts("names escaped", &two, token_of_text(text.replace("sub", r"s\u0075b")));
    table.accepts("names that are used elsewhere", &two, {
        token(&with(but("__proto__", json!({ "iss": "x" })), "constructor", json!({ "prototype": {} })))
    });
    table.accepts("names in other letters are other names", &two, {
        token(&with(with(but("Sub", "bob"), "EXP", 1), "Iss", "https://attacker.example"))
    });
    table.accepts("five hundred claims", &two, {
        // Of the length that is left in a header: see the sizes.
        token(&(0..500).fold(good(), |claims, number| with(claims, &format!("{number:x}"), 1)))
    });
    let nested = |levels: usize| {
        let (open, close) = (r#"{"a":"#.repeat(levels), "}".repeat(levels));
        token_of_text(text.replacen('{', &format!(r#"{{"x":{open}1{close},"#), 1))
    };
    table.accepts("nested 127 deep", &two, nested(126));
    table.refuses(JwtReason::Malformed, "nested 128 deep", &two, nested(127));
    table.refuses(JwtReason::Malformed, "nested eight hundred times", &two, nested(800));
    table.refuses(JwtReason::Issuer, "no claims", &two, token_of_text("{}"));
    let bytes = |bytes: &[u8]| spelt(&base64url(HEADER.as_bytes()), &base64url(bytes));
    let mut malformed = |name: &str, token: String| table.refuses(JwtReason::Malformed, name, &two, token);
    for (name, payload) in [
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("a number", "1767225600".to_owned()),
        ("a string", json!(text).to_string()),
        ("a list", "[]".to_owned()),
        ("the claims in a list", format!("[{text}]")),
        ("another token", token(&good())),
        ("not JSON", "alice".to_owned()),
        ("query string", "iss=https://issuer.example&sub=alice".to_owned()),
        ("cut", text.trim_end_matches('}').to_owned()),
        ("two objects", format!("{text}{text}")),
        ("a word behind it", format!("{text} x")),
        ("a brace behind it", format!("{text}}}")),
        ("a NUL behind it", format!("{text}\u{0}")),
        ("a comma at the end", text.replace('}', ",}")),
        ("a comment", text.replace('}', "/* */}")),
        ("single quotes", text.replace('"', "'")),
        ("NaN", text.replace('}', r#","x":NaN}"#)),
        ("Infinity", text.replace('}', r#","x":Infinity}"#)),
        ("a plus", text.replace('}', r#","x":+1}"#)),
        ("hexadecimal", text.replace('}', r#","x":0x10}"#)),
        ("a zero in front", text.replace('}', r#","x":010}"#)),
        ("no digits behind the point", text.replace('}', r#","x":1.}"#)),
        ("a number without end", text.replace('}', r#","x":1e999}"#)),
        ("a line break in a string", text.replace("alice", "ali\nce")),
        ("half a surrogate", text.replace("alice", r"\ud800")),
        ("surrogates swapped", text.replace("alice", r"\udc00\ud800")),
        ("a wrong escape", text.replace("alice", r"\x61lice")),
        ("BOM", format!("\u{feff}{text}")),
    ] {
        malformed(name, token_of_text(payload));
    }
    malformed("UTF-16", bytes(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()));
    let replaced = |with: &[u8]| {
        let at = text.find("alice").unwrap();
        bytes(&[&text.as_bytes()[..at], with, &text.as_bytes()[at + 5..]].concat())
    };
    malformed("Latin-1", replaced(b"\xe5lice"));
    malformed("overlong UTF-8", replaced(b"\xc1\xa1lice"));
    malformed("a surrogate in UTF-8", replaced(b"\xed\xa0\x80"));
    malformed("UTF-8 cut", replaced(b"\xe2\x82"));
    malformed("gzip", bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"));
    malformed("CBOR", bytes(b"\xa1\x63sub\x65alice"));
}

/// What one reader takes the first of and another the last is nothing to decide by.
fn repeated(table: &mut Table) {
    table.class("repeated claim");
    let two = Home::two_keys();
    for more in [
        r#""sub":"bob""#.to_owned(),
        r#""sub":"alice""#.to_owned(),
        r#""s\u0075b":"bob""#.to_owned(),
        r#""sub":null"#.to_owned(),
        r#""iss":"https://attacker.example""#.to_owned(),
        format!(r#""aud":["{AUD}"]"#),
        format!(r#""exp":{}"#, NOW + 7200),
        r#""exp":1"#.to_owned(),
        format!(r#""iat":{NOW}"#),
        r#""x":1,"x":1"#.to_owned(),
        r#""":1,"":2"#.to_owned(),
        r#""x":{"y":1,"y":2}"#.to_owned(),
        r#""x":[{"y":1,"y":2}]"#.to_owned(),
        r#""x":{"y":{"z":null,"\u007a":null}}"#.to_owned(),
    ] {
        table.refuses(JwtReason::Malformed, &*more, &two, token_of_text(crate::homes::text_but(&more)));
    }
    let expired_first = good().to_string().replacen('{', r#"{"exp":1,"#, 1);
    table.refuses(JwtReason::Malformed, "expired, and then not", &two, token_of_text(expired_first));
    let mine_first = good().to_string().replacen('{', r#"{"iss":"https://attacker.example","#, 1);
    table.refuses(JwtReason::Malformed, "an issuer, and then the right one", &two, token_of_text(mine_first));
    let apart = r#""x":{"y":1},"z":{"y":1},"list":[{"y":1},{"y":1}]"#;
    table.accepts("one name in several objects", &two, token_of_text(crate::homes::text_but(apart)));
}

fn sizes(table: &mut Table) {
    table.class("size");
    const LIMIT: usize = 2048;
    let issuer = Issuer::new(ISS, set(&json!({ "keys": [TestKey::es256("a").public_jwk()] }).to_string()));
    let small = Home::new("2 KiB", |builder| {
        builder.with_issuer(issuer.with_audience(AUD)).with_max_token_bytes(LIMIT)
    });
    // Three letters more make four, in the payload and in the header: together they meet every length.
    let sized = |length: usize| {
        let with_sizes = |header: usize, payload: usize| {
            TestToken::new(&but("x", "x".repeat(payload)))
                .with_header("x", "x".repeat(header))
                .signed_by(&TestKey::es256("a"))
        };
        let payload = (length - with_sizes(0, 0).len()) * 3 / 4 - 4;
        let mut sizes =
            (0..4).flat_map(|header| (payload..payload + 4).map(move |payload| (header, payload)));
        sizes
            .find_map(|(header, payload)| {
                Some(with_sizes(header, payload)).filter(|token| token.len() == length)
            })
            .unwrap()
    };
    table.accepts("one byte under the limit", &small, sized(LIMIT - 1));
    table.accepts("the limit", &small, sized(LIMIT));
    table.refuses(JwtReason::TooLong, "one byte over the limit", &small, sized(LIMIT + 1));
    table.refuses(JwtReason::TooLong, "three times the limit", &small, sized(LIMIT * 3));
    table.refuses(JwtReason::TooLong, "no token, and too long", &small, "x".repeat(LIMIT + 1));
    table.refuses(JwtReason::TooLong, "dots, and too long", &small, ".".repeat(LIMIT + 1));
    let two = Home::two_keys();
    let claims = |length: usize| with(good(), "x", Value::from("x".repeat(length)));
    table.accepts("7 KiB where 8 are the limit", &two, token(&claims(4800)));
    table.refuses(JwtReason::TooLong, "9 KiB where 8 are the limit", &two, token(&claims(6500)));
    table.refuses(JwtReason::TooLong, "a header of 9 KiB", &two, {
        TestToken::new(&good()).with_header("x", "x".repeat(6500)).signed_by(&a())
    });
}
