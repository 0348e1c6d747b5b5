//! Which algorithm checks the signature is up to the configuration, and never to the token.

use serde_json::{Value, json};
use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtReason, KeySet};
use tower_lambda_authorizer::testing::{TestKey, TestToken};

use crate::homes::{AUD, Home, ISS, SECRET, a, good, headed, header_but};
use crate::table::Table;

pub fn rows(table: &mut Table) {
    every_one_of_them(table);
    none_at_all(table);
    not_a_name(table);
    public_keys_as_secrets(table);
    one_for_another(table);
}

fn every_one_of_them(table: &mut Table) {
    table.class("algorithm");
    let every = Home::every_algorithm();
    for key in [
        TestKey::rs256("rsa"),
        TestKey::rs384("rsa"),
        TestKey::rs512("rsa"),
        TestKey::ps256("rsa"),
        TestKey::ps384("rsa"),
        TestKey::ps512("rsa"),
        TestKey::es256("p256"),
        TestKey::es384("p384"),
        TestKey::eddsa("ed"),
    ] {
        table.accepts(key.algorithm(), &every, key.token(&good()));
        let forged = TestToken::new(&good()).forged_by(&key);
        table.refuses(JwtReason::Signature, format!("{}, one bit is wrong", key.algorithm()), &every, forged);
        let other = key.clone().other().token(&good());
        table.refuses(JwtReason::Signature, format!("{}, another key", key.algorithm()), &every, other);
    }
    let secret = Home::secret();
    for key in [TestKey::hs256("s", SECRET), TestKey::hs384("s", SECRET), TestKey::hs512("s", SECRET)] {
        table.accepts(key.algorithm(), &secret, key.token(&good()));
        let other = key.clone().other().token(&good());
        table.refuses(JwtReason::Signature, format!("{}, another secret", key.algorithm()), &secret, other);
    }
}

fn none_at_all(table: &mut Table) {
    table.class("alg none");
    let (two, every, secret) = (Home::two_keys(), Home::every_algorithm(), Home::secret());
    for name in ["none", "None", "NONE", "nOnE", "none ", " none", "no\u{0}ne", "nоne", "null", ""] {
        let token = TestToken::new(&good()).with_header("alg", name).with_header("kid", "a");
        table.refuses(JwtReason::Algorithm, format!("{name:?}, unsigned"), &two, token.unsigned());
    }
    let none = TestToken::new(&good()).with_header("alg", "none");
    table.refuses(JwtReason::Algorithm, "none, unsigned, every algorithm", &every, none.unsigned());
    table.refuses(JwtReason::Algorithm, "none, unsigned, HMAC", &secret, none.unsigned());
    table.refuses(JwtReason::Algorithm, "none, rightly signed with RS256", &two, none.signed_by(&a()));
    let unsigned = TestToken::new(&good()).with_header("alg", "RS256").with_header("kid", "a").unsigned();
    table.refuses(JwtReason::Signature, "RS256, and no signature", &two, unsigned);
    let twice = format!(r#"{{"alg":"RS256","kid":"a","{}":"none"}}"#, "alg");
    table.refuses(JwtReason::Malformed, "RS256 and none", &two, headed(twice));
    table.refuses(
        JwtReason::Malformed,
        "none and RS256",
        &two,
        headed(r#"{"alg":"none","alg":"RS256","kid":"a"}"#),
    );
    let escaped = headed(r#"{"alg":"RS256","\u0061lg":"none","kid":"a"}"#);
    table.refuses(JwtReason::Malformed, "RS256 and, escaped, none", &two, escaped);
}

fn not_a_name(table: &mut Table) {
    table.class("alg not a name");
    let two = Home::two_keys();
    table.accepts("escaped letters are letters", &two, headed(r#"{"\u0061lg":"\u0052S256","kid":"a"}"#));
    table.refuses(JwtReason::Algorithm, "missing", &two, headed(r#"{"kid":"a"}"#));
    table.refuses(JwtReason::Algorithm, "`Alg`", &two, headed(r#"{"Alg":"RS256","kid":"a"}"#));
    for name in [
        "rs256",
        "Rs256",
        "RS256 ",
        " RS256",
        "RS256\u{0}",
        "RS256\n",
        "ＲＳ256",
        "RS-256",
        "RSA256",
        "SHA256withRSA",
        "RS1",
        "RS257",
        "RS2560",
        "Ed25519",
        "EdDSA25519",
        "ES256K",
        "ES512",
        "ML-DSA-44",
        "A128KW",
        "dir",
    ] {
        table.refuses(JwtReason::Algorithm, format!("{name:?}"), &two, header_but("alg", name));
    }
    for value in [
        Value::Null,
        json!(true),
        json!(256),
        json!(["RS256"]),
        json!({ "RS256": 1 }),
        json!(["none", "RS256"]),
    ] {
        table.refuses(JwtReason::Algorithm, value.to_string(), &two, header_but("alg", value));
    }
}

/// Everybody knows a public key. A verifier that takes the algorithm from the token takes it for a secret.
fn public_keys_as_secrets(table: &mut Table) {
    table.class("public key as secret");
    let (two, every, pem) = (Home::two_keys(), Home::every_algorithm(), Home::pem());
    let (text, jwk) = (a().public_pem(), a().public_jwk());
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = decode(&base64);
    let spellings = [
        ("PEM", text.clone().into_bytes()),
        ("PEM without the last line break", text.trim_end().as_bytes().to_vec()),
        ("PEM with line breaks of DOS", text.replace('\n', "\r\n").into_bytes()),
        ("base64 of the PEM", base64.clone().into_bytes()),
        ("DER", der.clone()),
        ("DER, the key without its algorithm", der[24..].to_vec()),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWKS", json!({ "keys": [jwk] }).to_string().into_bytes()),
        ("modulus", decode_url(jwk["n"].as_str().unwrap())),
        ("modulus in base64url", jwk["n"].as_str().unwrap().as_bytes().to_vec()),
        ("the name of the key", b"a".to_vec()),
        ("nothing", Vec::new()),
    ];
    for (name, secret) in spellings {
        let forge = |kid: &str| TestKey::hs256(kid, secret.clone()).token(&good());
        table.refuses(JwtReason::Algorithm, format!("HS256, {name}"), &two, forge("a"));
        table.refuses(JwtReason::Algorithm, format!("HS256, {name}"), &every, forge("rsa"));
    }
    let pem_secret = text.into_bytes();
    for key in [TestKey::hs384("a", pem_secret.clone()), TestKey::hs512("a", pem_secret)] {
        table.refuses(JwtReason::Algorithm, format!("{}, PEM", key.algorithm()), &pem, key.token(&good()));
    }
    let point = TestKey::es256("p256").public_pem().into_bytes();
    let forged = TestKey::hs256("p256", point).token(&good());
    table.refuses(JwtReason::Algorithm, "HS256, PEM of a point", &every, forged);
    let point = decode_url(TestKey::eddsa("ed").public_jwk()["x"].as_str().unwrap());
    let forged = TestKey::hs256("ed", point).token(&good());
    table.refuses(JwtReason::Algorithm, "HS256, Ed25519 key", &every, forged);
}

fn one_for_another(table: &mut Table) {
    table.class("one algorithm for another");
    let (two, every, secret) = (Home::two_keys(), Home::every_algorithm(), Home::secret());
    let only = |name, algorithm| {
        let keys = KeySet::from_pem(a().public_pem().as_bytes()).unwrap();
        let issuer = Issuer::new(ISS, keys).with_algorithms([algorithm]).with_audience(AUD);
        Home::new(name, |builder| builder.with_issuer(issuer))
    };
    let pss = only("PS256 only", Algorithm::Ps256);
    table.accepts("PS256 where it is the only one", &pss, TestKey::ps256("a").token(&good()));
    for key in [TestKey::rs256("a"), TestKey::rs512("a"), TestKey::ps384("a"), TestKey::es256("a")] {
        table.refuses(
            JwtReason::Algorithm,
            format!("{} where PS256 is the only one", key.algorithm()),
            &pss,
            key.token(&good()),
        );
    }
    for key in [
        TestKey::ps256("a"),
        TestKey::rs384("a"),
        TestKey::rs512("a"),
        TestKey::es256("a"),
        TestKey::eddsa("a"),
    ] {
        table.refuses(
            JwtReason::Algorithm,
            format!("{} where RS256 is the only one", key.algorithm()),
            &two,
            key.token(&good()),
        );
    }
    let hs256 = Home::with_keys("HS256 only", KeySet::from_hmac_secret(&SECRET).unwrap());
    table.accepts("HS256 where it is the only one", &hs256, TestKey::hs256("s", SECRET).token(&good()));
    let hs512 = TestKey::hs512("s", SECRET).token(&good());
    table.refuses(JwtReason::Algorithm, "HS512 where HS256 is the only one", &hs256, hs512);
    table.refuses(JwtReason::Algorithm, "RS256 where there is a secret", &secret, a().token(&good()));

    // Signed with one, and said to be the other: `claimed` is the name, `kid` the key it is to be checked with.
    let mut claimed = |reason, signer: TestKey, claimed: &str, kid: &str| {
        let name = format!("{} said to be {claimed} of `{kid}`", signer.algorithm());
        let token = TestToken::new(&good()).with_header("alg", claimed).with_header("kid", kid);
        table.refuses(reason, name, &every, token.signed_by(&signer));
    };
    claimed(JwtReason::Signature, TestKey::rs256("rsa"), "RS384", "rsa");
    claimed(JwtReason::Signature, TestKey::rs384("rsa"), "RS256", "rsa");
    claimed(JwtReason::Signature, TestKey::rs256("rsa"), "PS256", "rsa");
    claimed(JwtReason::Signature, TestKey::ps256("rsa"), "RS256", "rsa");
    claimed(JwtReason::Signature, TestKey::ps256("rsa"), "PS512", "rsa");
    claimed(JwtReason::Signature, TestKey::es256("p256"), "RS256", "rsa");
    claimed(JwtReason::Signature, TestKey::hs256("rsa", SECRET), "RS256", "rsa");
    claimed(JwtReason::Signature, TestKey::eddsa("ed"), "ES256", "p256");
    claimed(JwtReason::Signature, TestKey::es384("p384"), "ES256", "p256");
    // The algorithm is right for nobody's key of that name.
    claimed(JwtReason::Algorithm, TestKey::es256("p256"), "RS256", "p256");
    claimed(JwtReason::Algorithm, TestKey::rs256("rsa"), "ES256", "rsa");
    claimed(JwtReason::Algorithm, TestKey::es256("p256"), "ES384", "p256");
    claimed(JwtReason::Algorithm, TestKey::es384("p384"), "ES256", "p384");
    claimed(JwtReason::Algorithm, TestKey::es256("p256"), "EdDSA", "p256");
    claimed(JwtReason::Algorithm, TestKey::eddsa("ed"), "RS256", "ed");
    claimed(JwtReason::Algorithm, TestKey::rs256("rsa"), "HS256", "rsa");
}

fn decode(base64: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(base64).unwrap()
}

fn decode_url(base64: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(base64).unwrap()
}
