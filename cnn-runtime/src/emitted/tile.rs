//! A tile kernel in plain Rust, driven by a table: what emitted code runs where the machine lacks AVX2 and FMA.
//!
//! Compiled once for each number of pixels and vectors, so that the sums are in registers; everything else is data.

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
    pub activation: Option<Clip>,
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

/// The activations that tiles apply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// `min(max(x, min), max)`
    Clip {
        /// The lower bound.
        min: f32,
        /// The upper bound.
        max: f32,
    },
    /// `x` where positive, else `alpha · x`.
    LeakyRelu {
        /// The slope.
        alpha: f32,
    },
    /// `clip(x + 3, 0, 6) / 6`
    HardSigmoid,
    /// `x · clip(x + 3, 0, 6) / 6`
    HardSwish,
}

impl Clip {
    /// The constants stand first, so that a NaN stays.
    #[inline(always)]
    fn apply(self, x: F32x8) -> F32x8 {
        let splat = F32x8::splat;
        let gate = || {
            let clipped = splat(6.0).min(splat(0.0).max(splat(3.0) + x));
            splat(1.0 / 6.0) * clipped
        };
        match self {
            Clip::Clip { min, max } => splat(max).min(splat(min).max(x)),
            Clip::LeakyRelu { alpha } if alpha <= 1.0 => (splat(alpha) * x).max(x),
            Clip::LeakyRelu { alpha } => (splat(alpha) * x).min(x),
            Clip::HardSigmoid => gate(),
            Clip::HardSwish => gate() * x,
        }
    }
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
                if let Some(activation) = tile.activation {
                    value = activation.apply(value);
                }
                value.store(to);
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
