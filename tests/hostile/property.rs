//! Random targets and random policies, through real routers.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::Response;
use axum::routing::{any, get};
use proptest::prelude::*;
use tower::service_fn;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::middleware::AuthorizerLayerBuilder;

use super::harness::{Boxed, Local, STAGE, Setup, World, home};

/// What targets are made of: segments that collide when read carelessly.
fn segment() -> impl Strategy<Value = String> {
    let words = [
        "users",
        "me",
        "ME",
        "admin",
        "files",
        "any",
        "service",
        "a",
        "b",
        "%61",
        "%41",
        "us%65rs",
        "%6de",
        "m%65",
        "%6De",
        "a%40b",
        "a@b",
        "%40",
        "@",
        "a%3Ab",
        "a%3ab",
        "a:b",
        "*",
        "%2A",
        "%2a",
        "**",
        "?",
        "%3F",
        "%3f",
        "{id}",
        "%7Bid%7D",
        "%7bid%7d",
        "${x}",
        "$%7Bx%7D",
        "$",
        "%24",
        "%2F",
        "%2f",
        "a%2Fb",
        "a%2fb",
        "%5C",
        "%5c",
        "\\",
        "..",
        ".",
        "...",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "..;",
        "..;x",
        "..%3B",
        "%2e%2e%3b",
        ";",
        ";x=1",
        "%3B",
        "",
        " ",
        "%20",
        "+",
        "%2B",
        "%25",
        "%2561",
        "%252F",
        "%252e",
        "%",
        "%2",
        "%zz",
        "%00",
        "%0a",
        "%0D",
        "%7f",
        "%7F",
        "%ff",
        "%c3%a9",
        "%C3%A9",
        "%c0%af",
        "%c2%85",
        "é",
        "\"",
        "%22",
        "|",
        "%7C",
        "^",
        "%5E",
        "~",
        "%7e",
        "%7E",
        "-",
        "%2d",
        "_",
        "%5F",
        "!",
        "%21",
        "'",
        "%27",
        "(",
        "%28",
        ",",
        "%2C",
        "=",
        "%3D",
        "&",
        "%26",
        "#",
        "%23",
        "[",
        "%5B",
        "<",
        "%3C",
    ];
    let pieces = prop::sample::select(words.to_vec()).boxed();
    prop_oneof![3 => pieces.clone().prop_map(str::to_owned), 1 => (pieces.clone(), pieces).prop_map(|(a, b)| format!("{a}{b}"))]
}

pub fn target() -> impl Strategy<Value = String> {
    let starts =
        ["", "/users", "/users/x", "/admin", "/files", "/any", "/service", "/tenants/t", "/%75sers", "/pair"];
    (prop::sample::select(starts.to_vec()), prop::collection::vec(segment(), 0..4)).prop_map(
        |(start, segments)| {
            let path = segments.iter().fold(start.to_owned(), |path, segment| format!("{path}/{segment}"));
            if path.is_empty() { "/".to_owned() } else { path }
        },
    )
}

/// Every kind of route, each of which writes down all by which it could tell two requests apart.
pub fn router(world: &Arc<World>, with_catch_all: bool) -> Router {
    let by_path = |name: &'static str| {
        let world = Arc::clone(world);
        Boxed::new(service_fn(move |request: Request| {
            // A nested service stands for three routes, which only the whole path tells apart.
            let OriginalUri(original) = request.extensions().get().unwrap();
            world.called(format!("{name} {}", original.path()));
            std::future::ready(Ok(Response::default()))
        }))
    };
    let tenant =
        Router::new().route("/items/{item}", any(world.handler("item"))).fallback_service(by_path("tenant"));
    let router = Router::new()
        .route("/", any(world.handler("root")))
        .route("/admin", any(world.handler("admin")))
        .route("/users/me", get(world.handler("me")))
        .route("/users/{id}", any(world.handler("user")))
        .route("/users/{id}/", any(world.handler("user-slash")))
        .route("/pair/{a}/{b}", any(world.handler("pair")))
        .route("/any/x{x}", any(world.handler("any-x")))
        .nest("/tenants/{tenant}", tenant)
        .nest_service("/service", by_path("service"))
        .fallback_service(by_path("fallback"));
    if with_catch_all { router.route("/files/{*rest}", any(world.handler("files"))) } else { router }
}

/// What was seen so far: the ARN of each call, and the call of each ARN. It grows from case to case.
#[derive(Default)]
struct Seen {
    calls: HashMap<String, String>,
    arns: HashMap<String, String>,
}

impl Seen {
    fn check(&mut self, local: &Local, target: &str) -> Result<(), TestCaseError> {
        let Ok(uri) = target.parse::<http::Uri>() else { return Ok(()) };
        let status = local.call(Request::get(uri).header("authorization", "ok")).status();
        let (calls, asked) = (local.world.take_calls(), local.world.take_asked());
        if asked.is_empty() {
            prop_assert!(matches!(status.as_u16(), 400 | 414), "{target}: {status}");
            prop_assert_eq!(calls, [""; 0]);
            return Ok(());
        }
        prop_assert_eq!((asked.len(), calls.len()), (1, 1), "{}: {}", target, status);
        let (arn, call) = (asked.concat(), calls.concat());
        let plain =
            |byte: u8| !byte.is_ascii_control() && byte.is_ascii() && !b"*?{}\\ \"<>^`|[]".contains(&byte);
        prop_assert!(arn.bytes().all(plain), "{}", arn);
        let known = self.calls.entry(arn.clone()).or_insert_with(|| call.clone());
        prop_assert_eq!(&*known, &call, "{} is the ARN of two calls", arn);
        let known = self.arns.entry(call.clone()).or_insert_with(|| arn.clone());
        prop_assert_eq!(&*known, &arn, "{} has two ARNs", call);
        Ok(())
    }
}

fn one_to_one(
    seen: &Mutex<Seen>,
    with_catch_all: bool,
    build: fn(AuthorizerLayerBuilder) -> AuthorizerLayerBuilder,
    targets: &[String],
) -> Result<(), TestCaseError> {
    let local = Setup::default()
        .layer(build)
        .in_process_with(|world, layer| protect(router(world, with_catch_all), layer));
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    targets.iter().try_for_each(|target| seen.check(&local, target))
}

/// A statement: whether it allows, a method and a path.
type Rule = (bool, &'static str, &'static str);

fn rule() -> impl Strategy<Value = Rule> {
    let methods = ["GET", "GET", "HEAD", "POST", "*", "?ET", "*T"];
    let paths = [
        "/*",
        "/users/*",
        "/users/me",
        "/users/a@b",
        "/users/a%40b",
        "/users/?",
        "/users/%2A",
        "/users/a%2Ab",
        "/admin",
        "/admin/",
        "/users/*/",
        "/users/me/",
        "/",
        "/files/*",
        "/any/*",
        "/*@*",
        "/*%40*",
        "/*me",
        "/pair/*/b",
        "*/me",
        "/service",
        "/service/",
        "/service/*",
        "/tenants/t/*",
        "/users/**a",
    ];
    (prop::bool::weighted(0.7), prop::sample::select(methods.to_vec()), prop::sample::select(paths.to_vec()))
}

/// The slow and obvious matcher.
fn covers(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|at| covers(rest, &text[at..])),
        Some((b'?', rest)) => !text.is_empty() && covers(rest, &text[1..]),
        Some((byte, rest)) => text.first() == Some(byte) && covers(rest, &text[1..]),
    }
}

fn decoded(text: &str) -> String {
    let reserved = "!$&'()+,;=:@";
    reserved
        .chars()
        .fold(text.to_owned(), |text, c| text.replace(&format!("%{:02X}", u32::from(c)), &c.to_string()))
}

/// The spelling of ARNs, escapes of reserved characters left as they are.
fn spelled(raw: &str) -> String {
    let mut spelled = String::new();
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' => {
                let escape: String = rest.by_ref().take(2).collect();
                spelled.push_str(&format!("%{}", escape.to_uppercase()));
            }
            c if c.is_ascii_alphanumeric() || "-._~/!$&'()+,;=:@".contains(c) => spelled.push(c),
            c => spelled.push_str(&format!("%{:02X}", u32::from(c))),
        }
    }
    spelled
}

/// What the rules say about `METHOD/path`, as it is in the ARN and as it was sent.
fn allows(rules: &[Rule], arn: &str, raw: &str) -> bool {
    let pattern = |rule: &Rule| format!("{}{}", rule.1, rule.2);
    let allowed = rules.iter().any(|rule| rule.0 && covers(pattern(rule).as_bytes(), arn.as_bytes()));
    let mut names = vec![];
    for name in [arn.to_owned(), decoded(arn), raw.to_owned(), spelled(raw)] {
        let as_get = name.strip_prefix("HEAD/").map(|rest| format!("GET/{rest}"));
        for name in std::iter::once(name).chain(as_get) {
            if let Some(shorter) = name.strip_suffix('/').filter(|shorter| shorter.contains('/')) {
                names.push((shorter.to_owned(), false));
            }
            names.push((format!("{name}/"), true));
            names.push((name, false));
        }
    }
    let denied = rules.iter().filter(|rule| !rule.0).any(|rule| {
        let written = pattern(rule);
        names.iter().any(|(name, longer)| {
            let matches = |pattern: &str| {
                (!longer || pattern.ends_with('/')) && covers(pattern.as_bytes(), name.as_bytes())
            };
            matches(&written) || matches(&decoded(&written))
        })
    });
    allowed && !denied
}

fn agrees(home: home::Home, rules: &[Rule], requests: &[(&str, String)]) -> Result<(), TestCaseError> {
    let policy: Vec<_> = rules
        .iter()
        .map(|(allow, method, path)| {
            (if *allow { "Allow" } else { "Deny" }, format!("{STAGE}{method}{path}"))
        })
        .collect();
    let policy: Vec<_> = policy.iter().map(|(effect, pattern)| (*effect, &**pattern)).collect();
    let local =
        Setup::default().policy(&policy).in_process_with(|world, layer| home(router(world, true), layer));
    for (method, target) in requests {
        let Ok(uri) = target.parse::<http::Uri>() else { continue };
        let raw = format!("{method}{}", uri.path());
        let request = Request::builder().method(*method).uri(uri).header("authorization", "ok");
        let status = local.call(request).status().as_u16();
        let (calls, asked) = (local.world.take_calls(), local.world.take_asked());
        let Some(arn) = asked.first() else {
            prop_assert!(matches!(status, 400 | 414), "{method} {target}: {status}");
            prop_assert_eq!(calls, [""; 0]);
            continue;
        };
        if allows(rules, arn, &raw) {
            // Only `GET` is routed everywhere.
            prop_assert!(calls.len() == 1 || status == 405, "{method} {target} {arn}: {status}");
        } else {
            prop_assert_eq!((status, calls), (403, vec![]), "{} {} {}", method, target, arn);
        }
    }
    Ok(())
}

fn targets() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(target(), 1..16)
}

fn requests() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let methods = ["GET", "GET", "HEAD", "POST", "FOO"];
    // Most random targets are refused; these are what the rules are about.
    let known = [
        "/",
        "/admin",
        "/admin/",
        "/users/me",
        "/users/me/",
        "/users/a@b",
        "/users/a%40b",
        "/users/*",
        "/users/a*b",
        "/users/a%2ab",
        "/users/x",
        "/users/x/",
        "/files/a",
        "/files/a/",
        "/any/x1",
        "/pair/a/b",
        "/pair/%40/b",
        "/service",
        "/service/",
        "/service/x",
        "/service/x/",
        "/tenants/t/items/1",
        "/none/me",
    ];
    let target =
        prop_oneof![2 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => target()];
    prop::collection::vec((prop::sample::select(methods.to_vec()), target), 1..16)
}

static STRICT: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);
static LENIENT: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);
static SLASHES: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);

proptest! {
    #[test]
    fn an_arn_and_what_is_called_under_it_stand_for_each_other(targets in targets()) {
        one_to_one(&STRICT, true, |layer| layer, &targets)?;
    }

    #[test]
    fn so_they_do_where_escapes_are_decoded(targets in targets()) {
        one_to_one(&LENIENT, true, |layer| layer.decode_unreserved_escapes(), &targets)?;
    }

    // But for catch-alls, which cannot tell an escaped slash from a plain one.
    #[test]
    fn so_they_do_where_an_encoded_slash_is_data(targets in targets()) {
        one_to_one(&SLASHES, false, |layer| layer.allow_encoded_slash().decode_unreserved_escapes(), &targets)?;
    }

    #[test]
    fn a_handler_runs_exactly_when_the_policy_allows_it(
        rules in prop::collection::vec(rule(), 0..6),
        requests in requests(),
    ) {
        for home in [home::protected, home::protected_within, home::outside, home::router_layer, home::fallback] {
            agrees(home, &rules, &requests)?;
        }
    }
}
