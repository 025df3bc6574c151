//! Operators along one axis: places of extremes, the few greatest, running sums, repetitions.

use cnn_ir::ast::ValueKind;

use crate::network::{Keys, integer, integers};
use crate::node::{Node, Outputs};
use crate::value::{Known, Value};

/// `true` as a key's value.
const TRUE: ValueKind = ValueKind::Boolean(true);

/// ArgMax, ArgMin.
pub(super) fn extreme(node: &mut Node<'_>, op: &'static str) -> Outputs {
    let value = node.value(0)?;
    let axis = node.axis(node.attributes.int("axis", 0)?, &value)?;
    let keep = node.attributes.flag("keepdims", true)?;
    let last = node.attributes.flag("select_last_index", false)?;
    let (data, place) = node.along(&value, axis)?;
    let mut keys = vec![("axis", integer(place))];
    keys.extend(last.then_some(("last", TRUE)));
    let data = node.layer(op, keys, &[&data], Vec::new())?;
    let mut dims = value.dims.clone();
    dims[axis] = 1;
    let value = Value { data, dims, ..value };
    Ok(vec![Known::Value(if keep { value } else { value.squeezed(&[axis]) })])
}

pub(super) fn top_k(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let k = node.integers("k", 1)?.ok_or("`k` is missing")?;
    let [k] = *k else {
        return Err(format!("`k` holds {} numbers; one is possible", k.len()));
    };
    let k = super::window::size("k", k, 1)?;
    let axis = node.axis(node.attributes.int("axis", -1)?, &value)?;
    let largest = node.attributes.flag("largest", true)?;
    // In order is as good as in any.
    node.attributes.ignore("sorted");
    let (data, place) = node.along(&value, axis)?;
    let mut outputs = Vec::new();
    for (output, indices) in [(0, false), (1, true)] {
        if !node.gives(output) {
            // Nobody asks for it.
            outputs.push(Known::Lost);
            continue;
        }
        let mut keys = vec![("k", integer(k)), ("axis", integer(place))];
        keys.extend((!largest).then_some(("largest", ValueKind::Boolean(false))));
        keys.extend(indices.then_some(("indices", TRUE)));
        let data = node.layer("top_k", keys, &[&data], Vec::new())?;
        let mut dims = value.dims.clone();
        dims[axis] = k;
        outputs.push(Known::Value(Value {
            data,
            dims,
            order: value.order.clone(),
        }));
    }
    Ok(outputs)
}

pub(super) fn cumsum(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axis = node.constant(1, "the axis")?.integers()?;
    let [axis] = *axis else {
        return Err(format!("the axis is {} numbers; one is possible", axis.len()));
    };
    let axis = node.axis(axis, &value)?;
    let (data, place) = node.along(&value, axis)?;
    let mut keys = vec![("axis", integer(place))];
    for name in ["exclusive", "reverse"] {
        keys.extend(node.attributes.flag(name, false)?.then_some((name, TRUE)));
    }
    let data = node.layer("cumsum", keys, &[&data], Vec::new())?;
    Ok(vec![Known::Value(value.through(data))])
}

pub(super) fn tile(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let repeats = node.constant(1, "the repeats")?.integers()?;
    let rank = value.dims.len() + node.outside();
    if repeats.len() != rank {
        return Err(format!("{} numbers of repeats for {rank} axes", repeats.len()));
    }
    let repeats = repeats
        .iter()
        .map(|&times| super::window::size("repeats", times, 1))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(image) = repeats.strip_prefix(&vec![1; node.outside()][..]) else {
        return Err("repeats images along axis 0, which is the batch".to_owned());
    };
    let value = repeated(node, &value, image)?;
    Ok(vec![Known::Value(value)])
}

/// A value with so many copies one after another along each axis.
pub(super) fn repeated(node: &mut Node<'_>, value: &Value, repeats: &[usize]) -> Result<Value, String> {
    let mut value = value.clone();
    let axes: Vec<usize> = (0..repeats.len()).filter(|&axis| repeats[axis] != 1).collect();
    let all = crate::value::frame(&value.in_memory()).filter(|_| axes.len() > 1);
    if all.is_some() {
        // All axes of a map together, if each has a place in it.
        let (data, places) = node.framed(&value)?;
        let mut times = vec![1; data.shape.dims().len()];
        let placed = axes.iter().all(|&axis| match places[axis] {
            Some(place) => {
                times[place] = repeats[axis];
                true
            }
            None => false,
        });
        if placed {
            return tiled(node, &value, &axes, repeats, times, &data, true);
        }
    }
    for (number, &axis) in axes.iter().enumerate() {
        let (data, place) = node.along(&value, axis)?;
        let mut times = vec![1; data.shape.dims().len()];
        times[place] = repeats[axis];
        value = tiled(node, &value, &[axis], repeats, times, &data, number + 1 == axes.len())?;
    }
    Ok(value)
}

fn tiled(
    node: &mut Node<'_>,
    value: &Value,
    axes: &[usize],
    repeats: &[usize],
    times: Vec<usize>,
    data: &crate::value::Data,
    last: bool,
) -> Result<Value, String> {
    let keys: Keys = vec![("repeats", integers(&times))];
    let data = match last {
        true => node.layer("tile", keys, &[data], Vec::new())?,
        false => node.helper("tile", keys, &[data])?,
    };
    let mut dims = value.dims.clone();
    for &axis in axes {
        dims[axis] = dims[axis].saturating_mul(repeats[axis]);
    }
    crate::tensor::count(&dims)?;
    Ok(Value {
        data,
        dims,
        order: value.order.clone(),
    })
}
