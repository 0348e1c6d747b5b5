//! Threads for candidates. A runtime waits for its own when it ends, and a candidate may block for ever; for these nobody
//! waits.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::authorizer::discard;

/// How long a thread waits for more to do.
const PATIENCE: Duration = Duration::from_secs(10);

/// As many threads as there is work at once. Each stays for a while, because one that is new takes its time.
#[derive(Clone, Default)]
pub(super) struct Threads(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many threads wait, those included that a job is there for.
    waiting: usize,
}

type Job = Box<dyn FnOnce() + Send>;

impl Threads {
    /// Has the job done at once, on another thread. Where the system has none left, the job is dropped.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let job: Job = Box::new(job);
        let mut queue = self.0.queue();
        if queue.waiting > queue.jobs.len() {
            queue.jobs.push_back(job);
            drop(queue);
            return self.0.more.notify_one();
        }
        drop(queue);
        let shared = Arc::clone(&self.0);
        let name = "authorizer-shadow".to_owned();
        drop(std::thread::Builder::new().name(name).spawn(move || shared.work(job)));
    }
}

impl Shared {
    fn work(&self, mut job: Job) {
        loop {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(job)) {
                discard(payload);
            }
            match self.next() {
                Some(next) => job = next,
                None => return,
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        queue.waiting += 1;
        let none = |queue: &mut Queue| queue.jobs.is_empty();
        let waited = self.more.wait_timeout_while(queue, PATIENCE, none);
        queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        queue.waiting -= 1;
        queue.jobs.pop_front()
    }

    /// The queue is whole after every operation on it.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    use super::*;

    fn done(threads: &Threads) -> ThreadId {
        let (tell, told) = mpsc::channel();
        threads.run(move || tell.send(thread::current().id()).unwrap());
        told.recv().unwrap()
    }

    #[test]
    fn a_job_that_blocks_or_panics_stops_no_other() {
        let threads = Threads::default();
        let (release, held) = mpsc::channel::<()>();
        threads.run(move || held.recv().unwrap_or_default());
        for _ in 0..100 {
            threads.run(|| std::panic::resume_unwind(Box::new("gone")));
            assert_ne!(done(&threads), thread::current().id());
        }
        drop(release);
    }

    #[test]
    fn every_job_is_done_once() {
        let threads = Threads::default();
        let (tell, told) = mpsc::channel();
        for number in 0..1000 {
            let tell = tell.clone();
            threads.run(move || tell.send(number).unwrap());
        }
        drop(tell);
        let mut numbers: Vec<i32> = told.iter().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    }
}
