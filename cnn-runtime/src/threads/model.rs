//! The pool under a model checker: `RUSTFLAGS="--cfg loom" cargo test --release -p cnn-runtime --lib threads::model`.
//!
//! Loom runs each of these in every order of the threads' operations, with at most so many preemptions, and with all
//! that the memory model lets each thread see. It fails if two threads use a cell at once without an order between
//! them, or if all of them wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::ThreadPool;
use super::sync::{AtomicUsize, Ordering};

fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Cells that tasks write, each its own. They are on the caller's stack, as a job and what it borrows is.
struct Cells<const N: usize>([UnsafeCell<usize>; N]);

// SAFETY: loom watches who uses a cell when, and fails the test if that is not ordered.
unsafe impl<const N: usize> Sync for Cells<N> {}

impl<const N: usize> Cells<N> {
    fn new() -> Self {
        Cells(std::array::from_fn(|_| UnsafeCell::new(0)))
    }

    fn add(&self, task: usize, value: usize) {
        // SAFETY: as above.
        self.0[task].with_mut(|cell| unsafe { *cell += value });
    }

    fn read(&self) -> [usize; N] {
        // SAFETY: as above.
        std::array::from_fn(|task| self.0[task].with(|cell| unsafe { *cell }))
    }
}

#[test]
fn each_task_runs_once_and_before_the_caller_goes_on() {
    check(3, || {
        let pool = ThreadPool::new(2).unwrap();
        let cells = Cells::<3>::new();
        pool.run(3, &|task| cells.add(task, task + 1));
        assert_eq!(cells.read(), [1, 2, 3]);
    });
}

/// What a worker remembers of one job must not be taken for the next one's: jobs of as many tasks follow each other.
#[test]
fn a_job_is_not_taken_for_the_one_before() {
    check(2, || {
        let pool = ThreadPool::new(2).unwrap();
        for round in 1..=2 {
            let cells = Cells::<2>::new();
            pool.run(2, &|task| cells.add(task, round));
            assert_eq!(cells.read(), [round; 2]);
        }
    });
}

#[test]
fn three_threads_share_a_job() {
    check(2, || {
        let pool = ThreadPool::new(3).unwrap();
        let cells = Cells::<3>::new();
        pool.run(3, &|task| cells.add(task, 1));
        assert_eq!(cells.read(), [1; 3]);
    });
}

/// A second caller does its job alone; the next one has the workers again.
#[test]
fn two_callers_do_not_meet() {
    check(2, || {
        let pool = Arc::new(ThreadPool::new(2).unwrap());
        let other = Arc::clone(&pool);
        let caller = loom::thread::spawn(move || {
            let cells = Cells::<2>::new();
            other.run(2, &|task| cells.add(task, 1));
            assert_eq!(cells.read(), [1; 2]);
        });
        let cells = Cells::<2>::new();
        pool.run(2, &|task| cells.add(task, 2));
        assert_eq!(cells.read(), [2; 2]);
        caller.join().unwrap();
    });
}

/// A task that panics ends the job as any other does.
#[test]
fn a_panic_waits_for_the_other_tasks() {
    check(2, || {
        let pool = ThreadPool::new(2).unwrap();
        let (cells, ran) = (Cells::<2>::new(), AtomicUsize::new(0));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            pool.run(2, &|task| {
                cells.add(task, 1);
                ran.fetch_add(1, Ordering::Relaxed);
                std::panic::resume_unwind(Box::new(task));
            });
        }));
        assert!(panicked.is_err());
        assert_eq!((cells.read(), ran.load(Ordering::Relaxed)), ([1; 2], 2));
    });
}
