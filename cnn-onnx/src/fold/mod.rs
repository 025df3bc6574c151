//! Operators whose result is known when a file is read: constants, and the arithmetic with shapes and axes that exporters
//! leave behind.

mod arithmetic;
mod evaluate;
mod form;

use crate::node::{Node, absolute_axis};
use crate::tensor::{DataType, Numbers, Tensor, count};
use crate::value::Known;

pub(crate) use arithmetic::expanded;
pub(crate) use evaluate::evaluated;
pub(crate) use form::{Range, flattened_dims, permutation, reshaped_dims, slices, split_sizes, transposed};

/// The results of a node that depends on constants only (or on shapes); `None` if it must be computed.
pub(crate) fn fold(node: &mut Node<'_>) -> Option<Result<Vec<Tensor>, String>> {
    match &*node.message.op_type {
        "Shape" | "Size" => return Some(shape(node)),
        "Constant" => return Some(constant(node).map(|tensor| vec![tensor])),
        _ => {}
    }
    let mut tensors = Vec::new();
    for input in &node.inputs {
        match input {
            Some(Known::Constant(tensor)) => tensors.push(tensor.clone()),
            Some(Known::Value(_) | Known::Lost) => return None,
            None => {}
        }
    }
    if tensors.is_empty() {
        return None;
    }
    folded(node, &tensors).transpose()
}

/// Shape and Size of anything.
fn shape(node: &Node<'_>) -> Result<Vec<Tensor>, String> {
    let dims = match node.input(0)? {
        Known::Constant(tensor) => tensor.dims.clone(),
        Known::Value(value) => crate::lower::full_dims(node, value),
        Known::Lost => return Err("the input is not known".to_owned()),
    };
    if node.message.op_type == "Size" {
        return Ok(vec![Tensor::from_integers(Vec::new(), &[count(&dims)? as i64])]);
    }
    // Part of it from opset 15 on.
    let rank = dims.len() as i64;
    let bound = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let start = bound(node.attributes.int("start", 0)?);
    let end = bound(node.attributes.int("end", rank)?).max(start);
    let part: Vec<i64> = dims[start..end].iter().map(|&dim| dim as i64).collect();
    Ok(vec![Tensor::from_integers(vec![part.len()], &part)])
}

fn constant(node: &Node<'_>) -> Result<Tensor, String> {
    let attributes = &node.attributes;
    if let Some(tensor) = attributes.tensor("value")? {
        return Ok(tensor);
    }
    if let Some(float) = attributes.optional_float("value_float")? {
        return Ok(Tensor::from_floats(Vec::new(), vec![float]));
    }
    if let Some(int) = attributes.optional_int("value_int")? {
        return Ok(Tensor::from_integers(Vec::new(), &[int]));
    }
    if let Some(floats) = attributes.floats("value_floats")? {
        return Ok(Tensor::from_floats(vec![floats.len()], floats.to_vec()));
    }
    if let Some(ints) = attributes.ints("value_ints")? {
        return Ok(Tensor::from_integers(vec![ints.len()], ints));
    }
    Err("has no value that is a tensor or numbers".to_owned())
}

/// The result if the operator is one that can be folded.
fn folded(node: &mut Node<'_>, tensors: &[Tensor]) -> Result<Option<Vec<Tensor>>, String> {
    let first = &tensors[0];
    let result = match &*node.message.op_type {
        "Identity" | "Dropout" => {
            ["ratio", "seed"].iter().for_each(|name| node.attributes.ignore(name));
            first.clone()
        }
        "ConstantOfShape" => {
            let dims = sizes(&first.list()?)?;
            let value = node.attributes.tensor("value")?;
            let value = value.unwrap_or_else(|| Tensor::from_floats(vec![1], vec![0.0]));
            if value.len() != 1 {
                return Err("`value` must hold one element".to_owned());
            }
            count(&dims)?;
            Tensor::uniform(dims, &value)
        }
        "Cast" => {
            node.attributes.ignore("saturate");
            node.attributes.ignore("round_mode");
            let number = node.attributes.optional_int("to")?.ok_or("attribute `to` is missing")?;
            let kind = DataType::from_number(i32::try_from(number).unwrap_or(0))?;
            if kind == first.kind {
                first.clone()
            } else {
                match first.repeated().filter(|_| first.is_uniform()) {
                    Some(one) => {
                        let one = Tensor::from_numbers(Vec::new(), kind, &one.numbers());
                        Tensor::uniform(first.dims.clone(), &one)
                    }
                    None => {
                        node.network.spend(&first.dims)?;
                        Tensor::from_numbers(first.dims.clone(), kind, &first.numbers())
                    }
                }
            }
        }
        "Reshape" => {
            let shape = node.integers("shape", 1)?.ok_or("the shape is missing")?;
            let allow_zero = node.attributes.flag("allowzero", false)?;
            first.reshaped(reshaped_dims(&first.dims, &shape, allow_zero)?)
        }
        "Flatten" => first.reshaped(flattened_dims(&first.dims, node.attributes.int("axis", 1)?)?),
        "Squeeze" => first.reshaped(squeezed(node, &first.dims)?),
        "Unsqueeze" => first.reshaped(unsqueezed(node, &first.dims)?),
        "Transpose" => {
            let permutation = permutation(node.attributes.ints("perm")?, first.dims.len())?;
            node.turned(first, &permutation)?
        }
        "Expand" => {
            let wanted = sizes(&node.constant(1, "the shape")?.list()?)?;
            let dims = crate::lower::broadcast_dims(&[first.dims.clone(), wanted])?;
            match first.repeated() {
                Some(one) => {
                    count(&dims)?;
                    Tensor::uniform(dims, &one)
                }
                None => {
                    node.network.spend(&dims)?;
                    arithmetic::expanded(first, dims)
                }
            }
        }
        "Gather" => {
            let indices = node.constant(1, "the indices")?;
            gather(node, first, &indices)?
        }
        "Concat" => concat(node, tensors)?,
        "Slice" => {
            let mut result = first.clone();
            for slice in slices(node, first.dims.len())? {
                let range = slice.range(result.dims[slice.axis])?;
                result = part(node, &result, slice.axis, range)?;
            }
            result
        }
        "Split" => {
            let axis = absolute_axis(node.attributes.int("axis", 0)?, first.dims.len())?;
            let mut start = 0;
            let mut parts = Vec::new();
            for count in split_sizes(node, first.dims[axis])? {
                parts.push(part(node, first, axis, Range { start, count, step: 1 })?);
                start += count;
            }
            return Ok(Some(parts));
        }
        "CumSum" => running_sum(node, first)?,
        "Range" => range(node, tensors)?,
        "Where" => {
            let (condition, a, b) = match tensors {
                [condition, a, b] => (condition, a, b),
                _ => return Err("has not three inputs".to_owned()),
            };
            let dims = arithmetic::result_dims(&[condition, a, b])?;
            spend(node, tensors, &dims)?;
            arithmetic::choose(condition, a, b, dims)
        }
        op => match tensors {
            [one] => {
                spend(node, tensors, &one.dims)?;
                match arithmetic::unary(op, one) {
                    Some(result) => result,
                    None => return Ok(None),
                }
            }
            [a, b] => {
                if a.kind.is_float() != b.kind.is_float() {
                    return Ok(None);
                }
                let Ok(dims) = arithmetic::result_dims(&[a, b]) else {
                    return Ok(None);
                };
                spend(node, tensors, &dims)?;
                match arithmetic::binary(op, a, b, dims) {
                    Some(result) => result?,
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        },
    };
    Ok(Some(vec![result]))
}

/// Counts an elementwise operator's result, which takes memory unless each operand is one number, repeated.
fn spend(node: &mut Node<'_>, tensors: &[Tensor], dims: &[usize]) -> Result<(), String> {
    match tensors.iter().all(|tensor| tensor.repeated().is_some()) {
        true => count(dims).map(drop),
        false => node.network.spend(dims),
    }
}

/// Sizes of a shape.
fn sizes(numbers: &[i64]) -> Result<Vec<usize>, String> {
    let size =
        |&number: &i64| usize::try_from(number).map_err(|_| format!("the shape {numbers:?} has a negative number"));
    numbers.iter().map(size).collect()
}

fn squeezed(node: &Node<'_>, dims: &[usize]) -> Result<Vec<usize>, String> {
    let gone = match node.integers("axes", 1)? {
        Some(axes) => axes
            .iter()
            .map(|&axis| absolute_axis(axis, dims.len()))
            .collect::<Result<Vec<_>, _>>()?,
        None => (0..dims.len()).filter(|&axis| dims[axis] == 1).collect(),
    };
    match gone.iter().find(|&&axis| dims[axis] != 1) {
        Some(axis) => Err(format!("axis {axis} of {dims:?} is not 1")),
        None => Ok((0..dims.len())
            .filter(|axis| !gone.contains(axis))
            .map(|axis| dims[axis])
            .collect()),
    }
}

fn unsqueezed(node: &Node<'_>, dims: &[usize]) -> Result<Vec<usize>, String> {
    let axes = node.integers("axes", 1)?.ok_or("the axes are missing")?;
    let rank = dims.len() + axes.len();
    let new = axes
        .iter()
        .map(|&axis| absolute_axis(axis, rank))
        .collect::<Result<Vec<_>, _>>()?;
    let mut old = dims.iter();
    let dims: Vec<usize> = (0..rank)
        .map(|axis| {
            if new.contains(&axis) {
                1
            } else {
                old.next().copied().unwrap_or(1)
            }
        })
        .collect();
    match old.next() {
        Some(_) => Err("an axis is given twice".to_owned()),
        None => Ok(dims),
    }
}

/// The elements at `places` along an axis.
fn taken(tensor: &Tensor, axis: usize, places: &[usize], dims: Vec<usize>) -> Tensor {
    let outer: usize = match dims.contains(&0) {
        true => 0,
        false => tensor.dims[..axis].iter().product(),
    };
    let inner: usize = tensor.dims[axis + 1..].iter().product();
    let size = tensor.dims[axis];
    let picked = (0..outer).flat_map(|o| {
        places
            .iter()
            .flat_map(move |&place| (0..inner).map(move |i| (o * size + place) * inner + i))
    });
    tensor.picked(dims, picked)
}

fn part(node: &mut Node<'_>, tensor: &Tensor, axis: usize, range: Range) -> Result<Tensor, String> {
    if range.is_whole(tensor.dims[axis]) {
        return Ok(tensor.clone());
    }
    let mut dims = tensor.dims.clone();
    dims[axis] = range.count;
    node.network.spend(&dims)?;
    let places: Vec<usize> = (0..range.count).map(|i| range.index(i)).collect();
    Ok(taken(tensor, axis, &places, dims))
}

fn gather(node: &mut Node<'_>, tensor: &Tensor, indices: &Tensor) -> Result<Tensor, String> {
    let axis = absolute_axis(node.attributes.int("axis", 0)?, tensor.dims.len())?;
    let dims = [&tensor.dims[..axis], &*indices.dims, &tensor.dims[axis + 1..]].concat();
    node.network.spend(&dims)?;
    let size = tensor.dims[axis];
    let places = indices
        .integers()?
        .into_iter()
        .map(|index| absolute_axis(index, size).map_err(|_| format!("there is no index {index} of {size}")))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(taken(tensor, axis, &places, dims))
}

fn concat(node: &mut Node<'_>, tensors: &[Tensor]) -> Result<Tensor, String> {
    let first = &tensors[0];
    let axis = absolute_axis(node.attributes.int("axis", 1)?, first.dims.len())?;
    let mut dims = first.dims.clone();
    dims[axis] = 0;
    for tensor in tensors {
        let alike = tensor.kind == first.kind
            && tensor.dims.len() == dims.len()
            && (0..dims.len()).all(|other| other == axis || tensor.dims[other] == dims[other]);
        if !alike {
            return Err(format!("{:?} cannot be joined with {:?}", tensor.dims, first.dims));
        }
        dims[axis] = dims[axis].saturating_add(tensor.dims[axis]);
    }
    node.network.spend(&dims)?;
    // Without elements nothing is joined, however long the axes before are.
    let outer: usize = match dims.contains(&0) {
        true => 0,
        false => dims[..axis].iter().product(),
    };
    let pieces: Vec<Numbers> = tensors.iter().map(Tensor::numbers).collect();
    let run = |i: usize, o: usize| {
        let length = tensors[i].len().checked_div(outer).unwrap_or(0);
        o * length..(o + 1) * length
    };
    let mut joined = match first.kind.is_float() {
        true => Numbers::Float(Vec::new()),
        false => Numbers::Integer(Vec::new()),
    };
    for o in 0..outer {
        for (i, piece) in pieces.iter().enumerate() {
            match (&mut joined, piece) {
                (Numbers::Float(joined), Numbers::Float(piece)) => joined.extend_from_slice(&piece[run(i, o)]),
                (Numbers::Integer(joined), Numbers::Integer(piece)) => joined.extend_from_slice(&piece[run(i, o)]),
                (Numbers::Float(_), Numbers::Integer(_)) | (Numbers::Integer(_), Numbers::Float(_)) => {
                    return Err("inputs of different types are joined".to_owned());
                }
            }
        }
    }
    Ok(Tensor::from_numbers(dims, first.kind, &joined))
}

/// CumSum: each element's sum with those before it along an axis.
fn running_sum(node: &mut Node<'_>, tensor: &Tensor) -> Result<Tensor, String> {
    let axis = node.constant(1, "the axis")?.scalar()? as i64;
    let axis = absolute_axis(axis, tensor.dims.len())?;
    if node.attributes.flag("exclusive", false)? || node.attributes.flag("reverse", false)? {
        return Err("sums from the end, or without the element itself; from the start is possible".to_owned());
    }
    node.network.spend(&tensor.dims)?;
    let step: usize = tensor.dims[axis + 1..].iter().product();
    let along = tensor.dims[axis];
    let mut numbers = tensor.numbers();
    for i in (step..tensor.len()).filter(|i| !(i / step).is_multiple_of(along)) {
        match &mut numbers {
            Numbers::Float(numbers) => numbers[i] += numbers[i - step],
            Numbers::Integer(numbers) => numbers[i] = numbers[i].wrapping_add(numbers[i - step]),
        }
    }
    Ok(Tensor::from_numbers(tensor.dims.clone(), tensor.kind, &numbers))
}

fn range(node: &mut Node<'_>, tensors: &[Tensor]) -> Result<Tensor, String> {
    let [start, limit, delta] = tensors else {
        return Err("has not three inputs".to_owned());
    };
    let (from, to, step) = (start.scalar()?, limit.scalar()?, delta.scalar()?);
    let steps = ((to - from) / step).ceil().max(0.0);
    if !steps.is_finite() {
        return Err("has no end".to_owned());
    }
    let dims = vec![steps as usize];
    node.network.spend(&dims)?;
    let numbers = (0..dims[0]).map(|i| from + i as f64 * step).collect();
    Ok(Tensor::from_numbers(dims, start.kind, &Numbers::Float(numbers)))
}
