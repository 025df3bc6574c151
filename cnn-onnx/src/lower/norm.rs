//! Normalisation: BatchNormalization and its relatives, LRN, Softmax, LogSoftmax.

use cnn_ir::ast::ValueKind;
use cnn_ir::shape::Shape;

use super::combine::{combined, joined, scaled_and_shifted, with_constant};
use super::function::{helped, known, one_number};
use super::part::moved;
use super::reduce::reduced;
use super::window::{Spatial, size};
use crate::network::{integer, integers, number};
use crate::node::{Node, Outputs, absolute_axis};
use crate::tensor::Tensor;
use crate::value::{Known, Value, frame};
use crate::weights::Weight;

pub(super) fn batch_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    if node.attributes.flag("training_mode", false)? {
        return of_the_batch(node, &value);
    }
    if !node.attributes.flag("spatial", true)? {
        return Err("`spatial` is 0; statistics of each channel (1) are possible".to_owned());
    }
    // Versions before 14 had outputs for training beside the first.
    node.one_output("statistics")?;
    let epsilon = node.attributes.float("epsilon", 1e-5)?;
    let roles = ["weight", "bias", "running_mean", "running_var"];
    let mut weights = Vec::new();
    for (role, input) in roles.into_iter().zip(1..) {
        weights.push((role, Weight::Plain(node.constant(input, role)?)));
    }
    let channel = 1 - node.outside();
    if value.dims.len() <= channel {
        return Err(format!("an input of the dimensions {:?} has no channels", value.dims));
    }
    let value = node.ordered(&value, &moved(&value, channel))?;
    let keys = match epsilon {
        1e-5 => Vec::new(),
        other => vec![("epsilon", number(other))],
    };
    let data = node.by_channels(&value)?;
    let data = node.layer("batch_norm", keys, &[&data], weights)?;
    Ok(vec![Known::Value(value.through(data))])
}

/// With statistics of what is computed: of weights that are standardised so.
fn of_the_batch(node: &mut Node<'_>, value: &Value) -> Outputs {
    if node.network.batched || value.dims.len() < 2 {
        return Err("`training_mode` is 1; a network that runs has it 0".to_owned());
    }
    node.one_output("statistics")?;
    node.attributes.ignore("spatial");
    let axes: Vec<usize> = (0..value.dims.len()).filter(|&axis| axis != 1).collect();
    let epsilon = node.attributes.float("epsilon", 1e-5)?;
    let normal = normalised(node, value, &axes, epsilon)?;
    with_weights(node, &normal, [1, 2], &by_channel(value.dims.len() - 2))
}

pub(super) fn lrn(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of(node, &value)?;
    let window = size(
        "size",
        node.attributes
            .optional_int("size")?
            .ok_or("attribute `size` is missing")?,
        1,
    )?;
    let mut keys = vec![("size", integer(window))];
    for (attribute, key, default) in [("alpha", "alpha", 1e-4), ("beta", "beta", 0.75), ("bias", "k", 1.0)] {
        let value = node.attributes.float(attribute, default)?;
        if value != default {
            keys.push((key, number(value)));
        }
    }
    let data = node.layer("lrn", keys, &[&input.data], Vec::new())?;
    Ok(vec![Known::Value(input.value(data))])
}

pub(super) fn softmax(node: &mut Node<'_>, op: &str) -> Outputs {
    let value = node.value(0)?;
    if node.opset < 13 {
        // All axes from this one on are one.
        let axis = node.attributes.int("axis", 1)?;
        let rank = value.dims.len() + node.outside();
        let axis = match axis {
            axis if axis == rank as i64 => rank,
            axis => absolute_axis(axis, rank)?,
        };
        let axis = axis
            .checked_sub(node.outside())
            .ok_or("works along axis 0, which is the batch; images are independent here")?;
        let value = node.standard(&value)?;
        let (before, inside) = value.dims.split_at(axis);
        let (before, inside): (usize, usize) = (before.iter().product(), inside.iter().product());
        let (data, keys) = if before == 1 {
            // A single pixel's channels are as good as a vector.
            let shape = match value.data.shape {
                map @ Shape::Map {
                    height: 1, width: 1, ..
                } => map,
                _ => Shape::Flat(inside),
            };
            (node.shaped(&value.data, shape)?, Vec::new())
        } else {
            let data = node.shaped(&value.data, Shape::map(1, before, inside))?;
            (data, vec![("axis", integer(2))])
        };
        let data = node.layer(op, keys, &[&data], Vec::new())?;
        return Ok(vec![Known::Value(value.through(data))]);
    }
    let axis = node.axis(node.attributes.int("axis", -1)?, &value)?;
    let (data, place) = node.along(&value, axis)?;
    let keys = if place == 0 {
        Vec::new()
    } else {
        vec![("axis", integer(place))]
    };
    let data = node.layer(op, keys, &[&data], Vec::new())?;
    Ok(vec![Known::Value(value.through(data))])
}

/// `(x − mean) / √(variance + ε)` along axes (ascending).
fn normalised(node: &mut Node<'_>, value: &Value, axes: &[usize], epsilon: f32) -> Result<Value, String> {
    if known("layer_norm").is_ok() && frame(&value.in_memory()).is_some() {
        let (data, places) = node.framed(value)?;
        let mut places: Vec<usize> = axes.iter().filter_map(|&axis| places[axis]).collect();
        places.sort_unstable();
        if !places.is_empty() {
            let keys = vec![
                ("axes", integers(&places)),
                ("epsilon", number(epsilon)),
                ("affine", ValueKind::Boolean(false)),
            ];
            let data = node.helper("layer_norm", keys, &[&data])?;
            return Ok(value.through(data));
        }
    }
    let of = |value: &Value| Known::Value(value.clone());
    let mean = reduced(node, "reduce_mean", value, axes, false)?;
    let centred = joined(node, "sub", &[of(value), of(&mean)])?;
    let squares = joined(node, "mul", &[of(&centred), of(&centred)])?;
    over_root(node, &centred, &squares, axes, epsilon)
}

/// A value over `√(mean of the squares + ε)` along axes (ascending).
fn over_root(
    node: &mut Node<'_>,
    value: &Value,
    squares: &Value,
    axes: &[usize],
    epsilon: f32,
) -> Result<Value, String> {
    let variance = reduced(node, "reduce_mean", squares, axes, false)?;
    let variance = with_constant(node, "add", &variance, &one_number(epsilon))?;
    let deviation = helped(node, "sqrt", &variance)?;
    joined(node, "div", &[Known::Value(value.clone()), Known::Value(deviation)])
}

/// `weight · x + bias` with inputs that are constants; `dims` brings each into the form that broadcasts.
fn with_weights(
    node: &mut Node<'_>,
    value: &Value,
    [weight, bias]: [usize; 2],
    dims: &dyn Fn(&Tensor) -> Vec<usize>,
) -> Outputs {
    let read = |input| -> Result<Option<Tensor>, String> {
        let tensor = node.optional_constant(input, "a weight of the norm")?;
        Ok(tensor.map(|tensor| tensor.reshaped(dims(&tensor))))
    };
    let (weight, bias) = (read(weight)?, read(bias)?);
    scaled_and_shifted(node, value, weight, bias)
}

/// The axes from `axis` on.
fn trailing(node: &Node<'_>, value: &Value) -> Result<Vec<usize>, String> {
    let first = node.axis(node.attributes.int("axis", -1)?, value)?;
    Ok((first..value.dims.len()).collect())
}

pub(super) fn layer_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    node.one_output("means and deviations")?;
    let axes = trailing(node, &value)?;
    let epsilon = node.attributes.float("epsilon", 1e-5)?;
    let value = normalised(node, &value, &axes, epsilon)?;
    with_weights(node, &value, [1, 2], &|tensor| tensor.dims.clone())
}

pub(super) fn rms_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axes = trailing(node, &value)?;
    let epsilon = node.attributes.float("epsilon", 1e-5)?;
    let squares = joined(node, "mul", &[Known::Value(value.clone()), Known::Value(value.clone())])?;
    let value = over_root(node, &value, &squares, &axes, epsilon)?;
    with_weights(node, &value, [1, 99], &|tensor| tensor.dims.clone())
}

/// One number a channel, before so many axes of pixels.
fn by_channel(pixels: usize) -> impl Fn(&Tensor) -> Vec<usize> {
    move |tensor: &Tensor| [&*tensor.dims, &vec![1; pixels]].concat()
}

/// Where a value's channels are: axis 1 of the ONNX tensor.
fn channel(node: &Node<'_>, value: &Value) -> Result<usize, String> {
    let channel = 1 - node.outside();
    match value.dims.len() > channel {
        true => Ok(channel),
        false => Err("has no channels".to_owned()),
    }
}

pub(super) fn instance_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let first = channel(node, &value)? + 1;
    let axes: Vec<usize> = (first..value.dims.len()).collect();
    let epsilon = node.attributes.float("epsilon", 1e-5)?;
    let normal = normalised(node, &value, &axes, epsilon)?;
    with_weights(node, &normal, [1, 2], &by_channel(axes.len()))
}

pub(super) fn group_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let value = node.standard(&value)?;
    let channel = channel(node, &value)?;
    let groups = node
        .attributes
        .optional_int("num_groups")?
        .ok_or("attribute `num_groups` is missing")?;
    let groups = size("num_groups", groups, 1)?;
    let epsilon = node.attributes.float("epsilon", 1e-5)?;
    let channels = value.dims[channel];
    if !channels.is_multiple_of(groups) {
        return Err(format!("{groups} groups do not divide {channels} channels"));
    }
    let elements: usize = value.dims[channel..].iter().product();
    let data = node.shaped(&value.data, Shape::map(groups, 1, elements / groups))?;
    let grouped = Value::plain(data, vec![groups, elements / groups]);
    let normal = normalised(node, &grouped, &[1], epsilon)?;
    let shape = frame(&value.dims).map(|frame| frame.shape);
    let data = match shape {
        Some(shape) => node.shaped(&normal.data, shape)?,
        None => normal.data,
    };
    let pixels = value.dims.len() - channel - 1;
    // Until opset 20 the weights were of groups.
    let each = channels / groups;
    let spread = |tensor: &Tensor| match tensor.dims == [groups] && groups != channels {
        true => tensor.picked(vec![channels], (0..channels).map(|c| c / each)),
        false => tensor.clone(),
    };
    for input in [1, 2] {
        if let Some(Some(Known::Constant(tensor))) = node.inputs.get(input).cloned() {
            node.network.spend(&[channels])?;
            node.inputs[input] = Some(Known::Constant(spread(&tensor)));
        }
    }
    with_weights(node, &value.through(data), [1, 2], &by_channel(pixels))
}

/// `(x − mean) / √(variance + ε)` along given axes: as the pattern of it, or the operator, whose ε is next to nothing.
pub(super) fn mean_variance_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let epsilon = node.attributes.float("epsilon", 1e-18)?;
    let axes = node
        .attributes
        .ints("axes")?
        .map_or_else(|| vec![0, 2, 3], <[i64]>::to_vec);
    let axes = node.axes(&axes, &value)?;
    Ok(vec![Known::Value(normalised(node, &value, &axes, epsilon)?)])
}

/// `x / ‖x‖` along an axis.
pub(super) fn lp_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axis = node.axis(node.attributes.int("axis", -1)?, &value)?;
    let op = match node.attributes.int("p", 2)? {
        1 => "reduce_l1",
        2 => "reduce_l2",
        other => return Err(format!("`p` is {other}; 1 and 2 are possible")),
    };
    let length = reduced(node, op, &value, &[axis], false)?;
    combined(node, "div", &[Known::Value(value), Known::Value(length)])
}
