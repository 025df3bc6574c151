//! The one job a pool works on: how it is published, claimed task by task, and joined.
//!
//! `remaining` is the whole protocol. The caller stores the job's address, then `remaining`: all
//! tasks but the first, which it keeps, so that nobody contends for the cache line as they begin.
//! A thread that lowers `remaining` from r > 0 to r − 1 owns task `tasks − r`, and only then
//! reads the job's address. The job cannot end before every task a worker owned was counted in
//! `done`, so whoever owns a task holds a live job, however long ago it began to look.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use super::Backoff;
use super::sleep::Sleep;
use super::sync::{AtomicPtr, AtomicUsize, Mutex, Ordering, PoisonError};

/// A job: a reference to the closure. Shared by its address, as the reference itself is too wide
/// for an atomic.
type Job<'a> = &'a (dyn Fn(usize) + Sync);

/// A panic's payload.
type Payload = Box<dyn Any + Send>;

/// The place for one job.
///
/// Its parts lie on cache lines of their own, by who writes them: moving a line from core to core
/// takes 50–200 ns, and a fork and a join should wait for few such moves.
#[derive(Debug, Default)]
pub(super) struct Slot {
    claims: Claims,
    /// Tasks that workers have ended, of all jobs (wrapping). Never reset: the caller would have
    /// to fetch the line before it could publish.
    done: Line<AtomicUsize>,
    /// The first panic of the current job.
    panic: Line<Mutex<Option<Payload>>>,
}

/// What a worker reads to find work: together on one cache line, which moves once per claim.
#[derive(Debug)]
#[repr(align(128))]
struct Claims {
    /// Tasks not yet claimed.
    remaining: AtomicUsize,
    /// Tasks of the job.
    tasks: AtomicUsize,
    /// Address of the `Job`, valid while a claimed task has not been counted.
    job: AtomicPtr<()>,
}

impl Default for Claims {
    fn default() -> Self {
        Claims {
            remaining: AtomicUsize::new(0),
            tasks: AtomicUsize::new(0),
            job: AtomicPtr::new(null_mut()),
        }
    }
}

/// Two cache lines: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Line<T>(pub(super) T);

impl Slot {
    /// Publishes `job`, works on it, waits for the others; returns the first panic.
    ///
    /// One caller at a time; `tasks > 0`.
    pub(super) fn run(&self, tasks: usize, job: Job<'_>, sleep: &Sleep, crowded: bool) -> Option<Payload> {
        let address = &raw const job;
        self.claims.job.store(address.cast_mut().cast(), Ordering::Relaxed);
        self.claims.tasks.store(tasks, Ordering::Relaxed);
        // All former jobs have been joined, so nobody is counting.
        let before = self.done.0.load(Ordering::Relaxed);
        // Releases the stores above. A worker just about to park may overlook this, and `wake`
        // the worker: a fence would prevent it, but delay every job to speed up one in a million.
        self.claims.remaining.store(tasks - 1, Ordering::Release);
        sleep.wake();

        self.attempt(job, 0);
        let mine = 1 + self.work();
        // `job` and what it borrows must outlive every task, so there is no return before this.
        let mut backoff = Backoff::new(crowded);
        while self.done.0.load(Ordering::Acquire).wrapping_sub(before) < tasks - mine {
            backoff.wait();
        }
        // A panic is rare and its thread locks before it counts the task as done.
        self.panic.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether there are tasks to claim.
    pub(super) fn has_work(&self) -> bool {
        self.claims.remaining.load(Ordering::SeqCst) > 0
    }

    /// A worker's part of the job: claims and runs tasks, counts them; returns whether any.
    pub(super) fn help(&self) -> bool {
        let ran = self.work();
        if ran > 0 {
            // Releases what the tasks wrote. Nothing of the job is touched after this.
            self.done.0.fetch_add(ran, Ordering::Release);
        }
        ran > 0
    }

    /// Claims and runs tasks until none is left; returns how many.
    fn work(&self) -> usize {
        let mut ran = 0;
        while let Some(task) = self.claim() {
            let address: *const Job<'_> = self.claims.job.load(Ordering::Relaxed).cast();
            // SAFETY: we own a task that is not yet counted in `done`, so `run` has not returned
            // and the reference it published lives. The claim acquired its store.
            self.attempt(unsafe { *address }, task);
            ran += 1;
        }
        ran
    }

    /// Runs one task and keeps its panic.
    fn attempt(&self, job: Job<'_>, task: usize) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(task))) {
            let mut first = self.panic.0.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_none() {
                *first = Some(payload);
            } else {
                // Its destructor might panic too, and a caller that unwinds takes the job from those who work on it.
                std::mem::forget(payload);
            }
        }
    }

    /// Claims the next task in ascending order.
    fn claim(&self) -> Option<usize> {
        let remaining = &self.claims.remaining;
        let mut left = remaining.load(Ordering::Relaxed);
        while left > 0 {
            match remaining.compare_exchange_weak(left, left - 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(self.claims.tasks.load(Ordering::Relaxed) - left),
                Err(now) => left = now,
            }
        }
        None
    }
}
