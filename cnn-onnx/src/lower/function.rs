//! Functions of an element beside the activations, and powers.

use cnn_ir::op::Op;

use super::activation::unary;
use super::combine::{combined, joined};
use crate::network::{Keys, number};
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::{Known, Value};

/// What to say of operators that the language does not have.
pub(super) fn known(op: &str) -> Result<(), String> {
    match Op::names().contains(&op) {
        true => Ok(()),
        false => Err(format!("`{op}` is planned, but not there yet")),
    }
}

/// A constant of one element.
pub(super) fn one_number(number: f32) -> Tensor {
    Tensor::from_floats(Vec::new(), vec![number])
}

/// A function that the language has under that name, with parameters that have the same names and defaults there.
pub(super) fn function(node: &mut Node<'_>, op: &'static str, parameters: &[(&'static str, f32)]) -> Outputs {
    known(op)?;
    let mut keys = Keys::new();
    for &(name, default) in parameters {
        // The only name that differs.
        let attribute = if name == "lambda" { "lambd" } else { name };
        let value = node.attributes.float(attribute, default)?;
        keys.extend((value != default).then(|| (name, number(value))));
    }
    unary(node, op, keys)
}

/// A function as a helper of a node that does more.
pub(super) fn helped(node: &mut Node<'_>, op: &'static str, value: &Value) -> Result<Value, String> {
    known(op)?;
    let data = node.helper(op, Keys::new(), &[&value.data])?;
    Ok(value.through(data))
}

/// `x^exponent`; some exponents are simpler.
pub(super) fn pow(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let exponents = node.constant(1, "the exponent")?;
    let Some(exponent) = exponents.repeated() else {
        return Err(format!(
            "has exponents of dimensions {:?}; one number is possible",
            exponents.dims
        ));
    };
    let of = |value: &Value| Known::Value(value.clone());
    match exponent.scalar()? as f32 {
        1.0 => Ok(vec![Known::Value(value)]),
        2.0 => combined(node, "mul", &[of(&value), of(&value)]),
        3.0 => {
            let square = joined(node, "mul", &[of(&value), of(&value)])?;
            combined(node, "mul", &[of(&square), of(&value)])
        }
        0.5 => function(node, "sqrt", &[]),
        -1.0 => function(node, "reciprocal", &[]),
        other => {
            known("pow")?;
            unary(node, "pow", vec![("exponent", number(other))])
        }
    }
}
