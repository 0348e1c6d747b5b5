//! Tokens that mean harm, as they come over the wire. `tests/jwt_tokens` has many more, without a socket.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_lambda_authorizer::authorizer::{Credential, any_of};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::{Issuer, JwtAuthorizer, KeySet};
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::testing::{FakeIssuer, TestKey, TestToken, jwks};
use tower_lambda_authorizer::{AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn};

use super::harness::{Server, World, home, stage};
use super::tally::Tally;
use super::wire::head;

pub const ISS: &str = "https://issuer.example";
pub const AUD: &str = "tests";

/// What the clock says.
pub const NOW: u64 = 1_767_225_600;

/// The key that is trusted, beside `b`.
fn a() -> TestKey {
    TestKey::rs256("a")
}

/// Somebody else's key, of the same name.
fn foreign() -> TestKey {
    TestKey::rs256("a").other()
}

pub fn good() -> Value {
    json!({ "iss": ISS, "aud": AUD, "sub": "me", "iat": NOW, "exp": NOW + 3600 })
}

fn but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = good();
    claims[name] = value.into();
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

fn authorizer() -> JwtAuthorizer {
    let b = TestKey::rs256("b").other();
    let keys = KeySet::from_jwks(jwks([&a(), &b]).as_bytes()).unwrap();
    let builder = JwtAuthorizer::builder().with_clock(ManualClock::default());
    builder.with_issuer(Issuer::new(ISS, keys).with_audience(AUD)).build().unwrap()
}

/// The same layer in several places, with and without a cache.
fn servers() -> Vec<(String, &'static str, Server)> {
    let mut servers = vec![];
    for (name, home, prefix) in home::ALL {
        for is_cached in [false, true] {
            let layer = AuthorizerLayer::token(authorizer(), stage()).with_clock(ManualClock::default());
            let layer = if is_cached { layer.with_cache(MemoryCache::default()) } else { layer };
            let world = Arc::<World>::default();
            let service = home(world.router(), layer.build().unwrap());
            servers.push((format!("{name}, cached: {is_cached}"), prefix, Server::start(world, service)));
        }
    }
    servers
}

/// Sends each token everywhere, twice, and sees that good ones are served before and afterwards.
#[track_caller]
fn refused(mut tally: Tally, tokens: &[(String, String)]) {
    for (name, prefix, server) in servers() {
        let ask = |token: &[u8]| {
            let target = format!("{prefix}/admin");
            let bearer = [b"Bearer ".as_slice(), token].concat();
            server.send(&head("GET", target.as_bytes(), &[("Host", b"x"), ("Authorization", &bearer)]))
        };
        let serves = || {
            let answer = ask(a().token(&good()).as_bytes());
            assert_eq!((answer.status, server.world.take_calls()), (200, vec!["admin".to_owned()]), "{name}");
        };
        serves();
        for (what, token) in tokens {
            for _ in 0..2 {
                let answer = ask(token.as_bytes());
                assert_eq!(answer.status, 401, "{name}: {what}");
                assert_eq!(answer.body, r#"{"message":"Unauthorized"}"#, "{name}: {what}");
                tally.refused(&server.world, what);
            }
        }
        serves();
    }
}

fn named(tokens: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Vec<(String, String)> {
    tokens.into_iter().map(|(name, token)| (name.into(), token.into())).collect()
}

#[test]
fn the_token_does_not_choose_how_it_is_checked() {
    let with_alg = |alg: Value| TestToken::new(&good()).with_header("kid", "a").with_header("alg", alg);
    let mut tokens = vec![];
    for alg in ["none", "None", "NONE", "nOnE", "none ", "", "RS256", "HS256"] {
        tokens.push((format!("unsigned, {alg:?}"), with_alg(alg.into()).unsigned()));
    }
    for alg in
        [json!(null), json!(["RS256"]), json!({}), json!(256), json!("rs256"), json!("RS512"), json!("ES256")]
    {
        tokens.push((format!("rightly signed, said to be {alg}"), with_alg(alg).signed_by(&a())));
    }
    // Everybody knows the public key.
    let pem = a().public_pem();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let jwk = a().public_jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for (name, secret) in [
        ("PEM", pem.clone().into_bytes()),
        ("PEM, trimmed", pem.trim_end().as_bytes().to_vec()),
        ("DER", STANDARD.decode(&base64).unwrap()),
        ("base64", base64.into_bytes()),
        ("JWK", jwk.to_string().into_bytes()),
        ("modulus", modulus),
        ("nothing", vec![]),
    ] {
        let secret = TestKey::hs256("a", secret);
        tokens.push((format!("HMAC with the public key, {name}"), secret.token(&good())));
        tokens.push((
            format!("the same, said to be RS256, {name}"),
            with_alg("RS256".into()).signed_by(&secret),
        ));
    }
    for key in [
        TestKey::ps256("a"),
        TestKey::rs384("a"),
        TestKey::rs512("a"),
        TestKey::es256("a"),
        TestKey::eddsa("a"),
    ] {
        tokens.push((format!("{} with the right key", key.algorithm()), key.token(&good())));
        tokens.push((
            format!("{}, said to be RS256", key.algorithm()),
            with_alg("RS256".into()).signed_by(&key),
        ));
    }
    let twice = |header: &str| TestToken::new(&good()).with_header_text(header).signed_by(&a());
    tokens.push(("two algorithms".into(), twice(r#"{"alg":"RS256","alg":"none","kid":"a"}"#)));
    tokens.push((
        "two algorithms, one escaped".into(),
        twice(r#"{"\u0061lg":"none","alg":"RS256","kid":"a"}"#),
    ));
    tokens.push(("no algorithm".into(), twice(r#"{"kid":"a"}"#)));
    refused(Tally::of("tokens: algorithms", 42), &tokens);
}

#[test]
fn the_token_does_not_bring_its_key() {
    let attacker = FakeIssuer::start().unwrap();
    attacker.set_keys(jwks([&foreign()]));
    let theirs = |name: &str, value: Value| {
        let token = TestToken::new(&good()).with_header(name, value.clone()).signed_by(&foreign());
        (format!("{name}: {value}"), token)
    };
    let url = attacker.jwks_url();
    let mut tokens = vec![
        theirs("jwk", foreign().public_jwk()),
        theirs("jku", json!(url)),
        theirs("jku", json!([url])),
        theirs("x5u", json!(url)),
        theirs("x5c", json!([foreign().public_pem()])),
        theirs("x5t", json!("AAAA")),
        theirs("x5t#S256", json!("AAAA")),
        theirs("iss", json!(attacker.issuer())),
        theirs("kid", json!(url)),
        theirs("kid", json!("../../../../dev/null")),
        theirs("kid", json!("file:///proc/self/environ")),
        theirs("kid", json!("a' OR '1'='1")),
        theirs("kid", json!("a\u{0}")),
        theirs("kid", json!("a\r\nx")),
        theirs("kid", json!(" a")),
        theirs("kid", json!("A")),
        theirs("kid", json!("%61")),
        theirs("kid", json!("*")),
        theirs("kid", json!("")),
        theirs("kid", json!("k".repeat(4_000))),
    ];
    let mine = |name: &str, value: Value| {
        let token = TestToken::new(&good()).with_header(name, value.clone()).signed_by(&a());
        (format!("mine, {name}: {value}"), token)
    };
    tokens.extend([
        mine("kid", json!(null)),
        mine("kid", json!(0)),
        mine("kid", json!(["a"])),
        mine("kid", json!({"a": 1})),
        mine("kid", json!("b")),
        mine("crit", json!([])),
        mine("crit", json!(["exp"])),
        mine("crit", json!(["b64"])),
        mine("crit", json!("b64")),
        mine("crit", json!(null)),
        mine("b64", json!(false)),
        mine("b64", json!(true)),
        mine("zip", json!("DEF")),
        mine("typ", json!("dpop+jwt")),
        mine("typ", json!("logout+jwt")),
        mine("typ", json!("JWE")),
        mine("typ", json!("")),
        mine("typ", json!(null)),
        mine("typ", json!(["JWT"])),
    ]);
    for header in ["", "[]", "null", "{", r#""RS256""#, r#"{"alg":"RS256","kid":"a","kid":"b"}"#] {
        let token = TestToken::new(&good()).with_header_text(header).signed_by(&a());
        tokens.push((format!("header {header:?}"), token));
    }
    let nameless = TestToken::new(&good()).without_header("kid").signed_by(&a());
    tokens.push(("no name, where there are two keys".into(), nameless));
    tokens.push(("another issuer's place".into(), foreign().token(&but("iss", attacker.issuer()))));
    refused(Tally::of("tokens: headers", 47), &tokens);
    assert_eq!((attacker.requests(), attacker.discovery_requests()), (0, 0), "nothing of it is a place");
}

#[test]
fn claims_are_what_they_have_to_be() {
    let mut tokens = vec![];
    for (name, values) in [
        (
            "iss",
            vec![
                json!(null),
                json!([ISS]),
                json!([ISS, "https://evil.example"]),
                json!({"a": ISS}),
                json!("https://evil.example"),
                json!("https://issuer.example/"),
                json!("https://issuer.example@evil.example"),
                json!("HTTPS://issuer.example"),
                json!("issuer.example"),
                json!(""),
            ],
        ),
        (
            "aud",
            vec![
                json!(null),
                json!([]),
                json!([1]),
                json!([AUD, 1]),
                json!([[AUD]]),
                json!({AUD: 1}),
                json!(1),
                json!(""),
                json!("Tests"),
                json!("tests "),
                json!("tests,evil"),
            ],
        ),
        (
            "exp",
            vec![
                json!(null),
                json!(NOW - 6),
                json!(1),
                json!(0),
                json!(-1),
                json!((NOW + 3600).to_string()),
                json!([NOW + 3600]),
                json!(true),
                json!("never"),
            ],
        ),
        ("nbf", vec![json!(NOW + 6), json!(null), json!("now"), json!([0])]),
        ("iat", vec![json!(NOW + 6), json!("now")]),
        (
            "sub",
            vec![
                json!(null),
                json!(""),
                json!(7),
                json!(["me"]),
                json!({"me": 1}),
                json!("m\u{0}"),
                json!("m".repeat(3_000)),
            ],
        ),
    ] {
        for value in values {
            let name = format!("{name} {}", value.to_string().chars().take(60).collect::<String>());
            let claim = name.split(' ').next().unwrap().to_owned();
            tokens.push((name, a().token(&but(&claim, value))));
        }
    }
    for name in ["iss", "aud", "exp", "sub"] {
        tokens.push((format!("no {name}"), a().token(&without(name))));
    }
    let text = |payload: String| TestToken::from_text(payload).signed_by(&a());
    for more in [
        r#""sub":"root""#.to_owned(),
        r#""s\u0075b":"root""#.into(),
        format!(r#""exp":{}"#, NOW + 7200),
        format!(r#""iss":"{ISS}""#),
        format!(r#""aud":"{AUD}""#),
        r#""x":{"y":1,"y":2}"#.into(),
        r#""x":1e999"#.into(),
    ] {
        tokens
            .push((format!("and {more}"), text(good().to_string().replacen('}', &format!(",{more}}}"), 1))));
    }
    for payload in ["", "null", "[]", "\"me\"", "{", "{}"] {
        tokens.push((format!("payload {payload:?}"), text(payload.into())));
    }
    tokens.push(("a token in a token".into(), text(a().token(&good()))));
    tokens.push((
        "a depth of 1,000".into(),
        text(good().to_string().replacen(
            '}',
            &format!(r#","x":{}{}}}"#, "[".repeat(1_000), "]".repeat(1_000)),
            1,
        )),
    ));
    tokens.push(("something behind it".into(), text(format!("{} x", good()))));
    refused(Tally::of("tokens: claims", 63), &tokens);
}

#[test]
fn a_token_has_one_form() {
    let token = a().token(&good());
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |signature: &[u8]| format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(signature));
    let flipped = [&bytes[..255], &[bytes[255] ^ 1]].concat();
    let wide = [&[0], bytes.as_slice()].concat();
    let tokens = named([
        ("one segment", header.to_owned()),
        ("two segments", format!("{header}.{payload}")),
        ("no signature", format!("{header}.{payload}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("four segments", format!("{token}.{signature}")),
        ("a dot behind it", format!("{token}.")),
        ("a dot in front of it", format!(".{token}")),
        (
            "five segments, as encrypted tokens have",
            format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        ),
        ("dots", ".".repeat(8_000)),
        ("two dots", "..".into()),
        ("letters", "A".repeat(8_000)),
        ("longer than a credential may be", format!("{token}{}", "A".repeat(8_192))),
        ("a padded signature", format!("{token}==")),
        ("padding in the middle", format!("{header}=.{payload}.{signature}")),
        ("another alphabet", signed(&bytes).replace('-', "+").replace('_', "/") + "+"),
        ("a letter more", format!("{token}A")),
        ("a letter less", token[..token.len() - 1].into()),
        ("a signature that is cut", signed(&bytes[..255])),
        ("a signature that is longer", signed(&[bytes.as_slice(), &[0]].concat())),
        ("a signature with a zero in front", signed(&wide)),
        ("one bit", signed(&flipped)),
        ("all zeros", signed(&[0; 256])),
        ("all ones", signed(&[0xff; 256])),
        ("one", signed(&[vec![0; 255], vec![1]].concat())),
        ("an empty signature, encoded", format!("{header}.{payload}.AA")),
        ("somebody else's signature", foreign().token(&good())),
        ("header and payload swapped", format!("{payload}.{header}.{signature}")),
        ("another payload", {
            let root = URL_SAFE_NO_PAD.encode(but("sub", "root").to_string());
            format!("{header}.{root}.{signature}")
        }),
        ("two tokens", format!("{token}, {token}")),
        ("two tokens without a space", format!("{token},{token}")),
        ("another one behind a comma", format!("{token},")),
        ("two words", format!("{token} x")),
        ("the scheme twice", format!("Bearer {token}")),
        ("in quotes", format!("\"{token}\"")),
        ("in angle brackets", format!("<{token}>")),
        ("escaped", token.replace('.', "%2E")),
        ("a zero-width space", format!("{token}\u{200b}")),
        ("a wide dot", token.replace('.', "\u{ff0e}")),
        ("a tab", format!("{header}\t.{payload}.{signature}")),
        ("JSON", json!({ "protected": header, "payload": payload, "signature": signature }).to_string()),
        ("nothing", String::new()),
    ]);
    refused(Tally::of("tokens: forms", 42), &tokens);
}

/// Behind the token's authorizer stands one that lets everybody in who has a key.
#[test]
fn a_bad_token_is_not_made_good_by_a_key_beside_it() {
    let mut tally = Tally::of("tokens beside a key", 9);
    let by_key = authorizer_fn(async |event: AuthorizerEvent| {
        Ok(AuthorizerResponse::new("key", event.policy().allow(AnyMethod, "/*").build()?)?)
    });
    let authorizer = any_of()
        .member(Credential::bearer(), authorizer())
        .member(Credential::header("x-api-key"), by_key)
        .or_anonymous(by_key)
        .build()
        .unwrap();
    let world = Arc::<World>::default();
    let layer = AuthorizerLayer::request(authorizer, stage()).build().unwrap();
    let server = Server::start(Arc::clone(&world), protect(world.router(), layer));
    let unsigned = TestToken::new(&good()).with_header("alg", "none").unsigned();
    for (name, value) in [
        ("no token", "Bearer".to_owned()),
        ("no token, but a space", "Bearer ".into()),
        ("unsigned", format!("Bearer {unsigned}")),
        ("forged", format!("Bearer {}", TestToken::new(&good()).forged_by(&a()))),
        ("expired", format!("Bearer {}", a().token(&but("exp", 1)))),
        ("somebody else's", format!("bearer {}", foreign().token(&good()))),
        ("two", format!("Bearer {0},Bearer {0}", a().token(&good()))),
        ("behind another scheme", format!("Digest x, Bearer {}", a().token(&good()))),
        ("too long", format!("Bearer {}", "A".repeat(9_000))),
    ] {
        let headers = [("Host", b"x".as_slice()), ("Authorization", value.as_bytes()), ("X-Api-Key", b"k")];
        assert_eq!(server.send(&head("GET", b"/admin", &headers)).status, 401, "{name}");
        tally.refused(&world, name);
    }
    let headers = [("Host", b"x".as_slice()), ("X-Api-Key", b"k")];
    assert_eq!(server.send(&head("GET", b"/admin", &headers)).status, 200);
}
