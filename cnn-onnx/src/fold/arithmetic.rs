//! Elementwise arithmetic on constants.

use super::form::{offsets, strides};
use crate::lower::broadcast_dims;
use crate::tensor::{DataType, Numbers, Tensor};

/// The strides by which the elements of a tensor are broadcast to `dims`.
fn spread(tensor: &Tensor, dims: &[usize]) -> Vec<usize> {
    let missing = dims.len() - tensor.dims.len();
    let own = strides(&tensor.dims);
    (0..dims.len())
        .map(|axis| match axis.checked_sub(missing) {
            Some(axis) if tensor.dims[axis] != 1 => own[axis],
            _ => 0,
        })
        .collect()
}

/// A tensor broadcast to `dims`, as Expand does.
pub(crate) fn expanded(tensor: &Tensor, dims: Vec<usize>) -> Tensor {
    let steps = spread(tensor, &dims);
    tensor.picked(dims.clone(), offsets(&dims, &steps))
}

/// The dimensions of the result of an elementwise operator.
pub(super) fn result_dims(tensors: &[&Tensor]) -> Result<Vec<usize>, String> {
    broadcast_dims(&tensors.iter().map(|tensor| tensor.dims.clone()).collect::<Vec<_>>())
}

/// Add, Sub, Mul, Div, Min, Max, Mod and comparisons; `None` for other operators.
pub(super) fn binary(op: &str, a: &Tensor, b: &Tensor, dims: Vec<usize>) -> Option<Result<Tensor, String>> {
    if let (Some(a), Some(b), false) = (a.repeated(), b.repeated(), dims.is_empty()) {
        let one = binary(op, &a, &b, Vec::new())?;
        return Some(one.map(|one| Tensor::uniform(dims, &one)));
    }
    let (left, right) = (spread(a, &dims), spread(b, &dims));
    let places = || offsets(&dims, &left).zip(offsets(&dims, &right));
    let kind = match op {
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Xor" => DataType::Bool,
        _ => a.kind,
    };
    let numbers = match (a.numbers(), b.numbers()) {
        (Numbers::Integer(a), Numbers::Integer(b)) => {
            let function: fn(i64, i64) -> Option<i64> = match op {
                "Add" => |a, b| Some(a.wrapping_add(b)),
                "Sub" => |a, b| Some(a.wrapping_sub(b)),
                "Mul" => |a, b| Some(a.wrapping_mul(b)),
                "Div" => i64::checked_div,
                "Mod" => |a, b| (b != 0).then(|| a.wrapping_rem(b).wrapping_add(b).wrapping_rem(b)),
                "Min" => |a, b| Some(a.min(b)),
                "Max" => |a, b| Some(a.max(b)),
                "Equal" => |a, b| Some((a == b).into()),
                "Less" => |a, b| Some((a < b).into()),
                "Greater" => |a, b| Some((a > b).into()),
                "LessOrEqual" => |a, b| Some((a <= b).into()),
                "GreaterOrEqual" => |a, b| Some((a >= b).into()),
                "Xor" => |a, b| Some(((a != 0) != (b != 0)).into()),
                "And" => |a, b| Some((a != 0 && b != 0).into()),
                "Or" => |a, b| Some((a != 0 || b != 0).into()),
                _ => return None,
            };
            let result: Option<Vec<i64>> = places().map(|(i, j)| function(a[i], b[j])).collect();
            match result {
                Some(result) => Numbers::Integer(result),
                None => return Some(Err("divides by 0".to_owned())),
            }
        }
        _ => {
            let function: fn(f64, f64) -> f64 = match op {
                "Add" => |a, b| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                "Pow" => f64::powf,
                "Min" => f64::min,
                "Max" => f64::max,
                "Equal" => |a, b| f64::from(a == b),
                "Less" => |a, b| f64::from(a < b),
                "Greater" => |a, b| f64::from(a > b),
                "LessOrEqual" => |a, b| f64::from(a <= b),
                "GreaterOrEqual" => |a, b| f64::from(a >= b),
                _ => return None,
            };
            let (a, b) = (a.doubles(), b.doubles());
            Numbers::Float(places().map(|(i, j)| function(a[i], b[j])).collect())
        }
    };
    Some(Ok(Tensor::from_numbers(dims, kind, &numbers)))
}

/// Neg, Sqrt, Floor, Ceil, Abs, Reciprocal, Exp, Sin, Cos, Not; `None` for other operators.
pub(super) fn unary(op: &str, tensor: &Tensor) -> Option<Tensor> {
    if let (true, Some(one)) = (tensor.is_uniform(), tensor.repeated()) {
        return Some(Tensor::uniform(tensor.dims.clone(), &unary(op, &one)?));
    }
    let numbers = match tensor.numbers() {
        Numbers::Integer(numbers) => {
            let function: fn(i64) -> i64 = match op {
                "Neg" => i64::wrapping_neg,
                "Abs" => i64::wrapping_abs,
                "Floor" | "Ceil" => |x| x,
                "Not" => |x| (x == 0).into(),
                _ => return None,
            };
            Numbers::Integer(numbers.into_iter().map(function).collect())
        }
        Numbers::Float(numbers) => {
            let function: fn(f64) -> f64 = match op {
                "Neg" => |x| -x,
                "Abs" => f64::abs,
                "Sqrt" => f64::sqrt,
                "Floor" => f64::floor,
                "Ceil" => f64::ceil,
                "Reciprocal" => f64::recip,
                "Exp" => f64::exp,
                "Sin" => f64::sin,
                "Cos" => f64::cos,
                _ => return None,
            };
            Numbers::Float(numbers.into_iter().map(function).collect())
        }
    };
    Some(Tensor::from_numbers(tensor.dims.clone(), tensor.kind, &numbers))
}

/// Where: elements of `a` where the condition holds, of `b` elsewhere.
pub(super) fn choose(condition: &Tensor, a: &Tensor, b: &Tensor, dims: Vec<usize>) -> Tensor {
    if let (Some(condition), Some(a), Some(b), false) =
        (condition.repeated(), a.repeated(), b.repeated(), dims.is_empty())
    {
        return Tensor::uniform(dims, &choose(&condition, &a, &b, Vec::new()));
    }
    let holds = condition.doubles();
    let (places, left, right) = (spread(condition, &dims), spread(a, &dims), spread(b, &dims));
    let places = || {
        let sides = offsets(&dims, &left).zip(offsets(&dims, &right));
        offsets(&dims, &places).map(|place| holds[place] != 0.0).zip(sides)
    };
    let numbers = match (a.numbers(), b.numbers()) {
        (Numbers::Integer(a), Numbers::Integer(b)) => Numbers::Integer(
            places()
                .map(|(holds, (i, j))| if holds { a[i] } else { b[j] })
                .collect(),
        ),
        _ => {
            let (a, b) = (a.doubles(), b.doubles());
            Numbers::Float(
                places()
                    .map(|(holds, (i, j))| if holds { a[i] } else { b[j] })
                    .collect(),
            )
        }
    };
    Tensor::from_numbers(dims, a.kind, &numbers)
}
