//! Tokens that are not what they should be, and some that are, in one table: what each is, which configuration it is
//! sent to, and what has to become of it.
//!
//! A row is asked for five times: of the authorizer alone, and of two layers around it, one with a cache, twice each.
//! A token that is refused never reaches the service behind, is never kept, and is neither printed nor sent back.
#![cfg(all(feature = "testing", any(feature = "jwt", feature = "jwt-rust-crypto")))]
#![expect(unreachable_pub, reason = "the modules of a test are one program")]

#[path = "../common/mod.rs"]
mod common;

mod algorithms;
mod claims;
mod cognito;
mod forms;
mod headers;
mod homes;
mod keys;
mod numbers;
mod presets;
mod provider;
mod signatures;
mod sources;
mod table;
mod times;

use table::Table;

/// The whole table.
fn table() -> Table {
    let mut table = Table::default();
    algorithms::rows(&mut table);
    headers::rows(&mut table);
    keys::rows(&mut table);
    signatures::rows(&mut table);
    forms::rows(&mut table);
    claims::rows(&mut table);
    times::rows(&mut table);
    cognito::rows(&mut table);
    presets::rows(&mut table);
    table
}

#[tokio::test]
async fn every_token_gets_what_it_deserves() {
    let table = table();
    table.assert_all().await;
    // Written down, so that a row that is lost is missed: accepted, denied, refused.
    let expected = [
        ("ES256 signature", [2, 0, 23]),
        ("ES384 signature", [0, 0, 5]),
        ("EdDSA signature", [0, 0, 30]),
        ("HMAC tag", [0, 0, 11]),
        ("HTTP JWT", [9, 2, 15]),
        ("REST Cognito", [3, 0, 7]),
        ("REST JWT", [4, 1, 5]),
        ("RSA signature", [0, 0, 24]),
        ("age", [3, 0, 5]),
        ("alg none", [0, 0, 17]),
        ("alg not a name", [1, 0, 28]),
        ("algorithm", [12, 0, 21]),
        ("app client", [2, 0, 17]),
        ("aud", [8, 0, 35]),
        ("client_id", [3, 0, 19]),
        ("demanded claim", [5, 0, 20]),
        ("edge", [20, 0, 19]),
        ("exp", [5, 0, 39]),
        ("extension", [4, 0, 21]),
        ("header", [2, 0, 25]),
        ("iat", [4, 0, 13]),
        ("iss", [1, 0, 33]),
        ("key in the header", [14, 0, 28]),
        ("key of a set", [3, 0, 9]),
        ("key that is left out", [21, 0, 22]),
        ("kid", [5, 0, 52]),
        ("kid of another issuer", [4, 0, 4]),
        ("nbf", [4, 0, 13]),
        ("one algorithm for another", [2, 0, 27]),
        ("payload", [7, 0, 39]),
        ("pool", [1, 0, 18]),
        ("principal", [10, 0, 19]),
        ("public key as secret", [0, 0, 28]),
        ("repeated claim", [1, 0, 16]),
        ("scope", [8, 20, 1]),
        ("segments", [1, 0, 30]),
        ("size", [3, 0, 6]),
        ("spelling", [1, 0, 29]),
        ("token_use", [5, 0, 36]),
        ("typ", [10, 0, 30]),
        ("weak key", [0, 0, 15]),
    ];
    assert_eq!(table.count(), expected);
    let total =
        expected.iter().fold([0; 3], |sum, (_, row)| [sum[0] + row[0], sum[1] + row[1], sum[2] + row[2]]);
    assert_eq!(total, [188, 23, 854]);
}

/// Where nothing is known, what can be told without keys is still told; the rest is nobody's fault but ours.
#[cfg(feature = "jwks-http")]
#[tokio::test]
async fn without_keys_a_good_token_is_a_failure_and_a_bad_one_is_bad() {
    use homes::{AUD, ISS, but, good, header_but, token};
    use http::Request;
    use tower::{Layer, ServiceExt};
    use tower_lambda_authorizer::jwt::{HttpJwks, Issuer, JwtReason};
    use tower_lambda_authorizer::testing::FakeIssuer;

    let mut issuer = FakeIssuer::start().unwrap();
    issuer.stop();
    let keys = HttpJwks::new(issuer.jwks_url()).build().unwrap();
    let home = homes::Home::new("nobody there", |builder| {
        builder.with_issuer(Issuer::new(ISS, keys.clone()).with_audience(AUD))
    });
    for (token, status, reason) in [
        (token(&good()), 500, JwtReason::NoKeys),
        (token(&but("exp", 1)), 500, JwtReason::NoKeys),
        (header_but("kid", "unknown"), 500, JwtReason::NoKeys),
        (header_but("alg", "none"), 401, JwtReason::Algorithm),
        (token(&but("iss", "https://attacker.example")), 401, JwtReason::Issuer),
        ("token".to_owned(), 401, JwtReason::Malformed),
    ] {
        let authorizer = home.authorizer.as_ref().unwrap();
        assert_eq!(authorizer.verify(&token).await.unwrap_err().reason(), reason);
        for layer in [&home.layer, &home.cached] {
            let calls = common::Counter::default();
            let request =
                Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap();
            let response = layer.layer(common::counting(&calls)).oneshot(request).await.unwrap();
            assert_eq!((response.status().as_u16(), calls.count()), (status, 0), "{reason:?}");
        }
    }
}
