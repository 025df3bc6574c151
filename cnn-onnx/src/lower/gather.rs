//! Gather and GatherElements: elements at places along an axis.

use cnn_ir::shape::Shape;

use super::part::sliced;
use crate::fold::Range;
use crate::network::integer;
use crate::node::{Node, Outputs, absolute_axis};
use crate::tensor::{Tensor, count};
use crate::value::{Data, Known, Value};

/// Gather. What a slice takes too is one: a single index, or evenly spaced ones.
pub(super) fn gather(node: &mut Node<'_>) -> Outputs {
    let (x, indices) = (node.input(0)?.clone(), node.input(1)?.clone());
    match (x, indices) {
        (Known::Value(value), Known::Constant(tensor)) => at_constants(node, &value, &tensor),
        (Known::Value(value), Known::Value(indices)) => {
            if node.network.batched {
                return Err("takes computed indices of each image, in a batch; a single image is possible".to_owned());
            }
            let axis = absolute_axis(node.attributes.int("axis", 0)?, value.dims.len())?;
            let value = node.standard(&value)?;
            let dims = value.dims.clone();
            at_places(node, value.data, &dims, axis, &indices)
        }
        // A table of vectors, one for each index: an embedding.
        (Known::Constant(table), Known::Value(indices)) => {
            let axis = absolute_axis(node.attributes.int("axis", 0)?, table.dims.len())?;
            if axis != 0 && node.network.batched {
                return Err("looks up indices of a batch along an axis that is not the first".to_owned());
            }
            let shape = around(&table.dims, axis);
            let data = node.constant_layer(&table, shape)?;
            at_places(node, data, &table.dims, axis, &indices)
        }
        (Known::Constant(_) | Known::Lost, _) | (_, Known::Lost) => Err("an input is not known".to_owned()),
    }
}

/// Dimensions as a map in which an axis has those before it as channels and those behind it as columns.
fn around(dims: &[usize], axis: usize) -> Shape {
    let product = |dims: &[usize]| dims.iter().product();
    Shape::map(product(&dims[..axis]), dims[axis], product(&dims[axis + 1..]))
}

/// Indices of the file as places from the start.
fn places(tensor: &Tensor, size: usize) -> Result<Vec<usize>, String> {
    let place = |index| absolute_axis(index, size).map_err(|_| format!("there is no index {index} of {size}"));
    tensor.integers()?.into_iter().map(place).collect()
}

fn at_constants(node: &mut Node<'_>, value: &Value, tensor: &Tensor) -> Outputs {
    let axis = node.axis(node.attributes.int("axis", 0)?, value)?;
    let places = places(tensor, value.dims[axis])?;
    let step = match *places {
        [a, b, ..] => b as i64 - a as i64,
        _ => 1,
    };
    let even = step != 0 && places.windows(2).all(|pair| pair[1] as i64 - pair[0] as i64 == step);
    let Some(&start) = places.first() else {
        return Err("takes no index".to_owned());
    };
    let taken = if even {
        let count = places.len();
        sliced(node, value, axis, Range { start, count, step }, true)?
    } else {
        let (data, place) = node.along(value, axis)?;
        node.network.spend(&[places.len()])?;
        let numbers = places.iter().map(|&place| place as f32).collect();
        let numbers = Tensor::from_floats(vec![places.len()], numbers);
        let indices = node.constant_layer(&numbers, Shape::Flat(places.len()))?;
        let data = node.layer("gather", vec![("axis", integer(place))], &[&data, &indices], Vec::new())?;
        let mut dims = value.dims.clone();
        dims[axis] = places.len();
        Value {
            data,
            dims,
            order: value.order.clone(),
        }
    };
    Ok(vec![Known::Value(taken.split(axis, &tensor.dims))])
}

/// Elements of what has these dimensions, in order, at computed places along an axis.
fn at_places(node: &mut Node<'_>, data: Data, dims: &[usize], axis: usize, indices: &Value) -> Outputs {
    let indices = node.standard(indices)?;
    let data = node.shaped(&data, around(dims, axis))?;
    let row = node.shaped(&indices.data, Shape::Flat(count(&indices.dims)?))?;
    let data = node.layer("gather", vec![("axis", integer(1))], &[&data, &row], Vec::new())?;
    let dims = [&dims[..axis], &*indices.dims, &dims[axis + 1..]].concat();
    Ok(vec![Known::Value(Value::plain(data, dims))])
}

/// GatherElements: a place for each element of the result.
pub(super) fn gather_elements(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let axis = node.axis(node.attributes.int("axis", 0)?, &value)?;
    let value = node.standard(&value)?;
    let (dims, indices) = match node.input(1)?.clone() {
        Known::Value(indices) => {
            let indices = node.standard(&indices)?;
            (indices.dims, Some(indices.data))
        }
        Known::Constant(tensor) => match (node.outside(), &*tensor.dims) {
            (1, [1, image @ ..]) => (image.to_vec(), None),
            (1, _) => return Err("constant indices differ between images".to_owned()),
            (_, dims) => (dims.to_vec(), None),
        },
        Known::Lost => return Err("an input is not known".to_owned()),
    };
    let fits = dims.len() == value.dims.len() && (0..dims.len()).all(|i| i == axis || dims[i] == value.dims[i]);
    if !fits {
        return Err(format!("indices {dims:?} do not fit {:?}", value.dims));
    }
    let shape = around(&dims, axis);
    let indices = match indices {
        Some(data) => node.shaped(&data, shape)?,
        None => {
            let tensor = node.constant(1, "the indices")?;
            node.network.spend(&dims)?;
            let numbers = places(&tensor, value.dims[axis])?;
            let numbers = numbers.iter().map(|&place| place as f32).collect();
            node.constant_layer(&Tensor::from_floats(dims.clone(), numbers), shape)?
        }
    };
    let data = node.shaped(&value.data, around(&value.dims, axis))?;
    let data = node.layer("gather", vec![("axis", integer(1))], &[&data, &indices], Vec::new())?;
    Ok(vec![Known::Value(Value::plain(data, dims))])
}
