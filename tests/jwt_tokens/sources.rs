//! Whole headers: where one token is looked for and what is there is not one token.

use http::{HeaderValue, Request};
use tower::{Layer, ServiceExt};
use tower_lambda_authorizer::AuthorizerLayer;
use tower_lambda_authorizer::jwt::TokenSource;
use tower_lambda_authorizer::request::IdentitySource;

use crate::common::{Counter, counting, stage};
use crate::homes::{AUD, Home, ISS, a, good, set, token};

/// The status for headers that are sent as they are, and how often the service behind is called.
async fn ask(layer: &AuthorizerLayer, headers: &[&str]) -> (u16, usize) {
    let mut request = Request::get("/orders/1").body(()).unwrap();
    for value in headers {
        request.headers_mut().append("authorization", HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let calls = Counter::default();
    let response = layer.layer(counting(&calls)).oneshot(request).await.unwrap();
    (response.status().as_u16(), calls.count())
}

#[tokio::test]
async fn a_request_shows_one_token_in_one_way() {
    let token = token(&good());
    let strict = Home::two_keys();
    let bare = Home::new("bare", |builder| {
        let keys = set(&tower_lambda_authorizer::testing::jwks([&a()]));
        let issuer = tower_lambda_authorizer::jwt::Issuer::new(ISS, keys).with_audience(AUD);
        builder.with_issuer(issuer).with_token_source(TokenSource::authorization().with_bare_tokens())
    });
    let request_layer = |home: &Home| {
        let source = IdentitySource::header(http::header::AUTHORIZATION);
        AuthorizerLayer::request(home.authorizer.clone().unwrap(), stage())
            .with_identity_sources([source])
            .with_clock(tower_lambda_authorizer::clock::ManualClock::default())
            .build()
            .unwrap()
    };
    let of_request = [request_layer(&strict), request_layer(&bare)];
    // `{}` stands for the token. What a strict source and one that takes bare tokens make of it.
    for (header, with_scheme, without_scheme) in [
        ("Bearer {}", true, true),
        ("bearer {}", true, true),
        ("BEARER {}", true, true),
        ("Bearer  {}", true, true),
        ("Bearer {} ", true, true),
        (" Bearer {}", true, true),
        ("{}", false, true),
        (" {} ", false, true),
        ("", false, false),
        (" ", false, false),
        ("Bearer", false, false),
        ("Bearer ", false, false),
        ("bearer bearer", false, false),
        ("Bearer{}", false, false),
        ("Bearer:{}", false, false),
        ("Bearer={}", false, false),
        ("Bearer\t{}", false, false),
        ("Bearer\u{a0}{}", false, false),
        ("Bearer \"{}\"", false, false),
        ("Bearer '{}'", false, false),
        ("Bearer <{}>", false, false),
        ("Bearer token={}", false, false),
        ("Bearer {};", false, false),
        ("Bearer {},", false, false),
        ("Bearer ,{}", false, false),
        ("Bearer {} {}", false, false),
        ("Bearer {},{}", false, false),
        ("Bearer {}, {}", false, false),
        ("Bearer {}, Bearer {}", false, false),
        ("Bearer x, Bearer {}", false, false),
        ("Bearer Bearer {}", false, false),
        ("Basic {}", false, false),
        ("Basic Bearer {}", false, false),
        ("Basic Og==, Bearer {}", false, false),
        ("DPoP {}", false, false),
        ("JWT {}", false, false),
        ("Token {}", false, false),
        ("X-Bearer {}", false, false),
        ("Bearers {}", false, false),
        ("Ｂearer {}", false, false),
        ("{} Bearer", false, false),
        ("{} {}", false, false),
    ] {
<<<<<<< HEAD
        let header = header.replace('T', &token).replace(&format!("{token}oken"), "Token");
=======
>>>>>>> tokens
        let header = header.replace("{}", &token);
        for (home, of_request, is_taken) in
            [(&strict, &of_request[0], with_scheme), (&bare, &of_request[1], without_scheme)]
        {
            let expected = if is_taken { (200, 1) } else { (401, 0) };
            assert_eq!(ask(&home.layer, &[&header]).await, expected, "TOKEN, {}: {header:?}", home.name);
            assert_eq!(ask(of_request, &[&header]).await, expected, "REQUEST, {}: {header:?}", home.name);
        }
    }
    let bearer = format!("Bearer {token}");
    for headers in
        [&[&*bearer, &bearer][..], &[&bearer, "Basic Og=="], &["", &bearer], &["Bearer x", &bearer], &[]]
    {
        assert_eq!(ask(&strict.layer, headers).await, (401, 0), "TOKEN: {headers:?}");
        assert_eq!(ask(&of_request[0], headers).await, (401, 0), "REQUEST: {headers:?}");
    }
}
