//! The two steps that all fusions share: may a node be absorbed, and absorbing it.

use crate::graph::{Graph, NodeId};
use crate::op::Op;

/// Why `node` cannot vanish into its user `user`: others need its result as well. `None` if nothing is in the way.
pub(super) fn shared(graph: &Graph, node: NodeId, user: NodeId) -> Option<String> {
    let name = &graph[node].name;
    if graph.is_output(node) {
        return Some(format!("the result of `{name}` is an output of the network"));
    }
    let mut others: Vec<_> = graph.users(node).into_iter().map(|(id, _)| id).collect();
    if let Some(position) = others.iter().position(|&id| id == user) {
        others.remove(position);
    }
    let other = *others.first()?;
    Some(if other == user {
        format!("it uses the result of `{name}` twice")
    } else {
        format!("the result of `{name}` is used by `{}` too", graph[other].name)
    })
}

/// Lets `node` compute what `last` computed: it takes over the uses and the name, and `last` is removed.
pub(super) fn absorb(graph: &mut Graph, node: NodeId, last: NodeId) {
    let name = graph[last].name.clone();
    graph.set_operands(last, &[]);
    graph.replace_uses(last, node);
    graph.remove(last);
    // Operators with weights keep their prefix.
    if !matches!(
        graph[node].op,
        Op::Conv(_)
            | Op::ConvTranspose(_)
            | Op::Dense(_)
            | Op::BatchNorm(_)
            | Op::QuantizedConv(_)
            | Op::QuantizedDense(_)
    ) {
        graph[node].weights.clone_from(&name);
    }
    graph[node].name = name;
}
