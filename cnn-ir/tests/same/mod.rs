//! When two graphs are the same: nodes by name, whatever their ids and places.

use cnn_ir::graph::{Graph, NodeId};

/// Fails where the second graph differs from the first.
pub(crate) fn assert_same(a: &Graph, b: &Graph) {
    assert_eq!(a.name, b.name);
    assert_eq!(a.len(), b.len());
    let names =
        |graph: &Graph, ids: &[NodeId]| -> Vec<String> { ids.iter().map(|id| graph[*id].name.clone()).collect() };
    assert_eq!(names(a, a.inputs()), names(b, b.inputs()));
    let outputs = |graph: &Graph| -> Vec<(String, String)> {
        graph
            .outputs()
            .iter()
            .map(|output| (output.name.clone(), graph[output.node].name.clone()))
            .collect()
    };
    assert_eq!(outputs(a), outputs(b));
    for id in a.ids() {
        let node = &a[id];
        let other = b.find(&node.name).unwrap_or_else(|| panic!("{} is missing", node.name));
        assert_eq!(node.op, b[other].op, "{}", node.name);
        assert_eq!(node.weights, b[other].weights);
        assert_eq!(names(a, &a.operands(id)), names(b, &b.operands(other)), "{}", node.name);
    }
}
