//! Operators that give a tensor another form: Reshape, Flatten, Squeeze, Unsqueeze, Transpose.

use crate::fold;
use crate::node::{Node, Outputs, absolute_axis};
use crate::tensor::count;
use crate::value::{Known, Value, frame, is_permutation};

/// The node's first input under other dimensions (those of the whole tensor, with the batch).
fn under(node: &mut Node<'_>, dims: &[usize]) -> Outputs {
    let value = node.value(0)?;
    let old = full_dims(node, &value);
    if count(dims)? != count(&old)? {
        return Err(format!("{dims:?} has not as many elements as {old:?}"));
    }
    let image = match (node.outside(), dims) {
        (1, [batch, image @ ..]) if *batch == old[0] => image,
        (1, _) => {
            return Err(format!(
                "{old:?} becomes {dims:?}: axis 0 is the batch and must stay as it is"
            ));
        }
        _ => dims,
    };
    let standard = node.standard(&value)?;
    let data = match frame(image) {
        Some(frame) if frame.shape != standard.data.shape => {
            let keys = match frame.shape {
                cnn_ir::shape::Shape::Flat(_) => Vec::new(),
                map => vec![("shape", crate::network::integers(&map.dims()))],
            };
            let op = if keys.is_empty() { "flatten" } else { "reshape" };
            node.layer(op, keys, &[&standard.data], Vec::new())?
        }
        _ => standard.data,
    };
    Ok(vec![Known::Value(Value::plain(data, image.to_vec()))])
}

/// All dimensions of an ONNX tensor. How large a free batch is makes no difference; it is 1 here.
pub(crate) fn full_dims(node: &Node<'_>, value: &Value) -> Vec<usize> {
    match node.network.batched {
        true => [&[node.batch], &*value.dims].concat(),
        false => value.dims.clone(),
    }
}

pub(super) fn reshape(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let shape = node.integers("shape", 1)?.ok_or("the shape is missing")?;
    let allow_zero = node.attributes.flag("allowzero", false)?;
    let dims = fold::reshaped_dims(&full_dims(node, &value), &shape, allow_zero)?;
    under(node, &dims)
}

pub(super) fn flatten(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let dims = full_dims(node, &value);
    let dims = fold::flattened_dims(&dims, node.attributes.int("axis", 1)?)?;
    under(node, &dims)
}

pub(super) fn transpose(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let rank = value.dims.len() + node.outside();
    let permutation = fold::permutation(node.attributes.ints("perm")?, rank)?;
    let image: Vec<usize> = match (node.outside(), &*permutation) {
        (1, [0, image @ ..]) => image.iter().map(|axis| axis - 1).collect(),
        (1, _) => return Err(format!("`perm` {permutation:?} moves axis 0, which is the batch")),
        _ => permutation,
    };
    debug_assert!(is_permutation(&image));
    Ok(vec![Known::Value(value.transposed(&image))])
}

pub(super) fn expand(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let wanted = node.constant(1, "the shape")?.list()?;
    let wanted = wanted
        .iter()
        .map(|&size| usize::try_from(size).map_err(|_| format!("the shape {wanted:?} has a negative number")))
        .collect::<Result<Vec<_>, _>>()?;
    let full = super::broadcast_dims(&[full_dims(node, &value), wanted])?;
    let Some((dims, true)) = full
        .get(node.outside()..)
        .map(|dims| (dims, full.len() >= value.dims.len()))
    else {
        return Err(format!("{full:?} has no batch"));
    };
    if node.network.batched && full[0] != node.batch {
        return Err("repeats images along axis 0, which is the batch".to_owned());
    }
    let new: Vec<usize> = (0..dims.len().saturating_sub(value.dims.len())).collect();
    if node.network.batched && !new.is_empty() {
        return Err("puts an axis before the batch".to_owned());
    }
    let value = super::combine::expanded(node, &value.unsqueezed(&new), dims)?;
    Ok(vec![Known::Value(value)])
}

pub(super) fn squeeze(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axes = match node.integers("axes", 1)? {
        Some(axes) => node.axes(&axes, &value)?,
        None if node.network.batched && node.batch == 1 => {
            return Err("squeezes every axis of size 1, also the batch; name the axes".to_owned());
        }
        None => (0..value.dims.len()).filter(|&axis| value.dims[axis] == 1).collect(),
    };
    match axes.iter().find(|&&axis| value.dims[axis] != 1) {
        Some(&axis) => Err(format!(
            "axis {} has the size {} and cannot be squeezed",
            axis + node.outside(),
            value.dims[axis]
        )),
        None => Ok(vec![Known::Value(value.squeezed(&axes))]),
    }
}

pub(super) fn unsqueeze(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axes = node.integers("axes", 1)?.ok_or("the axes are missing")?;
    let rank = value.dims.len() + node.outside() + axes.len();
    let mut new = axes
        .iter()
        .map(|&axis| {
            let axis = absolute_axis(axis, rank)?;
            let outside = node.outside();
            axis.checked_sub(outside)
                .ok_or("puts an axis before the batch".to_owned())
        })
        .collect::<Result<Vec<_>, String>>()?;
    new.sort_unstable();
    new.dedup();
    if new.len() != axes.len() {
        return Err("an axis is given twice".to_owned());
    }
    Ok(vec![Known::Value(value.unsqueezed(&new))])
}
