//! The pool under stress: every task runs once, whatever the threads, sizes and callers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cnn_runtime::threads::{SPIN, ThreadPool};

/// Runs a job of `tasks` tasks and checks that each ran exactly once.
fn check(pool: &ThreadPool, tasks: usize) {
    let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
    pool.run(tasks, &|task| {
        counts[task].fetch_add(1, Ordering::Relaxed);
    });
    for (task, count) in counts.iter().enumerate() {
        assert_eq!(count.load(Ordering::Relaxed), 1, "task {task} of {tasks}");
    }
}

#[test]
fn every_chunk_runs_once() {
    for threads in [1, 2, 3, 8] {
        let pool = ThreadPool::new(threads).unwrap();
        assert_eq!(pool.threads(), threads);
        for round in 0..300 {
            for tasks in [0, 1, 2, 3, 7, 64, 65 + round % 5] {
                check(&pool, tasks);
            }
        }
    }
}

#[test]
fn joins_see_what_chunks_wrote() {
    let pool = ThreadPool::new(2).unwrap();
    let cells: Vec<AtomicUsize> = (0..8).map(|_| AtomicUsize::new(0)).collect();
    for round in 1..20_000 {
        // Relaxed on purpose: fork and join alone must order these.
        pool.run(8, &|task| {
            let before = cells[(task + 1) % 8].load(Ordering::Relaxed);
            assert!(before == round - 1 || before == round);
            cells[task].store(round, Ordering::Relaxed);
        });
        assert!(cells.iter().all(|cell| cell.load(Ordering::Relaxed) == round));
    }
}

#[test]
fn works_after_the_workers_have_parked() {
    let pool = ThreadPool::new(3).unwrap();
    for round in 0..40 {
        std::thread::sleep(SPIN * (round % 4) * 4);
        if round % 2 == 0 {
            pool.wake();
        }
        check(&pool, 9);
    }
}

#[test]
fn parked_workers_join_in() {
    let pool = ThreadPool::new(2).unwrap();
    std::thread::sleep(SPIN * 20);
    let caller = std::thread::current().id();
    // A worker that never wakes would leave both tasks to the caller.
    let helped = (0..50).any(|_| {
        let by_worker = AtomicUsize::new(0);
        pool.run(2, &|_| {
            std::thread::sleep(Duration::from_millis(5));
            let other = std::thread::current().id() != caller;
            by_worker.fetch_add(usize::from(other), Ordering::Relaxed);
        });
        by_worker.into_inner() > 0
    });
    assert!(helped);
}

#[test]
fn several_callers_and_nested_jobs_do_not_wait_for_each_other() {
    let pool = ThreadPool::new(3).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..500 {
                    check(&pool, round % 13);
                }
            });
        }
    });
    let inner = AtomicUsize::new(0);
    pool.run(6, &|_| {
        pool.run(5, &|_| {
            inner.fetch_add(1, Ordering::Relaxed);
        });
    });
    assert_eq!(inner.into_inner(), 30);
}

#[test]
fn panics_reach_the_caller_and_leave_the_pool_usable() {
    for threads in [1, 2, 4] {
        let pool = ThreadPool::new(threads).unwrap();
        for bad in 0..20 {
            let payload = catch_unwind(AssertUnwindSafe(|| {
                pool.run(20, &|task| {
                    if task == bad {
                        std::panic::resume_unwind(Box::new(task));
                    }
                });
            }))
            .unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&bad));
            check(&pool, 20);
        }
    }
}

#[test]
fn payloads_that_panic_themselves_do_not_end_a_job_early() {
    /// A panic's payload whose destructor panics.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(()));
        }
    }
    let pool = ThreadPool::new(4).unwrap();
    for _ in 0..200 {
        let running = AtomicUsize::new(0);
        let payload = catch_unwind(AssertUnwindSafe(|| {
            pool.run(40, &|task| {
                running.fetch_add(1, Ordering::Relaxed);
                if task % 3 == 1 {
                    std::thread::sleep(Duration::from_micros(50));
                }
                running.fetch_sub(1, Ordering::Relaxed);
                std::panic::resume_unwind(Box::new(Bomb));
            });
        }))
        .unwrap_err();
        std::mem::forget(payload);
        assert_eq!(running.into_inner(), 0, "the job ended before its tasks");
        check(&pool, 40);
    }
}

#[test]
fn pools_come_and_go() {
    for round in 0..100 {
        let pool = ThreadPool::new(1 + round % 5).unwrap();
        if round % 3 > 0 {
            check(&pool, 4);
        }
    }
}
