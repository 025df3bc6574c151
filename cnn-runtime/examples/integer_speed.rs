//! Measures convolutions of 8-bit integers: milliards of multiplications a second on each instruction set.
//!
//! `cargo run --release -p cnn-runtime --example integer_speed`
#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

use std::time::Instant;

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::integer::{ConvShape, DepthwiseShape, GROUP, Kernel, PANEL, pitch};
use cnn_runtime::memory::AlignedBuffer;

/// Channels, filters, kernel, rows and columns of the result; stride 1.
const CONVOLUTIONS: [[usize; 4]; 8] = [
    [64, 64, 3, 56],
    [128, 128, 3, 28],
    [512, 512, 3, 7],
    [64, 256, 1, 56],
    [256, 64, 1, 56],
    [512, 2048, 1, 7],
    [96, 24, 1, 56],
    [3, 64, 7, 112],
];
const DEPTHWISE: [[usize; 2]; 3] = [[96, 56], [192, 28], [960, 7]];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for isa in Isa::available() {
        for [c, f, k, n] in CONVOLUTIONS {
            let (pixel, to_pixel, width, panels) = (pitch(c), pitch(f), n + k - 1, f.div_ceil(PANEL));
            let shape = ConvShape {
                rows: n,
                columns: n,
                row_block: n.min(8),
                panels,
                panel_block: panels,
                written: to_pixel,
                from_origin: 0,
                from_image: width * width * pixel,
                from_row: width * pixel,
                from_pixel: pixel,
                kernel_rows: k,
                kernel_columns: k,
                tap_row: width * pixel,
                tap_pixel: pixel,
                groups: c.div_ceil(GROUP),
                to_origin: 0,
                to_image: n * n * to_pixel,
                to_row: n * to_pixel,
                to_pixel,
                least: 0,
                greatest: 255,
                zero_point: 7,
            };
            let constant = panels * PANEL * (8 + k * k * c.next_multiple_of(GROUP));
            let sizes = [width * width * pixel, constant, n * n * to_pixel];
            let name = format!("{k}×{k} {c}→{f} at {n}²");
            measure(
                isa,
                &name,
                Kernel::Conv(shape),
                shape.tasks(),
                sizes,
                c * f * k * k * n * n,
            )?;
        }
        for [c, n] in DEPTHWISE {
            let (pixel, width, blocks) = (pitch(c), n + 2, c.div_ceil(DepthwiseShape::CHANNELS));
            let shape = DepthwiseShape {
                rows: n,
                columns: n,
                blocks,
                bytes: pixel,
                from_origin: 0,
                from_image: width * width * pixel,
                from_row: width * pixel,
                from_pixel: pixel,
                kernel_rows: 3,
                kernel_columns: 3,
                tap_row: width * pixel,
                tap_pixel: pixel,
                to_origin: 0,
                to_image: n * n * pixel,
                to_row: n * pixel,
                to_pixel: pixel,
                least: 0,
                greatest: 255,
                zero_point: 7,
            };
            let sizes = [width * width * pixel, blocks * 16 * (8 + 18), n * n * pixel];
            let name = format!("depthwise 3×3 {c} at {n}²");
            measure(isa, &name, Kernel::Depthwise(shape), n, sizes, c * 9 * n * n)?;
        }
    }
    Ok(())
}

/// The best of many runs of all tasks over buffers of these sizes: input, constant, output.
fn measure(
    isa: Isa,
    name: &str,
    kernel: Kernel,
    tasks: usize,
    sizes: [usize; 3],
    multiplications: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut buffers = Vec::new();
    for size in sizes {
        buffers.push(AlignedBuffer::zeroed_bytes(size)?);
    }
    let [input, constant, output] = [0, 1, 2].map(|i| buffers[i].floats_mut().as_mut_ptr().cast::<u8>());
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 0.3 {
        let start = Instant::now();
        for task in 0..tasks {
            // SAFETY: the buffers are as large as the shape says; `isa` proves the instructions.
            unsafe { kernel.run(isa, input, constant, output, task) };
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{isa:<10} {name:<24} {:7.1} GMAC/s",
        multiplications as f64 / best / 1e9
    );
    Ok(())
}
