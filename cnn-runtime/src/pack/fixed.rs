//! The weight stream of large dense layers: 16-bit fixed-point numbers in short blocks, each with a scale of its own.
//!
//! A dense layer of one image takes as long as its weights take from memory, and these are half the bytes. A block's
//! largest weight becomes 32767, so that a weight is off by at most 1/65534 of it: where a block's weights are of like
//! size, a sum of products differs from that of the weights as they were by about 2e-5 of its root mean square. A weight
//! a thousand times its neighbours costs them three of their five digits, within that block.

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
    pub(super) fn pack(&self, filters: &Filters<'_>, out: &mut [f32], pool: &ThreadPool) -> Result<(), WeightError> {
        let floats = out.len();
        let streams = out.chunks_exact_mut(self.panel_floats(filters.declared())).collect();
        pack_parts(streams, floats, pool, &PackFixed { panels: *self, filters })
    }
}

/// Packs the panels of one constant.
struct PackFixed<'a> {
    panels: FixedPanels,
    filters: &'a Filters<'a>,
}

impl PackPart<&mut [f32]> for PackFixed<'_> {
    #[inline(always)]
    fn pack_part(
        &self,
        instructions: impl Instructions,
        panel: usize,
        stream: &mut &mut [f32],
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
                    let scale = scale(weights);
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

/// What a lane's integers are to be multiplied by: 0 if all weights are 0, NaN if one of them is none.
#[inline(always)]
fn scale(weights: &[[f32; LANES]]) -> [f32; LANES] {
    let mut most = [0f32; LANES];
    for weights in weights {
        for (most, weight) in most.iter_mut().zip(weights) {
            let size = weight.abs();
            *most = if size <= *most || most.is_nan() { *most } else { size };
        }
    }
    most.map(|most| if most == f32::INFINITY { f32::NAN } else { most / MOST })
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
            let scales = scale(&weights);
            assert!(scales[0].is_nan(), "{special} became {}", scales[0]);
            assert_eq!(scales[1..4], [0.0, 4.0 / MOST, 2.0 / MOST]);
            let bits = fixed(&weights[0], &scales).map(f32::to_bits);
            assert_eq!(bits, [0, 0x8001_7fff, 0, 0]);
        }
    }
}
