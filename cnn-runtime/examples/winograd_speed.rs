//! Measures Winograd's transforms: `cargo run --release --example winograd_speed`.
#![expect(clippy::print_stdout, reason = "prints its measurements")]

use std::time::Instant;

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::winograd::{InputShape, InputTransform, OutputShape, OutputTransform, Winograd};
use cnn_runtime::memory::{AlignedBuffer, MemoryError};
use cnn_types::Activation;

fn main() -> Result<(), MemoryError> {
    for isa in Isa::available() {
        for variant in Winograd::ALL {
            for (size, channels, run) in [(56, 64, 16), (28, 128, 16), (14, 256, 16), (224, 64, 16)] {
                measure(variant, isa, size, channels, run)?;
            }
        }
    }
    Ok(())
}

/// Times both transforms over a whole map, `run` tiles and all channels at a time.
fn measure(variant: Winograd, isa: Isa, size: usize, channels: usize, run: usize) -> Result<(), MemoryError> {
    let halo = variant.taps() / 2;
    let (m, products, blocks) = (variant.outputs(), variant.products(), channels / 8);
    let row_stride = (size + 2 * halo) * 8;
    let block_stride = (size + 2 * halo) * row_stride;
    let map = AlignedBuffer::zeroed(blocks * block_stride)?;
    let mut result = AlignedBuffer::zeroed(blocks * block_stride)?;
    let xi_stride = blocks * run * 8 + 16;
    let mut v = AlignedBuffer::zeroed(products * xi_stride)?;
    let across = size.div_ceil(m);
    let total = across * across;
    let mut input = InputTransform {
        src: map.as_ptr(),
        dst: v.as_mut_ptr(),
        first_tile: 0,
        tiles: run,
        shape: InputShape {
            row_stride,
            src_block_stride: block_stride,
            rows: size + 2 * halo,
            columns: size + 2 * halo,
            pad_top: 0,
            pad_left: 0,
            tiles_across: across,
            blocks,
            xi_stride,
            dst_block_stride: run * 8,
            tile_stride: 8,
        },
    };
    let activation = Activation::Relu;
    let mut output = OutputTransform {
        src: v.as_ptr(),
        dst: result.as_mut_ptr(),
        bias: std::ptr::null(),
        residual: std::ptr::null(),
        activation: &raw const activation,
        first_tile: 0,
        tiles: run,
        shape: OutputShape {
            xi_stride,
            src_block_stride: run * 8,
            tile_stride: 8,
            row_stride,
            dst_block_stride: block_stride,
            rows: size,
            columns: size,
            tiles_across: across,
            blocks,
            residual_row_stride: 0,
            residual_block_stride: 0,
        },
    };
    let (transform_in, transform_out) = (variant.input_symbol(isa), variant.output_symbol(isa));
    // The best time of each call, so that other programs disturb less.
    let mut best = vec![[f64::INFINITY; 2]; total.div_ceil(run)];
    for _ in 0..(200_000_000 / (size * size * channels)).clamp(5, 400) {
        for (call, best) in best.iter_mut().enumerate() {
            let first_tile = call * run;
            let tiles = run.min(total - first_tile);
            (input.first_tile, output.first_tile) = (first_tile, first_tile);
            (input.tiles, output.tiles) = (tiles, tiles);
            let start = Instant::now();
            // SAFETY: `isa` proves the instructions; the map has a halo, `v` holds a run.
            unsafe { transform_in(&raw const input) };
            let middle = Instant::now();
            // SAFETY: `isa` proves the instructions; the result has room for size × size.
            unsafe { transform_out(&raw const output) };
            best[0] = best[0].min((middle - start).as_secs_f64());
            best[1] = best[1].min(middle.elapsed().as_secs_f64());
        }
    }
    let best = best
        .iter()
        .fold([0.0; 2], |sum, call| [sum[0] + call[0], sum[1] + call[1]]);
    let transformed = products * total * channels;
    let plain = size * size * channels;
    let bytes = (transformed + plain) * 4;
    println!(
        "{isa:8} {variant:?} {channels:3} channels {size:3}²: input {:6.3} ms {:5.1} GB/s, \
         {:5.1} ns a tile and block; output {:6.3} ms {:5.1} GB/s, {:5.1} ns",
        best[0] * 1e3,
        bytes as f64 / best[0] / 1e9,
        best[0] * 1e9 / (total * blocks) as f64,
        best[1] * 1e3,
        bytes as f64 / best[1] / 1e9,
        best[1] * 1e9 / (total * blocks) as f64,
    );
    Ok(())
}
