//! What the numbers of an answer are.

use crate::graph::{Graph, NodeId};

/// What the numbers of an operator's result are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A softmax's results.
    Probabilities,
    /// Their logarithms.
    LogProbabilities,
    /// What a softmax would take: a classifier without one.
    Scores,
    /// Places along an axis: whole numbers.
    Indices,
    /// 1 where something holds, 0 elsewhere.
    Mask,
    /// Anything else.
    Values,
}

impl Meaning {
    /// What the numbers of each of a graph's outputs are: also of those that were only moved since.
    pub fn of_outputs(graph: &Graph) -> Vec<Meaning> {
        let slots = graph.ids().map(|id| id.index() + 1).max().unwrap_or(0);
        let mut known = vec![Meaning::Values; slots];
        // Of a graph with a cycle nothing is said.
        for id in graph.order().unwrap_or_default() {
            let operands: Vec<Meaning> = graph.operands(id).into_iter().map(|id| known[id.index()]).collect();
            known[id.index()] = graph[id].op.meaning_of(&operands);
        }
        let of = |node: NodeId| known[node.index()];
        graph.outputs().iter().map(|output| of(output.node)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front;

    #[test]
    fn indices_stay_indices_wherever_they_go() {
        let model = r#"
            outputs = ["turned", "sum", "chosen"]
            [inputs]
            x = [3, 4, 5]
            [[layer]]
            name = "classes"
            op = "arg_max"
            [[layer]]
            name = "turned"
            op = "transpose"
            order = [1, 2, 0]
            [[layer]]
            name = "sum"
            op = "add"
            from = ["classes", "classes"]
            [[layer]]
            name = "mask"
            op = "less"
            from = ["classes", "sum"]
            [[layer]]
            name = "chosen"
            op = "where"
            from = ["mask", "mask", "mask"]
        "#;
        let (graph, _) = front::graph_from_toml(model).expect("a valid model");
        let found = Meaning::of_outputs(&graph);
        assert_eq!(found, [Meaning::Indices, Meaning::Values, Meaning::Mask]);
    }
}
