//! The graph as Graphviz input: `cnn dump MODEL --format dot | dot -Tsvg`.

use std::fmt::Write;

use crate::graph::{Graph, Node};
use crate::op::Op;
use crate::text;
use crate::validate::Shapes;

/// The graph in Graphviz's language: a box for each node with its name, operator, keys and (if known) shape, and an
/// arrow from each operand to its user, in the order of the operands. The same graph gives the same text.
pub fn print(graph: &Graph, shapes: Option<&Shapes>) -> String {
    let order = text::order(graph);
    let mut dot = format!("digraph {} {{\n", quoted(&graph.name));
    dot += "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fillcolor=\"#ffffff\"];\n";
    dot += "  edge [fontname=\"Helvetica\", fontsize=9];\n";
    for id in &order {
        let node = &graph[*id];
        let mut lines = vec![node.name.clone(), operator(node)];
        lines.extend(shapes.and_then(|shapes| shapes.get(*id)).map(|shape| shape.to_string()));
        let label = quoted(&lines.join("\n"));
        // Writing to a string does not fail.
        let _ = writeln!(
            dot,
            "  n{} [label={label}, fillcolor=\"{}\"];",
            id.index(),
            node.op.colour()
        );
    }
    for id in &order {
        let operands = graph.operands(*id);
        for (position, operand) in operands.iter().enumerate() {
            let label = if operands.len() > 1 {
                format!(" [label=\"{position}\"]")
            } else {
                String::new()
            };
            let _ = writeln!(dot, "  n{} -> n{}{label};", operand.index(), id.index());
        }
    }
    for (i, output) in graph.outputs().iter().enumerate() {
        let _ = writeln!(
            dot,
            "  out{i} [label={}, shape=plaintext, style=\"\"];",
            quoted(&output.name)
        );
        let _ = writeln!(dot, "  n{} -> out{i};", output.node.index());
    }
    dot.push_str("}\n");
    dot
}

/// The operator and its keys, in lines of a readable length.
fn operator(node: &Node) -> String {
    let mut text = node.op.name().to_string();
    let mut length = text.len();
    let mut keys = node.op.keys();
    if matches!(node.op, Op::Input(_) | Op::Constant(_)) {
        // A shape of its own is that of its value, which stands below.
        keys.retain(|(key, _)| *key != "shape");
    }
    for (i, (key, value)) in keys.into_iter().enumerate() {
        let word = format!("{key} = {value}");
        text += if i == 0 { "" } else { "," };
        if length + word.len() > 40 {
            text.push('\n');
            length = 0;
        } else {
            text.push(' ');
        }
        length += word.len() + 2;
        text += &word;
    }
    text
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    )
}
