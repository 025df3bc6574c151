//! Offsets in the arena: buffers whose lifetimes do not meet share memory.

use std::collections::BTreeSet;

use crate::plan::data::Lifetime;

/// Where buffers are in the arena.
pub(super) struct Arena {
    /// The first byte of each, by its number; of those that no step uses, and of the user's arrays, nothing.
    pub(super) offsets: Vec<Option<usize>>,
    /// Bytes of all of it.
    pub(super) bytes: usize,
}

/// Places every buffer that is ever in use, in an arena of so many steps: the largest first, each at the lowest offset
/// where it meets no placed buffer of an overlapping lifetime (greedy by size; Pisarchyk & Lee, 2020). What no machine
/// could have saturates.
pub(super) fn place(lifetimes: &[Lifetime], sizes: &[usize], steps: usize) -> Arena {
    let lives = lifetimes.iter().enumerate();
    let mut waiting: Vec<_> = lives.filter_map(|(buffer, life)| Some((buffer, (*life)?))).collect();
    waiting.sort_by_key(|&(buffer, _)| (std::cmp::Reverse(sizes[buffer]), buffer));

    let mut arena = Arena {
        offsets: vec![None; sizes.len()],
        bytes: 0,
    };
    let mut neighbours = Intervals::new(steps);
    for (buffer, life) in waiting {
        let mut taken: Vec<(usize, usize)> = neighbours.overlapping(life).collect();
        taken.sort_unstable();
        // The lowest gap that is large enough: gaps end where the next taken range begins.
        let mut offset = 0usize;
        for (start, end) in taken {
            if offset.saturating_add(sizes[buffer]) <= start {
                break;
            }
            offset = offset.max(end);
        }
        let end = offset.saturating_add(sizes[buffer]);
        neighbours.insert(life, (offset, end));
        arena.offsets[buffer] = Some(offset);
        arena.bytes = arena.bytes.max(end);
    }
    arena
}

/// Intervals of steps with the bytes that are taken meanwhile, found by what they overlap: in a long network a buffer meets
/// few of all others.
struct Intervals {
    /// A binary tree over all steps, node 1 the root, the children of `n` being `2n` and `2n + 1`: which intervals
    /// cover a node's steps, but not all of its parent's.
    covers: Vec<Vec<usize>>,
    /// First step and index of each interval.
    firsts: BTreeSet<(usize, usize)>,
    /// First byte and end of each.
    bytes: Vec<(usize, usize)>,
    /// Leaves of the tree, a power of two.
    leaves: usize,
}

impl Intervals {
    fn new(steps: usize) -> Intervals {
        let leaves = steps.next_power_of_two();
        Intervals {
            covers: vec![Vec::new(); 2 * leaves],
            firsts: BTreeSet::new(),
            bytes: Vec::new(),
            leaves,
        }
    }

    fn insert(&mut self, (first, last): (usize, usize), bytes: (usize, usize)) {
        let index = self.bytes.len();
        self.bytes.push(bytes);
        self.firsts.insert((first, index));
        // From both ends up: a node is taken where its sibling reaches beyond the interval.
        let (mut left, mut right) = (first + self.leaves, last + self.leaves + 1);
        while left < right {
            if left % 2 == 1 {
                self.covers[left].push(index);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                self.covers[right].push(index);
            }
            (left, right) = (left / 2, right / 2);
        }
    }

    /// Those that contain the first step, and those that begin after it, up to the last.
    fn overlapping(&self, (first, last): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
        let path = std::iter::successors(Some(first + self.leaves), |&node| (node > 1).then_some(node / 2));
        let containing = path.flat_map(|node| &self.covers[node]);
        let beginning = self.firsts.range((first + 1, 0)..(last + 1, 0)).map(|(_, index)| index);
        containing.chain(beginning).map(|&index| self.bytes[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_find_what_they_overlap() {
        let mut random = fastrand::Rng::with_seed(7);
        for steps in [1, 2, 7, 64, 100] {
            let mut intervals = Intervals::new(steps);
            let mut known: Vec<(usize, usize)> = Vec::new();
            for index in 0..200 {
                let first = random.usize(..steps);
                let life = (first, random.usize(first..steps));
                let mut found: Vec<usize> = intervals.overlapping(life).map(|bytes| bytes.0).collect();
                found.sort_unstable();
                let meets = |&index: &usize| known[index].0 <= life.1 && life.0 <= known[index].1;
                let expected: Vec<usize> = (0..known.len()).filter(meets).collect();
                assert_eq!(found, expected, "{life:?} of {steps}");
                intervals.insert(life, (index, 0));
                known.push(life);
            }
        }
    }
}
