//! Whose request it is: found once and plainly, or not at all.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, Request, StatusCode};
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;
use tower_lambda_authorizer::request::IdentitySource;

use super::harness::{Local, Setup, home};
use super::tally::Tally;

const TENANT: HeaderName = HeaderName::from_static("x-tenant");

type Headers = &'static [(&'static str, &'static [u8])];

static LONG: [u8; 8193] = [b'a'; 8193];

/// None of these is a token.
static NO_TOKEN: &[(&str, Headers)] = &[
    ("missing", &[]),
    ("empty", &[("Authorization", b"")]),
    ("blank", &[("Authorization", b"   ")]),
    ("tab", &[("Authorization", b"\t")]),
    ("twice the same", &[("Authorization", b"ok"), ("Authorization", b"ok")]),
    ("twice", &[("Authorization", b"ok"), ("Authorization", b"bad")]),
    ("twice, the good one last", &[("Authorization", b"bad"), ("Authorization", b"ok")]),
    ("twice in another case", &[("Authorization", b"ok"), ("AUTHORIZATION", b"ok")]),
    ("twice, one empty", &[("Authorization", b""), ("Authorization", b"ok")]),
    ("twice, far apart", &[("authorization", b"ok"), ("x", b"y"), ("authorization", b"ok")]),
    ("a tab within", &[("Authorization", b"ok\tx")]),
    ("obs-text", &[("Authorization", b"ok\xff")]),
    ("UTF-8", &[("Authorization", "oké".as_bytes())]),
    ("latin-1", &[("Authorization", b"ok\xe9")]),
    ("too long", &[("Authorization", &LONG)]),
    ("three times", &[("Authorization", b"ok"), ("Authorization", b"ok"), ("Authorization", b"ok")]),
    ("twice, one blank", &[("Authorization", b"ok"), ("Authorization", b" ")]),
    ("twice, the first obs-text", &[("Authorization", b"\xff"), ("Authorization", b"ok")]),
    ("a tab in front of a tab", &[("Authorization", b"\t\t")]),
    ("a zero-width space", &[("Authorization", "ok\u{200b}".as_bytes())]),
    ("a no-break space", &[("Authorization", b"ok\xa0")]),
    ("a byte order mark", &[("Authorization", b"\xef\xbb\xbfok")]),
];

#[test]
fn what_is_no_token_is_unauthorized_and_no_authorizer_hears_of_it() {
    let mut tally = Tally::of("tokens that are none", 22);
    for (name, home, prefix) in home::ALL {
        let cached = Setup::default().layer(|layer| layer.with_cache(MemoryCache::default()));
        for server in [Setup::default().serve(home), cached.serve(home)] {
            for (case, headers) in NO_TOKEN {
                let head = super::wire::head("GET", format!("{prefix}/admin").as_bytes(), headers);
                let answer = server.send(&head);
                tally.refused(&server.world, case);
                assert_eq!(server.world.take_asked(), [""; 0], "{name}: {case}");
                assert_eq!(answer.status, 401, "{name}: {case}");
                assert_eq!(answer.body, r#"{"message":"Unauthorized"}"#, "{name}: {case}");
            }
        }
    }
}

#[test]
fn the_target_is_judged_before_the_token() {
    let server = Setup::default().serve(home::protected);
    let answer = server.send(b"GET /%61dmin HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((answer.status, server.world.take_asked()), (400, vec![]));
}

#[test]
fn a_token_is_given_to_the_authorizer_as_it_was_sent() {
    let server = Setup::default().serve(home::protected);
    let longest = [b"ok".as_slice(), &[b'~'; 8190]].concat();
    for token in [b"ok  \x21~".as_slice(), b"ok, ok", b"ok\"'<>", &longest] {
        let head = super::wire::head("GET", b"/admin", &[("Authorization", token)]);
        assert_eq!(server.send(&head).status, 200, "{}", token.escape_ascii());
        assert_eq!(server.world.take_calls(), ["admin"]);
        assert_eq!(server.world.take_asked().len(), 1);
    }
    // The authorizer says no: it was asked, once, and nobody else was.
    for token in ["bad", " OK", "Ok", "k"] {
        let head = super::wire::head("GET", b"/admin", &[("Authorization", token.as_bytes())]);
        assert_eq!((server.send(&head).status, server.world.take_calls()), (401, vec![]), "{token}");
        assert_eq!(server.world.take_asked().len(), 1, "{token}");
    }
}

#[test]
fn a_request_with_very_many_headers_is_not_read_at_all() {
    let server = Setup::default().serve(home::protected);
    let many: Vec<(&str, &[u8])> = vec![("x", b"y"); 200];
    assert_eq!(server.ask_with("GET", "/admin", &many).status, 431);
    assert_eq!((server.world.take_calls(), server.world.take_asked()), (vec![], vec![]));
}

fn requests(build: fn(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder) -> Local {
    let sources = || {
        [
            IdentitySource::header(AUTHORIZATION),
            IdentitySource::query_string("key"),
            IdentitySource::header(COOKIE),
        ]
    };
    Setup::default()
        .request()
        .layer(move |layer| build(layer.with_identity_sources(sources())))
        .in_process(home::protected)
}

/// Query, headers, and whether a value is missing rather than ambiguous.
static NO_IDENTITY: &[(&str, Headers, bool)] = &[
    ("", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?key", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?key=", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?Key=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?key[]=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?x;key=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?key=k", &[("cookie", b"c")], true),
    ("?key=k", &[("authorization", b"a")], true),
    ("?key=k", &[("authorization", b""), ("cookie", b"c")], true),
    ("?key=k&key=k", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=k&%6bey=l", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=k&key", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=k&key=", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=%ff", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=%00", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=a%0Ab", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=%c2%85", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=k", &[("authorization", b"a"), ("authorization", b"b"), ("cookie", b"c")], false),
    ("?key=k", &[("authorization", b"\xff"), ("cookie", b"c")], false),
    ("?key=k", &[("authorization", b"a"), ("cookie", b"c\xff")], false),
    ("?key=k", &[("authorization", b"a"), ("cookie", b"c"), ("cookie", b"\xff")], false),
    ("?key=k", &[("authorization", b"a"), ("cookie", &LONG)], false),
    // One is missing and another ambiguous: that is ambiguous.
    ("?key=k&key=k", &[("cookie", b"c")], false),
    ("", &[("authorization", b"a"), ("authorization", b"a")], false),
    // Names in other clothes, and lists.
    ("?%6bey=k&key=k", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=k&key=%6b", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?key=k,l&key", &[("authorization", b"a"), ("cookie", b"c")], false),
    ("?%00key=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?+key=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?key%00=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?KEY=k", &[("authorization", b"a"), ("cookie", b"c")], true),
    ("?=k&key=%c0%af", &[("authorization", b"a"), ("cookie", b"c")], false),
];

fn ask(local: &Local, query: &str, headers: Headers) -> (StatusCode, usize, usize) {
    let mut request = Request::get(format!("/admin{query}"));
    for (name, value) in headers {
        request = request.header(*name, http::HeaderValue::from_bytes(value).unwrap());
    }
    let status = local.call(request).status();
    (status, local.world.take_asked().len(), local.world.take_calls().len())
}

#[test]
fn an_ambiguous_identity_is_unauthorized_in_every_mode() {
    let mut tally = Tally::of("duplicate and ambiguous identity", 32);
    type Build = fn(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder;
    let modes: [(&str, Build); 3] = [
        ("plain", |layer| layer),
        ("strict", |layer| layer.require_identity()),
        ("cached", |layer| layer.with_cache(MemoryCache::default())),
    ];
    for (mode, build) in modes {
        let local = requests(build);
        for (query, headers, missing) in NO_IDENTITY {
            // API Gateway asks a REQUEST authorizer without a cache whatever is missing.
            let expected = match (mode, missing) {
                ("plain", true) => (StatusCode::OK, 1, 1),
                _ => (StatusCode::UNAUTHORIZED, 0, 0),
            };
            assert_eq!(ask(&local, query, headers), expected, "{mode}: {query} {headers:?}");
            if expected.2 == 0 {
                tally.refused(&local.world, format!("{query} {headers:?}"));
            }
        }
        let good: Headers = &[("authorization", b"a"), ("cookie", b"c"), ("cookie", b"d")];
        assert_eq!(ask(&local, "?a=b&key=k%20l&other", good), (StatusCode::OK, 1, 1), "{mode}");
    }
}

#[test]
fn a_query_value_over_eight_kibibytes_is_unauthorized() {
    let mut tally = Tally::of("sizes of an identity", 3);
    let local = Setup::default()
        .request()
        .layer(|layer| layer.with_identity_sources([IdentitySource::query_string("key")]))
        .in_process(home::protected);
    for (value, status) in [
        ("k".repeat(8192), StatusCode::OK),
        ("%20".repeat(8192), StatusCode::OK),
        ("k".repeat(8193), StatusCode::UNAUTHORIZED),
        ("%20".repeat(8193), StatusCode::UNAUTHORIZED),
        ("%20".repeat(20_000), StatusCode::UNAUTHORIZED),
    ] {
        let ran = usize::from(status == StatusCode::OK);
        assert_eq!(ask(&local, &format!("?key={value}"), &[]), (status, ran, ran), "{}", value.len());
        if ran == 0 {
            tally.refused(&local.world, format!("{}{}", &value[..1], value.len()));
        }
    }
}

#[test]
fn a_request_authorizer_without_sources_is_asked_once_for_each_request() {
    let local = Setup::default().request().in_process(home::protected);
    for _ in 0..3 {
        assert_eq!(ask(&local, "", &[]), (StatusCode::OK, 1, 1));
    }
}

#[test]
fn a_token_header_of_another_name_is_the_only_one_that_counts() {
    let local = Setup::default().layer(|layer| layer.with_token_header(TENANT)).in_process(home::protected);
    let cases: [(Headers, u16, usize); 4] = [
        (&[("authorization", b"ok")], 401, 0),
        (&[("x-tenant", b"ok")], 200, 1),
        (&[("authorization", b"ok"), ("x-tenant", b"bad")], 401, 1),
        (&[("x-tenant", b"ok"), ("x-tenant", b"ok")], 401, 0),
    ];
    for (headers, status, asked) in cases {
        let (seen, times, ran) = ask(&local, "", headers);
        assert_eq!((seen.as_u16(), times, ran), (status, asked, usize::from(status == 200)), "{headers:?}");
    }
}
