//! From a graph to the shapes of all its values, or everything that is wrong with it.

use std::collections::BTreeSet;

use crate::diag::Diagnostic;
use crate::graph::{Graph, Node, NodeId};
use crate::op::Fault;
use crate::shape::Shape;

/// The shape of every node's result: what makes a graph a valid one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shapes {
    by_node: Vec<Option<Shape>>,
}

impl Shapes {
    /// The shape of a node's result; `None` for a node of another graph or a later state of it.
    pub fn get(&self, id: NodeId) -> Option<Shape> {
        self.by_node.get(id.index()).copied().flatten()
    }

    /// The shapes of a node's operands, in order.
    ///
    /// # Panics
    /// If the graph changed since it was validated.
    pub fn operands(&self, graph: &Graph, id: NodeId) -> Vec<Shape> {
        graph.operands(id).into_iter().map(|operand| self[operand]).collect()
    }

    fn set(&mut self, id: NodeId, shape: Shape) {
        if self.by_node.len() <= id.index() {
            self.by_node.resize(id.index() + 1, None);
        }
        self.by_node[id.index()] = Some(shape);
    }
}

impl std::ops::Index<NodeId> for Shapes {
    type Output = Shape;

    /// # Panics
    /// For a node that was not in the graph when it was validated.
    fn index(&self, id: NodeId) -> &Shape {
        self.by_node[id.index()].as_ref().expect("the node was validated")
    }
}

/// Infers the shape of every node's result.
///
/// # Errors
/// Every fault that does not follow from another: a node behind a faulty one is skipped. Nodes on a cycle are
/// reported once a cycle.
pub fn validate(graph: &Graph) -> Result<Shapes, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut shapes = Shapes::default();
    let (order, cyclic) = cut_cycles(graph, &mut errors);
    for id in order {
        if cyclic.contains(&id) {
            continue;
        }
        let operands = graph.operands(id);
        let known: Option<Vec<_>> = operands.iter().map(|&operand| shapes.get(operand)).collect();
        let Some(known) = known else { continue };
        match graph[id].op.shape(&known) {
            Ok(shape) => shapes.set(id, shape),
            Err(faults) => {
                let inputs = describe(graph, &operands, &known);
                errors.extend(faults.into_iter().map(|fault| place(&graph[id], fault, &inputs)));
            }
        }
    }
    if errors.is_empty() { Ok(shapes) } else { Err(errors) }
}

/// All nodes, operands first, and those that are on a cycle. Each cycle is an error.
fn cut_cycles(graph: &Graph, errors: &mut Vec<Diagnostic>) -> (Vec<NodeId>, BTreeSet<NodeId>) {
    let mut cyclic = BTreeSet::new();
    if let Ok(order) = graph.order() {
        return (order, cyclic);
    }
    let mut acyclic = graph.clone();
    loop {
        let mut cycle = acyclic.cycle();
        let Some(first) = (0..cycle.len()).min_by_key(|&i| cycle[i]) else {
            break;
        };
        cycle.rotate_left(first);
        acyclic.set_operands(cycle[0], &[]);
        errors.push(cycle_error(graph, &cycle));
        cyclic.extend(cycle);
    }
    (acyclic.order().unwrap_or_default(), cyclic)
}

/// `cycle`: each node an operand of the next, the last one of the first.
fn cycle_error(graph: &Graph, cycle: &[NodeId]) -> Diagnostic {
    let names: Vec<_> = cycle
        .iter()
        .chain(&cycle[..1])
        .map(|&id| graph[id].name.as_str())
        .collect();
    let first = &graph[cycle[0]];
    let last = &graph[cycle[cycle.len() - 1]];
    let message = format!("the layers form a cycle: {}", names.join(" → "));
    let mut error = Diagnostic::error(first.place.key("from"), message)
        .label(format!("`{}` needs the result of `{}`", first.name, last.name));
    for pair in cycle.windows(2) {
        let (operand, user) = (&graph[pair[0]], &graph[pair[1]]);
        let text = format!("`{}` needs the result of `{}`", user.name, operand.name);
        error = error.also(user.place.key("from"), text);
    }
    error.note("a layer can be computed only when its operands are: none may depend on the layer itself")
}

/// "its input is `image` [3, 8, 8]"
fn describe(graph: &Graph, operands: &[NodeId], shapes: &[Shape]) -> String {
    let named: Vec<_> = operands
        .iter()
        .zip(shapes)
        .map(|(&id, shape)| format!("`{}` {shape}", graph[id].name))
        .collect();
    match named.len() {
        0 => String::new(),
        1 => format!("its input is {}", named[0]),
        _ => format!("its inputs are {}", named.join(", ")),
    }
}

/// The diagnostic of a fault: at the guilty key, with the block instances that the layer came from.
fn place(node: &Node, fault: Fault, inputs: &str) -> Diagnostic {
    let span = fault.key.map_or(node.place.op, |key| node.place.key(key));
    let mut error = Diagnostic::error(span, format!("{}: {}", node.name, fault.message));
    for &instance in &node.place.instances {
        error = error.also(instance, "in this block instance");
    }
    error.notes = fault.notes;
    if inputs.is_empty() { error } else { error.note(inputs) }
}
