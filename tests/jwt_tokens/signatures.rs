//! Signatures that are almost signatures.

use tower_lambda_authorizer::jwt::JwtReason;
use tower_lambda_authorizer::testing::{TestKey, TestToken};

use crate::homes::{Home, SECRET, a, b, but, good};
use crate::numbers::{ED25519_ORDER, P256_ORDER, add, base64url, decode_base64url, subtract};
use crate::table::Table;

pub fn rows(table: &mut Table) {
    ecdsa(table);
    rsa(table);
    eddsa(table);
    hmac(table);
}

/// A token in the parts that are to be joined anew.
struct Parts {
    message: String,
    signature: Vec<u8>,
}

impl Parts {
    fn of(key: &TestKey) -> Self {
        Self::of_token(&key.token(&good()))
    }

    fn of_token(token: &str) -> Self {
        let (message, signature) = token.rsplit_once('.').unwrap();
        Self { message: message.to_owned(), signature: decode_base64url(signature) }
    }

    fn with(&self, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}", self.message, base64url(signature.as_ref()))
    }
}

fn ecdsa(table: &mut Table) {
    table.class("ES256 signature");
    let every = Home::every_algorithm();
    let key = TestKey::es256("p256");
    // Claims of their own: one backend signs the same message in the same way each time.
    let parts = Parts::of_token(&key.token(&but("jti", "1")));
    let (r, s) = parts.signature.split_at(32);
    let high = s > &subtract(&P256_ORDER, s)[..];
    let mirrored = subtract(&P256_ORDER, s);
    let pair = |r: &[u8], s: &[u8]| parts.with([r, s].concat());
    // JWS does not say which of the two it has to be, and whoever can sign can sign twice.
    let (low, tall) = if high { (&mirrored[..], s) } else { (s, &mirrored[..]) };
    table.accepts("the smaller s", &every, pair(r, low));
    table.accepts("the larger s", &every, pair(r, tall));
    let (zero, most) = ([0; 32], [0xff; 32]);
    let mut one = zero;
    one[31] = 1;
    let mut refused = |name: &str, token: String| table.refuses(JwtReason::Signature, name, &every, token);
    refused("all zero, the psychic one", pair(&zero, &zero));
    refused("r is 0", pair(&zero, s));
    refused("s is 0", pair(r, &zero));
    refused("r is 1", pair(&one, s));
    refused("r is the order", pair(&P256_ORDER, s));
    refused("s is the order", pair(r, &P256_ORDER));
    refused("both are the order", pair(&P256_ORDER, &P256_ORDER));
    refused("all ones", pair(&most, &most));
    refused("r mirrored", pair(&subtract(&P256_ORDER, r), s));
    refused("r and s swapped", pair(s, r));
    let backwards = |number: &[u8]| number.iter().rev().copied().collect::<Vec<_>>();
    refused("least significant byte first", pair(&backwards(r), &backwards(s)));
    refused("DER", parts.with(der(r, s)));
    refused("none", parts.with([]));
    refused("r alone", parts.with(r));
    refused("one byte short", parts.with(&parts.signature[..63]));
    refused("without its first byte", parts.with(&parts.signature[1..]));
    refused("one byte long", parts.with([&*parts.signature, &[0]].concat()));
    refused("a zero in front of each", pair(&[&[0], r].concat(), &[&[0], s].concat()));
    refused("twice", parts.with([&*parts.signature, &*parts.signature].concat()));
    refused("in the size of P-384", parts.with([&[0; 16], r, &[0; 16], s].concat()));
    refused("of other claims", parts.with(Parts::of_token(&key.token(&but("sub", "bob"))).signature));
    refused(
        "of the payload alone",
        parts.with(key.sign(parts.message.split_once('.').unwrap().1.as_bytes())),
    );
    refused("in hexadecimal", {
        let hex: String = parts.signature.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}.{hex}", parts.message)
    });
    table.class("ES384 signature");
    let parts = Parts::of(&TestKey::es384("p384"));
    let mut refused = |name: &str, token: String| table.refuses(JwtReason::Signature, name, &every, token);
    refused("all zero", parts.with([0; 96]));
    refused("one byte short", parts.with(&parts.signature[..95]));
    refused("cut to P-256", parts.with(&parts.signature[..64]));
    refused("swapped", parts.with([&parts.signature[48..], &parts.signature[..48]].concat()));
    refused("DER", parts.with(der(&parts.signature[..48], &parts.signature[48..])));
}

fn rsa(table: &mut Table) {
    table.class("RSA signature");
    let (two, every) = (Home::two_keys(), Home::every_algorithm());
    let parts = Parts::of(&a());
    let modulus = decode_base64url(a().public_jwk()["n"].as_str().unwrap());
    let mut number = vec![0; 256];
    let mut refused = |name: &str, token: String| table.refuses(JwtReason::Signature, name, &two, token);
    refused("0", parts.with(&number));
    number[255] = 1;
    refused("1", parts.with(&number));
    refused("the modulus", parts.with(&modulus));
    refused("the modulus less 1", parts.with(subtract(&modulus, &number)));
    refused("its negative", parts.with(subtract(&modulus, &parts.signature)));
    refused("all ones", parts.with([0xff; 256]));
    refused("one byte short", parts.with(&parts.signature[..255]));
    refused("without its first byte", parts.with(&parts.signature[1..]));
    refused("a zero in front", parts.with([&[0], &*parts.signature].concat()));
    refused("a zero behind", parts.with([&*parts.signature, &[0]].concat()));
    refused("one byte", parts.with([0]));
    refused(
        "first bit wrong",
        parts.with({
            let mut wrong = parts.signature.clone();
            wrong[0] ^= 0x80;
            wrong
        }),
    );
    refused("of other claims", parts.with(Parts::of_token(&a().token(&but("sub", "bob"))).signature));
    refused("of the same claims, under the other name", parts.with(Parts::of(&b()).signature));
    refused("of another key", parts.with(b().sign(parts.message.as_bytes())));
    refused("SHA-384 inside", parts.with(TestKey::rs384("a").sign(parts.message.as_bytes())));
    refused("SHA-512 inside", parts.with(TestKey::rs512("a").sign(parts.message.as_bytes())));
    refused("PSS", parts.with(TestKey::ps256("a").sign(parts.message.as_bytes())));
    refused(
        "of the payload alone",
        parts.with(a().sign(parts.message.split_once('.').unwrap().1.as_bytes())),
    );
    // The same number modulo the modulus, for a token whose signature leaves room for it.
    let modulus = decode_base64url(b().public_jwk()["n"].as_str().unwrap());
    let over = (0..64).find_map(|number| {
        let parts = Parts::of_token(&b().token(&but("jti", number)));
        add(&parts.signature, &modulus).map(|sum| parts.with(sum))
    });
    refused("the modulus added", over.unwrap());
    let mut refused = |name: &str, token: String| table.refuses(JwtReason::Signature, name, &every, token);
    let pss = Parts::of(&TestKey::ps256("rsa"));
    refused("PS256: 0", pss.with([0; 256]));
    refused("PS256: one byte short", pss.with(&pss.signature[..255]));
    refused("PS256: a zero in front", pss.with([&[0], &*pss.signature].concat()));
    refused("PS256: SHA-512 inside", pss.with(TestKey::ps512("rsa").sign(pss.message.as_bytes())));
}

fn eddsa(table: &mut Table) {
    table.class("EdDSA signature");
    let every = Home::every_algorithm();
    let key = TestKey::eddsa("ed");
    let parts = Parts::of(&key);
    let (r, s) = parts.signature.split_at(32);
    let backwards = |number: &[u8]| number.iter().rev().copied().collect::<Vec<_>>();
    let pair = |r: &[u8], s: &[u8]| parts.with([r, s].concat());
    let mut refused = |name: &str, token: String| table.refuses(JwtReason::Signature, name, &every, token);
    refused("S is 0", pair(r, &[0; 32]));
    let over = add(&backwards(s), &ED25519_ORDER).unwrap();
    refused("the order added to S", pair(r, &backwards(&over)));
    let twice = add(&over, &ED25519_ORDER).unwrap();
    refused("twice the order added to S", pair(r, &backwards(&twice)));
    refused("S negative", pair(r, &backwards(&subtract(&ED25519_ORDER, &backwards(s)))));
    refused("the sign of R changed", {
        let mut r = r.to_vec();
        r[31] ^= 0x80;
        pair(&r, s)
    });
    for (name, point) in crate::numbers::SMALL_ORDER {
        refused(&format!("R of small order: {name}"), pair(&point, s));
        refused(&format!("R of small order, S is 0: {name}"), pair(&point, &[0; 32]));
    }
    refused("R and S swapped", pair(s, r));
    refused("none", parts.with([]));
    refused("one byte short", parts.with(&parts.signature[..63]));
    refused("one byte long", parts.with([&*parts.signature, &[0]].concat()));
    refused("of other claims", parts.with(Parts::of_token(&key.token(&but("sub", "bob"))).signature));
}

fn hmac(table: &mut Table) {
    table.class("HMAC tag");
    let secret = Home::secret();
    let parts = Parts::of(&TestKey::hs256("s", SECRET));
    let mut refused = |name: &str, token: String| table.refuses(JwtReason::Signature, name, &secret, token);
    refused("none", parts.with([]));
    refused("its first byte", parts.with(&parts.signature[..1]));
    refused("its first half", parts.with(&parts.signature[..16]));
    refused("all but the last byte", parts.with(&parts.signature[..31]));
    refused("one byte long", parts.with([&*parts.signature, &[0]].concat()));
    refused("twice", parts.with([&*parts.signature, &*parts.signature].concat()));
    refused("all zero", parts.with([0; 32]));
    refused("HS512, cut", parts.with(&TestKey::hs512("s", SECRET).sign(parts.message.as_bytes())[..32]));
    refused(
        "the secret's first half alone",
        parts.with(TestKey::hs256("s", &SECRET[..32]).sign(parts.message.as_bytes())),
    );
    refused("no secret", parts.with(TestKey::hs256("s", []).sign(parts.message.as_bytes())));
    let other = TestToken::new(&but("sub", "bob")).signed_by(&TestKey::hs256("s", SECRET));
    refused("of other claims", parts.with(Parts::of_token(&other).signature));
}

/// A signature as X.509 has it.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = &number[zeros..];
        let sign: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
        [&[2, u8::try_from(sign.len() + number.len()).unwrap()], sign, number].concat()
    };
    let inside = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(inside.len()).unwrap()], &*inside].concat()
}
