//! Local response normalisation across channels of a row of pixels in blocks of eight channels
//! (Krizhevsky et al. 2012): x / (k + α/size · Σ x²)^β.
//!
//! A block's squares are laid between its neighbours', so that the window's sums are unaligned loads. Windows that
//! reach beyond the neighbouring blocks are summed channel by channel.

use super::Isa;
use super::isa::instance;
use super::lanes::{LANES, Lanes};
use super::math::{Exp, Function, Log};
use super::parameters::parameters;

parameters! {
    /// A row of pixels and the parameters, for compiled code.
    pub struct LrnRow {
        /// Pixels of the row, eight f32 apart.
        pub pixels: usize,
        /// Channels; lanes behind the last are written as 0.
        pub channels: usize,
        /// f32 from a block of the source to the next.
        pub src_block_stride: usize,
        /// f32 from a block of the destination to the next.
        pub dst_block_stride: usize,
        /// Channels of the window below its own.
        pub down: usize,
        /// Channels of the window above its own.
        pub up: usize,
        /// α divided by the window's size.
        pub alpha_over_size: f32,
        /// β
        pub beta: f32,
        /// k
        pub k: f32,
    }
}

/// The type of the functions compiled code calls.
///
/// To call one, the processor must have the instruction set it was asked for with; `src` must be readable and `dst`
/// writable for `pixels` vectors in each of ⌈`channels` / 8⌉ blocks, and the two must not overlap.
pub type LrnFn = unsafe extern "C" fn(src: *const f32, dst: *mut f32, row: *const LrnRow);

/// The address of the function, for compiled code.
pub fn lrn_symbol(isa: Isa) -> LrnFn {
    instance!(isa, normalise, [], [], (src: *const f32, dst: *mut f32, row: *const LrnRow))
}

/// # Safety
/// As [`LrnFn`], and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn normalise<L: Lanes>(src: *const f32, dst: *mut f32, row: *const LrnRow) {
    // SAFETY: the caller's promise.
    let row = unsafe { &*row };
    const WINDOW: usize = 3 * LANES;
    let blocks = row.channels.div_ceil(LANES);
    let near = row.down <= LANES && row.up <= LANES;
    for pixel in 0..row.pixels {
        let of_channel = |channel: usize| {
            let at = channel / LANES * row.src_block_stride + pixel * LANES + channel % LANES;
            // SAFETY: only asked for channels there are.
            unsafe { src.add(at).read() }
        };
        // Squares of the block before, this one and the next.
        let mut squares = [0.0f32; WINDOW];
        let fill = |squares: &mut [f32; WINDOW], third: usize, block: usize| {
            let first = block * LANES;
            for lane in 0..LANES {
                let x = if first + lane < row.channels {
                    of_channel(first + lane)
                } else {
                    0.0
                };
                squares[third * LANES + lane] = x * x;
            }
        };
        fill(&mut squares, 2, 0);
        for block in 0..blocks {
            squares.copy_within(LANES.., 0);
            fill(&mut squares, 2, block + 1);
            let mut sums = [0.0f32; LANES];
            if near {
                for shift in LANES - row.down..=LANES + row.up {
                    for lane in 0..LANES {
                        sums[lane] += squares[shift + lane];
                    }
                }
            } else {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    let channel = block * LANES + lane;
                    let end = (channel + row.up + 1).min(row.channels);
                    *sum = (channel.saturating_sub(row.down)..end)
                        .map(|c| of_channel(c) * of_channel(c))
                        .sum();
                }
            }
            let (from, to) = (block * row.src_block_stride, block * row.dst_block_stride);
            // SAFETY: one vector of each block of the source and the destination.
            unsafe {
                let x = L::load(src.add(from + pixel * LANES));
                let base = L::load(sums.as_ptr()).times_plus(row.alpha_over_size, x.splat(row.k));
                let exponent = Log::of(base, x, x).mul(x.splat(-row.beta));
                let out = dst.add(to + pixel * LANES);
                x.mul(Exp::of(exponent, x, x)).store(out);
                for lane in row.channels.saturating_sub(block * LANES).min(LANES)..LANES {
                    out.add(lane).write(0.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_formula_on_every_window_and_instruction_set() {
        for (channels, down, up) in [
            (3usize, 1, 1),
            (8, 2, 2),
            (19, 0, 1),
            (24, 8, 8),
            (40, 17, 18),
            (1, 2, 2),
        ] {
            let pixels = 3;
            let blocks = channels.div_ceil(LANES);
            let src: Vec<f32> = (0..blocks * pixels * LANES)
                .map(|i| ((i * 37) % 23) as f32 * 0.3 - 3.0)
                .collect();
            let at = |c: usize, pixel: usize| c / LANES * pixels * LANES + pixel * LANES + c % LANES;
            let stride = pixels * LANES;
            let row = LrnRow {
                pixels,
                channels,
                src_block_stride: stride,
                dst_block_stride: stride,
                down,
                up,
                alpha_over_size: 0.1,
                beta: 0.75,
                k: 1.5,
            };
            for isa in Isa::available() {
                let mut dst = vec![f32::NAN; src.len()];
                // SAFETY: both have `pixels` vectors in each block; `isa` proves the instructions.
                unsafe { lrn_symbol(isa)(src.as_ptr(), dst.as_mut_ptr(), &row) };
                for pixel in 0..pixels {
                    for c in 0..channels {
                        let window = c.saturating_sub(down)..(c + up + 1).min(channels);
                        let sum: f64 = window.map(|c| f64::from(src[at(c, pixel)]).powi(2)).sum();
                        let expected = f64::from(src[at(c, pixel)]) / (1.5 + 0.1 * sum).powf(0.75);
                        let found = f64::from(dst[at(c, pixel)]);
                        assert!(
                            (found - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
                            "{found} {expected}"
                        );
                    }
                    assert!(
                        (channels..blocks * LANES).all(|c| dst[at(c, pixel)] == 0.0),
                        "no lane is left as it was"
                    );
                }
            }
        }
    }
}
