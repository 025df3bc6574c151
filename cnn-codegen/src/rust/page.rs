//! What `cargo doc` says about a network: its layers with shapes, parameters and multiplications, and the totals.

use std::fmt::Write;

use cnn_ir::cost;
use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::Op;
use cnn_ir::validate::Shapes;

/// The page, as Markdown.
pub(super) fn page(graph: &Graph, shapes: &Shapes) -> String {
    let mut text = String::from(
        "# Layers\n\n\
         | layer | computed as | output | because | parameters | multiplications |\n\
         |---|---|---|---|---:|---:|\n",
    );
    let order = graph.order().unwrap_or_default();
    for id in order {
        text += &row(graph, shapes, id);
    }
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\n{} parameters, {} multiplications an image.",
        grouped(cost::parameters(graph, shapes)),
        grouped(cost::multiplications(graph, shapes)),
    );
    text
}

fn row(graph: &Graph, shapes: &Shapes, id: NodeId) -> String {
    let node = &graph[id];
    let operands = shapes.operands(graph, id);
    let cost = node.op.cost(&operands);
    let number = |number: u64, text: String| if number == 0 { String::new() } else { text };
    let formula = node.op.formula(&operands);
    format!(
        "| `{}` | `{}` | `{}` | {} | {} | {} |\n",
        node.name,
        call(graph, id),
        shapes[id],
        formula.replace('|', "\\|").replace('\n', " "),
        number(cost.parameters, grouped(cost.parameters)),
        number(cost.multiplications, cost.product),
    )
}

/// `conv(image, filters = 6, kernel = 5)`
fn call(graph: &Graph, id: NodeId) -> String {
    let node = &graph[id];
    if let Op::Input(_) = node.op {
        return "input".to_owned();
    }
    let operands = graph
        .operands(id)
        .into_iter()
        .map(|operand| graph[operand].name.clone());
    let keys = node
        .op
        .keys()
        .into_iter()
        .map(|(key, value)| format!("{key} = {value}"));
    let arguments: Vec<_> = operands.chain(keys).collect();
    format!("{}({})", node.op.name(), arguments.join(", "))
}

/// A number that can be read: `61,706`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    parts.join(",")
}
