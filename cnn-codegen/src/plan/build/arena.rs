//! Offsets in the arena: buffers whose lifetimes do not meet share memory.

use crate::plan::data::{Plan, Storage, arena_size, lifetimes, peak};

/// Places every buffer: the largest first, each at the lowest offset where it meets no placed buffer of an
/// overlapping lifetime (greedy by size; Pisarchyk & Lee, 2020). What no machine could have saturates.
pub(super) fn place(plan: &mut Plan) {
    let lifetimes = lifetimes(plan);
    let mut waiting: Vec<usize> = (0..plan.buffers.len())
        .filter(|&buffer| lifetimes[buffer].is_some())
        .collect();
    waiting.sort_by_key(|&buffer| (std::cmp::Reverse(arena_size(plan, buffer)), buffer));

    let mut placed: Vec<(usize, usize)> = Vec::new();
    for buffer in waiting {
        let overlaps = |other: usize| match (lifetimes[buffer], lifetimes[other]) {
            (Some((a, b)), Some((c, d))) => a <= d && c <= b,
            _ => false,
        };
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|(other, _)| overlaps(*other))
            .map(|&(other, offset): &(usize, usize)| (offset, offset.saturating_add(arena_size(plan, other))))
            .collect();
        taken.sort_unstable();
        let mut offset = 0usize;
        for (start, end) in taken {
            if offset.saturating_add(arena_size(plan, buffer)) <= start {
                break;
            }
            offset = offset.max(end);
        }
        placed.push((buffer, offset));
    }

    plan.arena_bytes = placed
        .iter()
        .map(|&(buffer, offset)| offset.saturating_add(arena_size(plan, buffer)))
        .max()
        .unwrap_or(0);
    plan.lower_bound_bytes = peak(plan).map_or(0, |peak| peak.bytes);
    for (buffer, offset) in placed {
        plan.buffers[buffer].storage = Storage::Arena(offset);
    }
}
