//! The weight stream of large dense layers: 16-bit fixed-point numbers in short blocks, each with a scale of its own.
//!
//! A dense layer of one image takes as long as its weights take from memory, and these are half the bytes. A block's
//! largest weight becomes 32767, so that a weight is off by at most 1/65534 of it: where a block's weights are of like
//! size, a sum of products differs from that of the weights as they were by about 2e-5 of its root mean square. A weight
//! a thousand times its neighbours costs them three of their five digits, within that block: [`RowError`] measures what
//! each row loses, and weights that lose too much are refused, so that the layer is planned with all of their bits.

use std::fmt;

use super::LANES;
use super::filters::{FilterSource, Filters};
use super::instructions::Instructions;
use super::parts::{PackPart, pack_parts};
use crate::threads::ThreadPool;
use crate::weights::WeightError;

/// The largest number that a weight becomes.
const MOST: f32 = 32767.0;
/// 1.5 · 2²³: a number of less than 2²² added to it is rounded to an integer, ties to even, which the low bits then hold.
const ROUND: f32 = 12_582_912.0;
/// Bytes of f32 weights that are gathered before they are rounded: little enough to stay in the second-level cache.
const GATHER_BYTES: usize = 64 << 10;

/// The order of the stream: `[panel]( [bias] [block]( [scale] [k-step] ) )[8 · vectors]`, biases and scales as f32,
/// weights as i16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FixedPanels {
    /// A panel has 8 · `vectors` filters; the last is filled with zeros.
    pub vectors: usize,
    /// Weights of one filter that share a scale; divides their number.
    pub block: usize,
}

impl FixedPanels {
    fn width(&self) -> usize {
        LANES * self.vectors
    }

    /// Floats of one block of a panel: scales, and two weights a float.
    fn block_floats(&self) -> usize {
        self.width() + self.block * self.width() / 2
    }

    /// Floats of one panel's stream.
    pub fn panel_floats(&self, filters: &FilterSource) -> usize {
        let weights = filters.channels() * filters.taps();
        self.width() + weights / self.block * self.block_floats()
    }

    /// Floats of all panels.
    pub fn floats(&self, filters: &FilterSource) -> usize {
        filters.count().div_ceil(self.width()) * self.panel_floats(filters)
    }

    /// Packs panels in parallel.
    ///
    /// # Errors
    /// [`WeightError::Coarse`] for weights that 16 bits do not hold.
    pub(super) fn pack(&self, filters: &Filters<'_>, out: &mut [f32], pool: &ThreadPool) -> Result<(), WeightError> {
        let floats = out.len();
        let declared = filters.declared();
        let streams = out.chunks_exact_mut(self.panel_floats(declared));
        let mut errors = vec![RowError::default(); streams.len() * self.width()];
        let parts = streams.zip(errors.chunks_exact_mut(self.width())).collect();
        pack_parts(parts, floats, pool, &PackFixed { panels: *self, filters })?;
        match are_small(&errors[..declared.count()]) {
            true => Ok(()),
            false => Err(WeightError::Coarse {
                name: declared.weight.clone(),
            }),
        }
    }
}

/// Packs the panels of one constant.
struct PackFixed<'a> {
    panels: FixedPanels,
    filters: &'a Filters<'a>,
}

/// A panel's stream, and what each of its rows loses.
type Part<'a> = (&'a mut [f32], &'a mut [RowError]);

impl PackPart<Part<'_>> for PackFixed<'_> {
    #[inline(always)]
    fn pack_part(
        &self,
        instructions: impl Instructions,
        panel: usize,
        (stream, errors): &mut Part<'_>,
    ) -> Result<(), WeightError> {
        let FixedPanels { vectors, block } = self.panels;
        let width = self.panels.width();
        let count = self.filters.declared().count();
        let owned = panel * width..count.min((panel + 1) * width);
        let (biases, blocks) = stream.split_at_mut(width);
        self.filters.biases(owned.clone(), biases);
        let columns = self.filters.declared().channels() * self.filters.declared().taps();
        let rows = self.filters.rows(owned.clone())?;
        // One vector's weights, for some blocks at a time.
        let gathered = (GATHER_BYTES / size_of::<f32>() / LANES / block).max(1) * block;
        let mut weights = vec![[0.0; LANES]; gathered.min(columns)];
        for first in (0..columns).step_by(gathered) {
            let range = first..columns.min(first + gathered);
            for (vector, filter) in owned.clone().step_by(LANES).enumerate() {
                let lanes = rows.lanes(filter, filter..owned.end.min(filter + LANES), 0..columns);
                lanes.each(instructions, range.clone(), |i, lanes| weights[i - first] = lanes);
                let blocks = blocks.chunks_exact_mut(self.panels.block_floats()).skip(first / block);
                for (out, weights) in blocks.zip(weights[..range.len()].chunks_exact(block)) {
                    let (scales, steps) = out.split_at_mut(width);
                    let most = most(weights);
                    let scale = most.map(scale);
                    add_errors(weights, &most, &scale, &mut errors[LANES * vector..][..LANES]);
                    scales[LANES * vector..][..LANES].copy_from_slice(&scale);
                    for (step, weights) in steps.chunks_exact_mut(LANES / 2 * vectors).zip(weights) {
                        step[LANES / 2 * vector..][..LANES / 2].copy_from_slice(&fixed(weights, &scale));
                    }
                }
            }
        }
        Ok(())
    }
}

/// A lane's largest weight; NaN if one of them is none.
#[inline(always)]
fn most(weights: &[[f32; LANES]]) -> [f32; LANES] {
    let mut most = [0f32; LANES];
    for weights in weights {
        for (most, weight) in most.iter_mut().zip(weights) {
            let size = weight.abs();
            *most = if size <= *most || most.is_nan() { *most } else { size };
        }
    }
    most
}

/// What a lane's integers are to be multiplied by, given its largest weight: 0 if all are 0, NaN if one is not finite.
#[inline(always)]
fn scale(most: f32) -> f32 {
    if most == f32::INFINITY { f32::NAN } else { most / MOST }
}

/// Eight weights as integers, two a float, the first in the low half.
#[inline(always)]
fn fixed(weights: &[f32; LANES], scales: &[f32; LANES]) -> [f32; LANES / 2] {
    let integer = |lane: usize| {
        let (weight, scale) = (weights[lane], scales[lane]);
        let quotient = if scale > 0.0 {
            (weight / scale).clamp(-MOST, MOST)
        } else {
            0.0
        };
        (quotient + ROUND).to_bits() & 0xffff
    };
    std::array::from_fn(|pair| f32::from_bits(integer(2 * pair) | integer(2 * pair + 1) << 16))
}

/// The most that a row may lose, as a share of its common size: normally distributed weights lose 4.5e-5 and Laplace's 7e-5,
/// which is 2e-5 and 3e-5 of their root mean square; 1e-4 of the largest output is promised.
const TOLERANCE: f64 = 1.5e-4;

/// What one filter's weights lose when they become integers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct RowError {
    /// The sum of the squares of what is lost; infinite if a weight is not finite.
    lost: f64,
    /// The sum of the squares of the weights, if those of a block were of their common size. That is the geometric mean,
    /// which few large weights hardly raise: the inputs that they meet may be 0, and the others must not be lost beside
    /// them then.
    common: f64,
}

/// Whether rows lose so little that the largest output stays as exact as promised: little beside their own weights,
/// or beside those of the layer's other rows.
fn are_small(errors: &[RowError]) -> bool {
    let mean = errors.iter().map(|error| error.common).sum::<f64>() / errors.len().max(1) as f64;
    errors
        .iter()
        .all(|error| error.lost <= TOLERANCE.powi(2) * error.common.max(mean))
}

/// The binary logarithm, 0.09 too low at most: a number's bits are its exponent, then how far it is to the next. Any
/// number for 0.
#[inline(always)]
fn logarithm(size: f32) -> f32 {
    size.to_bits() as i32 as f32 / (1 << (f32::MANTISSA_DIGITS - 1)) as f32 - 127.0
}

/// Adds what a block of eight rows loses. Squares are of f64, so that they neither vanish nor overflow: beside
/// 1e30 a 1 is 3e-26 of the scale.
#[inline(always)]
fn add_errors(weights: &[[f32; LANES]], most: &[f32; LANES], scales: &[f32; LANES], errors: &mut [RowError]) {
    let (mut squares, mut logarithms, mut counts) = ([0f64; LANES], [0f32; LANES], [0f32; LANES]);
    for weights in weights {
        for lane in 0..LANES {
            let quotient = weights[lane] / scales[lane];
            let lost = quotient - ((quotient.clamp(-MOST, MOST) + ROUND) - ROUND);
            squares[lane] += f64::from(lost) * f64::from(lost);
            let (logarithm, one) = match weights[lane] == 0.0 {
                true => (0.0, 0.0),
                false => (logarithm(weights[lane].abs()), 1.0),
            };
            logarithms[lane] += logarithm;
            counts[lane] += one;
        }
    }
    for (lane, error) in errors.iter_mut().enumerate() {
        let [most, scale, count] = [most[lane], scales[lane], counts[lane]].map(f64::from);
        if !most.is_finite() {
            error.lost = f64::INFINITY;
        } else if most > 0.0 {
            // Where even the scale is too small for a number, all is lost.
            error.lost += match scale > 0.0 {
                true => squares[lane] * scale * scale,
                false => count * most * most,
            };
            error.common += count * (2.0 * f64::from(logarithms[lane]) / count).exp2();
        }
    }
}

impl fmt::Display for FixedPanels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panels{}_fixed16", self.width())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_stays_none_and_zeros_stay() {
        for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let weights = [1.0, special, 2.0].map(|first| [first, 0.0, 4.0, -2.0, 0.0, 0.0, 0.0, 0.0]);
            let scales = most(&weights).map(scale);
            assert!(scales[0].is_nan(), "{special} became {}", scales[0]);
            assert_eq!(scales[1..4], [0.0, 4.0 / MOST, 2.0 / MOST]);
            let bits = fixed(&weights[0], &scales).map(f32::to_bits);
            assert_eq!(bits, [0, 0x8001_7fff, 0, 0]);
        }
    }

    /// Whether a layer of eight rows keeps its promise whose weights are `weight(i)` for i in 0..64 · 4.
    fn holds(weight: impl Fn(usize) -> f32) -> bool {
        let weights: Vec<[f32; LANES]> = (0..256).map(|i| [weight(i); LANES]).collect();
        let mut errors = [RowError::default(); LANES];
        for block in weights.chunks_exact(64) {
            let most = most(block);
            add_errors(block, &most, &most.map(scale), &mut errors);
        }
        are_small(&errors)
    }

    #[test]
    fn weights_of_like_size_are_held_whatever_their_size() {
        let like = |i: usize| ((i * 37 % 64) as f32 - 31.5) / 32.0;
        for size in [1.0, 1e-30, 1e30, 3e38] {
            assert!(holds(|i| like(i) * size), "{size:e}");
        }
        assert!(holds(|_| 0.0));
        // Most weights of pruned networks are 0, and stay so.
        assert!(holds(|i| if i % 16 == 3 { like(i) } else { 0.0 }));
        // A block of nothing but crumbs beside others.
        assert!(holds(|i| if i < 64 { 1e-40 } else { like(i) }));
    }

    #[test]
    fn weights_that_crowd_others_out_are_not() {
        let like = |i: usize| ((i * 37 % 64) as f32 - 31.5) / 32.0;
        for large in [1e3, -1e3, 1e6, 1e30, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            assert!(!holds(|i| if i == 100 { large } else { like(i) }), "one of {large:e}");
            assert!(
                !holds(|i| if i % 64 < 3 { large } else { like(i) }),
                "three a block of {large:e}"
            );
        }
        assert!(!holds(|i| like(i) * 1e-38), "subnormal numbers");
        assert!(!holds(|i| like(i) * 1e-42), "a scale that is 0");
    }
}
