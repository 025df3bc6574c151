//! Moving elements from one order of axes to another, with as few layers as possible.

use std::collections::{HashMap, VecDeque};

/// As many runs of axes are put into another order at most: 720 orders to look for a way in.
const MOST_RUNS: usize = 6;

/// Moving from one order of axes to another, as few axes as possible: those of size 1 are left out, those that stay
/// side by side are one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Movement {
    /// Dimensions as they lie.
    pub(crate) from: Vec<usize>,
    /// Axis `i` of the result is axis `permutation[i]` of `from`.
    pub(crate) permutation: Vec<usize>,
}

/// What moving `dims` from one order to another comes to.
pub(crate) fn movement(dims: &[usize], from: &[usize], to: &[usize]) -> Movement {
    let used = |order: &[usize]| {
        order
            .iter()
            .copied()
            .filter(|&axis| dims[axis] != 1)
            .collect::<Vec<_>>()
    };
    let (from, to) = (used(from), used(to));
    // Runs of axes that are neighbours in both.
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for &axis in &from {
        let follows = |run: &Vec<usize>| {
            let last = run.last().and_then(|last| to.iter().position(|other| other == last));
            last.is_some_and(|last| to.get(last + 1) == Some(&axis))
        };
        match runs.last_mut() {
            Some(run) if follows(run) => run.push(axis),
            _ => runs.push(vec![axis]),
        }
    }
    let starts = to.iter().filter_map(|axis| runs.iter().position(|run| run[0] == *axis));
    Movement {
        permutation: starts.collect(),
        from: runs
            .iter()
            .map(|run| run.iter().map(|&axis| dims[axis]).product())
            .collect(),
    }
}

/// One layer's part of a movement: a map of the dimensions `from` whose axes are put into `order`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: [usize; 3],
    /// Axis `i` of the result is axis `order[i]` of `from`.
    pub(crate) order: [usize; 3],
}

/// A movement that is one layer: channels become blocks of pixels, or the other way round.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Blocks {
    /// `depth_to_space` or `space_to_depth`.
    pub(crate) op: &'static str,
    /// Channels, height, width before it.
    pub(crate) from: [usize; 3],
    pub(crate) block: usize,
    /// Whether a block's places are channels' outer axis.
    pub(crate) dcr: bool,
}

impl Movement {
    /// The layer that does all of it, as exporters write it with views.
    pub(crate) fn blocks(&self) -> Option<Blocks> {
        let to_space = |c: usize, [b, b2]: [usize; 2], [h, w]: [usize; 2], dcr| {
            (b == b2).then(|| Blocks {
                op: "depth_to_space",
                from: [c * b * b, h, w],
                block: b,
                dcr,
            })
        };
        let to_depth = |c: usize, [b, b2]: [usize; 2], [h, w]: [usize; 2]| {
            (b == b2).then(|| Blocks {
                op: "space_to_depth",
                from: [c, h * b, w * b],
                block: b,
                dcr: false,
            })
        };
        match (&*self.from, &*self.permutation) {
            (&[c, b, b2, h, w], [0, 3, 1, 4, 2]) => to_space(c, [b, b2], [h, w], false),
            (&[b, b2, c, h, w], [2, 3, 0, 4, 1]) => to_space(c, [b, b2], [h, w], true),
            (&[b, b2, h, w], [2, 0, 3, 1]) => to_space(1, [b, b2], [h, w], false),
            (&[c, h, b, w, b2], [2, 4, 0, 1, 3]) => to_depth(c, [b, b2], [h, w]),
            (&[h, b, w, b2], [1, 3, 0, 2]) => to_depth(1, [b, b2], [h, w]),
            _ => None,
        }
    }

    /// The fewest transpositions of maps that come to this movement; `None` if it has too many axes to look for them.
    pub(crate) fn steps(&self) -> Option<Vec<Step>> {
        let runs = self.from.len();
        if runs > MOST_RUNS {
            return None;
        }
        let start: Vec<usize> = (0..runs).collect();
        let mut reached = HashMap::from([(start.clone(), None)]);
        let mut queue = VecDeque::from([start]);
        while let Some(state) = queue.pop_front() {
            if state == self.permutation {
                return Some(self.way(&reached, state));
            }
            for (cuts, order) in moves(runs) {
                let next = moved(&state, cuts, order);
                if !reached.contains_key(&next) {
                    reached.insert(next.clone(), Some((state.clone(), cuts, order)));
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// The steps that led to a state.
    fn way(&self, reached: &HashMap<Vec<usize>, Option<Origin>>, mut state: Vec<usize>) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(Some((before, cuts, order))) = reached.get(&state) {
            let from = groups(before, *cuts).map(|group| group.iter().map(|&run| self.from[run]).product());
            steps.push(Step { from, order: *order });
            state.clone_from(before);
        }
        steps.reverse();
        steps
    }
}

/// The state before, where it was cut into three, and how these changed places.
type Origin = (Vec<usize>, [usize; 2], [usize; 3]);

/// Every way to cut so many runs into three groups and to put these into another order.
fn moves(runs: usize) -> impl Iterator<Item = ([usize; 2], [usize; 3])> {
    let cuts = (0..runs).flat_map(move |i| (i + 1..=runs).map(move |j| [i, j]));
    cuts.flat_map(|cuts| [[0, 2, 1], [1, 0, 2], [2, 1, 0]].map(|order| (cuts, order)))
}

fn groups(state: &[usize], [i, j]: [usize; 2]) -> [&[usize]; 3] {
    [&state[..i], &state[i..j], &state[j..]]
}

fn moved(state: &[usize], cuts: [usize; 2], order: [usize; 3]) -> Vec<usize> {
    let groups = groups(state, cuts);
    order.iter().flat_map(|&group| groups[group]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_move_together() {
        let moved = |dims: &[usize], from: &[usize], to: &[usize]| {
            let movement = movement(dims, from, to);
            (movement.from, movement.permutation)
        };
        // Channels of a shuffle: two axes change places, the rest stays behind them.
        assert_eq!(
            moved(&[2, 58, 28, 28], &[0, 1, 2, 3], &[1, 0, 2, 3]),
            (vec![2, 58, 784], vec![1, 0, 2])
        );
        assert_eq!(moved(&[3, 4, 5], &[0, 1, 2], &[1, 2, 0]), (vec![3, 20], vec![1, 0]));
        assert_eq!(moved(&[7, 1, 1], &[0, 1, 2], &[1, 2, 0]), (vec![7], vec![0]));
        assert_eq!(
            moved(&[3, 4, 5], &[0, 1, 2], &[2, 1, 0]),
            (vec![3, 4, 5], vec![2, 1, 0])
        );
    }

    /// Carried out on numbers, the steps come to the permutation.
    #[test]
    fn any_order_is_a_few_transpositions_of_maps() {
        for (permutation, most) in [
            (&[1, 0][..], 1),
            (&[2, 1, 0], 1),
            (&[0, 2, 1, 3], 2),
            (&[0, 3, 1, 4, 2], 2),
            (&[4, 3, 2, 1, 0], 3),
            (&[5, 0, 4, 1, 3, 2], 3),
        ] {
            let movement = Movement {
                from: (2..2 + permutation.len()).collect(),
                permutation: permutation.to_vec(),
            };
            let steps = movement.steps().unwrap();
            assert!(steps.len() <= most, "{permutation:?}: {steps:?}");
            let elements: usize = movement.from.iter().product();
            let mut found: Vec<usize> = (0..elements).collect();
            for step in &steps {
                found = transposed(&found, &step.from, &step.order);
            }
            let all: Vec<usize> = (0..elements).collect();
            assert_eq!(found, transposed(&all, &movement.from, permutation), "{permutation:?}");
        }
        let many = Movement {
            from: vec![2; 8],
            permutation: (0..8).rev().collect(),
        };
        assert_eq!(many.steps(), None);
    }

    fn transposed(elements: &[usize], dims: &[usize], order: &[usize]) -> Vec<usize> {
        let tensor = crate::tensor::Tensor::from_integers(
            dims.to_vec(),
            &elements.iter().map(|&element| element as i64).collect::<Vec<_>>(),
        );
        let turned = crate::fold::transposed(&tensor, order).integers().unwrap();
        turned.into_iter().map(|element| element as usize).collect()
    }
}
