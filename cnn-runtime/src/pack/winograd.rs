//! Filters transformed for Winograd's products.

use std::fmt;

use super::LANES;
use super::filters::{FilterSource, Filters};
use super::instructions::Instructions;
use super::lanes::LaneRows;
use super::parts::{PackPart, pack_parts};
use crate::kernels::winograd::Winograd;
use crate::threads::ThreadPool;
use crate::weights::WeightError;

/// The order of the constant: the bias of all filters, padded to whole vectors; then
/// `[part][ξ][panel][channel][8 · vectors]`, channels padded to whole vectors with zeros, and
/// filters too (of either sign).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WinogradFilters {
    /// Which transform.
    pub variant: Winograd,
    /// A panel has 8 · `vectors` filters; panels divide the padded filters.
    pub vectors: usize,
    /// The filters are cut into so many parts, which divide the panels.
    pub parts: usize,
}

impl WinogradFilters {
    /// Floats of the constant.
    pub fn floats(&self, filters: &FilterSource) -> usize {
        let (count, channels) = (
            filters.count().next_multiple_of(LANES),
            filters.channels().next_multiple_of(LANES),
        );
        count + self.variant.products() * count * channels
    }

    /// Packs panels in parallel.
    pub(super) fn pack(&self, filters: &Filters<'_>, out: &mut [f32], pool: &ThreadPool) -> Result<(), WeightError> {
        let (source, floats) = (filters.declared(), out.len());
        let padded = source.count().next_multiple_of(LANES);
        let (bias, transformed) = out.split_at_mut(padded);
        for (filter, bias) in bias.iter_mut().enumerate().take(source.count()) {
            *bias = filters.bias(filter);
        }
        let width = LANES * self.vectors;
        let panels = padded / width / self.parts;
        // A panel's part of each position.
        let mut parts: Vec<Vec<&mut [f32]>> = (0..padded / width).map(|_| Vec::new()).collect();
        let slices = transformed.chunks_exact_mut(source.channels().next_multiple_of(LANES) * width);
        for (index, slice) in slices.enumerate() {
            parts[index / (self.variant.products() * panels) * panels + index % panels].push(slice);
        }
        let job = PackTransformed {
            variant: self.variant,
            vectors: self.vectors,
            filters,
        };
        pack_parts(parts, floats, pool, &job)
    }
}

/// Weights of a filter's channel in the largest variant.
const MOST_TAPS: usize = 25;

/// Packs the panels of one constant.
struct PackTransformed<'a> {
    variant: Winograd,
    vectors: usize,
    filters: &'a Filters<'a>,
}

impl PackPart<Vec<&mut [f32]>> for PackTransformed<'_> {
    #[inline(always)]
    fn pack_part(
        &self,
        instructions: impl Instructions,
        panel: usize,
        positions: &mut Vec<&mut [f32]>,
    ) -> Result<(), WeightError> {
        let source = self.filters.declared();
        let (taps, channels) = (source.taps(), source.channels());
        let width = LANES * self.vectors;
        let filters = panel * width..(panel + 1) * width;
        let rows = self.filters.rows(filters.clone())?;
        let lanes: Vec<LaneRows<'_>> = filters
            .clone()
            .step_by(LANES)
            .map(|first| rows.lanes(first, filters.clone(), 0..channels * taps))
            .collect();
        let mut weights = [[0.0; LANES]; LANES * MOST_TAPS];
        // `[position][channel][vector]` of eight channels: written to each position in one piece.
        let vectors = self.vectors;
        let mut staged = vec![[0.0; LANES]; self.variant.products() * LANES * vectors];
        for first in (0..channels).step_by(LANES) {
            let end = channels.min(first + LANES);
            for (vector, lanes) in lanes.iter().enumerate() {
                lanes.each(instructions, first * taps..end * taps, |i, column| {
                    weights[i - first * taps] = column;
                });
                for channel in 0..end - first {
                    self.variant
                        .transform_lanes(&weights[channel * taps..][..taps], |position, values| {
                            staged[(position * LANES + channel) * vectors + vector] = values;
                        });
                }
            }
            let staged = staged.as_flattened().chunks_exact(LANES * width);
            for (position, staged) in positions.iter_mut().zip(staged) {
                position[first * width..end * width].copy_from_slice(&staged[..(end - first) * width]);
            }
        }
        Ok(())
    }
}

impl fmt::Display for WinogradFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "winograd_{}x{}_panels{}",
            self.variant.outputs(),
            self.variant.taps(),
            LANES * self.vectors
        )
    }
}
