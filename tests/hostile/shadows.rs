//! Candidates that misbehave beside a layer: no answer changes, and no more of them is at work than may be.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use tower::util::MapRequestLayer;
use tower_lambda_authorizer::axum::protect;
use tower_lambda_authorizer::middleware::{Shadow, ShadowStatistics};
use tower_lambda_authorizer::policy::{AnyMethod, PolicyDocument};
use tower_lambda_authorizer::{
    Authorizer, AuthorizerError, AuthorizerEvent, AuthorizerLayer, AuthorizerResponse, authorizer_fn,
};

use super::harness::{Server, World, stage};
use super::tally::Tally;
use super::wire::{Connection, head};

/// How many comparisons may run at once.
const ROOM: usize = 4;

/// For each candidate.
const REQUESTS: usize = 1_000;

/// How many of something there are, and how many there ever were.
#[derive(Clone, Default)]
struct Gauge(Arc<(AtomicUsize, AtomicUsize)>);

impl Gauge {
    fn enter(&self) -> Inside {
        let (now, most) = &*self.0;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Inside(self.clone())
    }

    fn most(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

struct Inside(Gauge);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Beside every request: its copies are counted.
struct Copied(Gauge, #[expect(dead_code, reason = "it is dropped")] Option<Inside>);

impl Clone for Copied {
    fn clone(&self) -> Self {
        Self(self.0.clone(), Some(self.0.enter()))
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("as it should in this test");
    }
}

/// A future that panics when it is dropped, whether or not it was ready.
struct Explosive<F>(Pin<Box<F>>, Bomb);

impl<F: Future> Future for Explosive<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}

struct ExplosiveAuthorizer(Gauge);

impl Authorizer for ExplosiveAuthorizer {
    fn authorize(
        &self,
        event: AuthorizerEvent,
    ) -> impl Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send {
        let inside = self.0.enter();
        let answer = async move {
            let _inside = inside;
            allow_all(&event)
        };
        Explosive(Box::pin(answer), Bomb)
    }
}

/// Something to block on; open for good once it is dropped.
#[derive(Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn wait(gate: &(Mutex<bool>, Condvar)) {
        drop(gate.1.wait_while(gate.0.lock().unwrap(), |open| !*open).unwrap());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

fn allow_all(event: &AuthorizerEvent) -> Result<AuthorizerResponse, AuthorizerError> {
    Ok(AuthorizerResponse::new("me", event.policy().allow(AnyMethod, "/*").build()?)?)
}

/// The layer that decides.
fn enforced() -> AuthorizerLayer {
    let authorizer = authorizer_fn(async |event: AuthorizerEvent| {
        let everything = event.policy().allow(AnyMethod, "/*");
        match event.token() {
            Some("ok") => allow_all(&event),
            Some("later") => {
                tokio::task::yield_now().await;
                allow_all(&event)
            }
            Some("deny") => Ok(AuthorizerResponse::new("me", everything.deny(AnyMethod, "/*").build()?)?),
            Some("fail") => Err(AuthorizerError::failure("out of order")),
            _ => Err(AuthorizerError::unauthorized()),
        }
    });
    AuthorizerLayer::token(authorizer, stage()).build().unwrap()
}

/// Targets and headers: two requests that are served, and what is refused in every way there is.
fn requests() -> Vec<Vec<u8>> {
    let token = |target: &str, token: &[u8]| {
        head("GET", target.as_bytes(), &[("Host", b"x"), ("Authorization", token)])
    };
    vec![
        token("/users/me", b"ok"),
        token("/admin", b"later"),
        token("/users/me", b"bad"),
        token("/users/me", b"deny"),
        token("/users/me", b"fail"),
        token("/users/me", b"\xff"),
        token("/users/%6de", b"ok"),
        head("GET", b"/users/me", &[("Host", b"x")]),
        head("GET", b"/users/me", &[("Host", b"x"), ("Authorization", b"ok"), ("Authorization", b"ok")]),
        token(&format!("/files/{}", "x".repeat(2_000)), b"ok"),
    ]
}

const SERVED: usize = 2;

/// All of an answer but the id that each has for itself.
fn ask(connection: &mut Connection, request: &[u8]) -> (u16, Vec<String>, String) {
    let answer = connection.exchange(request);
    (answer.status, answer.header_names().map(str::to_owned).collect(), answer.body)
}

fn total(found: ShadowStatistics) -> u64 {
    found.agreed
        + found.candidate_failed
        + found.newly_allowed
        + found.newly_denied
        + found.other_principal
        + found.other_status
        + found.skipped
}

/// Floods a layer with this candidate beside it.
fn flood(name: &str, candidate: AuthorizerLayer, working: &Gauge, tally: &mut Tally) {
    let (world, copies) = (Arc::<World>::default(), Gauge::default());
    let alone = Server::start(Arc::default(), protect(Arc::<World>::default().router(), enforced()));
    let shadow = Shadow::new(candidate)
        .with_max_running(ROOM)
        .on_disagreement(|_| panic!("as it should in this test"));
    let layer = enforced().with_shadow(shadow.clone()).unwrap();
    let beside = copies.clone();
    let marked = MapRequestLayer::new(move |mut request: Request| {
        request.extensions_mut().insert(Copied(beside.clone(), None));
        request
    });
    let server = Server::start(Arc::clone(&world), protect(world.router(), layer).layer(marked));

    let requests = requests();
    let expected: Vec<_> =
        requests.iter().map(|request| ask(&mut Connection::open(alone.address), request)).collect();
    let mut connection = Connection::open(server.address);
    let mut served = 0;
    for count in 0..REQUESTS {
        let number = count % requests.len();
        assert_eq!(ask(&mut connection, &requests[number]), expected[number], "{name}: {number}, {count}");
        if number < SERVED {
            served += world.take_calls().len();
        } else {
            tally.refused(&world, format!("{name}: {number}"));
        }
    }
    assert_eq!(served, REQUESTS / requests.len() * SERVED, "{name}");
    // What holds work up is the room, not the number of requests.
    assert!(working.most() <= ROOM, "{name}: {} at work at once", working.most());
    assert!(copies.most() <= ROOM, "{name}: {} copies at once", copies.most());
    // Malformed targets are not compared, all else is or is skipped; what still runs is neither as yet.
    let compared = u64::try_from(REQUESTS / requests.len() * (requests.len() - 2)).unwrap();
    let found = total(shadow.statistics());
    assert!((compared - u64::try_from(ROOM).unwrap()..=compared).contains(&found), "{name}: {found}");
}

/// A layer around an authorizer that is counted while it is at work.
fn candidate<F>(
    working: &Gauge,
    timeout: Duration,
    answer: impl Fn(AuthorizerEvent) -> F + Clone + Send + Sync + 'static,
) -> AuthorizerLayer
where
    F: Future<Output = Result<AuthorizerResponse, AuthorizerError>> + Send + 'static,
{
    let working = working.clone();
    let authorizer = authorizer_fn(move |event| {
        let (inside, answer) = (working.enter(), answer.clone());
        async move {
            let _inside = inside;
            answer(event).await
        }
    });
    AuthorizerLayer::token(authorizer, stage()).with_timeout(timeout).build().unwrap()
}

#[test]
fn candidates_that_misbehave_under_a_flood_change_no_answer() {
    let mut tally = Tally::of("shadow candidates as an attack", 64);
    let mut run = |name: &str, make: &dyn Fn(&Gauge) -> AuthorizerLayer| {
        let working = Gauge::default();
        flood(name, make(&working), &working, &mut tally);
    };
    let hour = Duration::from_secs(3600);
    run("hangs", &|working| candidate(working, hour, |_| std::future::pending()));
    run("panics at once", &|working| {
        candidate(working, hour, async |event| {
            assert!(event.token().is_none(), "as it should in this test");
            allow_all(&event)
        })
    });
    run("panics later", &|working| {
        candidate(working, hour, async |event| {
            tokio::task::yield_now().await;
            let _bomb = event.token().map(|_| Bomb);
            allow_all(&event)
        })
    });
    run("panics in its destructor", &|working| {
        AuthorizerLayer::token(ExplosiveAuthorizer(working.clone()), stage()).build().unwrap()
    });
    run("never rests", &|working| {
        candidate(working, Duration::from_millis(5), async |event| {
            while event.token().is_some() {
                tokio::task::yield_now().await;
            }
            allow_all(&event)
        })
    });
    run("allocates", &|working| {
        candidate(working, hour, async |event| {
            let much = vec![1_u8; 4 << 20];
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(&much).iter().step_by(4096).all(|byte| *byte == 1));
            allow_all(&event)
        })
    });
    run("answers with megabytes", &|working| {
        candidate(working, hour, async |_| {
            let statement = r#"{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:*"},"#;
            let statements = statement.repeat(15_000);
            let policy =
                format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.trim_end_matches(','));
            Ok(AuthorizerResponse::new("me", PolicyDocument::from_json(&policy)?)?)
        })
    });
    let gate = Gate::default();
    run("blocks its thread", &|working| {
        let gate = Arc::clone(&gate.0);
        candidate(working, hour, move |event| {
            Gate::wait(&gate);
            std::future::ready(allow_all(&event))
        })
    });
}
