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
    let mut waiting: Vec<usize> = (0..plan.buffers.len())
        .filter(|&buffer| lifetimes[buffer].is_some())
        .collect();
    waiting.sort_by_key(|&buffer| (std::cmp::Reverse(size(plan, buffer)), buffer));

    let mut placed: Vec<(usize, usize)> = Vec::new();
    for buffer in waiting {
        let overlaps = |other: usize| match (lifetimes[buffer], lifetimes[other]) {
            (Some((a, b)), Some((c, d))) => a <= d && c <= b,
            _ => false,
        };
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|(other, _)| overlaps(*other))
            .map(|&(other, offset): &(usize, usize)| (offset, offset.saturating_add(size(plan, other))))
            .collect();
        taken.sort_unstable();
        let mut offset = 0usize;
        for (start, end) in taken {
            if offset.saturating_add(size(plan, buffer)) <= start {
                break;
            }
            offset = offset.max(end);
        }
        placed.push((buffer, offset));
    }

    plan.arena_bytes = placed
        .iter()
        .map(|&(buffer, offset)| offset.saturating_add(size(plan, buffer)))
        .max()
        .unwrap_or(0);
    plan.lower_bound_bytes = peak(plan).map_or(0, |peak| peak.bytes);
    for (buffer, offset) in placed {
        plan.buffers[buffer].place = Place::Arena(offset);
    }
}

/// The step during which most of the arena is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peak {
    /// The step's index.
    pub step: usize,
    /// Bytes in use; no arena could be smaller.
    pub bytes: usize,
    /// The buffers that hold them.
    pub buffers: Vec<BufferId>,
}

/// The first of the steps during which most of the arena is in use; `None` if there are no steps.
pub fn peak(plan: &Plan) -> Option<Peak> {
    let lifetimes = lifetimes(plan);
    let at = |step: usize| {
        let alive = |buffer: &usize| lifetimes[*buffer].is_some_and(|(first, last)| first <= step && step <= last);
        let buffers: Vec<BufferId> = (0..plan.buffers.len()).filter(alive).map(BufferId).collect();
        let sizes = buffers.iter().map(|buffer| size(plan, buffer.0));
        let bytes = sizes.fold(0, usize::saturating_add);
        Peak { step, bytes, buffers }
    };
    // The first of equal ones: `max_by_key` takes the last.
    (0..plan.steps.len()).rev().map(at).max_by_key(|peak| peak.bytes)
}

/// Bytes that a buffer takes in the arena.
fn size(plan: &Plan, buffer: usize) -> usize {
    plan.buffers[buffer].bytes.next_multiple_of(ALIGNMENT)
}
