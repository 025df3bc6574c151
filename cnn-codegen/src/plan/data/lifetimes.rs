//! When each buffer of the arena is in use, and how much of it at most.

use super::{BufferId, PlanData, Storage};

/// Every buffer and constant starts at a cache line.
pub(crate) const ALIGNMENT: usize = 64;

/// First and last step at which a buffer of the arena is in use; `None` for the user's arrays and unused buffers.
pub(crate) fn lifetimes(plan: &PlanData) -> Vec<Option<(usize, usize)>> {
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
pub fn peak(plan: &PlanData) -> Option<Peak> {
    let lifetimes = lifetimes(plan);
    // Each buffer comes at its first step and goes after its last: a running sum is what is in use.
    let mut comes = vec![0u128; plan.steps.len() + 1];
    let mut goes = comes.clone();
    for (buffer, life) in lifetimes.iter().enumerate() {
        if let Some((first, last)) = *life {
            comes[first] += arena_size(plan, buffer) as u128;
            goes[last + 1] += arena_size(plan, buffer) as u128;
        }
    }
    let mut used = 0;
    let mut most: Option<(u128, usize)> = None;
    for step in 0..plan.steps.len() {
        used = used + comes[step] - goes[step];
        if most.is_none_or(|(bytes, _)| used > bytes) {
            most = Some((used, step));
        }
    }
    let (bytes, step) = most?;
    let alive = |buffer: &usize| lifetimes[*buffer].is_some_and(|(first, last)| first <= step && step <= last);
    Some(Peak {
        step,
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        buffers: (0..plan.buffers.len()).filter(alive).map(BufferId).collect(),
    })
}

/// Bytes that a buffer takes in the arena.
pub(crate) fn arena_size(plan: &PlanData, buffer: usize) -> usize {
    let bytes = plan.buffers[buffer].bytes;
    bytes.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX)
}
