//! A graph as a declaration: for tools that make graphs and want them written as model files.

use std::collections::BTreeSet;

use crate::ast::{InputDecl, Key, LayerDecl, NetDecl, Value, ValueKind};
use crate::graph::{Graph, NodeId};
use crate::op::Op;
use crate::span::{Span, Spanned};
use crate::text;

/// The declaration of a graph of the core's operators, without what only passes make (folded norms, residuals of
/// convolutions): layers in the order in which they are computed, each with its operands by name.
///
/// ```
/// use cnn_ir::front::{declare, graph_from_toml, write};
///
/// let text = "name = \"n\"\noutputs = [\"y\"]\n\n[inputs]\nx = [3]\n\n[[layer]]\nname = \"y\"\nop = \"relu\"\nfrom = \"x\"\n";
/// let (graph, _) = graph_from_toml(text).expect("a model");
/// assert_eq!(write::toml(&declare(&graph)), text);
/// ```
pub fn declare(graph: &Graph) -> NetDecl {
    let mut net = NetDecl {
        name: (!graph.name.is_empty()).then(|| unplaced(&graph.name)),
        ..NetDecl::default()
    };
    for id in text::order(graph) {
        let node = &graph[id];
        let mut keys: Vec<Key> = node.op.keys().into_iter().map(|(name, kind)| key(name, kind)).collect();
        if matches!(node.op, Op::Input(_)) {
            net.inputs.push(InputDecl {
                name: unplaced(&node.name),
                keys,
            });
            continue;
        }
        if node.weights != node.name && !node.op.operator().weights_doc().is_empty() {
            keys.push(key("weights", ValueKind::Text(node.weights.clone())));
        }
        let operands: Vec<NodeId> = graph.operands(id);
        let from: Vec<&str> = operands.iter().map(|&operand| &*graph[operand].name).collect();
        net.layers.push(layer(&node.name, node.op.name(), &from, keys));
    }
    // An output is called as the layer that computes it: one that has another name gets a layer that does nothing.
    let names: BTreeSet<&str> = graph.ids().map(|id| &*graph[id].name).collect();
    for output in graph.outputs() {
        let name = &*graph[output.node].name;
        if name != output.name && !names.contains(&*output.name) {
            net.layers.push(layer(&output.name, "identity", &[name], Vec::new()));
        }
    }
    net.outputs = Some(graph.outputs().iter().map(|output| unplaced(&output.name)).collect());
    net
}

fn layer(name: &str, op: &str, from: &[&str], keys: Vec<Key>) -> LayerDecl {
    LayerDecl {
        name: unplaced(name),
        op: unplaced(op),
        from: (!from.is_empty()).then(|| from.iter().map(|name| unplaced(name)).collect()),
        keys,
        span: Span::NONE,
        instances: Vec::new(),
    }
}

fn key(name: &str, kind: ValueKind) -> Key {
    Key {
        name: unplaced(name),
        value: Value::unplaced(kind),
    }
}

fn unplaced(text: &str) -> Spanned<String> {
    Spanned::new(text.to_owned(), Span::NONE)
}
