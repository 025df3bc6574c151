//! Operators that join tensors and take them apart: Concat, Split, Slice, Pad.

use cnn_ir::ast::ValueKind;
use cnn_ir::op::Meaning;
use cnn_ir::shape::Shape;
use cnn_ir::value::ElementType;

use crate::fold::{self, Range};
use crate::network::{Keys, integer, number, sides, word};
use crate::node::{Node, Outputs};
use crate::tensor::{Tensor, count};
use crate::value::{Data, Known, Value, frame};

/// An order of the axes in memory in which one is first, the others as they were.
pub(super) fn moved(value: &Value, axis: usize) -> Vec<usize> {
    let others = value.order.iter().copied().filter(|&other| other != axis);
    std::iter::once(axis).chain(others).collect()
}

pub(super) fn concat(node: &mut Node<'_>) -> Outputs {
    let operands = (0..node.inputs.len())
        .map(|input| node.input(input).cloned())
        .collect::<Result<Vec<_>, _>>()?;
    if let [one] = &*operands {
        node.attributes.ignore("axis");
        return Ok(vec![one.clone()]);
    }
    let first = operands.iter().find_map(|operand| match operand {
        Known::Value(value) => Some(value.clone()),
        Known::Constant(_) | Known::Lost => None,
    });
    let first = first.ok_or("has no inputs that are computed")?;
    // Until opset 3 the axis could be left out.
    let axis = node.attributes.optional_int("axis")?;
    let axis = axis
        .or((node.opset < 4).then_some(1))
        .ok_or("attribute `axis` is missing")?;
    let axis = node.axis(axis, &first)?;
    // The network joins along axis 0 of its shapes: a map, if the axes make one whatever the size of this axis.
    let map = |order: &[usize]| {
        let size = |&other: &usize| if other == axis { 2 } else { first.dims[other] };
        let frame = frame(&order.iter().map(size).collect::<Vec<_>>())?;
        let position = order.iter().position(|&other| other == axis)?;
        match frame.shape {
            Shape::Map { height, width, .. } if frame.axes[position] == Some(0) => Some((height, width)),
            _ => None,
        }
    };
    let order = match map(&first.order) {
        Some(_) => first.order.clone(),
        None => moved(&first, axis),
    };
    let map = map(&order);
    let mut dims = first.dims.clone();
    dims[axis] = 0;
    let mut datas = Vec::new();
    for operand in &operands {
        let (other, tensor) = match operand {
            Known::Value(value) => (node.ordered(value, &order)?, None),
            Known::Constant(tensor) => {
                let dims = match (node.outside(), &*tensor.dims) {
                    (1, [1, image @ ..]) => image.to_vec(),
                    (1, _) => return Err("a constant is joined that has no batch of 1".to_owned()),
                    (_, dims) => dims.to_vec(),
                };
                let data = Data {
                    layer: String::new(),
                    shape: Shape::Flat(1),
                    element: ElementType::F32,
                    meaning: Meaning::Values,
                };
                let value = Value::plain(data, dims.clone());
                (value, Some(node.turned(&tensor.reshaped(dims), &order)?))
            }
            Known::Lost => return Err("an input is not known".to_owned()),
        };
        let alike = other.dims.len() == dims.len() && (0..dims.len()).all(|i| i == axis || other.dims[i] == dims[i]);
        if !alike {
            return Err(format!("{:?} cannot be joined with {:?}", other.dims, first.dims));
        }
        dims[axis] = dims[axis].saturating_add(other.dims[axis]);
        let n = other.dims[axis];
        let elements: usize = other.dims.iter().product();
        let (height, width) = map.unwrap_or((1, elements / n.max(1)));
        let shape = Shape::map(n, height, width);
        datas.push(match tensor {
            Some(tensor) => node.constant_layer(&tensor, shape)?,
            None => node.shaped(&other.data, shape)?,
        });
    }
    let datas: Vec<&Data> = datas.iter().collect();
    let data = node.layer("concat", Vec::new(), &datas, Vec::new())?;
    Ok(vec![Known::Value(Value { data, dims, order })])
}

/// A part of a value along one axis.
pub(super) fn sliced(
    node: &mut Node<'_>,
    value: &Value,
    axis: usize,
    range: Range,
    last: bool,
) -> Result<Value, String> {
    if range.is_whole(value.dims[axis]) {
        return Ok(value.clone());
    }
    if range.count == 0 {
        return Err(format!("gives an empty tensor along axis {}", axis + node.outside()));
    }
    let (data, place) = node.along(value, axis)?;
    let size = value.dims[axis];
    let mut keys = vec![("axis", integer(place))];
    let signed = |number: i64| ValueKind::Integer(number);
    if range.start != 0 || range.step < 0 {
        keys.push(("start", signed(range.start as i64)));
    }
    // One past the last element taken, in the direction of the step.
    let end = range.start as i64 + range.step * (range.count as i64 - 1) + range.step.signum();
    if end >= 0 && end < size as i64 {
        keys.push(("end", signed(end)));
    } else if end < 0 {
        // −1 would count from the end.
        keys.push(("end", signed(-(size as i64) - 1)));
    }
    if range.step != 1 {
        keys.push(("step", signed(range.step)));
    }
    let data = match last {
        true => node.layer("slice", keys, &[&data], Vec::new())?,
        false => node.helper("slice", keys, &[&data])?,
    };
    let mut dims = value.dims.clone();
    dims[axis] = range.count;
    Ok(Value {
        data,
        dims,
        order: value.order.clone(),
    })
}

pub(super) fn slice(node: &mut Node<'_>) -> Outputs {
    let mut value = node.value(0)?;
    let slices = fold::slices(node, value.dims.len() + node.outside())?;
    let mut cuts = Vec::new();
    for slice in slices {
        let whole = node.outside() == 1 && slice.axis == 0;
        if whole {
            let range = slice.range(node.batch)?;
            if !range.is_whole(node.batch) {
                return Err("takes a part of axis 0, which is the batch".to_owned());
            }
            continue;
        }
        let axis = slice.axis - node.outside();
        let range = slice.range(value.dims[axis])?;
        if !range.is_whole(value.dims[axis]) {
            cuts.push((axis, range));
        }
    }
    let last = cuts.len().saturating_sub(1);
    for (number, (axis, range)) in cuts.into_iter().enumerate() {
        value = sliced(node, &value, axis, range, number == last)?;
    }
    Ok(vec![Known::Value(value)])
}

pub(super) fn split(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axis = node.axis(node.attributes.int("axis", 0)?, &value)?;
    let sizes = fold::split_sizes(node, value.dims[axis])?;
    let mut start = 0;
    let mut outputs = Vec::new();
    for count in sizes {
        let range = Range { start, count, step: 1 };
        outputs.push(Known::Value(sliced(node, &value, axis, range, true)?));
        start += count;
    }
    Ok(outputs)
}

pub(super) fn pad(node: &mut Node<'_>) -> Outputs {
    let mut value = node.value(0)?;
    let mode = match node.attributes.text("mode", "constant")? {
        mode @ ("constant" | "reflect" | "edge" | "wrap") => mode.to_owned(),
        other => {
            return Err(format!(
                "`mode` is {other:?}; \"constant\", \"reflect\", \"edge\" and \"wrap\" are possible"
            ));
        }
    };
    let rank = value.dims.len() + node.outside();
    // `paddings` in opset 1, `pads` from 2 on, an input from 11 on.
    let name = if node.opset < 2 { "paddings" } else { "pads" };
    let pads = node.integers(name, 1)?.ok_or("the padding is missing")?;
    let fill = match node.optional_constant(2, "the value")? {
        Some(tensor) => tensor.scalar()? as f32,
        None => node.attributes.float("value", 0.0)?,
    };
    let axes = match node.optional_constant(3, "the axes")? {
        Some(axes) => axes
            .integers()?
            .iter()
            .map(|&axis| crate::node::absolute_axis(axis, rank))
            .collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} numbers of padding for {} axes", pads.len(), axes.len()));
    }
    let (starts, ends) = pads.split_at(axes.len());
    let mut wanted = Vec::new();
    for ((axis, &before), &after) in axes.into_iter().zip(starts).zip(ends) {
        if (before, after) == (0, 0) {
            continue;
        }
        let axis = axis
            .checked_sub(node.outside())
            .ok_or("pads axis 0, which is the batch; images are independent here")?;
        // Negative padding cuts off.
        let size = value.dims[axis] as i64;
        let cut = |pad: i64| pad.min(0).checked_neg().unwrap_or(i64::MAX);
        let left = size.saturating_sub(cut(before)).saturating_sub(cut(after));
        if left <= 0 {
            return Err("cuts off everything".to_owned());
        }
        let range = Range {
            start: cut(before) as usize,
            count: left as usize,
            step: 1,
        };
        value = sliced(node, &value, axis, range, false)?;
        let size = |pad: i64| super::window::size("pads", pad.max(0), 0);
        if before > 0 || after > 0 {
            wanted.push((axis, size(before)?, size(after)?));
        }
    }
    let (_, places) = match frame(&value.in_memory()) {
        Some(_) if !wanted.is_empty() => node.framed(&value)?,
        _ => (value.data.clone(), vec![None; value.dims.len()]),
    };
    let mut pixels = [0; 4];
    let (inside, others): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .partition(|(axis, ..)| matches!(places[*axis], Some(1 | 2)));
    let mut dims = value.dims.clone();
    for (axis, before, after) in inside {
        let place = places[axis].unwrap_or(1) - 1;
        (pixels[place], pixels[place + 2]) = (before, after);
        dims[axis] = dims[axis].saturating_add(before).saturating_add(after);
    }
    let keys = |pads| {
        let mut keys = vec![("padding", sides(pads))];
        match &*mode {
            "constant" => keys.extend((fill != 0.0).then(|| ("value", number(fill)))),
            other => keys.push(("mode", word(other))),
        }
        keys
    };
    if pixels != [0; 4] {
        let (data, _) = node.framed(&value)?;
        let data = match others.is_empty() {
            true => node.layer("pad", keys(pixels), &[&data], Vec::new())?,
            false => node.helper("pad", keys(pixels), &[&data])?,
        };
        value = Value {
            data,
            dims,
            order: value.order,
        };
    }
    for (axis, before, after) in others {
        value = match &*mode {
            "constant" => padded_by_constants(node, &value, axis, [before, after], fill)?,
            _ => padded_as_rows(node, &value, axis, keys([before, 0, after, 0]))?,
        };
    }
    Ok(vec![Known::Value(value)])
}

/// A value padded along an axis that is no axis of pixels: as rows of a map, they are.
fn padded_as_rows(node: &mut Node<'_>, value: &Value, axis: usize, keys: Keys) -> Result<Value, String> {
    let sizes = value.in_memory();
    let position = value.order.iter().position(|&other| other == axis).unwrap_or(0);
    let product = |sizes: &[usize]| sizes.iter().product();
    let shape = Shape::map(
        product(&sizes[..position]),
        sizes[position],
        product(&sizes[position + 1..]),
    );
    let data = node.shaped(&value.data, shape)?;
    let data = node.helper("pad", keys, &[&data])?;
    let mut dims = value.dims.clone();
    dims[axis] = data.shape.extent()[1];
    Ok(Value {
        data,
        dims,
        order: value.order.clone(),
    })
}

/// A value with constants before and after it along an axis that is no axis of pixels.
fn padded_by_constants(
    node: &mut Node<'_>,
    value: &Value,
    axis: usize,
    [before, after]: [usize; 2],
    fill: f32,
) -> Result<Value, String> {
    let first = node.ordered(value, &moved(value, axis))?;
    let n = first.dims[axis];
    let (height, width) = match first.data.shape {
        Shape::Map {
            channels,
            height,
            width,
        } if channels == n => (height, width),
        _ => (1, first.dims.iter().product::<usize>() / n),
    };
    let fill = Tensor::from_floats(vec![1], vec![fill]);
    let constant = |node: &mut Node<'_>, channels: usize| {
        let shape = Shape::map(channels, height, width);
        count(&shape.dims())?;
        node.constant_layer(&Tensor::uniform(shape.dims(), &fill), shape)
    };
    let mut datas = Vec::new();
    if before > 0 {
        datas.push(constant(node, before)?);
    }
    datas.push(node.shaped(&first.data, Shape::map(n, height, width))?);
    if after > 0 {
        datas.push(constant(node, after)?);
    }
    let data = node.helper("concat", Vec::new(), &datas.iter().collect::<Vec<_>>())?;
    let mut dims = first.dims;
    dims[axis] = n.saturating_add(before).saturating_add(after);
    Ok(Value {
        data,
        dims,
        order: first.order,
    })
}
