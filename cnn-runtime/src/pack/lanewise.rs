//! Filters of one channel each, eight at a time.

use super::LANES;
use super::filters::Filters;
use super::instructions::Instructions;
use super::parts::{PackPart, pack_parts};
use crate::threads::ThreadPool;
use crate::weights::WeightError;

/// Packs `[block]( [bias] [tap] )[8]`.
pub(super) fn pack(filters: &Filters<'_>, out: &mut [f32], pool: &ThreadPool) -> Result<(), WeightError> {
    let floats = out.len();
    let blocks = out.chunks_exact_mut(LANES * (1 + filters.declared().taps())).collect();
    pack_parts(blocks, floats, pool, &PackBlocks(filters))
}

/// Packs the blocks of eight channels of one constant.
struct PackBlocks<'a>(&'a Filters<'a>);

impl PackPart<&mut [f32]> for PackBlocks<'_> {
    #[inline(always)]
    fn pack_part(
        &self,
        instructions: impl Instructions,
        block: usize,
        part: &mut &mut [f32],
    ) -> Result<(), WeightError> {
        let PackBlocks(filters) = self;
        let channels = block * LANES..filters.declared().count().min((block + 1) * LANES);
        let Some((biases, steps)) = part.as_chunks_mut().0.split_first_mut() else {
            return Ok(());
        };
        filters.biases(channels.clone(), biases);
        let rows = filters.rows(channels.clone())?;
        let lanes = rows.lanes(channels.start, channels, 0..filters.declared().taps());
        lanes.each(instructions, 0..steps.len(), |tap, weights| steps[tap] = weights);
        Ok(())
    }
}
