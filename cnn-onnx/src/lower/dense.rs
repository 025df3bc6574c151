//! Products of matrices: Gemm and MatMul. With a constant matrix and vectors they are dense layers.

use cnn_ir::ast::ValueKind;
use cnn_ir::shape::Shape;

use crate::network::integer;
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::{Data, Known, Value};
use crate::weights::Weight;

/// The layer for vectors times a constant matrix `[K, units]`, or `[units, K]` if `turned`.
fn dense(
    node: &mut Node<'_>,
    value: &Value,
    matrix: Tensor,
    turned: bool,
    bias: Option<Tensor>,
) -> Result<Data, String> {
    let [rows, columns] = *matrix.dims else {
        return Err(format!("the matrix has the dimensions {:?}", matrix.dims));
    };
    let scales = matrix.scales(if turned { 0 } else { 1 });
    let (units, weight) = match turned {
        true => (rows, Weight::Plain(matrix)),
        false => (columns, Weight::Transposed(matrix)),
    };
    let data = node.shaped(&value.data, Shape::Flat(value.dims.iter().product()))?;
    let mut keys = vec![("units", integer(units))];
    let mut weights = vec![("weight", weight)];
    if let Some(scales) = scales {
        keys.push(("quantized", ValueKind::Boolean(true)));
        weights.push(("weight_scale", Weight::Plain(scales)));
    }
    match bias {
        Some(bias) => weights.push(("bias", Weight::Plain(bias))),
        None => keys.push(("bias", ValueKind::Boolean(false))),
    }
    node.layer("dense", keys, &[&data], weights)
}

/// Vectors along the last axis times a constant matrix `[K, units]`, everywhere: a convolution of single pixels, in which
/// that axis is the channels. So a network with channels last needs no moving about.
fn pointwise(node: &mut Node<'_>, value: &Value, matrix: &Tensor) -> Result<Value, String> {
    let last = value.dims.len() - 1;
    let units = matrix.dims[1];
    let order = super::part::moved(value, last);
    let value = node.ordered(value, &order)?;
    let shape = match *value.in_memory() {
        [channels, height, width] => Shape::map(channels, height, width),
        ref dims => Shape::map(dims[0], 1, dims[1..].iter().product()),
    };
    let data = node.shaped(&value.data, shape)?;
    let weight = Weight::Transposed(matrix.reshaped([&[1, 1], &*matrix.dims].concat()));
    let keys = vec![
        ("filters", integer(units)),
        ("kernel", integer(1)),
        ("bias", ValueKind::Boolean(false)),
    ];
    let data = node.layer("conv", keys, &[&data], vec![("weight", weight)])?;
    let mut dims = value.dims;
    dims[last] = units;
    Ok(Value { data, dims, order })
}

pub(super) fn gemm(node: &mut Node<'_>) -> Outputs {
    let (alpha, beta) = (
        node.attributes.float("alpha", 1.0)?,
        node.attributes.float("beta", 1.0)?,
    );
    let turn_a = node.attributes.flag("transA", false)?;
    let turn_b = node.attributes.flag("transB", false)?;
    node.attributes.ignore("broadcast"); // until opset 6, for the third input
    let a = node.value(0)?;
    let vectors = a.dims.len() + node.outside() == 2 && !turn_a && (node.network.batched || a.dims[0] == 1);
    let added = matches!(node.inputs.get(2), None | Some(None | Some(Known::Constant(_))));
    if let (true, true, Known::Constant(matrix)) = (vectors, added, node.input(1)?.clone()) {
        let matrix = scaled(node, matrix, alpha)?;
        let units = *matrix.dims.get(if turn_b { 0 } else { 1 }).unwrap_or(&0);
        let added = match node.inputs.get(2).cloned() {
            Some(Some(Known::Constant(tensor))) => Some(vector(&scaled(node, tensor, beta)?, units)?),
            _ => None,
        };
        let data = dense(node, &a, matrix, turn_b, added)?;
        let dims = if node.network.batched {
            vec![units]
        } else {
            vec![1, units]
        };
        return Ok(vec![Known::Value(Value::plain(data, dims))]);
    }
    if node.network.batched {
        return Err("two matrices with a batch along axis 0 are no product of images".to_owned());
    }
    let turned = |value: &Value, turn: bool| match turn {
        true => value.transposed(&[1, 0]),
        false => value.clone(),
    };
    if a.dims.len() != 2 {
        return Err(format!(
            "the first input has the dimensions {:?}; a matrix is possible",
            a.dims
        ));
    }
    let left = Operand::Value(turned(&a, turn_a));
    let right = match node.input(1)?.clone() {
        Known::Value(value) if value.dims.len() == 2 => Operand::Value(turned(&value, turn_b)),
        Known::Constant(tensor) if tensor.dims.len() == 2 => Operand::Constant(match turn_b {
            true => node.turned(&tensor, &[1, 0])?,
            false => tensor,
        }),
        _ => return Err("the second input must be a matrix".to_owned()),
    };
    let plain = (alpha, beta) == (1.0, 1.0) && !node.has(2);
    let mut product = multiplied(node, left, right, plain)?;
    if plain {
        return Ok(vec![Known::Value(product)]);
    }
    if alpha != 1.0 {
        product = super::combine::with_constant(node, "mul", &product, &Tensor::from_floats(Vec::new(), vec![alpha]))?;
    }
    match node.inputs.get(2).cloned().flatten() {
        None => Ok(vec![Known::Value(product)]),
        Some(mut added) => {
            if beta != 1.0 {
                added = match added {
                    Known::Value(value) => {
                        let beta = Tensor::from_floats(Vec::new(), vec![beta]);
                        Known::Value(super::combine::with_constant(node, "mul", &value, &beta)?)
                    }
                    Known::Constant(tensor) => Known::Constant(scaled(node, tensor, beta)?),
                    Known::Lost => return Err("the third input is not known".to_owned()),
                };
            }
            super::combine::combined(node, "add", &[Known::Value(product), added])
        }
    }
}

fn scaled(node: &mut Node<'_>, tensor: Tensor, factor: f32) -> Result<Tensor, String> {
    if factor == 1.0 {
        return Ok(tensor);
    }
    if !tensor.is_uniform() {
        node.network.spend(&tensor.dims)?;
    }
    Ok(tensor.map(|x| x * f64::from(factor)))
}

/// Gemm's third input as a bias: one number for each unit.
fn vector(tensor: &Tensor, units: usize) -> Result<Tensor, String> {
    match *tensor.dims {
        [] | [1] | [1, 1] => Ok(Tensor::uniform(vec![units], tensor)),
        [n] | [1, n] if n == units => Ok(tensor.reshaped(vec![n])),
        _ => Err(format!(
            "the third input has the dimensions {:?}; one number for each of {units} columns is possible",
            tensor.dims
        )),
    }
}

/// A matrix, or several.
pub(super) enum Operand {
    Value(Value),
    Constant(Tensor),
}

pub(super) fn matmul(node: &mut Node<'_>) -> Outputs {
    let (a, b) = (node.input(0)?.clone(), node.input(1)?.clone());
    // A single row times a matrix of the file.
    if let (Known::Value(value), Known::Constant(matrix)) = (&a, &b)
        && let (Some((&inner, outer)), &[rows, units]) = (value.dims.split_last(), &*matrix.dims)
        && outer.iter().all(|&dim| dim == 1)
        && inner == rows
        && (node.network.batched || !outer.is_empty())
    {
        let dims = [outer, &[units]].concat();
        let data = dense(node, value, matrix.clone(), false, None)?;
        return Ok(vec![Known::Value(Value::plain(data, dims))]);
    }
    if let (Known::Value(value), Known::Constant(matrix)) = (&a, &b)
        && let (Some(&inner), &[rows, _]) = (value.dims.last(), &*matrix.dims)
        && inner == rows
        && value.dims.len() > 1
    {
        return Ok(vec![Known::Value(pointwise(node, value, matrix)?)]);
    }
    let outside = node.outside();
    let operand = |known: Known| match known {
        Known::Value(value) => Ok(Operand::Value(value)),
        Known::Constant(tensor) => {
            let dims = match (outside, &*tensor.dims) {
                (1, [1, image @ ..]) if image.len() >= 2 => image.to_vec(),
                (1, [_, _]) => tensor.dims.clone(),
                (1, dims) => return Err(format!("a constant of dimensions {dims:?} has no batch of 1")),
                (_, dims) => dims.to_vec(),
            };
            Ok(Operand::Constant(tensor.reshaped(dims)))
        }
        Known::Lost => Err("an input is not known".to_owned()),
    };
    let product = multiplied(node, operand(a)?, operand(b)?, true)?;
    Ok(vec![Known::Value(product)])
}

impl Operand {
    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Operand::Value(value) => &value.dims,
            Operand::Constant(tensor) => &tensor.dims,
        }
    }
}

/// numpy's product: matrices are the last two axes, the others broadcast; a vector is a row before and a column behind.
pub(super) fn multiplied(node: &mut Node<'_>, left: Operand, right: Operand, last: bool) -> Result<Value, String> {
    let (mut a, mut b) = (left.dims().to_vec(), right.dims().to_vec());
    let (row, column) = (a.len() == 1, b.len() == 1);
    if row {
        a.insert(0, 1);
    }
    if column {
        b.push(1);
    }
    let ([outer_a @ .., m, k], [outer_b @ .., k2, n]) = (&*a, &*b) else {
        return Err("a number is multiplied".to_owned());
    };
    if k != k2 {
        return Err(format!("{a:?} and {b:?} cannot be multiplied: {k} columns, {k2} rows"));
    }
    let outer = super::combine::broadcast_dims(&[outer_a.to_vec(), outer_b.to_vec()])?;
    let matrices = |dims: &[usize]| dims.iter().product::<usize>();
    let mut datas = Vec::new();
    for (operand, own, rows, columns) in [(left, outer_a, *m, *k), (right, outer_b, *k2, *n)] {
        let mut own = own.to_vec();
        // The language repeats a single matrix.
        let partly = matrices(&own) != 1 && matrices(&own) != matrices(&outer);
        let wanted = [&*outer, &[rows, columns]].concat();
        datas.push(match operand {
            Operand::Value(mut value) => {
                if partly {
                    let missing: Vec<_> = (0..wanted.len() - value.dims.len()).collect();
                    value = super::combine::expanded(node, &value.unsqueezed(&missing), &wanted)?;
                    own.clone_from(&outer);
                }
                let value = node.standard(&value)?;
                node.shaped(&value.data, Shape::map(matrices(&own), rows, columns))?
            }
            Operand::Constant(tensor) => {
                let tensor = match partly {
                    true => {
                        node.network.spend(&wanted)?;
                        own.clone_from(&outer);
                        crate::fold::expanded(&tensor, wanted)
                    }
                    false => tensor,
                };
                node.constant_layer(&tensor, Shape::map(matrices(&own), rows, columns))?
            }
        });
    }
    let operands: Vec<&Data> = datas.iter().collect();
    let data = match last {
        true => node.layer("matmul", Vec::new(), &operands, Vec::new())?,
        false => node.helper("matmul", Vec::new(), &operands)?,
    };
    let mut dims = outer;
    dims.extend((!row).then_some(*m));
    dims.extend((!column).then_some(*n));
    Ok(Value::plain(data, dims))
}
