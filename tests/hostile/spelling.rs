//! Odd but legitimate targets: the right handler, the right parameters, the right ARN.

use tower_lambda_authorizer::AuthorizerEvent;

use super::harness::{STAGE, Setup, home, stage, statements};
use super::tally::Tally;

/// An authorizer that allows just the ARN it is asked about, as so many do.
fn echo(event: &AuthorizerEvent) -> String {
    statements(&[("Allow", event.arn().as_str())])
}

/// Target, ARN behind the stage, handler with its parameters.
type Row = (&'static str, &'static str, &'static str);

const ALIKE: &[Row] = &[
    ("/", "GET/", "root"),
    ("/admin", "GET/admin", "admin"),
    ("/admin?x=1", "GET/admin", "admin"),
    ("/admin?/../x//%zz", "GET/admin", "admin"),
    ("/admin?", "GET/admin", "admin"),
    ("/users/me", "GET/users/me", "me"),
    ("/users/ME", "GET/users/ME", "user id=ME"),
    ("/users/7", "GET/users/7", "user id=7"),
    ("/users/-._~", "GET/users/-._~", "user id=-._~"),
    ("/users/...", "GET/users/...", "user id=..."),
    ("/users/..a", "GET/users/..a", "user id=..a"),
    ("/users/a..", "GET/users/a..", "user id=a.."),
    ("/users/.hidden", "GET/users/.hidden", "user id=.hidden"),
    ("/users/a;v=1", "GET/users/a;v=1", "user id=a;v=1"),
    ("/users/..a;x", "GET/users/..a;x", "user id=..a;x"),
    ("/users/a:b@c", "GET/users/a:b@c", "user id=a:b@c"),
    ("/users/!$&'()+,;=:@", "GET/users/!$&'()+,;=:@", "user id=!$&'()+,;=:@"),
    ("/users/$", "GET/users/$", "user id=$"),
    ("/users/a%20b", "GET/users/a%20b", "user id=a b"),
    ("/users/a%25b", "GET/users/a%25b", "user id=a%b"),
    ("/users/%252e%252e", "GET/users/%252e%252e", "user id=%2e%2e"),
    ("/users/%252F", "GET/users/%252F", "user id=%2F"),
    ("/users/%2A", "GET/users/%2A", "user id=*"),
    ("/users/%3F", "GET/users/%3F", "user id=?"),
    ("/users/%23", "GET/users/%23", "user id=#"),
    ("/users/%7Bid%7D", "GET/users/%7Bid%7D", "user id={id}"),
    ("/users/%22%3C%3E%5B%5D%5E%60%7C", "GET/users/%22%3C%3E%5B%5D%5E%60%7C", "user id=\"<>[]^`|"),
    ("/users/caf%C3%A9", "GET/users/caf%C3%A9", "user id=café"),
    ("/users/%F0%9F%A6%80", "GET/users/%F0%9F%A6%80", "user id=🦀"),
    ("/slash/", "GET/slash/", "slash"),
    ("/slash", "GET/slash", "fallback /slash"),
    ("/admin/", "GET/admin/", "fallback /admin/"),
    ("/pair/x/y", "GET/pair/x/y", "pair a=x b=y"),
    ("/files/a/b.c", "GET/files/a/b.c", "files rest=a/b.c"),
    ("/files/a/", "GET/files/a/", "files rest=a/"),
    ("/files/a%20b/c", "GET/files/a%20b/c", "files rest=a b/c"),
    ("/any/x", "GET/any/x", "any-x x=x"),
    ("/api", "GET/api", "api"),
    ("/api/users/7", "GET/api/users/7", "api-user id=7"),
    ("/api/none", "GET/api/none", "fallback /api/none"),
    ("/tenants/t%201/items/7", "GET/tenants/t%201/items/7", "item tenant=t 1 item=7"),
    ("/tenants/t/none", "GET/tenants/t/none", "tenant-fallback tenant=t"),
    ("/service", "GET/service", "service /"),
    ("/service/", "GET/service/", "service /"),
    ("/service/x/y", "GET/service/x/y", "service /x/y"),
    ("/none", "GET/none", "fallback /none"),
];

/// Spellings that are not the canonical one.
const REWRITTEN: &[(Row, &str)] = &[
    // … and the ARN where nobody can rewrite them.
    (("/users/a%40b", "GET/users/a@b", "user id=a@b"), "GET/users/a%40b"),
    (("/users/a%3ab", "GET/users/a:b", "user id=a:b"), "GET/users/a%3Ab"),
    (
        ("/users/%21%24%26%27%28%29%2b%2c%3b%3d%3a%40", "GET/users/!$&'()+,;=:@", "user id=!$&'()+,;=:@"),
        "GET/users/%21%24%26%27%28%29%2B%2C%3B%3D%3A%40",
    ),
    (("/users/a%20%40", "GET/users/a%20@", "user id=a @"), "GET/users/a%20%40"),
    (("/users/caf%c3%a9", "GET/users/caf%C3%A9", "user id=café"), "GET/users/caf%C3%A9"),
    (("/users/a%2ab", "GET/users/a%2Ab", "user id=a*b"), "GET/users/a%2Ab"),
    (("/users/a*b", "GET/users/a%2Ab", "user id=a*b"), "GET/users/a%2Ab"),
    (("/users/*", "GET/users/%2A", "user id=*"), "GET/users/%2A"),
    (("/users/{id}", "GET/users/%7Bid%7D", "user id={id}"), "GET/users/%7Bid%7D"),
    (
        ("/users/${aws:username}", "GET/users/$%7Baws:username%7D", "user id=${aws:username}"),
        "GET/users/$%7Baws:username%7D",
    ),
    (("/users/\"|^", "GET/users/%22%7C%5E", "user id=\"|^"), "GET/users/%22%7C%5E"),
    (("/users/[]", "GET/users/%5B%5D", "user id=[]"), "GET/users/%5B%5D"),
    (("/files/a%40b/c", "GET/files/a@b/c", "files rest=a@b/c"), "GET/files/a%40b/c"),
    (
        ("/tenants/%40/items/%3b", "GET/tenants/@/items/;", "item tenant=@ item=;"),
        "GET/tenants/%40/items/%3B",
    ),
];

fn check(setup: Setup, at: (&str, home::Home, &str), rows: impl IntoIterator<Item = Row>) {
    let (name, home, prefix) = at;
    let server = setup.policy_of(echo).serve(home);
    for (target, arn, call) in rows {
        let arn = arn.replacen('/', &format!("{prefix}/"), 1);
        let answer = server.ask("GET", format!("{prefix}{target}"));
        assert_eq!(server.world.take_asked(), [arn], "{name}: {target}");
        assert_eq!(answer.status, 200, "{name}: {target}");
        assert_eq!(server.world.take_calls(), [call], "{name}: {target}");
    }
}

#[test]
fn a_canonical_target_is_routed_and_named_as_sent_in_every_home() {
    for at in home::ALL {
        // A prefix makes `/` another path, and axum leaves a nested fallback only what lies below the prefix.
        let rows = ALIKE.iter().copied().filter(|row| at.2.is_empty() || row.0 != "/");
        check(Setup::default(), at, rows);
    }
}

#[test]
fn protect_routes_the_canonical_spelling_of_other_spellings() {
    for at in home::ALL {
        if at.0.contains("protect") {
            check(Setup::default(), at, REWRITTEN.iter().map(|(row, _)| *row));
        }
    }
}

#[test]
fn a_layer_that_cannot_rewrite_names_the_target_as_it_was_sent() {
    for at in home::ALL {
        if !at.0.contains("protect") {
            check(Setup::default(), at, REWRITTEN.iter().map(|(row, arn)| (row.0, *arn, row.2)));
        }
    }
}

#[test]
fn protect_rewrites_the_path_and_not_the_query() {
    let server = Setup::default().serve(home::protected);
    let answer = server.ask("GET", "/service/a%40b?q=%40&r=%zz&%61//..");
    assert_eq!(answer.status, 200);
    assert_eq!(server.world.take_calls(), ["service /a@b?q=%40&r=%zz&%61//.."]);
}

#[test]
fn an_escaped_unreserved_character_is_decoded_for_the_router_where_that_was_asked_for() {
    let setup = Setup::default().layer(|layer| layer.decode_unreserved_escapes());
    let rows = [
        ("/%61dmin", "GET/admin", "admin"),
        ("/users/%6de", "GET/users/me", "me"),
        ("/users/%6De", "GET/users/me", "me"),
        ("/%75sers/me", "GET/users/me", "me"),
        ("/admin/%73ecret", "GET/admin/secret", "admin-id id=secret"),
        ("/files/secret%2etxt", "GET/files/secret.txt", "files rest=secret.txt"),
        ("/users/%7Ea%2Db%5fc%40", "GET/users/~a-b_c@", "user id=~a-b_c@"),
        ("/users/%2561", "GET/users/%2561", "user id=%61"),
        ("/service/%61", "GET/service/a", "service /a"),
    ];
    check(setup, home::ALL[0], rows);
}

#[test]
fn a_denial_catches_a_lenient_spelling_too() {
    let mut tally = Tally::of("lenient spellings", 6);
    let server = Setup::default()
        .policy(&[("Allow", "*"), ("Deny", "~GET/admin*"), ("Deny", "~GET/users/me")])
        .layer(|layer| layer.decode_unreserved_escapes())
        .serve(home::protected);
    for target in ["/%61dmin", "/admi%6E", "/admin/%73ecret", "/users/%6de", "/%75sers/me", "/%75sers/me/"] {
        assert_eq!(server.ask("GET", target).status, 403, "{target}");
        tally.refused(&server.world, target);
    }
}

#[test]
fn an_allowed_encoded_slash_stays_data_for_the_policy_and_the_router() {
    for home in [home::protected, home::router_layer, home::outside] {
        let setup = Setup::default().layer(|layer| layer.allow_encoded_slash());
        let rows = [
            ("/users/a%2Fb", "GET/users/a%2Fb", "user id=a/b"),
            ("/users/a%2fb", "GET/users/a%2Fb", "user id=a/b"),
            ("/users%2Fme", "GET/users%2Fme", "fallback /users%2Fme"),
            ("/pair/a%2Fb/c", "GET/pair/a%2Fb/c", "pair a=a/b b=c"),
        ];
        check(setup, ("", home, ""), rows);
    }
}

#[test]
fn an_allow_does_not_reach_another_spelling_behind_a_bare_layer() {
    let mut tally = Tally::of("escaped reserved characters", 4);
    let policy = [("Allow", "~GET/users/a@b"), ("Allow", "~GET/pair/%40/*")];
    let expectations = [
        ("/users/a@b", [200, 200]),
        ("/users/a%40b", [200, 403]),
        ("/pair/%40/x", [403, 200]),
        ("/pair/@/x", [403, 403]),
        ("/users/a%40c", [403, 403]),
    ];
    let homes = [home::protected, home::router_layer, home::outside];
    for (home, column) in homes.into_iter().zip([0, 1, 1]) {
        let server = Setup::default().policy(&policy).serve(home);
        for (target, statuses) in expectations {
            let answer = server.ask("GET", target);
            assert_eq!(answer.status, statuses[column], "{target}");
            if answer.status == 200 {
                assert_eq!(server.world.take_calls().len(), 1, "{target}");
            } else {
                tally.refused(&server.world, target);
            }
        }
    }
}

#[test]
fn a_deny_reaches_both_spellings_of_reserved_characters() {
    let mut tally = Tally::of("escaped reserved characters", 20);
    let homes = [home::protected, home::router_layer, home::outside];
    for home in homes {
        for pattern in
            ["~GET/users/a@b", "~GET/users/a%40b", "~GET/users/a%40*", "~*/users/a@b", "~GET/users/%61@b"]
        {
            let server = Setup::default().policy(&[("Allow", "*"), ("Deny", pattern)]).serve(home);
            for target in ["/users/a@b", "/users/a%40b", "/users/a@b/", "/users/a%40b/"] {
                let answer = server.ask("GET", target);
                assert_eq!(answer.status, 403, "{pattern} {target}");
                tally.refused(&server.world, format!("{target} against {pattern}"));
            }
            assert_eq!(server.ask("GET", "/users/b@a").status, 200);
        }
    }
}

#[test]
fn an_echoed_arn_is_literal_whatever_the_target_held() {
    let server = Setup::default()
        .policy_of(|event| {
            // What is cached by others: the policy for the first request's ARN, asked about every request.
            let asked = event.arn().as_str().to_owned();
            let first = format!("{STAGE}GET/users/%2A");
            statements(&[("Allow", if asked.ends_with("/users/%2A") { &asked } else { &first })])
        })
        .serve(home::protected);
    for (target, status) in
        [("/users/*", 200), ("/users/%2a", 200), ("/users/7", 403), ("/users/%3f", 403), ("/users/a*", 403)]
    {
        let answer = server.ask("GET", target);
        let ran = usize::from(status == 200);
        assert_eq!((answer.status, server.world.take_calls().len()), (status, ran), "{target}");
    }
}

#[test]
fn an_arn_of_1600_bytes_passes_and_one_of_1601_is_too_long() {
    let mut tally = Tally::of("sizes of a target", 8);
    let room = 1600 - STAGE.len() - "GET/".len();
    for at in home::ALL {
        let (name, home, prefix) = at;
        let server = Setup::default().serve(home);
        let path = |length: usize| {
            let start = format!("{prefix}/files/");
            let fill = "x".repeat(length + 1 - start.len());
            start + &fill
        };
        let longest = path(room);
        let answer = server.ask("GET", &longest);
        assert_eq!(server.world.take_asked(), [format!("GET{longest}")], "{name}");
        assert_eq!((answer.status, server.world.take_calls().len()), (200, 1), "{name}");
        // Another method takes its own room, a query takes none.
        assert_eq!(server.ask("GET", longest.clone() + "?" + &"q".repeat(9000)).status, 200, "{name}");
        server.world.take_calls();
        for (method, target) in [
            ("GET", path(room + 1)),
            ("POST", longest.clone()),
            ("GET", path(room - 1) + "/x"),
            // Raw characters count as what they are in the ARN.
            ("GET", path(room - 1) + "\""),
            ("GET", path(4800)),
            ("GET", path(4801)),
            ("GET", path(60_000)),
            ("GET", path(room + 1) + "/.."),
        ] {
            let answer = server.ask(method, &target);
            assert!(answer.status == 414 || target.ends_with(".."), "{name}: {} {}", method, target.len());
            assert!(matches!(answer.status, 400 | 414));
            let end: String = target.chars().skip_while(|c| *c != 'x').filter(|c| *c != 'x').collect();
            tally.refused(&server.world, format!("{method} {} {end}", target.len()));
        }
        server.world.take_asked();
        let answer = server.ask("GET", path(room + 1));
        assert_eq!(answer.body, r#"{"message":"Request URI too long"}"#);
        assert_eq!(server.world.take_asked(), [""; 0]);
    }
}

#[test]
fn the_length_of_an_arn_is_that_of_its_own_spelling() {
    let target = format!("/files/{}", "%40".repeat(1000));
    let server = Setup::default().serve(home::protected);
    assert_eq!(server.ask("GET", &target).status, 200);
    assert_eq!(server.world.take_calls(), [format!("files rest={}", "@".repeat(1000))]);
    assert_eq!(server.world.take_asked(), [format!("GET/files/{}", "@".repeat(1000))]);
    let server = Setup::default().serve(home::router_layer);
    assert_eq!((server.ask("GET", &target).status, server.world.take_calls()), (414, vec![]));
}

#[test]
fn a_base_path_is_cut_off_the_arn_and_what_lies_outside_is_not_found() {
    let mut tally = Tally::of("base paths", 14);
    for home in [home::protected, home::router_layer, home::outside] {
        let stage = stage().with_base_path("/api").unwrap();
        let server = Setup::default().stage(stage).policy_of(echo).serve(home);
        for (target, arn, call) in [
            ("/api/users/7", "GET/users/7", "api-user id=7"),
            ("/api/users/a%20b", "GET/users/a%20b", "api-user id=a b"),
            ("/api", "GET/", "api"),
            ("/api/api", "GET/api", "fallback /api/api"),
        ] {
            let answer = server.ask("GET", target);
            assert_eq!(server.world.take_asked(), [arn], "{target}");
            assert_eq!((answer.status, server.world.take_calls()), (200, vec![call.to_owned()]), "{target}");
        }
        for (target, status) in [
            ("/admin", 404),
            ("/", 404),
            ("/apis/users/7", 404),
            ("/ap", 404),
            ("/API/users/7", 404),
            ("/users/api", 404),
            ("/%61pi/users/7", 400),
            ("/api/../admin", 400),
            ("/api//admin", 400),
            ("//api/users/7", 400),
            ("/api;/users/7", 404),
            ("/api%20/users/7", 404),
            ("/apI/users/7", 404),
            ("/api%2fusers/7", 400),
        ] {
            let answer = server.ask("GET", target);
            assert_eq!(answer.status, status, "{target}");
            tally.refused(&server.world, target);
            assert_eq!(server.world.take_asked(), [""; 0], "{target}");
        }
    }
}
