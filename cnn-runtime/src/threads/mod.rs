//! A fork–join pool for layers that last microseconds.
//!
//! A network is a sequence of layers, each split into tasks and joined before the next begins:
//! fifty forks and joins in a few milliseconds. Waking a parked thread costs 25–60 µs, so workers
//! spin between jobs and park only after [`SPIN`] without one. A job is published by one store and
//! joined by one counter, about 0.2 µs together.
//!
//! **Tasks, not threads.** The caller fixes the number of tasks, threads claim them one by one.
//! So results cannot depend on the number of threads, and a worker that comes late (it was parked,
//! or another program had its core) stalls nobody: the others do its tasks.
//!
//! | module | what it owns |
//! |---|---|
//! | `job` | publishing, claiming and joining one job |
//! | `sleep` | parking and waking idle workers |
//! | `sync` | the standard library's locks, atomics and threads, or those of a model checker |

mod job;
#[cfg(all(test, loom))]
mod model;
mod sleep;
mod sync;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use job::{Line, Slot};
use sleep::Sleep;
use sync::{AtomicBool, JoinHandle, Ordering, fence, pause, spawn};

/// How long a worker spins for the next job before it parks.
pub const SPIN: Duration = Duration::from_micros(200);

/// How long anyone spins without offering its core to others.
const SPIN_HARD: Duration = Duration::from_micros(100);

/// Threads that run the tasks of one job at a time.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use cnn_runtime::threads::ThreadPool;
///
/// let pool = ThreadPool::new(2)?;
/// let sum = AtomicUsize::new(0);
/// pool.run(100, &|task| {
///     sum.fetch_add(task, Ordering::Relaxed);
/// });
/// assert_eq!(sum.into_inner(), 4950);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// **Several callers.** The pool may be shared. While one job runs, a second caller, from another
/// thread or from inside a task, runs its own job alone on its own thread; nobody waits, so
/// nothing can deadlock.
///
/// **Forks.** A process that another one forked has none of its threads: there, whoever has a pool from before
/// ([`is_forked`](Self::is_forked), too slow to be asked for every job) runs jobs without it. Dropping it is safe.
#[derive(Debug)]
pub struct ThreadPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// The process that has the workers.
    process: u32,
}

/// What the workers and the callers share.
#[derive(Debug)]
struct Shared {
    slot: Slot,
    sleep: Sleep,
    /// Whether some caller's job has the workers. Not on the line that the workers watch.
    busy: Line<AtomicBool>,
    stop: AtomicBool,
    /// More threads than cores: spinning would only take time from whoever has the work.
    crowded: AtomicBool,
}

impl ThreadPool {
    /// A pool of `threads` threads, the caller's included: 1 starts none, 0 means one per core.
    ///
    /// # Errors
    /// The system's, if a thread cannot be started.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let threads = if threads == 0 { cores() } else { threads };
        let mut pool = ThreadPool {
            shared: Arc::new(Shared {
                slot: Slot::default(),
                sleep: Sleep::default(),
                busy: Line::default(),
                stop: AtomicBool::new(false),
                crowded: AtomicBool::new(false),
            }),
            workers: Vec::new(),
            process: std::process::id(),
        };
        for index in 1..threads {
            let shared = Arc::clone(&pool.shared);
            // On failure `pool` is dropped, which stops the workers started so far.
            let worker = spawn(format!("cnn-worker-{index}"), move || {
                // It takes the system some time to tell; the caller has other things to do.
                if index == 1 && threads > cores() {
                    shared.crowded.store(true, Ordering::Relaxed);
                }
                shared.work();
            })?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    /// The number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Whether this process was forked from the one that made the pool: its workers are not here.
    pub fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Wakes parked workers. Call it when an inference begins: the workers need 25–60 µs, which
    /// then pass beside the first layer instead of delaying the first join.
    pub fn wake(&self) {
        self.shared.sleep.wake();
    }

    /// Calls `job` once for each of `0..tasks`, on all threads, and returns when all are done.
    ///
    /// Two to four tasks per thread even out a thread that comes late.
    ///
    /// # Panics
    /// If a task panics, with the first panic's payload, once no task runs any more; whether the
    /// other tasks have run is open. The pool stays usable.
    pub fn run(&self, tasks: usize, job: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        if tasks <= 1 || self.workers.is_empty() || shared.busy.0.swap(true, Ordering::Acquire) {
            (0..tasks).for_each(job);
            return;
        }
        let panic = shared.slot.run(tasks, job, &shared.sleep, shared.crowded());
        shared.busy.0.store(false, Ordering::Release);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        if self.is_forked() {
            // Nobody would end, and a lock that a worker held is held for ever.
            std::mem::forget(std::mem::take(&mut self.workers));
            return;
        }
        self.shared.stop.store(true, Ordering::SeqCst);
        // A worker that is about to park sees this, or is seen; see `Sleep::park`.
        fence(Ordering::SeqCst);
        self.shared.sleep.wake();
        for worker in self.workers.drain(..) {
            // Workers catch the panics of tasks, so there is no payload to pass on.
            let _ = worker.join();
        }
    }
}

/// Cores that this process may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Shared {
    fn crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// A worker's life.
    fn work(&self) {
        let mut backoff = Backoff::new(self.crowded());
        while !self.stop.load(Ordering::Relaxed) {
            if self.slot.help() {
                backoff = Backoff::new(self.crowded());
            } else if backoff.wait() >= SPIN {
                self.sleep
                    .park(|| self.slot.has_work() || self.stop.load(Ordering::SeqCst));
                backoff = Backoff::new(self.crowded());
            }
        }
    }
}

/// Busy waiting that gives way the longer it lasts.
struct Backoff {
    since: Option<Instant>,
    elapsed: Duration,
    spins: u32,
    crowded: bool,
}

impl Backoff {
    /// Pauses between two looks at the clock, which costs as much as a few pauses.
    const BURST: u32 = 32;

    fn new(crowded: bool) -> Self {
        Backoff {
            since: None,
            elapsed: Duration::ZERO,
            spins: 0,
            crowded,
        }
    }

    /// One short pause; returns roughly how long the waiting has lasted.
    fn wait(&mut self) -> Duration {
        if pause() {
            return SPIN;
        }
        // Not to panic while workers hold a job.
        self.spins = self.spins.wrapping_add(1);
        if self.spins.is_multiple_of(Self::BURST) {
            let since = *self.since.get_or_insert_with(Instant::now);
            self.elapsed = since.elapsed();
            if self.crowded || self.elapsed >= SPIN_HARD {
                std::thread::yield_now();
            }
        }
        self.elapsed
    }
}
