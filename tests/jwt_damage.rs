//! Damaged tokens, key sets and PEM: nothing panics, and no damaged token is accepted.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]

use base64::Engine as _;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtAuthorizer, KeySet};
use tower_lambda_authorizer::testing::{TestKey, claims, jwks};

struct Random(u64);
impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % n
    }
    fn damage(&mut self, text: &[u8], words: &[&str]) -> Vec<u8> {
        let mut out = text.to_vec();
        for _ in 0..1 + self.below(3) {
            if out.is_empty() {
                break;
            }
            let at = self.below(out.len());
            match self.below(6) {
                0 => out[at] = self.below(256) as u8,
                1 => out[at] ^= 1 << self.below(8),
                2 => {
                    out.remove(at);
                }
                3 => {
                    let end = (at + self.below(20)).min(out.len());
                    let piece = out[at..end].to_vec();
                    let to = self.below(out.len());
                    out.splice(to..to, piece);
                }
                4 => {
                    let word = words[self.below(words.len())];
                    out.splice(at..at, word.bytes());
                }
                _ => out.truncate(at),
            }
        }
        out
    }
}

#[tokio::test]
async fn damage_is_refused() {
    let rounds: usize = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2_000);
    let mut random = Random(7);
    let clock = ManualClock::default();
    let keys = [
        TestKey::rs256("k1"),
        TestKey::es256("k2"),
        TestKey::es384("k3"),
        TestKey::eddsa("k4"),
        TestKey::ps256("k5"),
    ];
    let set = jwks(keys.iter());
    let issuer = Issuer::new("https://i", KeySet::from_jwks(set.as_bytes()).unwrap())
        .with_algorithms([
            Algorithm::Rs256,
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::EdDsa,
            Algorithm::Ps256,
        ])
        .with_audience("api");
    let authorizer = JwtAuthorizer::builder().with_issuer(issuer).with_clock(clock.clone()).build().unwrap();
    let tokens: Vec<String> = keys.iter().map(|key| key.token(&claims("https://i", "api", &clock))).collect();
    for token in &tokens {
        assert!(authorizer.verify(token).await.is_ok());
    }
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let words = [
        "\"kid\":\"k1\"",
        "\"alg\":\"none\"",
        "..",
        "=",
        "\"exp\":1e400",
        "\\u0000",
        "{",
        "[[[[",
        ",",
        "null",
        "\"d\":\"AA\"",
        "\"keys\":[]",
        "-----",
        "MII",
        "\"use\":\"enc\"",
    ];
    let (mut accepted_sets, mut pems) = (0, 0);
    for _ in 0..rounds {
        let token = &tokens[random.below(tokens.len())];
        let damaged = if random.below(2) == 0 {
            String::from_utf8_lossy(&random.damage(token.as_bytes(), &words)).into_owned()
        } else {
            let mut parts: Vec<Vec<u8>> = token.split('.').map(|part| engine.decode(part).unwrap()).collect();
            let at = random.below(3);
            parts[at] = random.damage(&parts[at].clone(), &words);
            parts.iter().map(|part| engine.encode(part)).collect::<Vec<_>>().join(".")
        };
        if !tokens.contains(&damaged) {
            assert!(authorizer.verify(&damaged).await.is_err(), "{damaged}");
        }
        if let Ok(set) = KeySet::from_jwks(&random.damage(set.as_bytes(), &words)) {
            accepted_sets += set.len();
        }
        let pem = keys[random.below(keys.len())].public_pem();
        let damaged = if random.below(2) == 0 {
            random.damage(pem.as_bytes(), &words)
        } else {
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
            let der = random.damage(&der, &["\u{30}", "\u{2}\u{1}", "\u{3}"]);
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
                base64::engine::general_purpose::STANDARD.encode(der)
            )
            .into_bytes()
        };
        pems += usize::from(KeySet::from_pem(&damaged).is_ok());
    }
    println!("keys of damaged sets: {accepted_sets}; damaged pems that are keys: {pems}");
}
