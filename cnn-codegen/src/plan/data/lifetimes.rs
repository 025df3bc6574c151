//! When each buffer of the arena is in use, and how much of it at most.

use super::{BufferId, Plan, Storage};

/// Every buffer and constant starts at a cache line.
pub(crate) const ALIGNMENT: usize = 64;

/// First and last step at which a buffer of the arena is in use; `None` for the user's arrays and unused buffers.
pub(crate) fn lifetimes(plan: &Plan) -> Vec<Option<(usize, usize)>> {
    let mut lifetimes = vec![None; plan.buffers.len()];
    let mut touch = |BufferId(buffer): BufferId, step: usize| {
        if matches!(plan.buffers[buffer].storage, Storage::Arena(_)) {
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
        let sizes = buffers.iter().map(|buffer| arena_size(plan, buffer.0));
        let bytes = sizes.fold(0, usize::saturating_add);
        Peak { step, bytes, buffers }
    };
    // The first of equal ones: `max_by_key` takes the last.
    (0..plan.steps.len()).rev().map(at).max_by_key(|peak| peak.bytes)
}

/// Bytes that a buffer takes in the arena.
pub(crate) fn arena_size(plan: &Plan, buffer: usize) -> usize {
    plan.buffers[buffer].bytes.next_multiple_of(ALIGNMENT)
}
