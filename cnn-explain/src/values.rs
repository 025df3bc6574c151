//! Every layer's result: the interpreter, layer by layer, each result rounded to f32 before the next layer reads it.
//!
//! So each number on the page is what the oracle makes of the numbers the page shows: sums in f64 over f32 operands in the
//! order of the definition, rounded once. The page adds up in the same order and gets the same f32.

use cnn_codegen::interp::Interpreter;
use cnn_ir::graph::{Graph, Node, NodeId, Place};
use cnn_ir::op::{Input, InputLayout, Op};
use cnn_ir::shape::Shape;
use cnn_ir::validate::{Shapes, validate};
use cnn_runtime::memory::available_memory;
use cnn_runtime::weights::WeightSource;

use crate::ExplainError;

/// The results of all layers in `order`, for one image; `inputs` in the network's order and layouts.
pub(crate) fn values(
    graph: &Graph,
    shapes: &Shapes,
    order: &[NodeId],
    weights: &dyn WeightSource,
    inputs: &[&[f32]],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    check_memory(graph, shapes, order)?;
    let mut values: Vec<Option<Vec<f32>>> = vec![None; order.iter().map(|id| id.index() + 1).max().unwrap_or(0)];
    for &id in order {
        let operands = graph.operands(id);
        let given: Vec<&[f32]> = match graph.inputs().iter().position(|&input| input == id) {
            Some(position) => vec![inputs.get(position).copied().unwrap_or_default()],
            None => operands
                .iter()
                .filter_map(|operand| values[operand.index()].as_deref())
                .collect(),
        };
        let result = layer(&graph[id], &shapes.operands(graph, id), &given, weights)?;
        values[id.index()] = Some(result);
    }
    Ok(order.iter().filter_map(|id| values[id.index()].take()).collect())
}

/// One layer as a network of its own.
fn layer(
    node: &Node,
    shapes: &[Shape],
    operands: &[&[f32]],
    weights: &dyn WeightSource,
) -> Result<Vec<f32>, ExplainError> {
    let mut graph = Graph::new("layer");
    let ids: Vec<_> = shapes
        .iter()
        .enumerate()
        .map(|(index, &shape)| {
            let input = Input {
                shape,
                layout: InputLayout::Chw,
            };
            let operand = Node {
                name: format!("operand {index}"),
                op: Op::Input(input),
                weights: String::new(),
                place: Place::default(),
            };
            graph.add(operand, &[])
        })
        .collect();
    let id = graph.add(node.clone(), &ids);
    graph.add_output("result", id);
    let internal = |problem: String| ExplainError::Internal(format!("{}: {problem}", node.name));
    let shapes = validate(&graph).map_err(|faults| internal(format!("{faults:?}")))?;
    let outputs = Interpreter::new(&graph, &shapes, weights)?.run(operands, 1)?;
    outputs
        .into_iter()
        .next()
        .ok_or_else(|| internal("it has no result".into()))
}

/// All values in f32, and the largest layer with its weights in f64 meanwhile.
fn check_memory(graph: &Graph, shapes: &Shapes, order: &[NodeId]) -> Result<(), ExplainError> {
    let mut needed = 0u128;
    let mut largest = 0u128;
    for &id in order {
        let value = shapes[id].elements() as u128;
        let operands = shapes.operands(graph, id);
        let read: u128 = operands.iter().map(|shape| shape.elements() as u128).sum();
        let tensors = graph[id].op.weights(&graph[id].weights, &operands);
        let weights: u128 = tensors.iter().map(|tensor| u128::from(tensor.elements())).sum();
        needed += value * 4;
        largest = largest.max((value + read) * 12 + weights * 4);
    }
    let (needed, available) = (needed + largest, available_memory());
    if needed > u128::from(available) {
        return Err(ExplainError::Memory { needed, available });
    }
    Ok(())
}
