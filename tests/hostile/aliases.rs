//! One resource under several names: a Deny catches them all, an Allow one.

use super::harness::{Server, Setup, home, stage};
use super::tally::Tally;

#[track_caller]
fn refuses(tally: &mut Tally, server: &Server, method: &str, target: &str, status: u16) {
    assert_eq!(server.ask(method, target).status, status, "{method} {target}");
    tally.refused(&server.world, format!("{method} {target}"));
}

#[track_caller]
fn expect(server: &Server, method: &str, target: &str, status: u16) {
    let answer = server.ask(method, target);
    let calls = server.world.take_calls();
    assert_eq!(answer.status, status, "{method} {target}: {calls:?}");
    assert_eq!(calls.len(), usize::from(status == 200), "{method} {target}: {calls:?}");
}

#[test]
fn a_deny_for_get_catches_head_and_a_trailing_slash_in_every_home() {
    let mut tally = Tally::of("trailing slashes and HEAD", 16);
    for (_, home, prefix) in home::ALL {
        let deny = |pattern: &str| format!("~GET{prefix}{pattern}");
        let server = Setup::default()
            .policy(&[
                ("Allow", "*"),
                ("Deny", &deny("/users/me")),
                ("Deny", &deny("/slash/")),
                ("Deny", &deny("/files/*/")),
                ("Deny", &deny("/service/*")),
            ])
            .serve(home);
        for method in ["GET", "HEAD"] {
            for target in [
                "/users/me",
                "/users/me/",
                "/slash",
                "/slash/",
                "/files/a",
                "/files/a/",
                "/service/",
                "/service/x",
            ] {
                assert_eq!(server.ask(method, format!("{prefix}{target}")).status, 403, "{method} {target}");
                tally.refused(&server.world, format!("{method} {target}"));
            }
            for target in ["/users/you", "/files", "/service", "/users/me/x"] {
                let answer = server.ask(method, format!("{prefix}{target}"));
                assert_eq!(
                    (answer.status, server.world.take_calls().len()),
                    (200, 1),
                    "{method} {prefix}{target}"
                );
            }
        }
    }
}

#[test]
fn an_allow_for_get_is_not_one_for_head_or_for_a_trailing_slash() {
    let mut tally = Tally::of("names that an Allow does not have", 20);
    for (_, home, prefix) in home::ALL {
        let allow = |pattern: &str| format!("~GET{prefix}{pattern}");
        let server =
            Setup::default().policy(&[("Allow", &allow("/any/x")), ("Allow", &allow("/slash/"))]).serve(home);
        expect(&server, "GET", &format!("{prefix}/any/x"), 200);
        expect(&server, "GET", &format!("{prefix}/slash/"), 200);
        for (method, target) in [
            ("HEAD", "/any/x"),
            ("GET", "/any/x/"),
            ("GET", "/slash"),
            ("HEAD", "/slash/"),
            ("POST", "/any/x"),
            ("get", "/any/x"),
            ("Get", "/any/x"),
            ("GETT", "/any/x"),
            ("OPTIONS", "/any/x"),
            ("TRACE", "/any/x"),
            ("QUERY", "/any/x"),
            ("GET", "/any/X"),
            ("GET", "/Any/x"),
            ("GET", "/any/x;"),
            ("GET", "/any/x;v=1"),
            ("GET", "/any/x%20"),
            ("GET", "/any/x%2C"),
            ("GET", "/any/x,x"),
            ("GET", "/any/xx"),
            ("GET", "/any"),
        ] {
            assert_eq!(server.ask(method, format!("{prefix}{target}")).status, 403, "{method} {target}");
            tally.refused(&server.world, format!("{method} {target}"));
        }
    }
}

#[test]
fn head_as_get_lends_an_allow_and_forgets_no_deny() {
    let layer = |policy: &[(&str, &str)]| {
        Setup::default().policy(policy).layer(|layer| layer.head_as_get()).serve(home::protected)
    };
    let server = layer(&[("Allow", "~GET/*")]);
    expect(&server, "HEAD", "/users/me", 200);
    assert_eq!(server.world.take_asked(), ["HEAD/users/me"]);
    expect(&server, "POST", "/post", 403);

    let server = layer(&[("Allow", "*"), ("Deny", "~HEAD/users/me"), ("Deny", "~GET/admin")]);
    expect(&server, "HEAD", "/users/me", 403);
    expect(&server, "HEAD", "/users/me/", 403);
    expect(&server, "GET", "/users/me", 200);
    expect(&server, "HEAD", "/admin", 403);
    expect(&server, "HEAD", "/users/you", 200);

    let server = layer(&[("Allow", "~HEAD/users/me")]);
    expect(&server, "HEAD", "/users/me", 200);
    expect(&server, "GET", "/users/me", 403);
}

#[test]
fn a_method_is_what_it_is_spelt() {
    let mut tally = Tally::of("methods", 20);
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny", "~DELETE/any")]).serve(home::protected);
    refuses(&mut tally, &server, "DELETE", "/any", 403);
    for method in
        ["FOO", "QUERY", "X-PURGE", "M_SEARCH", "delete", "TRACE", "A2345678901234567890123456789012"]
    {
        expect(&server, method, "/any", 200);
        assert_eq!(server.world.take_asked().last(), Some(&format!("{method}/any")));
    }
    for method in [
        "1GET",
        "-GET",
        "_GET",
        "G.T",
        "GE$T",
        "GET*",
        "*",
        "G|T",
        "G'T",
        "GET!",
        "A23456789012345678901234567890123",
        "GET#",
        "GE%54",
        "G^T",
        "G`T",
        "G~T",
        "G&T",
        "GET+",
        "0",
    ] {
        refuses(&mut tally, &server, method, "/any", 400);
        assert_eq!(server.world.take_asked(), [""; 0]);
    }
}

#[test]
fn no_method_stands_for_another_in_a_pattern() {
    let mut tally = Tally::of("methods of patterns", 9);
    let server = Setup::default()
        .policy(&[("Allow", "~GET/*"), ("Allow", "~*/users/7"), ("Deny", "~P*T/any")])
        .serve(home::protected);
    for (method, target, status) in [
        ("GET", "/any", 200),
        ("POST", "/any", 403),
        ("PUT", "/any", 403),
        ("PAAAT", "/any", 403),
        ("FOO", "/any", 403),
        // IAM's star crosses `/`: the pattern covers every path that ends so.
        ("POST", "/any/users/7", 200),
        ("POST", "/users/7x", 403),
        ("OPTIONS", "/any", 403),
        ("PATCH", "/any", 403),
        ("GETX", "/any", 403),
        ("HEAD", "/any", 403),
    ] {
        let answer = server.ask(method, target);
        assert_eq!(answer.status, status, "{method} {target}");
        if status == 200 {
            assert_eq!(server.world.take_calls().len(), 1, "{method} {target}");
        } else {
            tally.refused(&server.world, format!("{method} {target}"));
        }
    }
}

#[test]
fn not_resource_excepts_the_exact_arn_only() {
    let mut tally = Tally::of("NotResource under aliases", 14);
    // As IAM has it. A policy that excepts from an Allow must except every name; a Deny does it better.
    let server = Setup::default().policy(&[("Allow!", "~GET/admin")]).serve(home::protected);
    refuses(&mut tally, &server, "GET", "/admin", 403);
    expect(&server, "HEAD", "/admin", 200);
    let server = Setup::default().policy(&[("Allow", "*"), ("Deny!", "~GET/users/*")]).serve(home::protected);
    expect(&server, "GET", "/users/7", 200);
    // Whatever is not the very thing that is excepted is denied.
    for (method, target) in [
        ("HEAD", "/users/7"),
        ("GET", "/admin"),
        ("GET", "/users"),
        ("get", "/users/7"),
        ("POST", "/users/7"),
        ("GET", "/USERS/7"),
        ("GET", "/api/users/7"),
        ("GET", "/users%2A"),
        ("GET", "/user"),
    ] {
        refuses(&mut tally, &server, method, target, 403);
    }
    // Spelled in two ways it is one path in front of a router, and two behind it; and what refuses looks at what was sent.
    let policy = [("Allow", "*"), ("Deny!", "~GET/users/a@b")];
    let server = Setup::default().policy(&policy).serve(home::protected);
    expect(&server, "GET", "/users/a@b", 200);
    refuses(&mut tally, &server, "GET", "/users/a%40b", 403);
    refuses(&mut tally, &server, "GET", "/users/a@b/", 403);
    refuses(&mut tally, &server, "GET", "/users/a%2540b", 403);
    let server = Setup::default().policy(&policy).serve(home::outside);
    expect(&server, "GET", "/users/a@b", 200);
    refuses(&mut tally, &server, "GET", "/users/a%40b", 403);
    let server = Setup::default().policy(&[("Allow!", "~GET/users/a@b")]).serve(home::protected);
    refuses(&mut tally, &server, "GET", "/users/a@b", 403);
    refuses(&mut tally, &server, "GET", "/users/%61@b", 400);
    refuses(&mut tally, &server, "GET", "/users/a%40b", 403);
}

#[test]
fn a_policy_for_another_stage_says_nothing_about_this_one() {
    let mut tally = Tally::of("policies of other stages", 48);
    for pattern in [
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/dev/*",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef124/prod/*",
        "arn:aws:execute-api:us-east-1:123456789013:abcdef123/prod/*",
        "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/*",
        "arn:aws-cn:execute-api:us-east-1:123456789012:abcdef123/prod/*",
        "arn:aws:s3:us-east-1:123456789012:abcdef123/prod/*",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/pro/*",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/Prod/*",
        "arn:aws:execute-api:us-east-1:123456789012:ABCDEF123/prod/*",
        "arn:aws:execute-api:us-east-1:12345678901?:abcdef123/prod",
    ] {
        let server = Setup::default().policy(&[("Allow", pattern)]).serve(home::protected);
        // A path that tries to look like the stage it is not in.
        for target in ["/admin", "/any", "/dev/GET/admin", "/any/dev/GET/x"] {
            assert_eq!(server.ask("GET", target).status, 403, "{pattern} {target}");
            tally.refused(&server.world, format!("{target} under {pattern}"));
        }
    }
    let server = Setup::default().stage(stage().with_base_path("/any").unwrap()).serve(home::protected);
    expect(&server, "GET", "/any/x", 200);
}
