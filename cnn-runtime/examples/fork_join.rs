//! Measures what a fork and a join cost: `cargo run --release --example fork_join [THREADS]`.
#![expect(clippy::print_stdout, reason = "prints its measurements")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use cnn_runtime::threads::ThreadPool;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(2), |text| text.parse())?;
    let pool = ThreadPool::new(threads)?;
    println!("percentiles 0.1, 10, 50 of a job's time in ns; ideal: one thread's, divided");
    for tasks in [threads, 2 * threads, 4 * threads] {
        for work in [0u32, 500, 2000] {
            let job = |task| spin(task, work);
            let shared = percentiles(&pool, &|| pool.run(tasks, &job));
            let alone = percentiles(&pool, &|| (0..tasks).for_each(job));
            let ideal = alone.map(|time| time / threads as f64);
            println!(
                "{threads} threads, {tasks} tasks of {work:4} steps: {shared:7.0?}, ideal {ideal:7.0?}, \
                 overhead {:5.0}",
                shared[0] - ideal[0],
            );
        }
    }
    Ok(())
}

/// The 0.1th, 10th and 50th percentile of what `run` takes, in ns.
fn percentiles(pool: &ThreadPool, run: &dyn Fn()) -> [f64; 3] {
    let mut times = Vec::new();
    for _ in 0..100 {
        // Lets other programs run; `wake` then has something to do.
        std::thread::sleep(Duration::from_millis(1));
        pool.wake();
        for _ in 0..300 {
            let start = Instant::now();
            run();
            times.push(start.elapsed().as_secs_f64() * 1e9);
        }
    }
    times.sort_by(f64::total_cmp);
    [1000, 10, 2].map(|part| times[times.len() / part])
}

/// A task of `steps` dependent multiplications.
fn spin(task: usize, steps: u32) {
    let mut value = task as u64 | 1;
    for _ in 0..steps {
        value = black_box(value.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    black_box(value);
}
