//! Issuers that mean harm, or that somebody stands in front of: no key of theirs is used that must not be, nobody waits
//! for ever, and no token leads anywhere.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::{Algorithm, HttpJwks, Issuer, JwtAuthorizer};
use tower_lambda_authorizer::testing::{
    FakeAnswer, FakeIssuer, TestKey, TestToken, WEAK_RSA_JWK, WEAK_RSA_TOKEN, jwks,
};

use super::harness::{Server, World, stage};
use super::tally::Tally;
use super::tokens::{AUD, ISS, good};
use super::wire::head;

/// A service whose keys come from an issuer on the loopback interface.
struct Scene {
    issuer: FakeIssuer,
    clock: ManualClock,
    world: Arc<World>,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        let (issuer, clock) = (FakeIssuer::start().unwrap(), ManualClock::default());
        let keys = HttpJwks::new(issuer.jwks_url())
            .with_clock(clock.clone())
            .with_timeout(Duration::from_secs(2))
            .build()
            .unwrap();
        let algorithms = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];
        let issuer_of = Issuer::new(ISS, keys).with_algorithms(algorithms).with_audience(AUD);
        let authorizer = JwtAuthorizer::builder().with_clock(ManualClock::default()).with_issuer(issuer_of);
        let layer = AuthorizerLayer::token(authorizer.build().unwrap(), stage()).build().unwrap();
        let world = Arc::<World>::default();
        let server = Server::start(Arc::clone(&world), protect(world.router(), layer));
        Self { issuer, clock, world, server }
    }

    fn ask(&self, token: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        let headers = [("Host", b"x".as_slice()), ("Authorization", bearer.as_bytes())];
        self.server.send(&head("GET", b"/admin", &headers)).status
    }

    #[track_caller]
    fn refuses(&self, tally: &mut Tally, name: &str, token: &str, status: u16) {
        assert_eq!(self.ask(token), status, "{name}");
        tally.refused(&self.world, name);
    }

    #[track_caller]
    fn serves(&self, name: &str, token: &str) {
        assert_eq!((self.ask(token), self.world.take_calls()), (200, vec!["admin".to_owned()]), "{name}");
    }

    /// The issuer is itself again, and the next fetch may begin.
    fn repair(&self) {
        self.issuer.answer_with(FakeAnswer::usual());
        self.issuer.set_keys(jwks([&a()]));
        self.issuer.release();
        self.clock.advance(Duration::from_secs(2 * 3600));
    }
}

fn a() -> TestKey {
    TestKey::rs256("a")
}

fn with(key: &TestKey, name: &str, value: Value) -> Value {
    let mut jwk = key.public_jwk();
    jwk[name] = value;
    jwk
}

#[test]
fn a_key_that_must_not_be_used_checks_nothing() {
    let mut tally = Tally::of("key sets with keys that must not be used", 23);
    let (rsa, p256, ed) = (TestKey::rs256("odd").other(), TestKey::es256("odd"), TestKey::eddsa("odd"));
    let secret = TestKey::hs256("odd", *b"0123456789abcdef0123456789abcdef");
    let of = |key: &TestKey| key.token(&good());
    let weak: Value = serde_json::from_str(WEAK_RSA_JWK).unwrap();
    let signed_by_nobody = TestToken::new(&good()).with_header("alg", "EdDSA").with_header("kid", "odd");
    let neutral = signed_by_nobody.with_signature(&[&[1], [0; 63].as_slice()].concat());
    for (name, odd, token) in [
        ("a secret", vec![secret.public_jwk()], of(&secret)),
        ("a secret that says it is RSA", vec![with(&secret, "kty", json!("RSA"))], of(&secret)),
        ("RSA of 1,024 bits", vec![weak], WEAK_RSA_TOKEN.to_owned()),
        ("exponent 1", vec![with(&rsa, "e", json!("AQ"))], of(&rsa)),
        ("an even exponent", vec![with(&rsa, "e", json!("AQAA"))], of(&rsa)),
        ("for encryption", vec![with(&rsa, "use", json!("enc"))], of(&rsa)),
        ("for a list of uses", vec![with(&rsa, "use", json!(["sig"]))], of(&rsa)),
        ("for encryption, said in key_ops", vec![with(&rsa, "key_ops", json!(["encrypt"]))], of(&rsa)),
        ("for signing, not for checking", vec![with(&rsa, "key_ops", json!(["sign"]))], of(&rsa)),
        ("for another algorithm", vec![with(&rsa, "alg", json!("RSA-OAEP"))], of(&rsa)),
        ("for HMAC", vec![with(&rsa, "alg", json!("HS256"))], of(&rsa)),
        ("for none", vec![with(&rsa, "alg", json!("none"))], of(&rsa)),
        ("a private key", vec![with(&rsa, "d", json!("AAAA"))], of(&rsa)),
        ("a kind in small letters", vec![with(&rsa, "kty", json!("rsa"))], of(&rsa)),
        ("another kind", vec![with(&rsa, "kty", json!("EC"))], of(&rsa)),
        ("a point off its curve", vec![with(&p256, "y", p256.public_jwk()["x"].clone())], of(&p256)),
        ("another curve", vec![with(&p256, "crv", json!("secp256k1"))], of(&p256)),
        ("another Edwards curve", vec![with(&ed, "crv", json!("X25519"))], of(&ed)),
        (
            "a point of small order",
            vec![with(&ed, "x", json!("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))],
            neutral,
        ),
        ("two of one name", vec![rsa.public_jwk(), p256.public_jwk()], of(&rsa)),
        ("the same twice", vec![rsa.public_jwk(), rsa.public_jwk()], of(&rsa)),
        ("a name that is none", vec![with(&rsa, "kid", json!(["odd"]))], of(&rsa)),
        ("a name in another case", vec![with(&rsa, "kid", json!("ODD"))], of(&rsa)),
    ] {
        let scene = Scene::new();
        let keys: Vec<Value> = odd.into_iter().chain([a().public_jwk()]).collect();
        scene.issuer.set_keys(json!({ "keys": keys }).to_string());
        scene.refuses(&mut tally, name, &token, 401);
        scene.serves(name, &a().token(&good()));
    }
}

#[test]
fn what_is_no_key_set_is_no_key_and_keeps_none_away_for_long() {
    let mut tally = Tally::of("key sets that are none", 30);
    let keys = jwks([&a()]);
    let elsewhere = FakeIssuer::start().unwrap();
    elsewhere.set_keys(keys.clone());
    let json = |text: &str| FakeAnswer::body(text);
    let hundred: Vec<Value> = (0..101).map(|number| with(&a(), "kid", json!(number.to_string()))).collect();
    for (name, answer) in [
        ("nothing", json("")),
        ("null", json("null")),
        ("a list of keys", FakeAnswer::body(json!([a().public_jwk()]).to_string())),
        ("a key", FakeAnswer::body(a().public_jwk().to_string())),
        ("no keys", json(r#"{"keys":[]}"#)),
        ("keys that are no list", json(r#"{"keys":{}}"#)),
        ("keys by another name", FakeAnswer::body(keys.replace("keys", "Keys"))),
        ("two lists", FakeAnswer::body(keys.replacen('{', r#"{"keys":[],"#, 1))),
        ("half of it", FakeAnswer::body(&keys[..keys.len() / 2])),
        ("something behind it", FakeAnswer::body(format!("{keys}x"))),
        ("a byte order mark", FakeAnswer::body(format!("\u{feff}{keys}"))),
        ("UTF-16", FakeAnswer::body(keys.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())),
        ("a PEM", FakeAnswer::body(a().public_pem())),
        ("a page", json("<html>Sign in</html>").with_content_type("text/html")),
        ("a hundred keys and one", FakeAnswer::body(json!({ "keys": hundred }).to_string())),
        ("a depth of 100,000", FakeAnswer::body(format!(r#"{{"keys":{}"#, "[".repeat(100_000)))),
        ("a megabyte", FakeAnswer::body(format!("{keys}{}", " ".repeat(1 << 20)))),
        ("a megabyte that nobody announced", {
            FakeAnswer::body(format!("{}{keys}", " ".repeat(1 << 20))).without_content_length()
        }),
        ("without end", FakeAnswer::endless()),
        ("cut off", FakeAnswer::usual().truncated()),
        ("longer than it is", FakeAnswer::usual().with_content_length(100_000)),
        ("shorter than it is", FakeAnswer::usual().with_content_length(20)),
        ("a redirect", FakeAnswer::redirect(elsewhere.jwks_url())),
        ("a redirect within", FakeAnswer::redirect("/other/jwks.json")),
        ("a redirect with keys", FakeAnswer::status(307)),
        ("status 201", FakeAnswer::status(201)),
        ("status 404, with keys", FakeAnswer::status(404)),
        ("status 500, with keys", FakeAnswer::status(500)),
        ("byte by byte", FakeAnswer::usual().dribbled(Duration::from_millis(50))),
    ] {
        let scene = Scene::new();
        scene.issuer.set_keys(keys.clone());
        scene.issuer.answer_with(answer);
        // Who is at fault? Not the caller.
        scene.refuses(&mut tally, name, &a().token(&good()), 500);
        assert!(scene.issuer.bytes_sent() < 16 << 20, "{name}: {} bytes", scene.issuer.bytes_sent());
        scene.repair();
        scene.serves(name, &a().token(&good()));
    }
    let scene = Scene::new();
    scene.issuer.set_keys(keys);
    scene.issuer.hold();
    scene.refuses(&mut tally, "silence", &a().token(&good()), 500);
    scene.repair();
    scene.serves("silence", &a().token(&good()));
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn keys_that_nobody_has_are_asked_for_once_and_lead_nowhere() {
    let mut tally = Tally::of("floods of keys that nobody has", 5);
    let scene = Scene::new();
    let attacker = FakeIssuer::start().unwrap();
    attacker.set_keys(jwks([&a().other()]));
    scene.issuer.set_keys(jwks([&a()]));
    let good_token = a().token(&good());
    scene.serves("before", &good_token);
    let forms: [(&str, &dyn Fn(usize) -> String); 5] = [
        ("numbers", &|number| number.to_string()),
        ("places", &|number| format!("{}?{number}", attacker.jwks_url())),
        ("paths", &|number| format!("../{number}/../a")),
        ("long ones", &|number| format!("{number}{}", "k".repeat(200))),
        ("lines", &|number| format!("{number}\r\nHost: evil.example\r\n\r\n")),
    ];
    for (name, form) in forms {
        for number in 0..100 {
            let token = TestToken::new(&good()).with_header("kid", form(number)).signed_by(&a().other());
            scene.refuses(&mut tally, name, &token, 401);
        }
        scene.serves(name, &good_token);
    }
    // Once for the first request, once for the first name that nobody knew.
    assert!(scene.issuer.requests() <= 2, "{} fetches", scene.issuer.requests());
    assert_eq!((attacker.requests(), attacker.discovery_requests()), (0, 0));
}

#[test]
fn a_good_set_is_not_replaced_by_a_bad_one() {
    let mut tally = Tally::of("key sets after a good one", 8);
    let odd = TestKey::rs256("odd").other();
    let elsewhere = FakeIssuer::start().unwrap();
    elsewhere.set_keys(jwks([&odd]));
    for (name, answer) in [
        ("no keys", FakeAnswer::body(r#"{"keys":[]}"#)),
        ("a redirect", FakeAnswer::redirect(elsewhere.jwks_url())),
        ("an error with keys", FakeAnswer::status(500).with_content_type("application/jwk-set+json")),
        ("cut off", FakeAnswer::usual().truncated()),
        ("two lists", FakeAnswer::body(jwks([&odd]).replacen('{', r#"{"keys":[],"#, 1))),
        (
            "a secret",
            FakeAnswer::body(json!({ "keys": [TestKey::hs256("odd", [7; 64]).public_jwk()] }).to_string()),
        ),
        ("without end", FakeAnswer::endless()),
        (
            "an encryption key",
            FakeAnswer::body(json!({ "keys": [with(&odd, "use", json!("enc"))] }).to_string()),
        ),
    ] {
        let scene = Scene::new();
        scene.issuer.set_keys(jwks([&a()]));
        scene.serves(name, &a().token(&good()));
        // Whoever sits there now has its own key in the set.
        scene.issuer.set_keys(jwks([&odd]));
        scene.issuer.answer_with(answer);
        scene.clock.advance(Duration::from_secs(2 * 3600));
        scene.refuses(&mut tally, name, &odd.token(&good()), 401);
        scene.serves(name, &a().token(&good()));
        assert!(scene.issuer.requests() >= 2, "{name}");
    }
    assert_eq!(elsewhere.requests(), 0);
}
