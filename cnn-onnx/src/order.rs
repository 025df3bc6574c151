//! Nodes in an order in which every input is known before it is used. Files should have that order already; some do not.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::error::quoted;
use crate::proto;

/// The indices of the graph's nodes in such an order, the file's as far as possible; `known` are names that are there
/// from the beginning. Beside it the nodes that are left out, each with the reason.
pub(crate) fn order<'a>(
    nodes: &'a [proto::Node],
    known: impl Iterator<Item = &'a str>,
) -> (Vec<usize>, Vec<(usize, String)>) {
    const NOBODY: usize = usize::MAX;
    let mut producers: HashMap<&str, usize> = known.map(|name| (name, NOBODY)).collect();
    let mut faults = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            if producers.insert(output, index).is_some() {
                faults.push((index, format!("its output {} is also something else's", quoted(output))));
            }
        }
    }
    let mut waiting = vec![0usize; nodes.len()];
    let mut users: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for input in node.input.iter().filter(|name| !name.is_empty()) {
            match producers.get(&**input) {
                Some(&NOBODY) => {}
                Some(&producer) => {
                    waiting[index] += 1;
                    users.entry(producer).or_default().push(index);
                }
                // Said when the node is imported, with everything else that is wrong with it.
                None => {}
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..nodes.len()).filter(|&i| waiting[i] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for user in users.remove(&index).into_iter().flatten() {
            waiting[user] -= 1;
            if waiting[user] == 0 {
                ready.push(Reverse(user));
            }
        }
    }
    if order.len() < nodes.len()
        && let Some(index) = (0..nodes.len()).find(|&index| waiting[index] > 0)
    {
        let left = nodes.len() - order.len();
        faults.push((
            index,
            format!("is in a circle, or behind one, with {left} nodes altogether"),
        ));
    }
    (order, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(input: &[&str], output: &[&str]) -> proto::Node {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        proto::Node {
            input: names(input),
            output: names(output),
            ..proto::Node::default()
        }
    }

    #[test]
    fn nodes_wait_for_their_inputs() {
        let nodes = [node(&["b", "x"], &["c"]), node(&["x"], &["a"]), node(&["a"], &["b"])];
        assert_eq!(order(&nodes, ["x"].into_iter()), (vec![1, 2, 0], vec![]));
    }

    #[test]
    fn circles_and_doubles_are_faults() {
        let nodes = [node(&["x"], &["a"]), node(&["c"], &["b"]), node(&["b"], &["c"])];
        let (order_of, faults) = order(&nodes, ["x"].into_iter());
        assert_eq!((order_of, faults[0].0), (vec![0], 1));
        assert!(faults[0].1.contains("circle"), "{}", faults[0].1);
        let nodes = [node(&["x"], &["a"]), node(&["x"], &["a"]), node(&[], &["x"])];
        assert_eq!(order(&nodes, ["x"].into_iter()).1.len(), 2);
    }
}
