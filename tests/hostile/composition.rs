//! Several authorizers in front of one service: no request falls through a strict one to a lax one.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use tower::Layer;
use tower_lambda_authorizer::authorizer::{AnyOf, Credential, any_of};
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::cache::MemoryCache;
use tower_lambda_authorizer::middleware::all_of;
use tower_lambda_authorizer::policy::AnyMethod;
use tower_lambda_authorizer::request::IdentitySource;
use tower_lambda_authorizer::{
    ApiStage, Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse,
    authorizer_fn,
};

use super::harness::{Boxed, Server, World, home, stage};
use super::tally::Tally;
use super::{frames, wire};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

type Headers<'a> = &'a [(&'a str, &'a [u8])];

static LONG: [u8; 8193] = [b'a'; 8193];

/// A member that is written down when it is asked, and does what its credential says.
fn member(name: &'static str, asked: &Arc<World>) -> impl Authorizer + Clone + use<> {
    let asked = Arc::clone(asked);
    authorizer_fn(move |event: AuthorizerEvent| {
        asked.called(name);
        as_told(name, event)
    })
}

async fn as_told(name: &str, event: AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    let shown = match name {
        "token" => event.bearer_token(),
        "basic" => event.header("authorization").and_then(|value| value.strip_prefix("Basic ")),
        "session" => {
            let pairs = event.header("cookie").unwrap_or_default().split(';');
            pairs.filter_map(|pair| pair.trim().strip_prefix("session=")).next()
        }
        "query" => event.query_parameter("key"),
        "key" => event.header("x-api-key"),
        // Nobody in particular may look at users.
        _ => {
            let policy = event.policy().allow(AnyMethod, "/users/*").allow(AnyMethod, "/outer/users/*");
            return Ok(AuthorizerResponse::new(name, policy.build()?)?);
        }
    };
    let everything = event.policy().allow(AnyMethod, "/*");
    let answer = AuthorizerResponse::new(name, everything.clone().build()?)?;
    match shown {
        Some("good") => Ok(answer),
        Some("deny") => Ok(answer.with_policy(everything.deny(AnyMethod, "/*").build()?)),
        Some("nothing") => Ok(answer.with_policy(event.policy().build()?)),
        Some("malformed") => Ok(answer.with_context("principalId", "root")),
        Some("failure") => Err(AuthorizerError::failure("out of order")),
        Some("panic") => panic!("as it should in this test"),
        Some("late") => {
            tokio::task::yield_now().await;
            panic!("as it should in this test")
        }
        Some("hang") => std::future::pending().await,
        _ => Err(AuthorizerError::unauthorized()),
    }
}

/// What a member can do wrong, and what the client is told.
const WRONG: [(&str, u16); 9] = [
    ("bad", 401),
    ("good good", 401),
    ("deny", 403),
    ("nothing", 403),
    ("malformed", 500),
    ("failure", 500),
    ("panic", 500),
    ("late", 500),
    ("hang", 500),
];

fn composition(asked: &Arc<World>) -> AnyOf {
    any_of()
        .member(Credential::bearer(), member("token", asked))
        .member(Credential::authorization("Basic"), member("basic", asked))
        .member(Credential::cookie("session"), member("session", asked))
        .member(Credential::query_parameter("key"), member("query", asked))
        .member(Credential::header(API_KEY), member("key", asked))
        .or_anonymous(member("anonymous", asked))
        .build()
        .unwrap()
}

fn layer(authorizer: impl Authorizer, stage: ApiStage) -> AuthorizerLayer {
    AuthorizerLayer::request(authorizer, stage).with_timeout(Duration::from_millis(50)).build().unwrap()
}

fn http_stage() -> ApiStage {
    ApiStage::http("us-east-1", "123456789012", "abcdef123", "$default").unwrap()
}

/// A server, and the members that were asked.
struct Scene {
    name: String,
    prefix: &'static str,
    server: Server,
    asked: Arc<World>,
    /// Whether a header that is there twice arrives as one.
    joins: bool,
}

impl Scene {
    fn new(layer: impl FnOnce(&Arc<World>) -> AuthorizerLayer) -> Self {
        Self::at(("protect", home::protected, ""), layer)
    }

    fn at(
        (name, home, prefix): (&str, home::Home, &'static str),
        layer: impl FnOnce(&Arc<World>) -> AuthorizerLayer,
    ) -> Self {
        Self::with(name, prefix, |world, asked| home(world.router(), layer(asked)))
    }

    fn with(
        name: &str,
        prefix: &'static str,
        service: impl FnOnce(&Arc<World>, &Arc<World>) -> Boxed,
    ) -> Self {
        let (world, asked) = (Arc::<World>::default(), Arc::<World>::default());
        let service = service(&world, &asked);
        Self { name: name.to_owned(), prefix, server: Server::start(world, service), asked, joins: false }
    }

    /// The composition in every home, in front of both kinds of API.
    fn everywhere() -> Vec<Self> {
        let at = |home, stage| Self::at(home, |asked| layer(composition(asked), stage));
        let kinds = |home| [at(home, stage()), Self { joins: true, ..at(home, http_stage()) }];
        home::ALL.into_iter().flat_map(kinds).collect()
    }

    fn get(&self, target: &str, headers: Headers<'_>) -> wire::Answer {
        let target = format!("{}{target}", self.prefix);
        self.server.send(&wire::head(
            "GET",
            target.as_bytes(),
            &[&[("Host", b"x".as_slice())], headers].concat(),
        ))
    }

    /// Nothing runs, and nobody is asked but these members.
    #[track_caller]
    fn refuses(&self, tally: &mut Tally, target: &str, headers: Headers<'_>, status: u16, members: &[&str]) {
        let answer = self.get(target, headers);
        let shown: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
        let shown = format!("{target} {}", shown.join(", "));
        assert_eq!(self.asked.take_calls(), members, "{}: {shown}", self.name);
        assert_eq!(answer.status, status, "{}: {shown}", self.name);
        tally.refused(&self.server.world, shown);
    }

    #[track_caller]
    fn serves(&self, target: &str, headers: Headers<'_>, member: &str) {
        let answer = self.get(target, headers);
        assert_eq!(
            (answer.status, self.server.world.take_calls().len()),
            (200, 1),
            "{}: {headers:?}",
            self.name
        );
        assert_eq!(self.asked.take_calls(), [member], "{}: {headers:?}", self.name);
    }
}

/// The key that is sent along would have been good for everything.
#[test]
fn nothing_that_is_wrong_with_a_credential_gets_its_request_to_a_laxer_member() {
    let mut tally = Tally::of("falling through any_of", 60);
    for scene in Scene::everywhere() {
        let mut refuses = |target: &str, headers: Headers<'_>, status, members: &[&str]| {
            let headers = [headers, &[("X-Api-Key", b"good")]].concat();
            scene.refuses(&mut tally, target, &headers, status, members);
        };
        for (what, status) in WRONG {
            let [bearer, basic, cookie] =
                ["Bearer ", "Basic ", "session="].map(|front| format!("{front}{what}"));
            refuses("/users/me", &[("Authorization", bearer.as_bytes())], status, &["token"]);
            refuses("/users/me", &[("Authorization", basic.as_bytes())], status, &["basic"]);
            refuses("/users/me", &[("Cookie", cookie.as_bytes())], status, &["session"]);
            let query = format!("/users/me?key={}", what.replace(' ', "+"));
            refuses(&query, &[], status, &["query"]);
        }
        // Each is there, if in another dress.
        for scheme in ["Bearer", "bearer", "BEARER bad", "bEARER  bad", "Bearer good,Bearer bad"] {
            refuses("/users/me", &[("Authorization", scheme.as_bytes())], 401, &["token"]);
        }
        for (cookie, members) in [
            ("a=b;session=bad", ["session"]),
            (" session = bad", ["session"]),
            ("session=\"good\"", ["session"]),
            ("session=GOOD; Session=good", ["session"]),
        ] {
            refuses("/users/me", &[("cookie", cookie.as_bytes())], 401, &members);
        }
        for query in ["?%6bey=bad", "?a&key=%62ad", "?key=go%6Fd+"] {
            refuses(&format!("/users/me{query}"), &[], 401, &["query"]);
        }
        // Nobody could tell which of two is meant, or what it says.
        let unusable: [(&str, Headers<'_>); 12] = [
            ("", &[("authorization", b"Bearer g\xc3\xb6\xc3\xb6d")]),
            ("", &[("authorization", b"Bearer\tgood")]),
            ("", &[("authorization", b"Bearer \xff")]),
            ("", &[("authorization", &LONG)]),
            ("", &[("authorization", b"Digest a=\"b\", Bearer bad")]),
            ("", &[("authorization", b", Bearer bad")]),
            ("", &[("cookie", b"session=good; session=good")]),
            ("", &[("cookie", b"session=; session=bad")]),
            ("", &[("cookie", b"session=good"), ("cookie", b"session=bad")]),
            ("", &[("cookie", b"session=g\xc3\xb6d")]),
            ("?key=%00", &[]),
            ("?key=%ff", &[]),
        ];
        for (query, headers) in unusable {
            refuses(&format!("/users/me{query}"), headers, 401, &[]);
        }
        scene.serves("/users/me", &[("Authorization", b"Bearer good"), ("X-Api-Key", b"bad")], "token");
        scene.serves("/users/me", &[("Authorization", b"Digest a=\"b\""), ("X-Api-Key", b"good")], "key");
    }
}

/// Lines that other kinds of API keep apart, an HTTP API joins with commas.
#[test]
fn a_credential_that_is_sent_twice_is_nobodys() {
    let mut tally = Tally::of("falling through any_of, twice", 13);
    let key = ("X-Api-Key", b"good".as_slice());
    for scene in Scene::everywhere() {
        // With the member that is asked about the joined value.
        let twice: [(Headers<'_>, &[&str]); 8] = [
            (&[("Authorization", b"Bearer bad"), ("Authorization", b"Bearer bad"), key], &["token"]),
            (&[("authorization", b"Bearer good"), ("AUTHORIZATION", b"Bearer good"), key], &["token"]),
            (&[("Authorization", b"Bearer bad"), key, ("Authorization", b"")], &["token"]),
            (&[("Authorization", b""), ("Authorization", b"Bearer bad"), key], &[]),
            (&[("Authorization", b"Basic good"), ("Authorization", b"Bearer bad"), key], &[]),
            (&[("Authorization", b"Digest a"), ("Authorization", b"Bearer bad"), key], &[]),
            (&[key, key], &["key"]),
            (&[("X-Api-Key", b""), key], &["key"]),
        ];
        for (headers, members) in twice {
            let members = if scene.joins { members } else { &[] };
            scene.refuses(&mut tally, "/users/me", headers, 401, members);
        }
        for query in ["key=good&key=good", "key=&key=bad", "key=bad&%6Bey", "key=&key="] {
            let members: &[&str] = if scene.joins { &["query"] } else { &[] };
            scene.refuses(&mut tally, &format!("/users/me?{query}"), &[key], 401, members);
        }
        let fields = |path: &'static str| {
            [
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "x"),
                (":path", path),
                ("x-api-key", "good"),
            ]
        };
        let path = if scene.prefix.is_empty() { "/users/me" } else { "/outer/users/me" };
        let [bad, good] = ["Bearer bad", "Bearer good"].map(|token| ("authorization", token));
        let fields = [fields(path).as_slice(), &[bad, good]].concat();
        assert_eq!(frames::exchange(scene.server.address, &fields), Some(401), "{}", scene.name);
        tally.refused(&scene.server.world, "two fields of HTTP/2");
        let members: &[&str] = if scene.joins { &["token"] } else { &[] };
        assert_eq!(scene.asked.take_calls(), members, "{}", scene.name);
        // Browsers split cookies over several fields of HTTP/2. That is one header for all that.
        let crumbs = [("cookie", "a=b"), ("cookie", "session=good"), ("cookie", "c=d")];
        let fields = [&fields[..4], &crumbs].concat();
        assert_eq!(frames::exchange(scene.server.address, &fields), Some(200), "{}", scene.name);
        assert_eq!(
            (scene.server.world.take_calls().len(), scene.asked.take_calls()),
            (1, vec!["session".to_owned()])
        );
    }
}

#[test]
fn whoever_shows_something_is_not_anonymous() {
    let mut tally = Tally::of("anonymous with a credential", 28);
    for scene in Scene::everywhere() {
        let mut refuses = |target: &str, headers: Headers<'_>, status, members: &[&str]| {
            scene.refuses(&mut tally, target, headers, status, members);
        };
        for (value, members) in [
            ("Bearer", &["token"][..]),
            ("Bearer bad", &["token"]),
            ("bearer null", &["token"]),
            ("Bearer undefined", &["token"]),
            ("Basic", &["basic"]),
            ("basic Og==", &["basic"]),
            ("Bearerbad", &[]),
            ("Bearer=bad", &[]),
            ("Digest a=\"b\"", &[]),
            ("Negotiate bad", &[]),
            ("bad", &[]),
            ("null", &[]),
            ("undefined", &[]),
            ("\"\"", &[]),
            (",", &[]),
            ("-", &[]),
            ("Bear er bad", &[]),
            ("Bearer\tbad", &[]),
            ("\x7f", &[]),
        ] {
            // The last one does not even reach the layer.
            let status = if value == "\x7f" { 400 } else { 401 };
            refuses("/users/me", &[("Authorization", value.as_bytes())], status, members);
        }
        refuses("/users/me", &[("Authorization", b"\xa0")], 401, &[]);
        refuses("/users/me", &[("Authorization", &LONG)], 401, &[]);
        refuses("/users/me", &[("X-Api-Key", b"bad")], 401, &["key"]);
        refuses("/users/me", &[("X-Api-Key", b"null")], 401, &["key"]);
        refuses("/users/me", &[("X-Api-Key", b"\xe9")], 401, &[]);
        refuses("/users/me", &[("Cookie", b"session=bad")], 401, &["session"]);
        refuses("/users/me", &[("Cookie", b"session=\xe9")], 401, &[]);
        refuses("/users/me?key=bad", &[], 401, &["query"]);
        refuses("/users/me?key=%20", &[], 401, &["query"]);
    }
}

/// And so is whoever shows it where nobody looks. The anonymous may look at users, and at nothing else.
#[test]
fn every_spelling_of_nothing_is_anonymous_and_no_more() {
    let mut tally = Tally::of("credentials where nobody looks", 31);
    let nothing: [(&str, Headers<'_>); 31] = [
        ("", &[]),
        ("", &[("Authorization", b"")]),
        ("", &[("Authorization", b"   ")]),
        ("", &[("Authorization", b"\t \t")]),
        ("", &[("X-Api-Key", b"")]),
        ("", &[("Cookie", b"")]),
        ("", &[("Cookie", b"session")]),
        ("", &[("Cookie", b"session=")]),
        ("", &[("Cookie", b"session= ; a=b")]),
        ("", &[("Cookie", b"Session=good")]),
        ("", &[("Cookie", b"sessions=good; xsession=good")]),
        ("", &[("Cookie", b"a=session=good")]),
        ("?", &[]),
        ("?key", &[]),
        ("?key=", &[]),
        ("?Key=good", &[]),
        ("?key%5B%5D=good", &[]),
        ("?key%00=good", &[]),
        ("?a;key=good", &[]),
        ("?x=key=good", &[]),
        ("", &[("Proxy-Authorization", b"Bearer good")]),
        ("", &[("X-Authorization", b"Bearer good")]),
        ("", &[("Authorization_", b"Bearer good")]),
        ("", &[("X-Forwarded-Authorization", b"Bearer good")]),
        ("", &[("X_Api_Key", b"good")]),
        ("", &[("X.Api.Key", b"good")]),
        ("", &[("Api-Key", b"good")]),
        ("", &[("Set-Cookie", b"session=good")]),
        ("", &[("Cookie2", b"session=good")]),
        ("", &[("X-User", b"me"), ("X-Amzn-Principal", b"me")]),
        ("", &[("X-Original-Authorization", b"Basic good")]),
    ];
    for scene in Scene::everywhere() {
        for (query, headers) in nothing {
            scene.serves(&format!("/users/me{query}"), headers, "anonymous");
            scene.refuses(&mut tally, &format!("/admin{query}"), headers, 403, &["anonymous"]);
        }
        // What comes behind the body came too late.
        let late = format!(
            "POST {}/post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n\
             0\r\nAuthorization: Bearer good\r\n\r\n",
            scene.prefix
        );
        assert_eq!(scene.server.send(late.as_bytes()).status, 403, "{}", scene.name);
        assert_eq!(
            (scene.asked.take_calls(), scene.server.world.take_calls()),
            (vec!["anonymous".into()], vec![])
        );
    }
}

#[test]
fn all_of_several_have_to_allow_whoever_comes_first() {
    let mut tally = Tally::of("falling through all_of", 75);
    let members =
        |asked: &Arc<World>| ["token", "key", "query"].map(|name| layer(member(name, asked), stage()));
    let outside = Scene::with("around the router", "", |world, asked| {
        let [token, key, query] = members(asked);
        Boxed::new(all_of(token, all_of(key, query)).layer(world.router()))
    });
    let mixed = Scene::with("protect and Router::layer", "", |world, asked| {
        let [token, key, query] = members(asked);
        Boxed::new(protect(world.router().layer(all_of(key, query)), token))
    });
    for scene in [outside, mixed] {
        let mut refuses = |shown: [&str; 3], status, members: &[&str]| {
            let [bearer, key, query] = shown;
            let bearer = format!("Bearer {bearer}");
            let headers = [("Authorization", bearer.as_bytes()), ("X-Api-Key", key.as_bytes())];
            let target = format!("/users/me?key={}", query.replace(' ', "+"));
            scene.refuses(&mut tally, &target, &headers, status, members);
        };
        let all = ["token", "key", "query"];
        for (what, status) in WRONG {
            refuses([what, "good", "good"], status, &all[..1]);
            refuses(["good", what, "good"], status, &all[..2]);
            refuses(["good", "good", what], status, &all);
            // Two refusals are no permission, and the first one is the answer.
            for (other, _) in [("deny", 403), ("failure", 500)] {
                if other != what {
                    refuses([what, other, "good"], status, &all[..1]);
                    refuses(["good", what, other], status, &all[..2]);
                    refuses([what, "good", other], status, &all[..1]);
                }
            }
        }
        let good = ("Authorization", b"Bearer good".as_slice());
        scene.get("/users/me?key=good", &[good, ("X-Api-Key", b"good")]);
        assert_eq!((scene.server.world.take_calls(), scene.asked.take_calls().len()), (vec!["me".into()], 3));
    }
}

#[test]
fn an_alternative_is_the_only_guard_of_what_it_was_chosen_for() {
    let mut tally = Tally::of("falling through alternatives", 26);
    let scene = Scene::new(|asked| {
        let administrators = layer(member("key", asked), stage());
        layer(member("token", asked), stage())
            .with_alternative(administrators, |head| {
                assert!(!head.headers().contains_key("x-panic"), "as it should in this test");
                head.template().is_some_and(|template| template.starts_with("/admin"))
            })
            .unwrap()
    });
    let good = ("Authorization", b"Bearer good".as_slice());
    for (what, status) in WRONG {
        let key = ("X-Api-Key", what.as_bytes());
        scene.refuses(&mut tally, "/admin", &[good, key], status, &["key"]);
        let bearer = format!("Bearer {what}");
        let headers = [("Authorization", bearer.as_bytes()), ("X-Api-Key", b"good".as_slice())];
        scene.refuses(&mut tally, "/users/me", &headers, status, &["token"]);
    }
    scene.refuses(&mut tally, "/admin", &[good], 401, &["key"]);
    scene.refuses(&mut tally, "/admin/7", &[good, ("X-Api-Key", b"")], 401, &["key"]);
    scene.refuses(&mut tally, "/admin/7?/users/me", &[good], 401, &["key"]);
    for target in ["/%61dmin", "/users/../admin", "//admin", "/admin%2f"] {
        scene.refuses(&mut tally, target, &[good], 400, &[]);
    }
    // A predicate that panics ends the connection, without a guard and without a handler.
    scene.refuses(&mut tally, "/users/me", &[good, ("X-Panic", b"1")], 0, &[]);
    scene.serves("/users/me", &[good, ("X-Api-Key", b"bad")], "token");
    scene.serves("/admin", &[("Authorization", b"Bearer bad"), ("X-Api-Key", b"good")], "key");
}

#[test]
fn what_is_kept_for_one_credential_serves_no_other() {
    let mut tally = Tally::of("compositions with a cache", 17);
    for stage in [stage(), http_stage()] {
        let scene = Scene::new(|asked| {
            let authorizer = any_of()
                .member(Credential::bearer(), member("token", asked))
                .member(Credential::header(API_KEY), member("key", asked))
                .or_anonymous(member("anonymous", asked))
                .build()
                .unwrap();
            AuthorizerLayer::request(authorizer, stage)
                .with_identity_sources([
                    IdentitySource::header(AUTHORIZATION),
                    IdentitySource::header(API_KEY),
                ])
                .accept_missing_identity()
                .with_cache(MemoryCache::default())
                .build()
                .unwrap()
        });
        let [bearer, key] = [("Authorization", b"Bearer good".as_slice()), ("X-Api-Key", b"good".as_slice())];
        scene.serves("/users/me", &[bearer], "token");
        scene.serves("/users/me", &[key], "key");
        scene.serves("/users/me", &[bearer, key], "token");
        scene.serves("/users/me", &[], "anonymous");
        let hostile: [(Headers<'_>, u16, &[&str]); 17] = [
            (&[("Authorization", b"good")], 401, &[]),
            (&[("X-Api-Key", b"Bearer good")], 401, &["key"]),
            (&[("Authorization", b"good"), ("X-Api-Key", b"Bearer good")], 401, &["key"]),
            (&[("Authorization", b"Bearer bad"), key], 401, &["token"]),
            (&[("Authorization", b"Bearer good "), ("X-Api-Key", b"good"), key], 401, &[]),
            (&[("Authorization", b"Bearer  good bad"), key], 401, &["token"]),
            (&[("Authorization", b"Bearer goodX-Api-Key")], 401, &["token"]),
            (&[("Authorization", b"Bearer goodgood")], 401, &["token"]),
            (&[bearer, bearer], 401, &[]),
            (&[bearer, ("Authorization", b"")], 401, &[]),
            (&[("Authorization", b""), bearer], 401, &[]),
            (&[key, key], 401, &[]),
            (&[bearer, key, key], 401, &[]),
            (&[("Authorization", b"Bearer good\xff")], 401, &[]),
            (&[("X-Api-Key", b"good\xff")], 401, &[]),
            (&[("X-Api-Key", b"GOOD")], 401, &["key"]),
            (&[("Authorization", b"Bearer deny"), key], 403, &["token"]),
        ];
        for (headers, status, members) in hostile {
            scene.refuses(&mut tally, "/users/me", headers, status, members);
            // A refusal is asked for anew, a policy that denies is kept.
            let again = if status == 403 { &[] } else { members };
            scene.refuses(&mut tally, "/users/me", headers, status, again);
        }
        // The anonymous answer was kept, too, and is not lax for somebody who shows something.
        let answer = scene.get("/admin", &[]);
        assert_eq!((answer.status, scene.asked.take_calls()), (403, vec![]));
        let swapped = HeaderValue::from_static("Bearer good");
        assert_eq!(scene.get("/admin", &[("X-Api-Key", swapped.as_bytes())]).status, 401);
        assert_eq!(scene.server.world.take_calls(), [""; 0]);
    }
}
