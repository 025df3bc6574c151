//! Filters of one channel each, eight at a time.

use super::LANES;
use super::filters::{FilterSource, Filters};
use super::instructions::Instructions;
use super::parts::{PackPart, pack_parts};
use crate::threads::ThreadPool;

/// Packs `[block]( [bias] [tap] )[8]`.
pub(super) fn pack(source: &FilterSource, filters: &Filters<'_>, out: &mut [f32], pool: &ThreadPool) {
    let floats = out.len();
    let blocks = out.chunks_exact_mut(LANES * (1 + source.taps())).collect();
    pack_parts(blocks, floats, pool, &PackBlocks { source, filters });
}

/// Packs the blocks of eight channels of one constant.
struct PackBlocks<'a> {
    source: &'a FilterSource,
    filters: &'a Filters<'a>,
}

impl PackPart<&mut [f32]> for PackBlocks<'_> {
    #[inline(always)]
    fn pack_part(&self, instructions: impl Instructions, block: usize, part: &mut &mut [f32]) {
        let channels = block * LANES..self.source.count().min((block + 1) * LANES);
        let Some((biases, steps)) = part.as_chunks_mut().0.split_first_mut() else {
            return;
        };
        for (bias, channel) in biases.iter_mut().zip(channels.clone()) {
            *bias = self.filters.bias(channel);
        }
        let lanes = self.filters.lanes(channels.start, channels, 0..self.source.taps());
        lanes.each(instructions, 0..steps.len(), |tap, weights| steps[tap] = weights);
    }
}
