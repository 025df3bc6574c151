//! Operators on constants that are more than arithmetic with shapes (standardised weights, filters that are resized): made
//! layers like any other, and run by the interpreter.

use cnn_codegen::interp::Interpreter;
use cnn_ir::front::{self, Parsed};
use cnn_ir::op::Op;
use cnn_ir::shape::Shape;
use cnn_ir::validate::validate;

use crate::attributes::Attributes;
use crate::budget::Budget;
use crate::lower;
use crate::network::Network;
use crate::node::Node;
use crate::tensor::Tensor;
use crate::value::{Data, Known, Value, frame};
use crate::weights::OnnxWeights;

/// The results of a node all of whose inputs are constants, the first one of floats; `None` for other nodes.
pub(crate) fn evaluated(node: &mut Node<'_>) -> Option<Result<Vec<Tensor>, String>> {
    let known = |input: &Option<Known>| matches!(input, Some(Known::Constant(_)) | None);
    let Some(Some(Known::Constant(first))) = node.inputs.first() else {
        return None;
    };
    if !first.kind.is_float() || !node.inputs.iter().all(known) {
        return None;
    }
    let first = first.clone();
    let budget = std::mem::replace(&mut node.network.budget, Budget::new(Some(0)));
    let mut network = Network::new(false, budget);
    let results = layers(node, &mut network, &first);
    let results = results.and_then(|results| {
        network.spend(&first.dims)?;
        for (_, dims) in &results {
            network.spend(dims)?;
        }
        Ok(results)
    });
    node.network.budget = std::mem::replace(&mut network.budget, Budget::new(Some(0)));
    Some(results.and_then(|results| run(network, &results, &mut node.network.budget)))
}

/// Makes the node layers of a network of its own; what gives its results, and their dimensions.
fn layers(node: &Node<'_>, network: &mut Network, first: &Tensor) -> Result<Vec<(Data, Vec<usize>)>, String> {
    // A network has an input.
    network.input("unused", &[1], false)?;
    let mut inner = Node {
        message: node.message,
        attributes: Attributes::new(node.message),
        opset: node.opset,
        inputs: node.inputs.clone(),
        batch: 1,
        uses: node.uses,
        network,
    };
    let dims = first.dims.clone();
    let shape = match (frame(&dims), &*dims) {
        (Some(frame), _) => frame.shape,
        (None, [outer @ .., height, width]) => Shape::map(outer.iter().product(), *height, *width),
        (None, _) => return Err("has no elements".to_owned()),
    };
    let data = inner.constant_layer(first, shape)?;
    inner.inputs[0] = Some(Known::Value(Value::plain(data, dims)));
    let mut results = Vec::new();
    for known in lower::lower(&mut inner)? {
        let value = match known {
            Known::Value(value) => inner.standard(&value)?,
            Known::Constant(_) | Known::Lost => return Err("cannot be computed from constants".to_owned()),
        };
        // Outputs are different layers.
        let data = inner.helper("identity", Vec::new(), &[&value.data])?;
        results.push((data, value.dims));
    }
    Ok(results)
}

fn run(network: Network, results: &[(Data, Vec<usize>)], budget: &mut Budget) -> Result<Vec<Tensor>, String> {
    let outputs: Vec<Data> = results.iter().map(|(data, _)| data.clone()).collect();
    let (net, tensors, _) = network.finish(&outputs);
    let weights = OnnxWeights {
        tensors,
        files: Vec::new(),
        origin: "the ONNX file".to_owned(),
    };
    let parsed = Parsed {
        net,
        complete: true,
        ..Parsed::default()
    };
    let first =
        |faults: Vec<cnn_ir::diag::Diagnostic>| faults.into_iter().next().map_or(String::new(), |fault| fault.message);
    let (graph, _) = front::graph(parsed).map_err(first)?;
    let shapes = validate(&graph).map_err(first)?;
    let work = |id| {
        let operands = shapes.operands(&graph, id);
        let op: &Op = &graph[id].op;
        u128::from(op.cost(&operands).multiplications) + shapes[id].elements() as u128
    };
    budget.work(graph.ids().map(work).sum())?;
    let told = |error: cnn_codegen::interp::InterpreterError| error.to_string();
    let interpreter = Interpreter::new(&graph, &shapes, &weights).map_err(told)?;
    let arrays = interpreter.run(&[&[0.0]], 1).map_err(told)?;
    let tensors = results.iter().zip(arrays);
    Ok(tensors
        .map(|((_, dims), array)| Tensor::from_floats(dims.clone(), array))
        .collect())
}
