//! The graph as JSON, for other programs.

use serde_json::{Map, Value, json};

use crate::ast::ValueKind;
use crate::graph::{Graph, NodeId};
use crate::shape::Shape;
use crate::text;
use crate::validate::Shapes;

/// The graph as a JSON object:
///
/// ```json
/// { "name": "lenet5", "inputs": ["image"], "outputs": [{ "name": "c1", "node": "c1" }],
///   "nodes": [{ "name": "c1", "op": "conv", "operands": ["image"], "keys": { "filters": 6, "kernel": 5 },
///               "shape": [6, 28, 28],
///               "weights": [{ "name": "c1.weight", "shape": [6, 1, 5, 5] }, { "name": "c1.bias", "shape": [6] }] }] }
/// ```
///
/// Nodes stand in an order in which they can be computed. `keys` holds those that differ from their defaults. `shape`
/// and `weights` are there when the shapes are known. JSON knows no infinity: such a number is the string `"inf"`.
pub fn to_json(graph: &Graph, shapes: Option<&Shapes>) -> Value {
    let name = |id: NodeId| graph[id].name.as_str();
    json!({
        "name": graph.name,
        "inputs": graph.inputs().iter().map(|id| name(*id)).collect::<Vec<_>>(),
        "outputs": graph
            .outputs()
            .iter()
            .map(|output| json!({ "name": output.name, "node": name(output.node) }))
            .collect::<Vec<_>>(),
        "nodes": text::order(graph).into_iter().map(|id| node(graph, id, shapes)).collect::<Vec<_>>(),
    })
}

/// [`to_json`] as text, with line breaks and an end of line.
pub fn print(graph: &Graph, shapes: Option<&Shapes>) -> String {
    format!("{:#}\n", to_json(graph, shapes))
}

fn node(graph: &Graph, id: NodeId, shapes: Option<&Shapes>) -> Value {
    let node = &graph[id];
    let operands = graph.operands(id);
    let keys = node
        .op
        .keys()
        .into_iter()
        .map(|(key, kind)| (key.to_string(), value(&kind)));
    let mut object = Map::new();
    object.insert("name".into(), node.name.as_str().into());
    object.insert("op".into(), node.op.name().into());
    object.insert(
        "operands".into(),
        operands.iter().map(|operand| graph[*operand].name.as_str()).collect(),
    );
    object.insert("keys".into(), Value::Object(keys.collect()));
    if let Some(shape) = shapes.and_then(|shapes| shapes.get(id)) {
        object.insert("shape".into(), shape.dims().into());
    }
    let inputs: Option<Vec<Shape>> = operands.iter().map(|operand| shapes?.get(*operand)).collect();
    if let (Some(inputs), Some(_)) = (inputs, shapes) {
        let weights = node.op.weights(&node.weights, &inputs);
        let weights = weights
            .into_iter()
            .map(|weight| json!({ "name": weight.name, "shape": weight.shape }));
        object.insert("weights".into(), weights.collect());
    }
    Value::Object(object)
}

fn value(kind: &ValueKind) -> Value {
    match kind {
        ValueKind::Integer(number) => (*number).into(),
        ValueKind::Float(number) if number.is_finite() => (*number).into(),
        ValueKind::Float(number) => number.to_string().into(),
        ValueKind::Boolean(flag) => (*flag).into(),
        ValueKind::Text(text) => text.as_str().into(),
        ValueKind::List(items) => items.iter().map(|item| value(&item.kind)).collect(),
        ValueKind::Table(keys) => Value::Object(
            keys.iter()
                .map(|key| (key.name.value.clone(), value(&key.value.kind)))
                .collect(),
        ),
        ValueKind::Parameter(name) => format!("${name}").into(),
    }
}
