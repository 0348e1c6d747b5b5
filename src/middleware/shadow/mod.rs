//! A candidate beside the layer that decides.

mod report;
mod run;
mod threads;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

pub use report::{Difference, Disagreement, ShadowStatistics, ShadowVerdict};

use self::report::Tally;
use self::threads::Threads;
use super::beside::Beside;
use super::gateway::Gateway;
use super::layer::AuthorizerLayer;
use crate::request::ApiStage;

const DEFAULT_MAX_RUNNING: usize = 32;

/// A candidate that judges the requests of another layer and changes nothing: neither who is let in, nor what anybody is
/// told. It shows what would happen if it decided, before it does.
///
/// The candidate is a whole layer: a new authorizer, the same one with other settings, or the same one with another
/// policy by way of [`map_response`](crate::authorizer::map_response). Give it a cache and limits of its own: with those
/// of a layer that decides, it would take them away from requests.
///
/// ```
/// use tower_lambda_authorizer::middleware::Shadow;
/// # use tower_lambda_authorizer::{ApiStage, AuthorizerError, AuthorizerLayer, authorizer_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let stage = ApiStage::rest("us-east-1", "123456789012", "abcdef123", "prod")?;
/// # let present = authorizer_fn(async |_event| Err(AuthorizerError::unauthorized()));
/// # let next = present;
/// let candidate = AuthorizerLayer::token(next, stage.clone()).with_max_loads(8).build()?;
/// let shadow = Shadow::new(candidate)
///     .with_share(10)
///     .on_disagreement(|disagreement| eprintln!("shadow: {disagreement}"));
/// let layer = AuthorizerLayer::token(present, stage).build()?.with_shadow(shadow.clone())?;
/// // Once in a while:
/// let statistics = shadow.statistics();
/// println!("newly allowed: {}, newly denied: {}", statistics.newly_allowed, statistics.newly_denied);
/// # Ok(()) }
/// ```
///
/// # What it costs
///
/// A request is compared once it is decided, and goes on at once: its head is copied, with the extensions beside it, and
/// a thread of the shadow's own asks the candidate. There a candidate that blocks holds up nobody, not even the end of the
/// runtime; one that fails or panics is [counted](ShadowStatistics::candidate_failed); one that hangs is given up when its own
/// [time-out](super::AuthorizerLayerBuilder::with_timeout) is over. No more than
/// [so many](Self::with_max_running) comparisons run at once, and requests that come meanwhile are
/// [not compared](ShadowStatistics::skipped). Refusals of malformed targets are not either: both would refuse.
///
/// A candidate sees real credentials. Be sure that it may.
#[derive(Clone)]
#[must_use = "it watches nothing until it is given to a layer"]
pub struct Shadow(Arc<Settings>);

#[derive(Clone)]
struct Settings {
    gateway: Arc<Gateway>,
    beside: Option<Arc<Beside>>,
    percent: u8,
    max_running: usize,
    report: Option<Arc<Report>>,
    state: Arc<State>,
}

type Report = dyn Fn(&Disagreement) + Send + Sync;

/// What clones have in common.
#[derive(Default)]
struct State {
    running: AtomicUsize,
    threads: Threads,
    tally: Tally,
}

impl Shadow {
    /// Has `candidate` judge every request.
    pub fn new<R>(candidate: AuthorizerLayer<R>) -> Self {
        let AuthorizerLayer { gateway, beside, .. } = candidate;
        let max_running = DEFAULT_MAX_RUNNING;
        Self(Arc::new(Settings {
            gateway,
            beside,
            percent: 100,
            max_running,
            report: None,
            state: Arc::default(),
        }))
    }

    /// Has it judge this share of the requests only, picked by chance: from 1 to 100 percent.
    pub fn with_share(mut self, percent: u8) -> Self {
        Arc::make_mut(&mut self.0).percent = percent;
        self
    }

    /// How many comparisons may run at once; 32 if not said. Each takes a thread of its own.
    pub fn with_max_running(mut self, comparisons: usize) -> Self {
        Arc::make_mut(&mut self.0).max_running = comparisons;
        self
    }

    /// Tells of each disagreement, on the thread that asked the candidate and after the request was decided. A panic in
    /// it reaches nobody.
    pub fn on_disagreement(mut self, report: impl Fn(&Disagreement) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).report = Some(Arc::new(report));
        self
    }

    /// What was found so far. Clones count together.
    #[must_use]
    pub fn statistics(&self) -> ShadowStatistics {
        self.0.state.tally.statistics()
    }

    pub(super) fn stage(&self) -> &ApiStage {
        &self.0.gateway.stage
    }

    pub(super) fn can_run(&self) -> bool {
        (1..=100).contains(&self.0.percent) && self.0.max_running > 0
    }

    pub(super) fn for_each_gateway(&self, visit: &mut dyn FnMut(&Arc<Gateway>)) {
        visit(&self.0.gateway);
        if let Some(beside) = &self.0.beside {
            beside.for_each_gateway(visit);
        }
    }
}

impl std::fmt::Debug for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shadow")
            .field("stage", self.stage())
            .field("percent", &self.0.percent)
            .field("max_running", &self.0.max_running)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
