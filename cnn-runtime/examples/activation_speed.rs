//! Measures the elementwise functions: `cargo run --release --example activation_speed`.
#![expect(clippy::print_stdout, reason = "prints its measurements")]

use std::hint::black_box;
use std::time::Instant;

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::softmax::softmax;

/// Elements: 16 KiB, which stay in the first-level cache.
const LEN: usize = 4096;

fn main() {
    let x: Vec<f32> = (0..LEN).map(|i| (i as f32 / LEN as f32 - 0.5) * 12.0).collect();
    let mut y = vec![0.0; LEN];
    for isa in Isa::available() {
        for kind in RowFunction::ALL {
            let best = best_of(|| kind.apply(isa, black_box(&x), black_box(&mut y)));
            println!("{isa:8} {:12} {best:.3} ns an element", kind.name());
        }
        let best = best_of(|| softmax(isa, black_box(&mut y)));
        println!("{isa:8} {:12} {best:.3} ns an element", "softmax");
    }
}

/// Nanoseconds an element, the best of many runs.
fn best_of(mut run: impl FnMut()) -> f64 {
    (0..5000)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
        / LEN as f64
        * 1e9
}
