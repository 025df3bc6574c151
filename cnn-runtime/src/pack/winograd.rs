//! Filters transformed for Winograd's products.

use std::fmt;

use super::LANES;
use super::filters::{FilterSource, Filters};
use crate::kernels::winograd::Winograd;

/// The order of the constant: the bias of all filters, padded to whole vectors; then
/// `[part][ξ][panel][channel][8 · vectors]`, channels padded to whole vectors with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    pub(super) fn pack(&self, source: &FilterSource, filters: &Filters<'_>, out: &mut [f32]) {
        let (taps, channels) = (source.taps(), source.channels());
        let padded = source.count().next_multiple_of(LANES);
        let (bias, transformed) = out.split_at_mut(padded);
        let width = LANES * self.vectors;
        let panel = channels.next_multiple_of(LANES) * width;
        let panels = padded / width / self.parts;
        let position = panels * panel;
        let part = self.variant.products() * position;
        let mut filter = vec![0.0; taps];
        let mut tile = vec![0.0; self.variant.products()];
        for (index, weights) in filters.weight.chunks_exact(channels * taps).enumerate() {
            bias[index] = filters.bias(index);
            let (panel_index, lane) = (index / width, index % width);
            let base = panel_index / panels * part + panel_index % panels * panel + lane;
            for (channel, weights) in weights.chunks_exact(taps).enumerate() {
                for (scaled, &weight) in filter.iter_mut().zip(weights) {
                    *scaled = filters.scaled(index, weight);
                }
                self.variant.transform_filter(&filter, &mut tile);
                for (xi, &value) in tile.iter().enumerate() {
                    transformed[base + xi * position + channel * width] = value;
                }
            }
        }
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
