//! Graph → text.

use std::fmt::Write;

use crate::ast::ValueKind;
use crate::graph::{Graph, NodeId};
use crate::validate::Shapes;

/// The text form of a graph, with the shape of every node if they are known. The same graph gives the same text.
pub fn print(graph: &Graph, shapes: Option<&Shapes>) -> String {
    let mut text = format!("network {:?} {{\n", graph.name);
    for id in order(graph) {
        text += "  ";
        text += &node(graph, id);
        if let Some(shape) = shapes.and_then(|shapes| shapes.get(id)) {
            // Writing to a string does not fail.
            let _ = write!(text, " -> {shape}");
        }
        text.push('\n');
    }
    let outputs: Vec<_> = graph
        .outputs()
        .iter()
        .map(|output| match graph[output.node].name.as_str() {
            name if name == output.name => format!("%{name}"),
            name => format!("{} = %{name}", output.name),
        })
        .collect();
    if !outputs.is_empty() {
        let _ = writeln!(text, "  return {}", outputs.join(", "));
    }
    text.push_str("}\n");
    text
}

/// Inputs first, as they are declared, then operands before users. A graph with a cycle keeps its own order.
pub(crate) fn order(graph: &Graph) -> Vec<NodeId> {
    let order = graph.order().unwrap_or_else(|_| graph.ids().collect());
    let inputs = graph.inputs();
    let layers = order.into_iter().filter(|id| !inputs.contains(id));
    inputs.iter().copied().chain(layers).collect()
}

fn node(graph: &Graph, id: NodeId) -> String {
    let node = &graph[id];
    let operands = graph
        .operands(id)
        .into_iter()
        .map(|operand| format!("%{}", graph[operand].name));
    let keys = node
        .op
        .keys()
        .into_iter()
        .map(|(key, value)| format!("{key} = {value}"));
    let weights = (node.weights != node.name).then(|| format!("weights = {}", ValueKind::Text(node.weights.clone())));
    let arguments: Vec<_> = operands.chain(keys).chain(weights).collect();
    format!("%{} = {}({})", node.name, node.op.name(), arguments.join(", "))
}
