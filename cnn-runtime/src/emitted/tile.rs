//! A tile kernel in plain Rust, driven by a table: what emitted code runs where the machine lacks AVX2 and FMA.
//!
//! Compiled once for each number of pixels and vectors, so that the sums are in registers; everything else is data.

use cnn_types::{Activation, Operation, Place, Step};

use super::vector::F32x8;

/// Bytes of a vector.
const VECTOR: isize = 32;

/// What a tile computes; see the compiler's `TileSpec`. Offsets are bytes from the kernel's pointers.
#[derive(Clone, Copy, Debug)]
pub struct Tile<const PIXELS: usize, const VECTORS: usize> {
    /// How input and weights meet.
    pub product: Product,
    /// Input, output and residual of each pixel.
    pub pixels: [[i32; 3]; PIXELS],
    /// Each vector's output and residual from its pixel's.
    pub vectors: [[i32; 2]; VECTORS],
    /// Loops around the taps, outermost first: iterations, bytes by which the input moves.
    pub loops: &'static [(u32, i64)],
    /// Displacement of a pixel's input for each step.
    pub taps: &'static [i32],
    /// Whether the weights begin with a bias.
    pub bias: bool,
    /// Whether the sum is added to what the output holds.
    pub accumulate: bool,
    /// Whether a residual is added.
    pub residual: bool,
    /// What is done to the sums.
    pub activation: Option<Activation>,
}

/// How input and weights meet in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// One input by the weights of all lanes.
    Broadcast,
    /// Eight inputs by the weights of their lanes.
    Lanewise,
    /// One input by 16-bit weights of all lanes. The first of two loops is over blocks, which begin with their scales.
    Fixed,
}

/// The activation's steps, on one vector.
#[inline(always)]
fn activate(steps: &[Step], mut value: F32x8) -> F32x8 {
    let combine = |op, a: F32x8, b: F32x8| match op {
        Operation::Add => a + b,
        Operation::Multiply => a * b,
        Operation::Max => a.max(b),
        Operation::Min => a.min(b),
    };
    let mut temporary = value;
    for &step in steps {
        match step {
            Step::Constant { op, to, constant, from } => {
                let from = if from == Place::Value { value } else { temporary };
                let result = combine(op, F32x8::splat(constant), from);
                match to {
                    Place::Value => value = result,
                    Place::Temporary => temporary = result,
                }
            }
            Step::Combine(op) => value = combine(op, temporary, value),
        }
    }
    value
}

/// Runs a tile.
///
/// # Safety
/// The pointers cover what the tile says it touches: inputs and residual readable, as many weights readable as it has
/// steps, outputs writable.
#[inline(never)]
pub unsafe fn tile<const PIXELS: usize, const VECTORS: usize>(
    tile: &Tile<PIXELS, VECTORS>,
    [input, weights, output, residual]: [*mut u8; 4],
) {
    let at = |base: *mut u8, offset: i32| base.wrapping_offset(offset as isize);
    // SAFETY: all accesses are those that the caller vouches for.
    unsafe {
        let mut weights = weights;
        let mut sums = [[F32x8::splat(0.0); VECTORS]; PIXELS];
        if tile.bias {
            sums = [vectors(weights); PIXELS];
            weights = weights.wrapping_offset(VECTORS as isize * VECTOR);
        }
        match tile.product {
            Product::Broadcast | Product::Lanewise => floats(tile, input, weights, &mut sums),
            Product::Fixed => fixed(tile, input, weights, &mut sums),
        }
        let steps = tile.activation.and_then(Activation::steps);
        let steps = steps.as_ref().map_or(&[][..], |steps| steps.as_slice());
        for (sums, &[_, to, from]) in sums.iter().zip(&tile.pixels) {
            for (&sum, &[to_vector, from_vector]) in sums.iter().zip(&tile.vectors) {
                let to = at(at(output, to), to_vector);
                let mut value = sum;
                if tile.accumulate {
                    value = value + F32x8::load(to);
                }
                if tile.residual {
                    value = value + F32x8::load(at(at(residual, from), from_vector));
                }
                activate(steps, value).store(to);
            }
        }
    }
}

/// So many vectors in sequence.
///
/// # Safety
/// They are readable.
#[inline(always)]
unsafe fn vectors<const VECTORS: usize>(from: *const u8) -> [F32x8; VECTORS] {
    // SAFETY: the caller's promise.
    core::array::from_fn(|v| unsafe { F32x8::load(from.wrapping_offset(v as isize * VECTOR)) })
}

/// Adds one step's products to the sums.
///
/// # Safety
/// Each pixel's input of the step is readable.
#[inline(always)]
unsafe fn multiply<const PIXELS: usize, const VECTORS: usize>(
    tile: &Tile<PIXELS, VECTORS>,
    input: *const u8,
    factors: &[F32x8; VECTORS],
    sums: &mut [[F32x8; VECTORS]; PIXELS],
) {
    for (sums, &[pixel, ..]) in sums.iter_mut().zip(&tile.pixels) {
        let from = input.wrapping_offset(pixel as isize);
        // SAFETY: the caller's promise.
        let operand = unsafe {
            match tile.product {
                Product::Lanewise => F32x8::load(from),
                Product::Broadcast | Product::Fixed => F32x8::splat(from.cast::<f32>().read_unaligned()),
            }
        };
        for (sum, &factor) in sums.iter_mut().zip(factors) {
            *sum = factor.mul_add(operand, *sum);
        }
    }
}

/// Adds all products to the sums.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn floats<const PIXELS: usize, const VECTORS: usize>(
    tile: &Tile<PIXELS, VECTORS>,
    input: *mut u8,
    mut weights: *mut u8,
    sums: &mut [[F32x8; VECTORS]; PIXELS],
) {
    // SAFETY: all accesses are those that the caller vouches for.
    unsafe {
        let iterations: u64 = tile.loops.iter().map(|&(count, _)| u64::from(count)).product();
        for iteration in 0..iterations {
            // The counters of all loops, from one number.
            let mut rest = iteration;
            let mut moved = 0;
            for &(count, step) in tile.loops.iter().rev() {
                moved += (rest % u64::from(count)) as i64 * step;
                rest /= u64::from(count);
            }
            let input = input.wrapping_offset(moved as isize);
            for &tap in tile.taps {
                let factors: [F32x8; VECTORS] = vectors(weights);
                weights = weights.wrapping_offset(VECTORS as isize * VECTOR);
                multiply(tile, input.wrapping_offset(tap as isize), &factors, sums);
            }
        }
    }
}

/// Adds all products with 16-bit weights to the sums, block by block.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn fixed<const PIXELS: usize, const VECTORS: usize>(
    tile: &Tile<PIXELS, VECTORS>,
    input: *mut u8,
    mut weights: *mut u8,
    sums: &mut [[F32x8; VECTORS]; PIXELS],
) {
    let &[(blocks, block_step), (steps, step)] = tile.loops else {
        return;
    };
    for block in 0..blocks {
        // SAFETY: all accesses are those that the caller vouches for.
        unsafe {
            let scales: [F32x8; VECTORS] = vectors(weights);
            weights = weights.wrapping_offset(VECTORS as isize * VECTOR);
            let mut parts = [[F32x8::splat(0.0); VECTORS]; PIXELS];
            for index in 0..steps {
                let moved = i64::from(block) * block_step + i64::from(index) * step;
                let input = input.wrapping_offset(moved as isize);
                for &tap in tile.taps {
                    let factors: [F32x8; VECTORS] =
                        core::array::from_fn(|v| F32x8::load_fixed(weights.wrapping_offset(v as isize * VECTOR / 2)));
                    weights = weights.wrapping_offset(VECTORS as isize * VECTOR / 2);
                    multiply(tile, input.wrapping_offset(tap as isize), &factors, &mut parts);
                }
            }
            for (sums, parts) in sums.iter_mut().zip(&parts) {
                for ((sum, &part), &scale) in sums.iter_mut().zip(parts).zip(&scales) {
                    *sum = part.mul_add(scale, *sum);
                }
            }
        }
    }
}
