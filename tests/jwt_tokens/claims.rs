//! What a token that is rightly signed has to say. Types count: what is no text is not made one.

use std::time::Duration;

use serde_json::{Value, json};
use tower_lambda_authorizer::jwt::JwtReason;

use crate::homes::{AUD, Home, ISS, NOW, but, good, token, token_of_text, with, without};
use crate::table::Table;

pub fn rows(table: &mut Table) {
    issuers(table);
    audiences(table);
    clients(table);
    principals(table);
    demanded(table);
    scopes(table);
}

fn issuers(table: &mut Table) {
    table.class("iss");
    let two = Home::two_keys();
    table.accepts(
        "letters escaped",
        &two,
        token_of_text(good().to_string().replace("https:", r"\u0068ttps:")),
    );
    table.refuses(JwtReason::Issuer, "missing", &two, token(&without(good(), "iss")));
    for name in [
        "",
        "issuer.example",
        "https://issuer.example/",
        "https://issuer.example ",
        " https://issuer.example",
        "https://issuer.example\u{0}",
        "https://issuer.example\n",
        "HTTPS://issuer.example",
        "https://Issuer.example",
        "http://issuer.example",
        "https://issuer.example:443",
        "https://issuer.example?",
        "https://issuer.example#",
        "https://issuer.example.",
        "https://issuer.example/.",
        "https://issuer%2eexample",
        "https://user@issuer.example",
        "https://issuer.example@attacker.example",
        "https://issuer.example.attacker.example",
        "https://attacker.example/https://issuer.example",
        "https://issuer.exampl",
        "https://ıssuer.example",
        "https://xn--ssuer-q4a.example",
        "https://issuer.example,https://attacker.example",
        "*",
    ] {
        table.refuses(JwtReason::Issuer, format!("{name:?}"), &two, token(&but("iss", name)));
    }
    for value in [
        Value::Null,
        json!(0),
        json!(true),
        json!([ISS]),
        json!([ISS, "https://attacker.example"]),
        json!({ "iss": ISS }),
        json!([]),
    ] {
        table.refuses(JwtReason::Issuer, value.to_string(), &two, token(&but("iss", value)));
    }
}

fn audiences(table: &mut Table) {
    table.class("aud");
    let two = Home::two_keys();
    let many: Vec<_> = (0..100).map(|number| format!("service-{number}")).chain([AUD.to_owned()]).collect();
    for value in [json!([AUD]), json!(["x", AUD]), json!([AUD, AUD]), json!(["", AUD]), json!(many)] {
        let name = format!("a list of {}", value.as_array().unwrap().len());
        table.accepts(format!("{name}, {}", value[0]), &two, token(&but("aud", value)));
    }
    let several = Home::asking("two audiences", |issuer| issuer.with_audience("first").with_audience(AUD));
    table.accepts("one of two", &several, token(&good()));
    table.refuses(JwtReason::Audience, "none of two", &several, token(&but("aud", "third")));
    table.refuses(JwtReason::Audience, "two in one", &several, token(&but("aud", format!("first {AUD}"))));
    table.refuses(JwtReason::Audience, "missing", &two, token(&without(good(), "aud")));
    for name in [
        "",
        "Tests",
        "TESTS",
        "test",
        "testss",
        " tests",
        "tests ",
        "tests\u{0}",
        "tests/",
        "tests other",
        "tests,other",
        "*",
        "te*",
        "tеsts",
        "[\"tests\"]",
        "https://tests",
        "null",
    ] {
        table.refuses(JwtReason::Audience, format!("{name:?}"), &two, token(&but("aud", name)));
    }
    for value in [json!([]), json!([""]), json!(["x", "y"]), json!(["tests other"])] {
        table.refuses(JwtReason::Audience, value.to_string(), &two, token(&but("aud", value)));
    }
    for value in [
        Value::Null,
        json!(0),
        json!(true),
        json!({ "aud": AUD }),
        json!({ "0": AUD, "length": 1 }),
        json!([Value::Null]),
        json!([AUD, 1]),
        json!([AUD, Value::Null]),
        json!([[AUD]]),
        json!([{ "aud": AUD }]),
    ] {
        table.refuses(JwtReason::Claim, value.to_string(), &two, token(&but("aud", value)));
    }
    let any = Home::asking("any audience", tower_lambda_authorizer::jwt::Issuer::accept_any_audience);
    table.accepts("any will do, missing", &any, token(&without(good(), "aud")));
    table.accepts("any will do, another's", &any, token(&but("aud", "other")));
    table.refuses(JwtReason::Claim, "any will do, and this is none", &any, token(&but("aud", 1)));
}

fn clients(table: &mut Table) {
    table.class("client_id");
    let client = Home::asking("a client", |issuer| issuer.with_client_id("app"));
    let both =
        Home::asking("an audience and a client", |issuer| issuer.with_audience(AUD).with_client_id("app"));
    table.accepts("the client", &client, token(&but("client_id", "app")));
    table.accepts("both", &both, token(&but("client_id", "app")));
    table.refuses(JwtReason::Client, "missing", &client, token(&good()));
    table.refuses(JwtReason::Client, "missing, both are needed", &both, token(&good()));
    table.refuses(
        JwtReason::Client,
        "another's, the right audience",
        &both,
        token(&but("client_id", "other")),
    );
    let audience = with(but("client_id", "app"), "aud", "other");
    table.refuses(JwtReason::Audience, "right, another's audience", &both, token(&audience));
    table.refuses(
        JwtReason::Audience,
        "right, no audience",
        &both,
        token(&without(but("client_id", "app"), "aud")),
    );
    for value in [
        json!("App"),
        json!("app "),
        json!(""),
        json!("app,other"),
        Value::Null,
        json!(0),
        json!(["app"]),
        json!({ "app": true }),
    ] {
        table.refuses(JwtReason::Client, value.to_string(), &client, token(&but("client_id", value)));
    }
    // Each claim is asked what it is for.
    table.refuses(JwtReason::Client, "aud is no client_id", &client, token(&but("aud", "app")));
    table.refuses(JwtReason::Client, "azp is no client_id", &client, token(&but("azp", "app")));
    table.refuses(JwtReason::Client, "cid is no client_id", &client, token(&but("cid", "app")));
    table.refuses(JwtReason::Client, "clientId is no client_id", &client, token(&but("clientId", "app")));
    let two = Home::two_keys();
    let as_client = without(but("client_id", AUD), "aud");
    table.refuses(JwtReason::Audience, "client_id is no aud", &two, token(&as_client));
    table.refuses(JwtReason::Audience, "azp is no aud", &two, token(&without(but("azp", AUD), "aud")));
    table.accepts("an audience's token, whoever the client", &two, token(&but("client_id", "other")));
}

fn principals(table: &mut Table) {
    table.class("principal");
    let two = Home::two_keys();
    for name in
        ["ålice", "a b", "a/b", "*", "${aws:username}", "arn:aws:iam::123456789012:user/alice", "'--", "😀"]
    {
        table.accepts_as(name, format!("{name:?}"), &two, token(&but("sub", name)));
    }
    let long = |length: usize| "s".repeat(length);
    table.accepts_as(long(2048), "of 2,048 bytes", &two, token(&but("sub", long(2048))));
    table.refuses(JwtReason::Principal, "of 2,049 bytes", &two, token(&but("sub", long(2049))));
    table.refuses(JwtReason::Principal, "of 3 KiB", &two, token(&but("sub", long(3072))));
    table.refuses(JwtReason::Principal, "missing", &two, token(&without(good(), "sub")));
    for name in
        ["", "\u{0}", "alice\n", "alice\r\nx: y", "ali\u{7f}ce", "ali\u{85}ce", "\u{1b}[31malice", "\talice"]
    {
        table.refuses(JwtReason::Principal, format!("{name:?}"), &two, token(&but("sub", name)));
    }
    for value in [Value::Null, json!(0), json!(7.5), json!(true), json!(["alice"]), json!({ "id": "alice" })]
    {
        table.refuses(JwtReason::Principal, value.to_string(), &two, token(&but("sub", value)));
    }
    let other = Home::new("another claim", |builder| {
        let issuer =
            tower_lambda_authorizer::jwt::Issuer::new(ISS, crate::homes::set(&keys())).with_audience(AUD);
        builder.with_issuer(issuer).with_principal_claim("uid")
    });
    table.accepts_as("bob", "another claim", &other, token(&but("uid", "bob")));
    table.refuses(JwtReason::Principal, "another claim, missing", &other, token(&good()));
    table.refuses(JwtReason::Principal, "another claim, a number", &other, token(&but("uid", 7)));
}

fn keys() -> String {
    tower_lambda_authorizer::testing::jwks([&crate::homes::a()])
}

fn demanded(table: &mut Table) {
    table.class("demanded claim");
    let asking = Home::asking("demanded claims", |issuer| {
        issuer
            .with_audience(AUD)
            .with_required_claim("verified", true)
            .with_present_claim("tenant")
            .with_required_claim_in("level", [1, 2])
            .with_optional_claim_in("plan", ["gold", "silver"])
            .with_check(|claims| match claims.get_str("tenant") {
                Some("banned") => Err("it is banned".into()),
                _ => Ok(()),
            })
    });
    let right = || with(with(but("verified", true), "tenant", "acme"), "level", 1);
    table.accepts("as demanded", &asking, token(&right()));
    table.accepts("the other value", &asking, token(&with(right(), "level", 2)));
    table.accepts("a list with it", &asking, token(&with(right(), "verified", json!([false, true]))));
    table.accepts("there, and empty", &asking, token(&with(right(), "tenant", "")));
    table.accepts("optional, and right", &asking, token(&with(right(), "plan", "gold")));
    for (name, value) in [
        ("verified", json!("true")),
        ("verified", json!(1)),
        ("verified", json!(false)),
        ("verified", Value::Null),
        ("verified", json!({ "value": true })),
        ("verified", json!([])),
        ("verified", json!([[true]])),
        ("tenant", Value::Null),
        ("level", json!("1")),
        ("level", json!(3)),
        ("level", json!(true)),
        ("level", json!(-1)),
        ("plan", json!("Gold")),
        ("plan", json!("bronze")),
        ("plan", Value::Null),
        ("plan", json!([])),
    ] {
        table.refuses(
            JwtReason::Claim,
            format!("{name} {value}"),
            &asking,
            token(&with(right(), name, value)),
        );
    }
    for name in ["verified", "tenant", "level"] {
        table.refuses(JwtReason::Claim, format!("{name} missing"), &asking, token(&without(right(), name)));
    }
    table.refuses(
        JwtReason::Rejected,
        "a check of our own",
        &asking,
        token(&with(right(), "tenant", "banned")),
    );

    table.class("age");
    let aged = Home::asking("ten minutes", |issuer| {
        issuer.with_audience(AUD).with_max_token_age(Duration::from_secs(600))
    });
    table.accepts("just issued", &aged, token(&good()));
    table.accepts("ten minutes ago", &aged, token(&but("iat", NOW - 600)));
    table.accepts("ten minutes ago and the leeway", &aged, token(&but("iat", NOW - 605)));
    table.refuses(JwtReason::TooOld, "a second more", &aged, token(&but("iat", NOW - 606)));
    table.refuses(JwtReason::TooOld, "in 1970", &aged, token(&but("iat", 0)));
    table.refuses(JwtReason::Claim, "it does not say", &aged, token(&without(good(), "iat")));
    table.refuses(JwtReason::Claim, "it says null", &aged, token(&but("iat", Value::Null)));
    table.refuses(JwtReason::IssuedInFuture, "tomorrow", &aged, token(&but("iat", NOW + 86_400)));
}

fn scopes(table: &mut Table) {
    table.class("scope");
    let scoped = Home::asking("a scope", |issuer| issuer.with_audience(AUD).with_required_scope("orders"));
    for value in ["orders", "email orders", "orders email", "  orders  ", "orders orders"] {
        table.accepts(format!("{value:?}"), &scoped, token(&but("scope", value)));
    }
    table.accepts("a list", &scoped, token(&but("scope", json!(["email", "orders"]))));
    table.accepts("a list in scp", &scoped, token(&but("scp", json!(["orders"]))));
    table.accepts("scp", &scoped, token(&but("scp", "orders")));
    table.denies("missing", &scoped, token(&good()));
    for value in [
        json!(""),
        json!("Orders"),
        json!("orders:read"),
        json!("my-orders"),
        json!("orders,email"),
        json!("email\torders"),
        json!("email\norders"),
        json!("*"),
        json!("orde"),
        json!(1),
        json!(true),
        Value::Null,
        json!({ "orders": true }),
        json!([["orders"]]),
        json!([]),
    ] {
        table.denies(value.to_string(), &scoped, token(&but("scope", value)));
    }
    // An empty `scope` is an answer, too.
    table.denies("scp beside scope", &scoped, token(&with(but("scope", "email"), "scp", "orders")));
    table.denies("scp beside an empty scope", &scoped, token(&with(but("scope", ""), "scp", "orders")));
    table.denies("scopes is no scope", &scoped, token(&but("scopes", "orders")));
    table.denies("permissions are no scope", &scoped, token(&but("permissions", json!(["orders"]))));
    table.refuses(JwtReason::Expired, "a right scope, and expired", &scoped, {
        token(&with(but("scope", "orders"), "exp", NOW - 60))
    });
}
