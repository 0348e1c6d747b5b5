//! When a function is asked again.

use std::sync::Arc;
use std::time::Duration;

use super::RemoteError;

/// What came of one attempt.
pub(super) enum Attempt {
    /// It was not connected, so nothing was sent.
    NoConnection(Arc<dyn std::error::Error + Send + Sync>),
    /// It was turned away before it could run.
    Throttled,
    /// The function may have run, or another attempt would fail alike.
    Failed(RemoteError),
}

impl From<RemoteError> for Attempt {
    fn from(error: RemoteError) -> Self {
        Self::Failed(error)
    }
}

impl From<Attempt> for RemoteError {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::NoConnection(source) => Self::Connect(source),
            Attempt::Throttled => Self::Throttled,
            Attempt::Failed(error) => error,
        }
    }
}

/// How often at most, and after which pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    pub(super) max: u32,
}

impl Retries {
    /// More would only keep the client waiting.
    pub(super) const LIMIT: u32 = 10;
    pub(super) const DEFAULT: u32 = 2;

    const FIRST_PAUSE: Duration = Duration::from_millis(50);
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);

    pub(super) async fn run<T, F: Future<Output = Result<T, Attempt>>>(
        self,
        attempt: impl Fn() -> F,
    ) -> Result<T, RemoteError> {
        let mut retry = 0;
        loop {
            match attempt().await {
                Err(attempt @ (Attempt::NoConnection(_) | Attempt::Throttled)) if retry < self.max => {
                    tell(retry, &attempt);
                }
                result => return result.map_err(RemoteError::from),
            }
            tokio::time::sleep(Self::pause(retry)).await;
            retry += 1;
        }
    }

    /// Twice as long each time; half of it by chance, so that those turned away together do not come back together.
    fn pause(retry: u32) -> Duration {
        let longest = Self::FIRST_PAUSE.saturating_mul(1 << retry.min(16)).min(Self::LONGEST_PAUSE);
        longest.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(feature = "tracing")]
fn tell(retry: u32, attempt: &Attempt) {
    let reason = if matches!(attempt, Attempt::Throttled) { "throttled" } else { "no_connection" };
    tracing::info!(target: crate::telemetry::target::REMOTE, reason, retry = retry + 1, "the function is asked again");
}

#[cfg(not(feature = "tracing"))]
const fn tell(_: u32, _: &Attempt) {}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn attempts(max: u32, results: &[fn() -> Result<(), Attempt>]) -> (usize, Result<(), RemoteError>) {
        let made = Cell::new(0);
        let result = Retries { max }
            .run(|| async {
                let result = results[made.get().min(results.len() - 1)];
                made.set(made.get() + 1);
                result()
            })
            .await;
        (made.get(), result)
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_certainly_did_not_run_is_tried_again() {
        let no_connection = || Err(Attempt::NoConnection(Arc::from(Box::from("refused"))));
        let throttled = || Err(Attempt::Throttled);
        let broken = || Err(RemoteError::Status { status: 500 }.into());
        assert!(matches!(attempts(2, &[no_connection, throttled, || Ok(())]).await, (3, Ok(()))));
        assert!(matches!(attempts(2, &[throttled]).await, (3, Err(RemoteError::Throttled))));
        assert!(matches!(attempts(2, &[no_connection]).await, (3, Err(RemoteError::Connect(_)))));
        assert!(matches!(attempts(2, &[broken]).await, (1, Err(RemoteError::Status { .. }))));
        assert!(matches!(attempts(0, &[throttled]).await, (1, Err(RemoteError::Throttled))));
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        for (retry, longest) in [(0, 50), (1, 100), (4, 800), (5, 1_000), (u32::MAX, 1_000)] {
            for _ in 0..100 {
                let pause = Retries::pause(retry);
                let longest = Duration::from_millis(longest);
                assert!(pause <= longest && pause >= longest / 2, "{retry}: {pause:?}");
            }
        }
    }
}
