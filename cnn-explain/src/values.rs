//! Every layer's result: the interpreter, layer by layer, each result rounded to f32 before the next layer reads it.
//!
//! So each number on the page is what the oracle makes of the numbers the page shows: sums in f64 over f32 operands in the
//! order of the definition, rounded once. The page adds up in the same order and gets the same f32. A recurrent layer is
//! rounded step by step, for the same reason. Of 8-bit integers the numbers are the integers.

use std::borrow::Cow;

use cnn_codegen::interp::{Interpreter, Tensor, recurrent};
use cnn_ir::graph::{Graph, Node, NodeId, Place};
use cnn_ir::op::{Dequantize, Input, InputLayout, Op, Quantize, Recurrent, WeightDecl};
use cnn_ir::shape::Shape;
use cnn_ir::validate::{Shapes, validate};
use cnn_ir::value::{ElementType, ValueType};
use cnn_runtime::memory::available_memory;
use cnn_runtime::weights::WeightSource;

use crate::ExplainError;

/// What a layer computes.
#[derive(Debug)]
pub(crate) struct Computed {
    /// Its result.
    pub(crate) result: Vec<f32>,
    /// What an LSTM remembers after each step, as large as its result; nothing of other layers.
    pub(crate) memory: Option<Vec<f32>>,
}

/// The results of all layers in `order`, for one image; `inputs` in the network's order and layouts. They may take
/// `max_memory` bytes; if nobody says, what the system has.
pub(crate) fn values(
    graph: &Graph,
    shapes: &Shapes,
    order: &[NodeId],
    weights: &dyn WeightSource,
    inputs: &[&[f32]],
    max_memory: Option<u64>,
) -> Result<Vec<Computed>, ExplainError> {
    check_memory(graph, shapes, order, max_memory)?;
    let places = order.iter().map(|id| id.index() + 1).max().unwrap_or(0);
    let mut values: Vec<Option<Computed>> = (0..places).map(|_| None).collect();
    for &id in order {
        let operands = graph.operands(id);
        let given: Vec<&[f32]> = match graph.inputs().iter().position(|&input| input == id) {
            Some(position) => vec![inputs.get(position).copied().unwrap_or_default()],
            None => operands
                .iter()
                .filter_map(|operand| values[operand.index()].as_ref())
                .map(|computed| computed.result.as_slice())
                .collect(),
        };
        let node = &graph[id];
        let computed = if let Op::Recurrent(op) = &node.op {
            steps(op, &node.weights, &shapes.operands(graph, id), &given, weights)?
        } else {
            Computed {
                result: layer(node, &types(shapes, &operands), &given, weights)?,
                memory: None,
            }
        };
        values[id.index()] = Some(computed);
    }
    Ok(order.iter().filter_map(|id| values[id.index()].take()).collect())
}

fn types(shapes: &Shapes, operands: &[NodeId]) -> Vec<ValueType> {
    operands.iter().map(|&operand| shapes.value(operand)).collect()
}

/// A recurrent layer, whose state is rounded after each step like a layer's result: the page shows what the next step reads.
fn steps(
    op: &Recurrent,
    prefix: &str,
    shapes: &[Shape],
    operands: &[&[f32]],
    weights: &dyn WeightSource,
) -> Result<Computed, ExplainError> {
    let [sequences, steps, features] = shapes[0].extent();
    let declared = op.directions().iter();
    let declared = declared.flat_map(|&reverse| op.direction_weights(prefix, reverse, features));
    let tensors = declared.map(|tensor| weights.tensor(&tensor.name, &tensor.shape));
    let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
    let operands: Vec<_> = shapes
        .iter()
        .zip(operands)
        .map(|(&shape, elements)| Tensor {
            shape,
            data: elements.iter().map(|&x| f64::from(x)).collect(),
        })
        .collect();
    let operands: Vec<&Tensor> = operands.iter().collect();
    // What is remembered lies as the result does, and is a part of it if the layer gives it.
    let own = op.units * op.directions().len();
    let row = own * if op.cells { 2 } else { 1 };
    let (mut h, mut c) = (vec![0.0; sequences * steps * row], vec![0.0; sequences * steps * row]);
    recurrent::run(op, &tensors, &operands, |[sequence, step, direction], state| {
        let at = (sequence * steps + step) * row + direction * op.units;
        for (all, state) in [(&mut h, &mut state.h), (&mut c, &mut state.c)] {
            for (kept, exact) in all[at..].iter_mut().zip(state) {
                *kept = *exact as f32;
                *exact = f64::from(*kept);
            }
        }
        if op.cells {
            h[at + own..][..op.units].copy_from_slice(&c[at..][..op.units]);
        }
    });
    Ok(Computed {
        result: h,
        memory: (op.states() == 2).then_some(c),
    })
}

/// One layer as a network of its own, of operands of these types.
fn layer(
    node: &Node,
    types: &[ValueType],
    operands: &[&[f32]],
    weights: &dyn WeightSource,
) -> Result<Vec<f32>, ExplainError> {
    let mut graph = Graph::new("layer");
    let mut add = |name: String, op: Op, operands: &[NodeId]| {
        let node = Node {
            name,
            op,
            weights: String::new(),
            place: Place::default(),
        };
        graph.add(node, operands)
    };
    // A network's inputs are real numbers: operands that are integers are given as what they stand for, and come back.
    // An input is given itself.
    let own = operands.get(types.len()..).unwrap_or_default();
    let mut given: Vec<Cow<'_, [f32]>> = own.iter().map(|&elements| Cow::Borrowed(elements)).collect();
    let mut ids = Vec::with_capacity(operands.len());
    for (index, (value, &elements)) in types.iter().zip(operands).enumerate() {
        let input = Op::Input(Input {
            shape: value.shape,
            layout: InputLayout::Chw,
        });
        let id = add(format!("operand {index}"), input, &[]);
        match value.element {
            ElementType::F32 => {
                ids.push(id);
                given.push(Cow::Borrowed(elements));
            }
            ElementType::U8(to) => {
                ids.push(add(format!("integers {index}"), Op::Quantize(Quantize { to }), &[id]));
                given.push(elements.iter().map(|&q| to.dequantise(q as u8)).collect());
            }
        }
    }
    let id = graph.add(node.clone(), &ids);
    let internal = |problem: String| ExplainError::Internal(format!("{}: {problem}", node.name));
    let value = node
        .op
        .value_type(types)
        .map_err(|faults| internal(format!("{faults:?}")))?;
    // So are its outputs.
    let output = match value.element {
        ElementType::F32 => id,
        ElementType::U8(_) => {
            let real = Node {
                name: "real numbers".to_owned(),
                op: Op::Dequantize(Dequantize),
                weights: String::new(),
                place: Place::default(),
            };
            graph.add(real, &[id])
        }
    };
    graph.add_output("result", output);
    let shapes = validate(&graph).map_err(|faults| internal(format!("{faults:?}")))?;
    let slices: Vec<&[f32]> = given.iter().map(AsRef::as_ref).collect();
    let outputs = Interpreter::new(&graph, &shapes, weights)?.run(&slices, 1)?;
    let mut result = outputs
        .into_iter()
        .next()
        .ok_or_else(|| internal("it has no result".into()))?;
    if let ElementType::U8(of) = value.element {
        result.iter_mut().for_each(|x| *x = f32::from(of.quantise(*x)));
    }
    Ok(result)
}

/// All values at once, and the largest layer with its weights in f64 meanwhile.
fn check_memory(graph: &Graph, shapes: &Shapes, order: &[NodeId], max_memory: Option<u64>) -> Result<(), ExplainError> {
    let mut needed = 0u128;
    let mut largest = 0u128;
    for &id in order {
        let node = &graph[id];
        let kept = u128::from(shapes.value(id).bytes());
        let memory = matches!(node.op, Op::Recurrent(_)).then_some(kept);
        needed += kept + memory.unwrap_or(0);
        let operands = graph.operands(id);
        let touched = operands.iter().chain([&id]).map(|&id| {
            let exact = shapes[id].elements() as u128 * size_of::<f64>() as u128;
            exact + u128::from(shapes.value(id).bytes())
        });
        let tensors = node.op.weights(&node.weights, &shapes.operands(graph, id));
        let weights = tensors.iter().map(|tensor| u128::from(WeightDecl::bytes(tensor)));
        largest = largest.max(touched.chain(weights).sum());
    }
    let (needed, available) = (needed + largest, max_memory.unwrap_or_else(available_memory));
    if needed > u128::from(available) {
        return Err(ExplainError::Memory { needed, available });
    }
    Ok(())
}
