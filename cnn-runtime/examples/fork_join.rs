//! Measures what a fork and a join cost: `cargo run --release --example fork_join [THREADS]`.
#![expect(clippy::print_stdout, reason = "prints its measurements")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use cnn_runtime::threads::ThreadPool;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(2), |text| text.parse())?;
    let pool = ThreadPool::new(threads)?;
    const JOBS: u32 = 2000;
    for chunks in [2, 4, 8] {
        for work in [0u32, 200, 2000] {
            let mut times = Vec::new();
            let mut alone = Vec::new();
            for _ in 0..50 {
                // Lets other programs run; `wake` then has something to do.
                std::thread::sleep(Duration::from_millis(1));
                pool.wake();
                let start = Instant::now();
                for _ in 0..JOBS {
                    pool.run(chunks, &|chunk| spin(chunk, work));
                }
                times.push(start.elapsed() / JOBS);
                let start = Instant::now();
                for _ in 0..JOBS {
                    (0..chunks).for_each(|chunk| spin(chunk, work));
                }
                alone.push(start.elapsed() / JOBS);
            }
            times.sort();
            alone.sort();
            println!(
                "{threads} threads, {chunks} chunks of {work} steps: best {:?}, median {:?} a job; \
                 one thread without pool: best {:?}",
                times[0], times[25], alone[0],
            );
        }
    }
    Ok(())
}

/// A chunk of `steps` dependent multiplications.
fn spin(chunk: usize, steps: u32) {
    let mut value = chunk as u64 | 1;
    for _ in 0..steps {
        value = black_box(value.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    black_box(value);
}
