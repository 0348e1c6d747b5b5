//! Key sets with keys that must not be used. Each of these tokens is rightly signed with the key that it names.

use jsonwebtoken::jwk::ThumbprintHash;
use serde_json::{Value, json};
use tower_lambda_authorizer::jwt::{Issuer, JwtReason, KeySet};
use tower_lambda_authorizer::testing::{TestKey, TestToken, WEAK_RSA_JWK, WEAK_RSA_TOKEN};

use crate::homes::{AUD, Home, ISS, PUBLIC, SECRET, a, b, good, with, without};
use crate::numbers::{base64url, decode_base64url};
use crate::table::Table;

#[cfg(feature = "jwt")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "jwt"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

pub fn rows(table: &mut Table) {
    left_out(table);
    kept_for_some(table);
    weak(table);
}

/// An issuer with one good key, `a`, and one that is `odd`.
fn beside(name: &'static str, odd: &[Value]) -> Home {
    let keys: Vec<_> = odd.iter().cloned().chain([a().public_jwk()]).collect();
    let keys = KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    let issuer = Issuer::new(ISS, keys).with_algorithms(PUBLIC).with_audience(AUD);
    Home::new(name, |builder| builder.with_issuer(issuer))
}

fn left_out(table: &mut Table) {
    table.class("key that is left out");
    let (rsa, p256, ed) = (TestKey::rs256("odd").other(), TestKey::es256("odd"), TestKey::eddsa("odd"));
    let changed = |key: &TestKey, name: &str, value: Value| with(key.public_jwk(), name, value);
    let mut left_out = |name: &'static str, key: &TestKey, jwk: Value| {
        let home = beside(name, &[jwk]);
        table.refuses(JwtReason::Key, "the odd key", &home, key.token(&good()));
        table.accepts("the good key beside it", &home, a().token(&good()));
    };
    left_out("use enc", &rsa, changed(&rsa, "use", json!("enc")));
    left_out("use, no text", &rsa, changed(&rsa, "use", json!(["sig"])));
    left_out("key_ops encrypt", &rsa, changed(&rsa, "key_ops", json!(["encrypt"])));
    left_out("key_ops sign alone", &rsa, changed(&rsa, "key_ops", json!(["sign"])));
    left_out("alg unknown", &rsa, changed(&rsa, "alg", json!("RSA-OAEP")));
    left_out("alg of a secret", &rsa, changed(&rsa, "alg", json!("HS256")));
    left_out("alg none", &rsa, changed(&rsa, "alg", json!("none")));
    left_out("kty of another kind", &rsa, changed(&rsa, "kty", json!("EC")));
    left_out("kty in small letters", &rsa, changed(&rsa, "kty", json!("rsa")));
    left_out("private RSA key", &rsa, changed(&rsa, "d", json!("AAAA")));
    left_out("private EC key", &p256, changed(&p256, "d", json!("AAAA")));
    left_out("modulus in standard base64", &rsa, {
        let modulus = rsa.public_jwk()["n"].as_str().unwrap().replace('-', "+").replace('_', "/");
        changed(&rsa, "n", modulus.into())
    });
    left_out("P-256 said to be P-384", &p256, changed(&p256, "crv", json!("P-384")));
    left_out("P-256 said to be secp256k1", &p256, changed(&p256, "crv", json!("secp256k1")));
    left_out("P-521", &p256, changed(&p256, "crv", json!("P-521")));
    left_out("Ed25519 said to be X25519", &ed, changed(&ed, "crv", json!("X25519")));
    left_out("Ed25519 said to be Ed448", &ed, changed(&ed, "crv", json!("Ed448")));
    left_out("not on the curve", &p256, changed(&p256, "y", p256.public_jwk()["x"].clone()));
    let nowhere = json!(base64url(&[0; 32]));
    left_out("at infinity", &p256, with(changed(&p256, "x", nowhere.clone()), "y", nowhere));
    let long =
        json!(base64url(&[&[0], &*decode_base64url(p256.public_jwk()["x"].as_str().unwrap())].concat()));
    left_out("a coordinate of 33 bytes", &p256, changed(&p256, "x", long));
    left_out("kid, no text", &rsa, changed(&rsa, "kid", json!(["odd"])));
    // Its algorithm is refused before its name is looked for.
    let secret = TestKey::hs256("odd", SECRET);
    let home = beside("a secret for everybody", &[secret.public_jwk()]);
    table.refuses(JwtReason::Algorithm, "the odd key", &home, secret.token(&good()));
}

fn kept_for_some(table: &mut Table) {
    table.class("key of a set");
    let rsa = TestKey::rs256("odd").other();
    let twice = beside("two keys of one name", &[rsa.public_jwk(), TestKey::es256("odd").public_jwk()]);
    table.refuses(JwtReason::Key, "a name that two keys have", &twice, rsa.token(&good()));
    table.refuses(
        JwtReason::Key,
        "a name that two have, the other",
        &twice,
        TestKey::es256("odd").token(&good()),
    );
    let again = beside("the same key twice", &[rsa.public_jwk(), rsa.public_jwk()]);
    table.refuses(JwtReason::Key, "the same key twice", &again, rsa.token(&good()));
    let enc = with(TestKey::es256("odd").public_jwk(), "use", "enc");
    let shared = beside("a name shared with encryption", &[rsa.public_jwk(), enc]);
    table.accepts("a name shared with a key for encryption", &shared, rsa.token(&good()));

    let for_rs512 = beside("alg RS512", &[with(rsa.public_jwk(), "alg", "RS512")]);
    table.accepts("RS512, a key for it", &for_rs512, TestKey::rs512("odd").other().token(&good()));
    table.refuses(JwtReason::Algorithm, "RS256, a key for RS512", &for_rs512, rsa.token(&good()));
    let for_rs256 = beside("alg RS256", &[rsa.public_jwk()]);
    let pss = TestKey::ps256("odd").other();
    table.refuses(JwtReason::Algorithm, "PS256, a key for RS256", &for_rs256, pss.token(&good()));

    let unnamed = beside("a key without a name", &[without(b().public_jwk(), "kid")]);
    let nameless = TestToken::new(&good()).without_header("kid").signed_by(&b());
    table.refuses(JwtReason::Key, "no name, two keys", &unnamed, nameless);
    table.refuses(JwtReason::Key, "an empty name, a key without one", &unnamed, {
        TestToken::new(&good()).with_header("kid", "").signed_by(&b())
    });
    let p384 = beside("P-384", &[without(TestKey::es384("odd").public_jwk(), "alg")]);
    table.accepts("ES384 with P-384", &p384, TestKey::es384("odd").token(&good()));
    let claimed = TestToken::new(&good()).with_header("alg", "ES256").signed_by(&TestKey::es384("odd"));
    table.refuses(JwtReason::Algorithm, "ES256 with P-384", &p384, claimed);
    let mirrored = {
        let jwk = TestKey::es256("odd").public_jwk();
        let y = crate::numbers::subtract(
            &crate::numbers::P256_FIELD,
            &decode_base64url(jwk["y"].as_str().unwrap()),
        );
        beside("the mirrored point", &[with(jwk, "y", base64url(&y))])
    };
    table.refuses(
        JwtReason::Signature,
        "the mirrored point",
        &mirrored,
        TestKey::es256("odd").token(&good()),
    );
}

/// Keys with which anybody can sign.
fn weak(table: &mut Table) {
    table.class("weak key");
    let rsa_1024 = beside("RSA of 1,024 bits", &[serde_json::from_str(WEAK_RSA_JWK).unwrap()]);
    table.refuses(JwtReason::Key, "RSA of 1,024 bits", &rsa_1024, WEAK_RSA_TOKEN);

    let rsa = TestKey::rs256("odd").other();
    let unsigned =
        TestToken::new(&good()).with_header("alg", "RS256").with_header("kid", "odd").with_signature(b"x");
    let exponents = [
        ("exponent 1", "AQ"),
        ("exponent 1, with zeros", "AAAB"),
        ("exponent 0", "AA"),
        ("exponent 2", "Ag"),
    ];
    for (name, exponent) in exponents {
        let home = beside(name, &[with(rsa.public_jwk(), "e", exponent)]);
        let forged = replaced(&unsigned, &padded(&unsigned));
        table.refuses(JwtReason::Key, "a signature that is the padded hash", &home, forged);
    }

    // With such a key, the neutral element and a zero sign everything: there is nothing in it but the cofactor.
    let mut neutral = [0; 64];
    neutral[0] = 1;
    let token = TestToken::new(&good())
        .with_header("alg", "EdDSA")
        .with_header("kid", "odd")
        .with_signature(&neutral);
    for (name, point) in crate::numbers::SMALL_ORDER {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "odd", "x": base64url(&point) });
        table.refuses(
            JwtReason::Key,
            "an Ed25519 point of small order",
            &beside(name, &[jwk]),
            token.clone(),
        );
    }
}

/// What a PKCS #1 signature of the message is with the exponent 1.
fn padded(token: &str) -> Vec<u8> {
    const SHA_256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let message = token.rsplit_once('.').unwrap().0;
    let hash =
        (DEFAULT_PROVIDER.key_utils.compute_digest)(message.as_bytes(), ThumbprintHash::SHA256).unwrap();
    let end = [&SHA_256[..], &hash].concat();
    let mut padded = vec![0xff; 256];
    padded[..2].copy_from_slice(&[0, 1]);
    padded[256 - end.len() - 1] = 0;
    padded[256 - end.len()..].copy_from_slice(&end);
    padded
}

fn replaced(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, base64url(signature))
}
