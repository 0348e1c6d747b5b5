//! Targets that are refused wherever the layer stands.

use super::harness::{Setup, home};
use super::tally::Tally;

/// Each is appended to the prefix under which the layer stands.
const HOSTILE: &[&[u8]] = &[
    // Escaped unreserved characters: another route, or another reading of the same one.
    b"/%61dmin",
    b"/admi%6e",
    b"/admin/%73ecret",
    b"/admin/%73%65%63%72%65%74",
    b"/users/%6de",
    b"/users/%6De",
    b"/%75sers/me",
    b"/users/%31",
    b"/users/a%2db",
    b"/users/a%2Db",
    b"/users/a%2eb",
    b"/users/a%5fb",
    b"/users/a%5Fb",
    b"/users/a%7eb",
    b"/users/a%7Eb",
    b"/files/secret%2etxt",
    b"/files/%73ecret.txt",
    b"/service/%61",
    b"/nowhere/%61",
    b"/pair/a/%62",
    // Dot segments, in disguise and without.
    b"/.",
    b"/..",
    b"/./admin",
    b"/../admin",
    b"/users/../admin",
    b"/users/./me",
    b"/users/..",
    b"/users/.",
    b"/users/../",
    b"/users/./",
    b"/%2e",
    b"/%2E%2e/admin",
    b"/users/%2e%2e/admin",
    b"/users/.%2e/admin",
    b"/users/%2e./admin",
    b"/users/..%2fadmin",
    b"/users/..%2F..%2Fadmin",
    b"/users/..%5cadmin",
    b"/users/..;/admin",
    b"/users/..;x=1/admin",
    b"/users/.;x/admin",
    b"/users/..%3b/admin",
    b"/users/..%3Bx/admin",
    b"/users/%2e%2e;/admin",
    b"/files/..",
    b"/files/a/../b",
    b"/files/./secret.txt",
    b"/files/%2e/secret.txt",
    b"/service/../admin",
    b"/any/..",
    b"/tenants/../items/1",
    // Empty segments.
    b"//",
    b"//admin",
    b"///admin",
    b"/admin//",
    b"/users//me",
    b"/pair//x",
    b"/pair/x//",
    b"/files//x",
    b"/files/a//b",
    b"/service//x",
    b"/tenants//items/1",
    b"//evil.example/admin",
    // Separators.
    b"/users/a%2fb",
    b"/users/a%2Fb",
    b"/%2fadmin",
    b"/%2Fadmin",
    b"/admin%2f",
    b"/users%2fme",
    b"/users/a%5cb",
    b"/users/a%5Cb",
    b"/users/a\\b",
    b"\\admin",
    b"/\\admin",
    b"/users\\me",
    // Malformed escapes.
    b"/users/%",
    b"/users/%2",
    b"/users/%zz",
    b"/users/%4g",
    b"/users/%g4",
    b"/users/%+1",
    b"/users/%-1",
    b"/users/%%31",
    b"/users/%u0061",
    b"/files/%",
    b"/any/%zz",
    b"/nowhere/%2",
    b"/users/%\xc3\xa9",
    // Not ASCII, not UTF-8.
    b"/users/\xc3\xa9",
    b"/caf\xc3\xa9",
    b"/users/\xff",
    b"/users/%ff",
    b"/users/%80",
    b"/users/%c3",
    b"/users/%c0%af",
    b"/users/%c0%ae%c0%ae",
    b"/users/%e0%80%af",
    b"/users/%ed%a0%80",
    b"/users/%f4%90%80%80",
    b"/files/%ff",
    b"/any/%c3%28",
    // Control characters.
    b"/users/%00",
    b"/users/a%00.txt",
    b"/users/%01",
    b"/users/%09",
    b"/users/%0a",
    b"/users/%0d%0aX:1",
    b"/users/%1f",
    b"/users/%7f",
    b"/users/%c2%80",
    b"/users/%c2%85",
    b"/users/%C2%9F",
    b"/users/a\0b",
    b"/users/a\x01b",
    b"/users/a\tb",
    b"/users/a\x7fb",
    b"/files/%00",
    b"/service/%00",
    // Two tricks at once, and some of other people's.
    b"/users/%25%2e%2e",
    b"/users/%2e%252e/%61",
    b"/users/me/..%2f..%2fadmin",
    b"/users/me/%2e%2e%5cadmin",
    b"/admin;/%2e%2e/users/me",
    b"/admin/..;/..;/users/me",
    b"/users/me%3f/../admin",
    b"/users/me%23/../admin",
    b"/users/me/%2e",
    b"/users/me%2f",
    b"/users/me%2e",
    b"/users/me%00/",
    b"/users/me%0a",
    b"/users/me%0d",
    b"/users/me%e2%80%a8/%2e.",
    b"/.%00./admin",
    b"/%5c..%5cadmin",
    b"/..%c0%af..%c0%afadmin",
    b"/%252e%252e/../admin",
    b"/api/%2e%2e/admin",
    b"/api//users/7",
    b"/api/users/%37",
    b"/tenants/t/%69tems/1",
    b"/tenants/t/items/%2e%2e",
    b"/ws/../admin",
    b"/%77s",
    b"/any/%u002e%u002e",
    b"/any/&%2346;&%2346;/%%",
];

#[test]
fn a_hostile_path_is_a_bad_request_in_every_home_and_nobody_hears_of_it() {
    let mut tally = Tally::of("target spelling", 146);
    for (name, home, prefix) in home::ALL {
        let server = Setup::default().serve(home);
        // What does not begin with `/` does not lie under the prefix.
        for row in HOSTILE.iter().filter(|row| prefix.is_empty() || row.starts_with(b"/")) {
            let answer = server.ask("GET", [prefix.as_bytes(), row].concat());
            let shown = row.escape_ascii();
            tally.refused(&server.world, row.escape_ascii());
            assert_eq!(server.world.take_asked(), [""; 0], "{name}: {shown}");
            assert_eq!(answer.status, 400, "{name}: {shown}");
        }
        assert_eq!(server.ask("GET", format!("{prefix}/admin")).status, 200, "{name}");
        assert_eq!(server.world.take_calls(), ["admin"], "{name}");
    }
}

#[test]
fn no_query_hides_a_hostile_path() {
    let server = Setup::default().serve(home::protected);
    for target in HOSTILE {
        let answer = server.ask("GET", [target, b"?a=/admin".as_slice()].concat());
        assert_eq!((answer.status, server.world.take_calls()), (400, vec![]), "{}", target.escape_ascii());
    }
}

#[test]
fn decoding_unreserved_escapes_lets_nothing_else_pass() {
    let lenient = |target: &[u8]| {
        let text = String::from_utf8_lossy(target).to_lowercase();
        let escapes = ["%61", "%6e", "%73", "%65", "%63", "%72", "%74", "%6d", "%75", "%31", "%2d", "%5f"];
        let plain_dots =
            ["a%2eb", "a%7eb", "secret%2etxt", "/%62", "/%25%2e", "/%2e%252e", "me%2e", "%77s", "%37", "%69"];
        let decoded = escapes.iter().chain(&plain_dots).any(|escape| text.contains(escape));
        decoded && !text.contains("%%31")
    };
    let server = Setup::default().layer(|layer| layer.decode_unreserved_escapes()).serve(home::protected);
    for target in HOSTILE {
        let answer = server.ask("GET", target);
        let shown = target.escape_ascii();
        if lenient(target) {
            assert_eq!((answer.status, server.world.take_calls().len()), (200, 1), "{shown}");
        } else {
            assert_eq!((answer.status, server.world.take_calls()), (400, vec![]), "{shown}");
        }
    }
    // Whoever cannot have the decoded path routed refuses it, whatever was asked for.
    for bare in [home::outside, home::router_layer] {
        let server = Setup::default().layer(|layer| layer.decode_unreserved_escapes()).serve(bare);
        for target in HOSTILE {
            let answer = server.ask("GET", target);
            assert_eq!(
                (answer.status, server.world.take_calls()),
                (400, vec![]),
                "{}",
                target.escape_ascii()
            );
        }
    }
}

#[test]
fn an_allowed_encoded_slash_smuggles_no_dot_segment() {
    let mut tally = Tally::of("target spelling with encoded slashes", 14);
    for home in [home::protected, home::outside, home::router_layer] {
        let server = Setup::default().layer(|layer| layer.allow_encoded_slash()).serve(home);
        for target in [
            "/users/..%2f",
            "/users/..%2fadmin",
            "/users/..%2F..%2Fadmin",
            "/users/a%2f..",
            "/users/a%2f../admin",
            "/users/a%2F..%2Fb",
            "/users/a%2F.%2Fb",
            "/users/%2f..",
            "/users/a%2f..;x%2fb",
            "/users/a%2f%2e%2e",
            "/users/a%5cb",
            "/users/..%5c",
            "/users/%2e%2e%2f",
            "/files/x%2f..%3by",
        ] {
            let answer = server.ask("GET", target);
            tally.refused(&server.world, target);
            assert_eq!(answer.status, 400, "{target}");
        }
        assert_eq!(server.ask("GET", "/users/..a%2fb").status, 200);
        assert_eq!(server.world.take_calls(), ["user id=..a/b"]);
    }
}
