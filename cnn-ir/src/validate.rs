//! From a graph to the types of all its values, or everything that is wrong with it.

use std::collections::BTreeSet;

use crate::diag::Diagnostic;
use crate::graph::{Graph, Node, NodeId};
use crate::op::Fault;
use crate::shape::Shape;
use crate::value::{ElementType, ValueType};

/// The shape of every node's result, with the type of its elements: what makes a graph a valid one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shapes {
    by_node: Vec<Option<ValueType>>,
}

impl Shapes {
    /// The shape of a node's result; `None` for a node of another graph or a later state of it.
    pub fn get(&self, id: NodeId) -> Option<Shape> {
        self.known(id).map(|value| value.shape)
    }

    /// The type of a node's result: its shape, and what its elements are.
    ///
    /// # Panics
    /// For a node that was not in the graph when it was validated.
    pub fn value(&self, id: NodeId) -> ValueType {
        self.known(id).expect("the node was validated")
    }

    fn known(&self, id: NodeId) -> Option<ValueType> {
        self.by_node.get(id.index()).copied().flatten()
    }

    /// The shapes of a node's operands, in order.
    ///
    /// # Panics
    /// If the graph changed since it was validated.
    pub fn operands(&self, graph: &Graph, id: NodeId) -> Vec<Shape> {
        graph.operands(id).into_iter().map(|operand| self[operand]).collect()
    }

    fn set(&mut self, id: NodeId, value: ValueType) {
        if self.by_node.len() <= id.index() {
            self.by_node.resize(id.index() + 1, None);
        }
        self.by_node[id.index()] = Some(value);
    }
}

impl std::ops::Index<NodeId> for Shapes {
    type Output = Shape;

    /// # Panics
    /// For a node that was not in the graph when it was validated.
    fn index(&self, id: NodeId) -> &Shape {
        let value = self.by_node[id.index()].as_ref();
        &value.expect("the node was validated").shape
    }
}

/// Infers the type of every node's result.
///
/// # Errors
/// Every fault that does not follow from another, in the order of the source: a node behind a faulty one is skipped.
/// Nodes on a cycle are reported once a cycle.
pub fn validate(graph: &Graph) -> Result<Shapes, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let (order, cyclic) = cut_cycles(graph, &mut errors);
    let known = order.into_iter().filter(|id| !cyclic.contains(id));
    let shapes = infer(graph, known, &mut errors);
    let integers = |id: NodeId| shapes.known(id).is_some_and(|value| value.element != ElementType::F32);
    for output in graph.outputs().iter().filter(|output| integers(output.node)) {
        let fault = Fault::new(
            None,
            "an output of the network must be real numbers, not 8-bit integers",
        );
        errors.push(place(
            &graph[output.node],
            fault.note("put a `dequantize` after it"),
            "",
        ));
    }
    errors.sort_by_key(|error| error.primary.as_ref().map_or(usize::MAX, |label| label.span.start));
    if errors.is_empty() { Ok(shapes) } else { Err(errors) }
}

/// The faults of a graph that is known in part: nothing is said about `unknown` nodes, and nothing about shapes
/// behind them or behind a cycle. Cycles themselves are not reported.
pub(crate) fn validate_what_is_known(graph: &Graph, unknown: &BTreeSet<NodeId>) -> Vec<Diagnostic> {
    let mut open = graph.clone();
    unknown.iter().for_each(|&id| open.set_operands(id, &[]));
    // Nodes on a cycle or behind one: each has another as its operand, so none gets a shape.
    let shapeless = open.order().err().unwrap_or_default();
    shapeless.iter().for_each(|&id| open.set_operands(id, &[]));
    let (last, first): (Vec<_>, Vec<_>) =
        (open.order().unwrap_or_default().into_iter()).partition(|id| shapeless.binary_search(id).is_ok());
    let known = first.into_iter().chain(last).filter(|id| !unknown.contains(id));
    let mut errors = Vec::new();
    infer(graph, known, &mut errors);
    errors
}

/// The shapes of the nodes in `order`. A node of which an operand has no shape gets none.
fn infer(graph: &Graph, order: impl Iterator<Item = NodeId>, errors: &mut Vec<Diagnostic>) -> Shapes {
    let mut shapes = Shapes::default();
    for id in order {
        let operands = graph.operands(id);
        let known: Option<Vec<_>> = operands.iter().map(|&operand| shapes.known(operand)).collect();
        let Some(known) = known else {
            // What an operand's fault hides is not known, but how many operands there are is.
            let op = &graph[id].op;
            if let Err(fault) = op.arity().check(op.name(), operands.len()) {
                errors.push(place(&graph[id], fault, ""));
            }
            continue;
        };
        match graph[id].op.value_type(&known) {
            Ok(value) => shapes.set(id, value),
            Err(faults) => {
                let inputs = describe(graph, &operands, &known);
                errors.extend(faults.into_iter().map(|fault| place(&graph[id], fault, &inputs)));
            }
        }
    }
    shapes
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
fn describe(graph: &Graph, operands: &[NodeId], values: &[ValueType]) -> String {
    let named: Vec<_> = operands
        .iter()
        .zip(values)
        .map(|(&id, value)| format!("`{}` {}", graph[id].name, value.shape))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Place;
    use crate::op::{Activation, Combine, CombineKind, Dense, Flatten, Input, InputLayout, Op};
    use crate::span::Span;

    const IMAGE: Shape = Shape::map(3, 8, 8);
    const ADD: Op = Op::Combine(Combine {
        kind: CombineKind::Add,
        activation: None,
    });
    const RELU: Op = Op::Activation(Activation::Relu);

    /// A node whose operator stands at `at`, and its operands ten further.
    fn node(name: &str, op: Op, at: usize) -> Node {
        Node {
            name: name.to_owned(),
            op,
            weights: name.to_owned(),
            place: Place {
                op: Span::from(at..at + 1),
                from: Some(Span::from(at + 10..at + 11)),
                ..Place::default()
            },
        }
    }

    fn graph() -> (Graph, NodeId) {
        let mut graph = Graph::new("net");
        let input = Input {
            shape: IMAGE,
            layout: InputLayout::Chw,
        };
        let image = graph.add(node("image", Op::Input(input), 1), &[]);
        (graph, image)
    }

    fn dense() -> Op {
        Op::Dense(Dense {
            units: 10,
            bias: true,
            quantized: false,
            activation: None,
            norm: None,
        })
    }

    #[test]
    fn every_node_gets_a_shape() {
        let (mut graph, image) = graph();
        let flat = graph.add(node("flat", Flatten.into(), 2), &[image]);
        let dense = graph.add(node("dense", dense(), 3), &[flat]);
        let shapes = validate(&graph).expect("a valid graph");
        assert_eq!(
            (shapes[image], shapes[flat], shapes[dense]),
            (IMAGE, Shape::Flat(192), Shape::Flat(10))
        );
        assert_eq!(shapes.operands(&graph, dense), [Shape::Flat(192)]);
        let later = graph.add(node("later", RELU, 4), &[dense]);
        assert_eq!(shapes.get(later), None);
    }

    #[test]
    fn independent_errors_are_all_reported_and_their_consequences_are_not() {
        let (mut graph, image) = graph();
        let a = graph.add(node("a", dense(), 100), &[image]);
        graph.add(node("behind", dense(), 200), &[a]);
        graph.add(node("alone", ADD, 300), &[a]);
        let b = node("b", ADD, 400);
        let instances = vec![Span::from(900..901), Span::from(950..951)];
        let place = Place {
            instances,
            ..b.place.clone()
        };
        graph.add(Node { place, ..b }, &[image]);
        let errors = validate(&graph).expect_err("three errors");
        let found: Vec<_> = errors
            .iter()
            .map(|error| {
                (
                    error.message.as_str(),
                    error.primary.as_ref().expect("a place").span.start,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (
                    "a: `dense` needs a flat vector, but its input is the map [3, 8, 8]: put a `flatten` before it",
                    110
                ),
                ("alone: `add` takes at least 2 operands, but has 1", 310),
                ("b: `add` takes at least 2 operands, but has 1", 410),
            ]
        );
        assert_eq!(
            errors[0].notes.last().map(String::as_str),
            Some("its input is `image` [3, 8, 8]")
        );
        let starts: Vec<_> = errors[2].secondary.iter().map(|label| label.span.start).collect();
        assert_eq!(starts, [900, 950]);
    }

    #[test]
    fn cycles_are_named_and_hide_only_what_is_behind_them() {
        let (mut graph, image) = graph();
        let a = graph.add(node("a", ADD, 100), &[]);
        let b = graph.add(node("b", RELU, 200), &[a]);
        graph.set_operands(a, &[image, b]);
        graph.add(node("behind", dense(), 300), &[b]);
        let own = graph.add(node("own", ADD, 400), &[]);
        graph.set_operands(own, &[own, image]);
        graph.add(node("apart", dense(), 500), &[image]);
        let errors = validate(&graph).expect_err("two cycles and a map");
        let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(messages[0], "the layers form a cycle: a → b → a");
        assert_eq!(messages[1], "the layers form a cycle: own → own");
        assert!(messages[2].starts_with("apart: `dense` needs a flat vector"));
        assert_eq!(messages.len(), 3);
        let label = errors[0].primary.as_ref().expect("a place");
        assert_eq!(
            (label.span.start, label.text.as_str()),
            (110, "`a` needs the result of `b`")
        );
        assert_eq!(errors[0].secondary[0].text, "`b` needs the result of `a`");
    }

    #[test]
    fn unused_layers_are_no_error() {
        let (mut graph, image) = graph();
        graph.add(node("unused", RELU, 2), &[image]);
        assert!(validate(&graph).is_ok());
    }
}
