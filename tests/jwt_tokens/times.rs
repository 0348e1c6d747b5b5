//! Times: numbers of seconds that a clock can show, held against a clock that stands.

use serde_json::{Value, json};
use tower_lambda_authorizer::jwt::JwtReason::{Claim, Expired, IssuedInFuture, Malformed, NotYetValid};

use crate::homes::{Home, NOW, but, good, text_but, token, token_of_text, with, without};
use crate::table::Table;

/// The end of the year 9999.
const LATEST: u64 = 253_402_300_799;

pub fn rows(table: &mut Table) {
    expiry(table);
    starts(table);
    edges(table);
}

/// Good claims with this text for a number.
fn spelt(name: &str, number: &str) -> String {
    let claims = good();
    let claims = if claims.get(name).is_some() { without(claims, name) } else { claims };
    let text = claims.to_string();
    token_of_text(text.replacen('{', &format!(r#"{{"{name}":{number},"#), 1))
}

fn expiry(table: &mut Table) {
    table.class("exp");
    let two = Home::two_keys();
    table.refuses(Claim, "missing", &two, token(&without(good(), "exp")));
    for value in [
        Value::Null,
        json!("1767229200"),
        json!(""),
        json!("never"),
        json!("2026-01-01T01:00:00Z"),
        json!(true),
        json!([1_767_229_200]),
        json!({ "exp": 1_767_229_200 }),
        json!(-1),
        json!(-1.5),
        json!(i64::MIN),
        json!(LATEST + 1),
        json!(1_767_229_200_000_u64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e18),
        json!(1e300),
        json!(-1e300),
    ] {
        table.refuses(Claim, value.to_string(), &two, token(&but("exp", value)));
    }
    for number in ["18446744073709551616", "99999999999999999999999999", "1e18", "-18446744073709551616"] {
        table.refuses(Claim, format!("{number}, as it is"), &two, spelt("exp", number));
    }
    for number in [
        "1e999",
        "-1e999",
        "+1767229200",
        "01767229200",
        "1767229200.",
        "0x69560000",
        "1_767_229_200",
        "Infinity",
    ] {
        table.refuses(Malformed, format!("{number}, as it is"), &two, spelt("exp", number));
    }
    let disguised = r#"{"$serde_json::private::Number":"1767229200"}"#;
    table.refuses(Claim, "an object that a library reads as a number", &two, spelt("exp", disguised));
    for number in ["0", "-0", "0.0", "1", "1.767e9", "1767225595", "1767225595.0"] {
        table.refuses(Expired, number, &two, spelt("exp", number));
    }
    for number in ["1767229200.5", "1.7672292e9", "17672292E+2", "176722920000e-2", "253402300799"] {
        table.accepts(number, &two, spelt("exp", number));
    }
}

fn starts(table: &mut Table) {
    let two = Home::two_keys();
    for (name, reason) in [("nbf", NotYetValid), ("iat", IssuedInFuture)] {
        table.class(name);
        table.accepts("missing", &two, {
            // The other one instead.
            token(&if name == "iat" { without(good(), "iat") } else { but("jti", "1") })
        });
        table.accepts("0", &two, token(&but(name, 0)));
        table.accepts("a fraction", &two, token(&but(name, 0.5)));
        table.accepts("long ago", &two, token(&but(name, NOW - 1_000_000)));
        for value in [
            Value::Null,
            json!("1767225600"),
            json!(true),
            json!([0]),
            json!({}),
            json!(-1),
            json!(LATEST + 1),
            json!(1_767_225_600_000_u64),
            json!(u64::MAX),
            json!(1e18),
        ] {
            table.refuses(Claim, value.to_string(), &two, token(&but(name, value)));
        }
        table.refuses(reason, "in an hour", &two, token(&but(name, NOW + 3600)));
        table.refuses(reason, "at the end of time", &two, token(&but(name, LATEST)));
        table.refuses(Claim, "an object that a library reads as a number", &two, {
            token_of_text(if name == "iat" {
                without(good(), "iat").to_string().replacen(
                    '{',
                    r#"{"iat":{"$serde_json::private::Number":"1"},"#,
                    1,
                )
            } else {
                text_but(r#""nbf":{"$serde_json::private::Number":"1"}"#)
            })
        });
    }
}

/// A second before, at and after the moment in which a token becomes good or bad.
fn edges(table: &mut Table) {
    table.class("edge");
    for (home, leeway) in [
        (Home::two_keys(), 5),
        (Home::with_leeway("no leeway", 0), 0),
        (Home::with_leeway("a minute", 60), 60),
    ] {
        let end = NOW - leeway;
        table.refuses(Expired, "exp, one second after", &home, token(&but("exp", end - 1)));
        table.refuses(Expired, "exp, at that moment", &home, token(&but("exp", end)));
        table.accepts("exp, a part of a second before", &home, token(&but("exp", json!(end as f64 + 0.25))));
        table.accepts("exp, one second before", &home, token(&but("exp", end + 1)));
        let start = NOW + leeway;
        for (name, reason) in [("nbf", NotYetValid), ("iat", IssuedInFuture)] {
            table.accepts(format!("{name}, one second after"), &home, token(&but(name, start - 1)));
            table.accepts(format!("{name}, at that moment"), &home, token(&but(name, with_mark(start))));
            let before = json!(start as f64 + 0.25);
            table.refuses(
                reason,
                format!("{name}, a part of a second before"),
                &home,
                token(&but(name, before)),
            );
            table.refuses(reason, format!("{name}, one second before"), &home, token(&but(name, start + 1)));
        }
    }
    let two = Home::two_keys();
    table.accepts(
        "exp before iat, both within the leeway",
        &two,
        token(&with(but("exp", NOW - 3), "iat", NOW + 3)),
    );
    table.accepts(
        "exp before nbf, both within the leeway",
        &two,
        token(&with(but("exp", NOW - 3), "nbf", NOW + 3)),
    );
    table.refuses(
        Expired,
        "expired and from the future",
        &two,
        token(&with(but("exp", NOW - 60), "iat", NOW + 60)),
    );
}

/// The same moment spelt as a fraction, so that no two rows are one.
fn with_mark(seconds: u64) -> Value {
    json!(seconds as f64)
}
