//! When each buffer of the arena is in use, and how much of it at most.

use super::{BufferId, PlanData, Step};

/// Every buffer and constant starts at a cache line.
pub(crate) const ALIGNMENT: usize = 64;

/// First and last step at which a buffer is in use, if it ever is.
pub(crate) type Lifetime = Option<(usize, usize)>;

/// The lifetime of each buffer; `external` ones, the user's arrays, have none.
pub(crate) fn lifetimes(steps: &[Step], external: &[bool]) -> Vec<Lifetime> {
    let mut lifetimes = vec![None; external.len()];
    let mut touch = |BufferId(buffer): BufferId, step: usize| {
        if !external[buffer] {
            let (first, _) = lifetimes[buffer].unwrap_or((step, step));
            lifetimes[buffer] = Some((first, step));
        }
    };
    for (index, step) in steps.iter().enumerate() {
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
    let sizes: Vec<usize> = plan.buffers.iter().map(|buffer| arena_size(buffer.bytes)).collect();
    peak_of(&plan.lifetimes(), &sizes, plan.steps.len())
}

/// The same, of buffers that have no place yet: when each is in use, what it takes in the arena, and how many steps
/// there are.
pub(crate) fn peak_of(lifetimes: &[Lifetime], sizes: &[usize], steps: usize) -> Option<Peak> {
    // Each buffer comes at its first step and goes after its last: a running sum is what is in use.
    let mut comes = vec![0u128; steps + 1];
    let mut goes = comes.clone();
    for (buffer, life) in lifetimes.iter().enumerate() {
        if let Some((first, last)) = *life {
            comes[first] += sizes[buffer] as u128;
            goes[last + 1] += sizes[buffer] as u128;
        }
    }
    let mut used = 0;
    let mut most: Option<(u128, usize)> = None;
    for step in 0..steps {
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
        buffers: (0..sizes.len()).filter(alive).map(BufferId).collect(),
    })
}

/// What a buffer of so many bytes takes in the arena. Saturates.
pub(crate) fn arena_size(bytes: usize) -> usize {
    bytes.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX)
}
