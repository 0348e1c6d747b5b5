//! Tokens of Cognito user pools. An ID token is no access token, and one app's is not another's.

use serde_json::{Value, json};
use tower_lambda_authorizer::clock::ManualClock;
use tower_lambda_authorizer::jwt::cognito::UserPool;
use tower_lambda_authorizer::jwt::{JwtReason, TokenUse};
use tower_lambda_authorizer::testing::{TestKey, TestToken, cognito_access_claims, cognito_id_claims, jwks};

use crate::homes::{Home, a, b, set, with, without};
use crate::table::Table;

const SUB: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const POOL: &str = "eu-west-1_AbCdEfGhI";

fn access(client: &str) -> Value {
    cognito_access_claims(POOL, client, &ManualClock::default())
}

fn id(client: &str) -> Value {
    cognito_id_claims(POOL, client, &ManualClock::default())
}

fn home(name: &'static str, configure: impl FnOnce(UserPool) -> UserPool) -> Home {
    let pool = configure(UserPool::new("eu-west-1", POOL).unwrap());
    // A pool has two keys.
    Home::new(name, |builder| builder.with_issuer(pool.issuer(set(&jwks([&a(), &b()])))))
}

pub fn rows(table: &mut Table) {
    let of_access = home("access tokens", |pool| pool.with_client_id("app").with_client_id("mobile"));
    let of_ids = home("ID tokens", |pool| pool.with_client_id("app").with_token_use(TokenUse::Id));
    let of_both = home("either", |pool| pool.with_client_id("app").with_token_use(TokenUse::Either));
    let of_any = home("any client", UserPool::accept_any_client);
    uses(table, &of_access, &of_ids, &of_both, &of_any);
    clients(table, &of_access, &of_ids, &of_both, &of_any);
    pools(table, &of_access);
}

fn uses(table: &mut Table, of_access: &Home, of_ids: &Home, of_both: &Home, of_any: &Home) {
    table.class("token_use");
    table.accepts_as(SUB, "access", of_access, a().token(&access("app")));
    table.accepts_as(SUB, "access, the other client", of_access, a().token(&access("mobile")));
    table.accepts_as(SUB, "ID", of_ids, b().token(&id("app")));
    table.accepts_as(SUB, "either, access", of_both, a().token(&access("app")));
    table.accepts_as(SUB, "either, ID", of_both, b().token(&id("app")));
    table.refuses(JwtReason::TokenUse, "ID where access belongs", of_access, b().token(&id("app")));
    table.refuses(JwtReason::TokenUse, "access where ID belongs", of_ids, a().token(&access("app")));
    table.refuses(JwtReason::TokenUse, "ID where access belongs, any client", of_any, b().token(&id("app")));
    for home in [of_access, of_both, of_any] {
        table.refuses(JwtReason::TokenUse, "missing", home, a().token(&without(access("app"), "token_use")));
        for value in [
            json!("Access"),
            json!("ACCESS"),
            json!("access "),
            json!("id access"),
            json!("refresh"),
            json!(""),
            json!(["access"]),
            json!(true),
            Value::Null,
        ] {
            let token = a().token(&with(access("app"), "token_use", value.clone()));
            table.refuses(JwtReason::TokenUse, value.to_string(), home, token);
        }
    }
    let disguised = with(with(id("app"), "client_id", "app"), "scope", "aws.cognito.signin.user.admin");
    table.refuses(JwtReason::TokenUse, "ID with all that access has", of_access, a().token(&disguised));
    let disguised = with(access("app"), "aud", "app");
    table.refuses(JwtReason::TokenUse, "access with an audience", of_ids, a().token(&disguised));
    let twice = access("app").to_string().replacen('{', r#"{"token_use":"id","#, 1);
    table.refuses(
        JwtReason::Malformed,
        "ID and access",
        of_both,
        TestToken::from_text(twice).signed_by(&a()),
    );
}

fn clients(table: &mut Table, of_access: &Home, of_ids: &Home, of_both: &Home, of_any: &Home) {
    table.class("app client");
    table.accepts_as(SUB, "any will do", of_any, a().token(&access("whatever")));
    table.accepts_as(SUB, "ID, in a list", of_ids, a().token(&with(id("app"), "aud", json!(["app"]))));
    table.refuses(JwtReason::Client, "another's", of_access, a().token(&access("other")));
    table.refuses(JwtReason::Audience, "ID, another's", of_ids, a().token(&id("other")));
    table.refuses(JwtReason::Audience, "either, ID, another's", of_both, a().token(&id("other")));
    table.refuses(JwtReason::Client, "missing", of_access, a().token(&without(access("app"), "client_id")));
    table.refuses(JwtReason::Audience, "ID, missing", of_ids, a().token(&without(id("app"), "aud")));
    // Each kind of token names its client in its own claim.
    let misplaced = with(without(access("app"), "client_id"), "aud", "app");
    table.refuses(JwtReason::Client, "in aud", of_access, a().token(&misplaced));
    let misplaced = with(access("other"), "aud", "app");
    table.refuses(JwtReason::Client, "another's, and in aud the right one", of_both, a().token(&misplaced));
    let misplaced = with(id("other"), "client_id", "app");
    table.refuses(
        JwtReason::Audience,
        "ID, another's, and in client_id the right one",
        of_both,
        a().token(&misplaced),
    );
    table.refuses(JwtReason::Client, "azp", of_access, a().token(&with(access("other"), "azp", "app")));
    for value in [json!("App"), json!(["app"]), json!("app mobile"), json!(""), json!(0), Value::Null] {
        let token = a().token(&with(access("app"), "client_id", value.clone()));
        table.refuses(JwtReason::Client, value.to_string(), of_access, token);
    }
    table.refuses(JwtReason::Claim, "ID, aud a number", of_ids, a().token(&with(id("app"), "aud", 7)));
    table.refuses(
        JwtReason::Claim,
        "access, aud a number",
        of_access,
        a().token(&with(access("app"), "aud", 7)),
    );
}

fn pools(table: &mut Table, of_access: &Home) {
    table.class("pool");
    let named = |name: &str| a().token(&with(access("app"), "iss", name));
    let other_name = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI";
    table.accepts_as(SUB, "its other name", of_access, named(other_name));
    for name in [
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhJ",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abcdefghi",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI/",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI/.well-known/jwks.json",
        "https://cognito-idp.eu-west-1.amazonaws.com/",
        "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-1_AbCdEfGhI",
        "https://cognito-idp.eu-west-1.amazonaws.com.cn/eu-west-1_AbCdEfGhI",
        "https://cognito-idp-fips.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
        "http://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
        "https://cognito-idp.eu-west-1.amazonaws.com.attacker.example/eu-west-1_AbCdEfGhI",
        "https://issuer-issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
        "eu-west-1_AbCdEfGhI",
    ] {
        table.refuses(JwtReason::Issuer, name, of_access, named(name));
    }
    let kidless = TestToken::new(&access("app")).without_header("kid").signed_by(&a());
    table.refuses(JwtReason::Key, "no kid", of_access, kidless);
    for key in
        [TestKey::rs384("a"), TestKey::ps256("a"), TestKey::es256("a"), TestKey::hs256("a", a().public_pem())]
    {
        table.refuses(JwtReason::Algorithm, key.algorithm(), of_access, key.token(&access("app")));
    }
    let expired = with(access("app"), "exp", crate::homes::NOW - 5);
    table.refuses(JwtReason::Expired, "expired", of_access, a().token(&expired));
}
