//! The network as its layers are quantised: norms folded, activations attached where integers can follow them, and layers of
//! their own where not.

use std::collections::HashSet;

use cnn_ir::graph::{Graph, Node, NodeId};
use cnn_ir::op::{Activation, Op};
use cnn_ir::passes::{DeadCode, DropIdentities, Expand, FoldBatchNorm, FoldPad, FuseActivation, Pass, optimise_with};
use cnn_ir::validate::{Shapes, validate};
use cnn_ir::value::Quantisation;

use crate::{Error, Model};

/// What is quantised.
pub(super) struct Prepared {
    pub(super) graph: Graph,
    pub(super) shapes: Shapes,
    /// All nodes, operands before users.
    pub(super) order: Vec<NodeId>,
}

/// The passes that bring layers together, but those that integers have counterparts of: sums stay layers.
const PASSES: &[&dyn Pass] = &[
    &DeadCode,
    &Expand,
    &DropIdentities,
    &FoldPad,
    &FoldBatchNorm,
    &FuseActivation,
];

/// Whether an activation only cuts off, which integers do as well.
pub(super) fn cuts_off(activation: Option<Activation>) -> bool {
    let any = Quantisation {
        scale: 1.0,
        zero_point: 0,
    };
    any.bounds(activation).is_some()
}

pub(super) fn prepare(model: &Model) -> Result<Prepared, Error> {
    let mut graph = model.graph().clone();
    let invalid = |fault: &dyn std::fmt::Display| Error::Internal(format!("{}: {fault}", model.name()));
    optimise_with(&mut graph, PASSES, |_, _, _| {}).map_err(|fault| invalid(&fault))?;
    let integers = |op: &Op| {
        matches!(
            op,
            Op::Quantize(_) | Op::Dequantize(_) | Op::QuantizedConv(_) | Op::QuantizedDense(_) | Op::QuantizedAdd(_)
        )
    };
    if let Some(id) = graph.ids().find(|&id| integers(&graph[id].op)) {
        return Err(Error::Option(format!(
            "`{}` computes with 8-bit integers already: `{}` is a `{}`",
            model.name(),
            graph[id].name,
            graph[id].op.name()
        )));
    }
    let mut names = Names::new(&graph);
    for id in graph.ids().collect::<Vec<_>>() {
        let splits = matches!(graph[id].op, Op::Conv(_) | Op::Dense(_) | Op::Combine(_));
        if let Some(activation) = graph[id].op.activation().filter(|_| splits)
            && !cuts_off(Some(activation))
        {
            split(&mut graph, &mut names, id, activation);
        }
    }
    let order = graph.order().map_err(|_| invalid(&"a cycle"))?;
    let shapes = validate(&graph).map_err(|_| invalid(&"an invalid graph"))?;
    Ok(Prepared { graph, shapes, order })
}

/// Makes an activation that a layer applies a layer of its own, which keeps the name.
fn split(graph: &mut Graph, names: &mut Names, id: NodeId, activation: Activation) {
    let name = graph[id].name.clone();
    let node = Node {
        op: Op::Activation(activation),
        weights: name.clone(),
        place: graph[id].place.clone(),
        name: name.clone(),
    };
    let split = graph.add(node, &[]);
    graph.replace_uses(id, split);
    graph.set_operands(split, &[id]);
    graph[id].op.set_activation(None);
    graph[id].name = names.fresh(&name, "sum");
}

/// The names of a network's layers, and new ones beside them.
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn new(graph: &Graph) -> Names {
        let layers = graph.ids().map(|id| graph[id].name.clone());
        let outputs = graph.outputs().iter().map(|output| output.name.clone());
        Names(layers.chain(outputs).collect())
    }

    /// A new name for a part of `layer`.
    pub(super) fn fresh(&mut self, layer: &str, part: &str) -> String {
        let plain = format!("{layer}.{part}");
        let mut name = plain.clone();
        let mut number = 2;
        while self.0.contains(&name) {
            name = format!("{plain}{number}");
            number += 1;
        }
        self.0.insert(name.clone());
        name
    }
}
