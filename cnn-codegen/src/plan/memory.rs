//! Offsets in the arena: buffers whose lifetimes do not meet share memory.

use super::{BufferId, Place, Plan};

/// Every buffer and constant starts at a cache line.
pub(super) const ALIGNMENT: usize = 64;

/// First and last step at which a buffer of the arena is in use; `None` for the user's arrays and unused buffers.
pub(super) fn lifetimes(plan: &Plan) -> Vec<Option<(usize, usize)>> {
    let mut lifetimes = vec![None; plan.buffers.len()];
    let mut touch = |BufferId(buffer): BufferId, step: usize| {
        if matches!(plan.buffers[buffer].place, Place::Arena(_)) {
            let (first, _) = lifetimes[buffer].unwrap_or((step, step));
            lifetimes[buffer] = Some((first, step));
        }
    };
    for (index, step) in plan.steps.iter().enumerate() {
        step.work.reads().into_iter().for_each(|buffer| touch(buffer, index));
        touch(step.work.writes(), index);
    }
    lifetimes
}

/// Places every buffer: the largest first, each at the lowest offset where it meets no placed buffer of an
/// overlapping lifetime (greedy by size; Pisarchyk & Lee, 2020). What no machine could have saturates.
pub(super) fn place(plan: &mut Plan) {
    let lifetimes = lifetimes(plan);
    let size = |buffer: usize| plan.buffers[buffer].bytes.next_multiple_of(ALIGNMENT);
    let mut waiting: Vec<usize> = (0..plan.buffers.len())
        .filter(|&buffer| lifetimes[buffer].is_some())
        .collect();
    waiting.sort_by_key(|&buffer| (std::cmp::Reverse(size(buffer)), buffer));

    let mut placed: Vec<(usize, usize)> = Vec::new();
    for buffer in waiting {
        let overlaps = |other: usize| match (lifetimes[buffer], lifetimes[other]) {
            (Some((a, b)), Some((c, d))) => a <= d && c <= b,
            _ => false,
        };
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|(other, _)| overlaps(*other))
            .map(|&(other, offset): &(usize, usize)| (offset, offset.saturating_add(size(other))))
            .collect();
        taken.sort_unstable();
        let mut offset = 0usize;
        for (start, end) in taken {
            if offset.saturating_add(size(buffer)) <= start {
                break;
            }
            offset = offset.max(end);
        }
        placed.push((buffer, offset));
    }

    plan.arena_bytes = placed
        .iter()
        .map(|&(buffer, offset)| offset.saturating_add(size(buffer)))
        .max()
        .unwrap_or(0);
    plan.lower_bound_bytes = (0..plan.steps.len())
        .map(|step| {
            let alive = |buffer: &usize| lifetimes[*buffer].is_some_and(|(first, last)| first <= step && step <= last);
            let alive = (0..plan.buffers.len()).filter(alive);
            alive.map(size).fold(0, usize::saturating_add)
        })
        .max()
        .unwrap_or(0);
    for (buffer, offset) in placed {
        plan.buffers[buffer].place = Place::Arena(offset);
    }
}
