//! Software prefetch: while tiles multiply one panel's weights, they bring the next panel's into the second-level cache.
//!
//! A panel of a few dozen kilobytes is read once from memory by its first tile and then from a cache by the others.
//! Without a hint memory idles while the others work, and the multipliers idle while the first waits.

use super::cover::place_of;
use crate::isa::facts;
use crate::plan::data::Nest;
use crate::plan::options::PlanOptions;
use crate::tile::{Product, TileSpec};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Of the second-level cache, what a nest's weights must take for it to be worthwhile.
const LEAST_SHARE: usize = 2;

/// Makes the nest's tiles bring nearer what the next pass or panel reads, each its share. `next_panel` is how many
/// panels ahead the same thread's next is.
pub(crate) fn prefetch(nest: &mut Nest, next_panel: usize, options: &PlanOptions) {
    let stream = |spec: &TileSpec| spec.weight_floats().saturating_mul(size_of::<f32>());
    let most = nest.specs.iter().map(stream).max().unwrap_or(0);
    // Images of a batch share their weights; the positions of Winograd's tiles do not.
    let images = if nest.images.step.weights == 0 {
        1
    } else {
        nest.images.count
    };
    let streams = [nest.passes.len(), nest.panels.count, images];
    let all = streams.into_iter().fold(most, usize::saturating_mul);
    let broadcast = nest.specs.iter().all(|spec| spec.product == Product::Broadcast);
    if !facts(options.isa).machine_code || !broadcast || all < options.caches.second / LEAST_SHARE {
        return;
    }
    let starts: Vec<i64> = nest.passes.iter().map(|pass| pass.weights).collect();
    // Only a hint: what is too far away is not fetched.
    let panel = nest
        .panels
        .step
        .weights
        .saturating_mul(i64::try_from(next_panel).unwrap_or(i64::MAX));
    let next = starts.iter().skip(1).copied().chain([starts[0].saturating_add(panel)]);
    for ((pass, start), next) in nest.passes.iter_mut().zip(&starts).zip(next) {
        pass.ahead = next.saturating_sub(*start);
    }
    let mut specs: Vec<TileSpec> = Vec::new();
    for region in &mut nest.regions {
        // The stream in equal parts for the tiles of a task, each whole lines; tiles are numbered along rows and segments.
        let row: usize = region.segments.iter().map(|segment| segment.tiles.count).sum();
        let tiles = row * region.block.min(region.rows.count);
        let share = if tiles > 1 {
            most.div_ceil(tiles).next_multiple_of(LINE)
        } else {
            0
        };
        region.rows.step.ahead = if region.block > 1 { (row * share) as i64 } else { 0 };
        let mut before = 0;
        for segment in &mut region.segments {
            segment.start.ahead = (before * share) as i64;
            segment.tiles.step.ahead = share as i64;
            before += segment.tiles.count;
            for index in &mut segment.specs {
                let mut spec = nest.specs[*index].clone();
                // What does not fit is refused when the specification is validated.
                spec.prefetch = u32::try_from(share.min(spec.most_ahead())).unwrap_or(u32::MAX);
                *index = place_of(spec, &mut specs);
            }
        }
    }
    nest.specs = specs;
}
