//! Elementwise operators of several operands, with broadcasting.

use cnn_ir::shape::Shape;

use crate::node::{Node, Outputs};
use crate::tensor::{Tensor, count};
use crate::value::{Data, Known, Value, frame, identity};
use crate::weights::Weight;

/// Add, Sub, Mul, Div.
pub(super) fn binary(node: &mut Node<'_>, op: &str) -> Outputs {
    let (a, mut b) = (node.input(0)?.clone(), node.input(1)?.clone());
    if node.opset < 7 {
        b = aligned_by_axis(node, &a, b)?;
    }
    match (&a, &b) {
        (Known::Value(value), Known::Constant(constant)) => affine(node, op, value, constant, false),
        (Known::Constant(constant), Known::Value(value)) => affine(node, op, value, constant, true),
        _ => combined(node, op, &[a, b]),
    }
}

/// Sum, Max, Min.
pub(super) fn variadic(node: &mut Node<'_>, op: &str) -> Outputs {
    let operands = (0..node.inputs.len())
        .map(|input| node.input(input).cloned())
        .collect::<Result<Vec<_>, _>>()?;
    match operands.as_slice() {
        [] => Err("has no inputs".to_owned()),
        [one] => Ok(vec![one.clone()]),
        all => combined(node, op, all),
    }
}

/// Mean.
pub(super) fn mean(node: &mut Node<'_>) -> Outputs {
    let operands = (0..node.inputs.len())
        .map(|input| node.input(input).cloned())
        .collect::<Result<Vec<_>, _>>()?;
    match operands.as_slice() {
        [] => Err("has no inputs".to_owned()),
        [one] => Ok(vec![one.clone()]),
        all => {
            let sum = joined(node, "add", all)?;
            scaled(node, &sum, 1.0 / all.len() as f32)
        }
    }
}

/// Until opset 6 the second operand was broadcast only if `broadcast` said so, from `axis` on if that was given.
fn aligned_by_axis(node: &Node<'_>, a: &Known, b: Known) -> Result<Known, String> {
    let broadcast = node.attributes.flag("broadcast", false)?;
    let Some(axis) = node.attributes.optional_int("axis")?.filter(|_| broadcast) else {
        return Ok(b);
    };
    let rank = |known: &Known| match known {
        Known::Constant(tensor) => tensor.dims.len(),
        Known::Value(value) => value.dims.len() + node.outside(),
        Known::Lost => 0,
    };
    let axis = crate::node::absolute_axis(axis, rank(a))?;
    let behind = rank(a).saturating_sub(axis + rank(&b));
    match b {
        Known::Constant(tensor) => {
            let dims = [&*tensor.dims, &vec![1; behind]].concat();
            Ok(Known::Constant(tensor.reshaped(dims)))
        }
        Known::Value(_) if behind > 0 => Err("`axis` goes with a constant as second input only".to_owned()),
        other @ (Known::Value(_) | Known::Lost) => Ok(other),
    }
}

/// A constant's dimensions beside those of an image: the batch axis, along which it must not vary, is left out.
fn image_dims(node: &Node<'_>, tensor: &Tensor, rank: usize) -> Result<Vec<usize>, String> {
    let full = rank + node.outside();
    let missing = full.saturating_sub(tensor.dims.len());
    let dims = [&*vec![1; missing], &*tensor.dims].concat();
    match (node.outside(), &*dims) {
        (1, [1, image @ ..]) => Ok(image.to_vec()),
        (1, [n, ..]) => Err(format!(
            "a constant has {n} different images, but images are independent here"
        )),
        _ => Ok(dims),
    }
}

/// The elements that a constant has for each channel of a value, if it is the same for all pixels.
pub(super) fn per_channel(node: &Node<'_>, value: &Value, tensor: &Tensor) -> Result<Option<Tensor>, String> {
    let dims = image_dims(node, tensor, value.dims.len())?;
    if dims.len() != value.dims.len() {
        return Ok(None);
    }
    let in_memory = value.in_memory();
    // The axis that is the channels of `by_channels`.
    let (first, channels) = match frame(&in_memory) {
        Some(frame) => (
            frame.axes.iter().position(|&place| place == Some(0)),
            frame.shape.channels(),
        ),
        None => (Some(0), in_memory[0]),
    };
    let first = first.map(|position| value.order[position]);
    let fits = (0..dims.len()).all(|axis| {
        dims[axis] == 1 || ((Some(axis) == first || tensor.is_uniform()) && dims[axis] == value.dims[axis])
    });
    Ok(fits.then(|| match tensor.repeated() {
        Some(one) => Tensor::uniform(vec![channels], &one),
        None => tensor.reshaped(vec![channels]),
    }))
}

/// More channels are not given a number each if it is the same for all of them.
const MANY: usize = 1 << 12;

/// One operand is a constant. One number a channel makes a batch norm, which a convolution before it takes in;
/// anything else is a layer of its own.
fn affine(node: &mut Node<'_>, op: &str, value: &Value, constant: &Tensor, constant_first: bool) -> Outputs {
    let per_channel = per_channel(node, value, constant)?.filter(|_| !(op == "div" && constant_first));
    let Some(numbers) = per_channel.filter(|numbers| !(numbers.is_uniform() && numbers.len() > MANY)) else {
        // Of what is one number everywhere one is enough, if the value has all the axes.
        let one = constant.repeated().filter(|_| spreads_over(node, constant, value));
        let mut operands = [
            Known::Value(value.clone()),
            Known::Constant(one.unwrap_or_else(|| constant.clone())),
        ];
        if constant_first {
            operands.reverse();
        }
        return combined(node, op, &operands);
    };
    if matches!((op, constant_first), ("add", _) | ("sub", false)) && is_sum_without_bias(node, value, numbers.len()) {
        let sign = if op == "add" { 1.0 } else { -1.0 };
        let bias = Weight::Plain(numbers.map(|x| sign * x));
        node.network.give_bias(&value.data.layer, bias);
        return Ok(vec![Known::Value(value.clone())]);
    }
    let all = |number: f32| Tensor::uniform(vec![numbers.len()], &Tensor::from_floats(Vec::new(), vec![number]));
    let (weight, bias) = match (op, constant_first) {
        ("add", _) => (all(1.0), numbers.map(|x| x)),
        ("sub", false) => (all(1.0), numbers.map(|x| -x)),
        ("sub", true) => (all(-1.0), numbers.map(|x| x)),
        ("div", _) => (numbers.map(|x| 1.0 / x), all(0.0)),
        _ => (numbers.map(|x| x), all(0.0)),
    };
    per_channel_layer(node, value, weight, bias)
}

/// Whether the constant's dimensions add nothing to the value's.
fn spreads_over(node: &Node<'_>, constant: &Tensor, value: &Value) -> bool {
    let fits = |dims: &Vec<usize>| dims.iter().zip(&value.dims).all(|(&dim, &own)| dim == 1 || dim == own);
    image_dims(node, constant, value.dims.len()).is_ok_and(|dims| dims.len() == value.dims.len() && fits(&dims))
}

/// Whether the value is a convolution's or a dense layer's of so many channels that has no bias yet and is used here only.
fn is_sum_without_bias(node: &Node<'_>, value: &Value, channels: usize) -> bool {
    value.data.shape.channels() == channels
        && node.message.input.iter().any(|name| node.uses.is_lone_sum(name))
        && node.network.lacks_bias(&value.data.layer)
}

/// `weight · x + bias`, one of each a channel.
fn per_channel_layer(node: &mut Node<'_>, value: &Value, weight: Tensor, bias: Tensor) -> Outputs {
    let data = node.by_channels(value)?;
    let all = |number: f32| Tensor::uniform(weight.dims.clone(), &Tensor::from_floats(Vec::new(), vec![number]));
    let (mean, variance) = (all(0.0), all(1.0));
    let roles = ["weight", "bias", "running_mean", "running_var"];
    let weights = roles
        .into_iter()
        .zip([weight, bias, mean, variance].map(Weight::Plain))
        .collect();
    let keys = vec![("epsilon", cnn_ir::ast::ValueKind::Float(0.0))];
    let data = node.layer("batch_norm", keys, &[&data], weights)?;
    Ok(vec![Known::Value(value.through(data))])
}

/// `weight · x + bias`, each of constants that broadcast: one layer if both have a number for each channel.
pub(super) fn scaled_and_shifted(
    node: &mut Node<'_>,
    value: &Value,
    weight: Option<Tensor>,
    bias: Option<Tensor>,
) -> Outputs {
    if let (Some(weight), Some(bias)) = (&weight, &bias)
        && let (Some(weight), Some(bias)) = (per_channel(node, value, weight)?, per_channel(node, value, bias)?)
    {
        return per_channel_layer(node, value, weight, bias);
    }
    let mut value = value.clone();
    for (tensor, op) in [(weight, "mul"), (bias, "add")] {
        let Some(tensor) = tensor else { continue };
        value = match affine(node, op, &value, &tensor, false)?.swap_remove(0) {
            Known::Value(value) => value,
            Known::Constant(_) | Known::Lost => return Err("a weight does not fit".to_owned()),
        };
    }
    Ok(vec![Known::Value(value)])
}

/// A value times a number.
pub(super) fn scaled(node: &mut Node<'_>, value: &Value, factor: f32) -> Outputs {
    affine(
        node,
        "mul",
        value,
        &Tensor::from_floats(Vec::new(), vec![factor]),
        false,
    )
}

/// A value and a constant, as a helper of a node that does more.
pub(super) fn with_constant(node: &mut Node<'_>, op: &str, value: &Value, constant: &Tensor) -> Result<Value, String> {
    joined(
        node,
        op,
        &[Known::Value(value.clone()), Known::Constant(constant.clone())],
    )
}

/// Operands brought into one form, as a helper of a node that does more.
pub(super) fn joined(node: &mut Node<'_>, op: &str, operands: &[Known]) -> Result<Value, String> {
    let Broadcast { operands, dims, order } = broadcast(node, operands)?;
    let data = node.helper(op, Vec::new(), &operands.iter().collect::<Vec<_>>())?;
    Ok(Value { data, dims, order })
}

/// A value repeated along axes of size 1, so that it has the given dimensions.
pub(super) fn expanded(node: &mut Node<'_>, value: &Value, dims: &[usize]) -> Result<Value, String> {
    if value.dims == dims {
        return Ok(value.clone());
    }
    count(dims)?;
    let repeats: Vec<usize> = (dims.iter().zip(&value.dims))
        .map(|(&dim, &own)| if own == 1 { dim } else { 1 })
        .collect();
    super::along::repeated(node, value, &repeats)
}

/// The layer for operands that are brought into one form.
pub(super) fn combined(node: &mut Node<'_>, op: &str, operands: &[Known]) -> Outputs {
    let Broadcast { operands, dims, order } = broadcast(node, operands)?;
    let operands: Vec<&Data> = operands.iter().collect();
    let data = match gate(node, op, &operands) {
        Some((op, operand)) => node.layer(op, Vec::new(), &[&operand], Vec::new())?,
        None => node.layer(op, Vec::new(), &operands, Vec::new())?,
    };
    Ok(vec![Known::Value(Value { data, dims, order })])
}

/// `x · sigmoid(x)` is SiLU and `x · hard_sigmoid(x)` hard swish, which exporters write as two nodes. The first one is
/// left out in the end if nobody else uses it.
fn gate(node: &Node<'_>, op: &str, operands: &[&Data]) -> Option<(&'static str, Data)> {
    let ("mul", [a, b]) = (op, operands) else {
        return None;
    };
    [(a, b), (b, a)].into_iter().find_map(|(x, gate)| {
        let layer = node
            .network
            .net
            .layers
            .iter()
            .rev()
            .find(|layer| layer.name.value == gate.layer)?;
        let of_x = matches!(layer.from.as_deref(), Some([operand]) if operand.value == x.layer);
        let fused = match &*layer.op.value {
            "sigmoid" => "silu",
            "hard_sigmoid" if layer.keys.is_empty() => "hard_swish",
            _ => return None,
        };
        (of_x && x.shape == gate.shape).then(|| (fused, (*x).clone()))
    })
}

/// Operands in one form.
struct Broadcast {
    /// Data whose shapes broadcast.
    operands: Vec<Data>,
    /// The dimensions of the result.
    dims: Vec<usize>,
    /// Their order in memory.
    order: Vec<usize>,
}

/// Brings operands into one form.
fn broadcast(node: &mut Node<'_>, operands: &[Known]) -> Result<Broadcast, String> {
    let values = || {
        operands.iter().filter_map(|operand| match operand {
            Known::Value(value) => Some(value),
            Known::Constant(_) | Known::Lost => None,
        })
    };
    let ranks = operands.iter().map(|operand| match operand {
        Known::Value(value) => value.dims.len(),
        Known::Constant(tensor) => tensor.dims.len().saturating_sub(node.outside()),
        Known::Lost => 0,
    });
    let rank = ranks.max().unwrap_or(0);
    if node.network.batched && values().any(|value| value.dims.len() != rank) {
        return Err("operands have different numbers of axes beside the batch".to_owned());
    }
    let order = values()
        .find(|value| value.dims.len() == rank)
        .map_or_else(|| identity(rank), |value| value.order.clone());
    // Every operand with `rank` axes in that order.
    enum Operand {
        Value(Value),
        Constant(Tensor),
    }
    let mut prepared = Vec::new();
    for operand in operands {
        prepared.push(match operand {
            Known::Value(value) => {
                let new: Vec<_> = (0..rank - value.dims.len()).collect();
                let value = value.unsqueezed(&new);
                Operand::Value(node.ordered(&value, &order)?)
            }
            Known::Constant(tensor) => {
                let dims = image_dims(node, tensor, rank)?;
                Operand::Constant(node.turned(&tensor.reshaped(dims), &order)?)
            }
            Known::Lost => return Err("an operand is not known".to_owned()),
        });
    }
    let in_memory: Vec<Vec<usize>> = prepared
        .iter()
        .map(|operand| match operand {
            Operand::Value(value) => value.in_memory(),
            Operand::Constant(tensor) => tensor.dims.clone(),
        })
        .collect();
    let result = broadcast_dims(&in_memory)?;
    count(&result)?;
    let same = in_memory.iter().all(|dims| *dims == result);
    let shapes = shapes(&in_memory, &result)?;
    let mut datas = Vec::new();
    for (operand, shape) in prepared.iter().zip(shapes) {
        datas.push(match operand {
            // Elementwise, all of one form: whatever shape the first one has will do.
            Operand::Value(value) if same && datas.is_empty() => value.data.clone(),
            Operand::Value(value) => {
                let shape = datas.first().filter(|_| same).map_or(shape, |first: &Data| first.shape);
                node.shaped(&value.data, shape)?
            }
            Operand::Constant(tensor) => {
                let shape = datas.first().filter(|_| same).map_or(shape, |first: &Data| first.shape);
                node.constant_layer(tensor, shape)?
            }
        });
    }
    let mut dims = vec![0; rank];
    for (&axis, &dim) in order.iter().zip(&result) {
        dims[axis] = dim;
    }
    Ok(Broadcast {
        operands: datas,
        dims,
        order,
    })
}

/// The dimensions that operands of as many axes broadcast to.
pub(crate) fn broadcast_dims(operands: &[Vec<usize>]) -> Result<Vec<usize>, String> {
    let rank = operands.iter().map(Vec::len).max().unwrap_or(0);
    let at = |dims: &Vec<usize>, axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    (0..rank)
        .map(|axis| {
            let mut sizes = operands.iter().map(|dims| at(dims, axis)).filter(|&size| size != 1);
            let size = sizes.next().unwrap_or(1);
            match sizes.all(|other| other == size) {
                true => Ok(size),
                false => Err(format!("operands {operands:?} do not broadcast")),
            }
        })
        .collect()
}

/// Shapes of one or three axes for operands of any number of axes: those that broadcast alike are one.
fn shapes(operands: &[Vec<usize>], result: &[usize]) -> Result<Vec<Shape>, String> {
    if let Some(frame) = frame(result) {
        let shape = |dims: &Vec<usize>| {
            let mut extent = [1; 3];
            for (&dim, place) in dims.iter().zip(&frame.axes) {
                place.iter().for_each(|&place| extent[place] = dim);
            }
            match frame.shape {
                Shape::Flat(_) => Shape::Flat(extent[0]),
                Shape::Map { .. } => Shape::map(extent[0], extent[1], extent[2]),
            }
        };
        return Ok(operands.iter().map(shape).collect());
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for axis in (0..result.len()).filter(|&axis| result[axis] != 1) {
        let alike = |other: usize| operands.iter().all(|dims| (dims[axis] == 1) == (dims[other] == 1));
        match groups.last_mut() {
            Some(group) if alike(group[0]) => group.push(axis),
            _ => groups.push(vec![axis]),
        }
    }
    if groups.len() > 3 {
        return Err(format!(
            "operands {operands:?} have too many axes that broadcast differently"
        ));
    }
    let size = |dims: &Vec<usize>, group: usize| {
        groups
            .get(group)
            .map_or(1, |axes| axes.iter().map(|&axis| dims[axis]).product())
    };
    let shape = |dims| Shape::map(size(dims, 0), size(dims, 1), size(dims, 2));
    Ok(operands.iter().map(shape).collect())
}
