//! Normalisation and reductions: BatchNormalization, LRN, Softmax, LogSoftmax, ReduceMean.

use cnn_ir::ast::{Value as KeyValue, ValueKind};
use cnn_ir::shape::Shape;

use super::window::{Spatial, size};
use crate::network::{integer, integers, number};
use crate::node::{Node, Outputs, absolute_axis};
use crate::value::{Known, Value, frame};
use crate::weights::Weight;

pub(super) fn batch_norm(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    if node.attributes.flag("training_mode", false)? {
        return Err("`training_mode` is 1; a network that runs has it 0".to_owned());
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
    let first = value.order.first() == Some(&channel);
    let keys = match epsilon {
        1e-5 => Vec::new(),
        other => vec![("epsilon", number(other))],
    };
    if first {
        let data = node.by_channels(&value)?;
        let data = node.layer("batch_norm", keys, &[&data], weights)?;
        return Ok(vec![Known::Value(value.through(data))]);
    }
    let input = Spatial::of(node, &value)?;
    let data = node.layer("batch_norm", keys, &[&input.data], weights)?;
    Ok(vec![Known::Value(input.value(data))])
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

pub(super) fn reduce_mean(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axes = node.integers("axes", 1)?.unwrap_or_default();
    let keep = node.attributes.flag("keepdims", true)?;
    let nothing = node.attributes.flag("noop_with_empty_axes", false)?;
    let axes = match axes.is_empty() {
        true if nothing => return Ok(vec![Known::Value(value)]),
        true if node.network.batched => {
            return Err("works along axis 0, which is the batch; images are independent here".to_owned());
        }
        true => (0..value.dims.len()).collect(),
        false => node.axes(&axes, &value)?,
    };
    let data = means(node, &value, &axes)?;
    let mut dims = value.dims.clone();
    axes.iter().for_each(|&axis| dims[axis] = 1);
    let reduced = Value {
        data,
        dims,
        order: value.order,
    };
    Ok(vec![Known::Value(if keep { reduced } else { reduced.squeezed(&axes) })])
}

fn means(node: &mut Node<'_>, value: &Value, axes: &[usize]) -> Result<crate::value::Data, String> {
    if frame(&value.in_memory()).is_none() {
        // Axes that lie side by side are one.
        let mut positions: Vec<_> = value
            .order
            .iter()
            .enumerate()
            .filter(|(_, axis)| axes.contains(axis))
            .collect();
        positions.retain(|(_, axis)| value.dims[**axis] != 1);
        let places: Vec<usize> = positions.iter().map(|(position, _)| *position).collect();
        let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
            return Ok(value.data.clone());
        };
        if last - first + 1 != places.len() {
            return Err("axes of more than three dimensions must lie side by side".to_owned());
        }
        let dims = value.in_memory();
        let product = |dims: &[usize]| dims.iter().product();
        let shape = Shape::map(
            product(&dims[..first]),
            product(&dims[first..=last]),
            product(&dims[last + 1..]),
        );
        let data = node.shaped(&value.data, shape)?;
        return node.layer("reduce_mean", vec![("axes", integers(&[1]))], &[&data], Vec::new());
    }
    let (data, places) = node.framed(value)?;
    let mut places: Vec<usize> = axes.iter().filter_map(|&axis| places[axis]).collect();
    places.sort_unstable();
    if places.is_empty() {
        return Ok(data);
    }
    let unit = matches!(data.shape, Shape::Map { height: 1, .. });
    if *places == [1, 2] || (unit && *places == [2]) {
        return node.layer("global_avg_pool", Vec::new(), &[&data], Vec::new());
    }
    let list = places.iter().map(|&place| KeyValue::unplaced(integer(place))).collect();
    let keys = vec![("axes", ValueKind::List(list))];
    node.layer("reduce_mean", keys, &[&data], Vec::new())
}
