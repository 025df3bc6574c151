//! Functions of one element.

use crate::network::{Keys, number};
use crate::node::{Node, Outputs};
use crate::value::{Known, Value};
use crate::weights::Weight;

use super::combine::scaled;

/// A layer that leaves the form of its operand alone.
pub(super) fn unary(node: &mut Node<'_>, op: &str, keys: Keys) -> Outputs {
    let value = node.value(0)?;
    let data = node.layer(op, keys, &[&value.data], Vec::new())?;
    Ok(vec![Known::Value(value.through(data))])
}

/// A float attribute as a key, unless it is the language's default.
fn key(
    node: &Node<'_>,
    name: &'static str,
    onnx_default: f32,
    default: f32,
) -> Result<Option<(&'static str, f32)>, String> {
    let value = node.attributes.float(name, onnx_default)?;
    Ok((value != default).then_some((name, value)))
}

fn keys(found: impl IntoIterator<Item = Option<(&'static str, f32)>>) -> Keys {
    found
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, number(value)))
        .collect()
}

pub(super) fn leaky_relu(node: &mut Node<'_>) -> Outputs {
    let alpha = key(node, "alpha", 0.01, 0.01)?;
    unary(node, "leaky_relu", keys([alpha]))
}

pub(super) fn elu(node: &mut Node<'_>) -> Outputs {
    let alpha = key(node, "alpha", 1.0, 1.0)?;
    unary(node, "elu", keys([alpha]))
}

pub(super) fn hard_sigmoid(node: &mut Node<'_>) -> Outputs {
    const SIXTH: f32 = 1.0 / 6.0;
    // ONNX's default of alpha is another one than PyTorch's, which is the language's.
    let alpha = key(node, "alpha", 0.2, SIXTH)?;
    let beta = key(node, "beta", 0.5, 0.5)?;
    unary(node, "hard_sigmoid", keys([alpha, beta]))
}

/// The constants of Klambauer et al. (2017) in single precision, as ONNX and PyTorch have them.
const SELU: (f32, f32) = (1.673_263_2, 1.050_701);

pub(super) fn selu(node: &mut Node<'_>) -> Outputs {
    // Opset 1 had the constants with four digits.
    let default = if node.opset < 6 { (1.6732, 1.0507) } else { SELU };
    let alpha = node.attributes.float("alpha", default.0)?;
    let gamma = node.attributes.float("gamma", default.1)?;
    if (alpha, gamma) == SELU {
        return unary(node, "selu", Vec::new());
    }
    // gamma · elu(x)
    let value = node.value(0)?;
    let data = node.helper("elu", vec![("alpha", number(alpha))], &[&value.data])?;
    scaled(node, &value.through(data), gamma)
}

pub(super) fn gelu(node: &mut Node<'_>) -> Outputs {
    let keys = match node.attributes.text("approximate", "none")? {
        "none" => Vec::new(),
        "tanh" => vec![("approximate", crate::network::word("tanh"))],
        other => {
            return Err(format!(
                "`approximate` is {other:?}; \"none\" and \"tanh\" are possible"
            ));
        }
    };
    unary(node, "gelu", keys)
}

pub(super) fn clip(node: &mut Node<'_>) -> Outputs {
    // Inputs from opset 11 on.
    let bound = |name: &'static str, input: usize| match node.optional_constant(input, &format!("`{name}`"))? {
        Some(tensor) => tensor.scalar().map(|bound| Some(bound as f32)),
        None => node.attributes.optional_float(name),
    };
    let infinite = |bound: &f32| bound.is_finite() && bound.abs() < f32::MAX;
    let (min, max) = (bound("min", 1)?.filter(infinite), bound("max", 2)?.filter(infinite));
    match (min, max) {
        (None, None) => Ok(vec![node.input(0)?.clone()]),
        (Some(0.0), None) => unary(node, "relu", Vec::new()),
        (Some(0.0), Some(6.0)) => unary(node, "relu6", Vec::new()),
        (min, max) => {
            // All results are the upper bound if it is below the lower one.
            let max = max.unwrap_or(f32::INFINITY);
            let min = min.unwrap_or(f32::NEG_INFINITY).min(max);
            unary(node, "clip", vec![("min", number(min)), ("max", number(max))])
        }
    }
}

pub(super) fn prelu(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let slope = node.constant(1, "the slopes")?;
    // Until opset 6 slopes belonged to channels; from opset 7 on they are broadcast from the last axis.
    let dims = match (node.opset < 7, &*slope.dims) {
        (true, &[n]) => {
            let behind = (value.dims.len() + node.outside()).saturating_sub(2);
            [vec![n], vec![1; behind]].concat()
        }
        (_, dims) => dims.to_vec(),
    };
    let slope = slope.reshaped(dims);
    if let Some(slopes) = super::combine::per_channel(node, &value, &slope)? {
        let data = node.by_channels(&value)?;
        let data = node.layer("prelu", Vec::new(), &[&data], vec![("slope", Weight::Plain(slopes))])?;
        return Ok(vec![Known::Value(value.through(data))]);
    }
    // max(x, 0) + slope · min(x, 0)
    let above = node.helper("relu", Vec::new(), &[&value.data])?;
    let keys = vec![("min", number(f32::NEG_INFINITY)), ("max", number(0.0))];
    let below = node.helper("clip", keys, &[&value.data])?;
    let below: Value = value.through(below);
    let below = super::combine::with_constant(node, "mul", &below, &slope)?;
    let above = value.through(above);
    super::combine::combined(node, "add", &[Known::Value(above), Known::Value(below)])
}

/// x · sigmoid(alpha · x), from opset 24 on.
pub(super) fn swish(node: &mut Node<'_>) -> Outputs {
    match node.attributes.float("alpha", 1.0)? {
        1.0 => unary(node, "silu", Vec::new()),
        other => Err(format!("`alpha` is {other}; 1 is possible")),
    }
}
