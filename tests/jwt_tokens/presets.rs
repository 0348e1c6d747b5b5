//! API Gateway's own authorizers, where they differ from ours.

use serde_json::{Value, json};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::preset::{HttpJwtAuthorizer, RestCognitoAuthorizer, RestJwtAuthorizer};
use tower_lambda_authorizer::jwt::{Algorithm, Issuer, JwtReason, RouteScopes};
use tower_lambda_authorizer::testing::{TestKey, TestToken, cognito_access_claims, cognito_id_claims, jwks};

use crate::homes::{AUD, Home, ISS, NOW, OTHER_ISS, Words, a, b, but, good, set, token, with, without};
use crate::table::Table;

pub fn rows(table: &mut Table) {
    http_jwt(table);
    rest_cognito(table);
    rest_jwt(table);
}

fn routes() -> RouteScopes {
    RouteScopes::new().with_route(http::Method::GET, "/orders/{id}", ["orders"]).unwrap()
}

fn http_jwt(table: &mut Table) {
    table.class("HTTP JWT");
    let builder = || {
        HttpJwtAuthorizer::builder(ISS, set(&jwks([&a()])))
            .with_audience(AUD)
            .with_clock(ManualClock::default())
    };
    let http = Home::of("HTTP JWT", builder().build().unwrap(), Words::HttpApi);
    let scoped =
        Home::of("HTTP JWT, scopes", builder().with_routes(routes()).build().unwrap(), Words::HttpApi);
    table.accepts("a good token", &http, token(&good()));
    table.accepts("one of the route's scopes", &scoped, token(&but("scope", "email orders")));
    table.accepts("the scope in scp", &scoped, token(&but("scp", json!(["orders"]))));
    table.denies("no scope", &scoped, token(&good()));
    table.denies("another scope", &scoped, token(&but("scope", "orders:read")));
    let any_hash = Home::of(
        "HTTP JWT, any RSA",
        HttpJwtAuthorizer::builder(
            ISS,
            set(&json!({ "keys": [without(a().public_jwk(), "alg")] }).to_string()),
        )
        .with_audience(AUD)
        .with_clock(ManualClock::default())
        .build()
        .unwrap(),
        Words::HttpApi,
    );
    table.accepts("RS384", &any_hash, TestKey::rs384("a").token(&good()));
    table.accepts("RS512", &any_hash, TestKey::rs512("a").token(&good()));
    for key in [TestKey::ps256("a"), TestKey::es256("a"), TestKey::hs256("a", a().public_pem())] {
        table.refuses(JwtReason::Algorithm, key.algorithm(), &any_hash, key.token(&good()));
    }
    let kidless = TestToken::new(&good()).without_header("kid").signed_by(&a());
    table.refuses(JwtReason::Key, "no kid, and one key", &http, kidless);
    table.refuses(JwtReason::Expired, "exp now: no leeway", &http, token(&but("exp", NOW)));
    table.accepts("exp in a second", &http, token(&but("exp", NOW + 1)));
    table.accepts("nbf in five seconds", &http, token(&but("nbf", NOW + 5)));
    table.refuses(JwtReason::NotYetValid, "nbf in six seconds", &http, token(&but("nbf", NOW + 6)));
    table.refuses(JwtReason::IssuedInFuture, "iat in six seconds", &http, token(&but("iat", NOW + 6)));
    table.refuses(JwtReason::Claim, "no exp", &http, token(&without(good(), "exp")));
    table.accepts("client_id where there is no aud", &http, token(&without(but("client_id", AUD), "aud")));
    table.refuses(JwtReason::Audience, "client_id beside another's aud", &http, {
        token(&with(but("client_id", AUD), "aud", "other"))
    });
    table.refuses(JwtReason::Audience, "client_id beside an empty aud", &http, {
        token(&with(but("client_id", AUD), "aud", json!([])))
    });
    table.refuses(JwtReason::Claim, "client_id beside a null aud", &http, {
        token(&with(but("client_id", AUD), "aud", Value::Null))
    });
    table.refuses(JwtReason::Audience, "neither", &http, token(&without(good(), "aud")));
    table.refuses(JwtReason::Issuer, "iss with a slash", &http, token(&but("iss", format!("{ISS}/"))));
    table.accepts_as("app", "nobody's, a machine's", &http, {
        token(&without(with(but("client_id", "app"), "jti", "1"), "sub"))
    });
    table.refuses(JwtReason::Principal, "a principal of 3 KiB", &http, token(&but("sub", "s".repeat(3072))));
    table.refuses(JwtReason::Extension, "crit", &http, crate::homes::header_but("crit", json!(["exp"])));
}

fn rest_cognito(table: &mut Table) {
    table.class("REST Cognito");
    let clock = ManualClock::default();
    let sub = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    let pool = || UserPool::new("eu-west-1", "eu-west-1_AbCdEfGhI").unwrap().with_client_id("app");
    let keys = || set(&jwks([&a(), &b()]));
    let builder =
        || RestCognitoAuthorizer::builder().with_pool(pool(), keys()).with_clock(ManualClock::default());
    let open = Home::of("REST Cognito", builder().build().unwrap(), Words::None);
    let id = || cognito_id_claims("eu-west-1_AbCdEfGhI", "app", &clock);
    let access = || cognito_access_claims("eu-west-1_AbCdEfGhI", "app", &clock);
    table.accepts_as(sub, "an ID token", &open, a().token(&id()));
    table.refuses(JwtReason::TokenUse, "an access token", &open, a().token(&access()));
    table.refuses(JwtReason::Audience, "another's ID token", &open, a().token(&with(id(), "aud", "other")));
    table.refuses(JwtReason::Expired, "an expired one", &open, a().token(&with(id(), "exp", NOW - 60)));
    table.refuses(JwtReason::TokenUse, "neither", &open, a().token(&without(id(), "token_use")));
    let scoped =
        Home::of("REST Cognito, scopes", builder().with_routes(routes()).build().unwrap(), Words::None);
    table.accepts_as(sub, "the method's scope", &scoped, a().token(&with(access(), "scope", "orders")));
    table.refuses(JwtReason::Scope, "another scope", &scoped, a().token(&access()));
    table.refuses(
        JwtReason::TokenUse,
        "an ID token with the scope",
        &scoped,
        a().token(&with(id(), "scope", "orders")),
    );
    let expression = builder().with_identity_validation_expression("ap.").build().unwrap();
    let expression = Home::of("REST Cognito, expression", expression, Words::None);
    table.accepts_as(sub, "an audience that matches", &expression, a().token(&id()));
    let other = builder().with_identity_validation_expression("a").build().unwrap();
    let other = Home::of("REST Cognito, another expression", other, Words::None);
    table.refuses(JwtReason::Audience, "an audience that matches in part", &other, a().token(&id()));
}

fn rest_jwt(table: &mut Table) {
    table.class("REST JWT");
    let builder = || {
        let first = Issuer::new(ISS, set(&jwks([&a()]))).with_audience(AUD);
        let second = Issuer::new(OTHER_ISS, set(&jwks([&TestKey::es256("e")]))).with_audience("other");
        RestJwtAuthorizer::builder([Algorithm::Rs256])
            .with_issuer(first)
            .with_issuer(second.with_algorithms([Algorithm::Es256]))
            .with_clock(ManualClock::default())
    };
    let rest = Home::of("REST JWT", builder().build().unwrap(), Words::None);
    let second = with(but("iss", OTHER_ISS), "aud", "other");
    let scoped = Home::of("REST JWT, scopes", builder().with_routes(routes()).build().unwrap(), Words::None);
    table.accepts("the method's scope", &scoped, token(&but("scope", "orders")));
    table.denies("no scope", &scoped, token(&good()));
    table.accepts("the first issuer's", &rest, token(&good()));
    table.accepts("the second issuer's", &rest, TestKey::es256("e").token(&second));
    table.refuses(JwtReason::Algorithm, "the first's algorithm for the second", &rest, token(&second));
    table.refuses(
        JwtReason::Algorithm,
        "the second's for the first",
        &rest,
        TestKey::es256("e").token(&good()),
    );
    table.refuses(JwtReason::Audience, "the second's audience", &rest, token(&but("aud", "other")));
    table.refuses(JwtReason::Audience, "the first's audience", &rest, {
        TestKey::es256("e").token(&but("iss", OTHER_ISS))
    });
    table.accepts("client_id where there is no aud", &rest, token(&without(but("client_id", AUD), "aud")));
    table.refuses(
        JwtReason::Issuer,
        "another issuer's",
        &rest,
        token(&but("iss", "https://attacker.example")),
    );
}
