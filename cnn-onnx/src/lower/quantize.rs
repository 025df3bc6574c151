//! 8-bit integers: QuantizeLinear, DequantizeLinear, and operators that compute with integers as what they mean, layers of
//! floats between these two; passes then let the layers compute with the integers.

use cnn_ir::value::{ElementType, Quantisation};

use crate::network::{integer, number};
use crate::node::{Node, Outputs};
use crate::tensor::{DataType, Grid, Numbers, Tensor};
use crate::value::{Known, Value};

/// What a scalar scale and zero point say. A signed integer is the unsigned one less 128.
fn quantisation(node: &Node<'_>, scale: usize, zero: usize) -> Result<Quantisation, String> {
    let zero_point = match node.optional_constant(zero, "the zero point")? {
        None => match node.attributes.int("output_dtype", 0)? {
            0 | 2 => 0,
            3 => 128,
            other => return Err(kinds(&format!("data type {other}"))),
        },
        Some(tensor) => {
            let zero = tensor.scalar()? as i64;
            match tensor.kind {
                DataType::U8 => zero,
                DataType::I8 => zero + 128,
                other => return Err(kinds(&format!("{other:?}"))),
            }
        }
    };
    let scale = node.constant(scale, "the scale")?;
    let scale = scale
        .scalar()
        .map_err(|_| "has a scale for each channel; one for all is possible, but for weights".to_owned())?;
    let scale = scale as f32;
    if !(scale.is_normal() && scale > 0.0) {
        return Err(format!("its scale is {scale}; a finite number above 0 is possible"));
    }
    Ok(Quantisation {
        scale,
        zero_point: u8::try_from(zero_point).map_err(|_| "its zero point is no integer of 8 bits".to_owned())?,
    })
}

fn kinds(found: &str) -> String {
    format!("computes with elements of {found}; integers of 8 bits are possible")
}

fn ignored(node: &Node<'_>) -> Result<(), String> {
    for name in ["axis", "saturate", "output_dtype", "precision"] {
        node.attributes.ignore(name);
    }
    match node.attributes.int("block_size", 0)? {
        0 => Ok(()),
        size => Err(format!(
            "has a scale for each {size} elements; one for all, or for each channel, is possible"
        )),
    }
}

/// A value as integers that stand for these numbers.
fn quantized(node: &mut Node<'_>, value: &Value, to: Quantisation, last: bool) -> Result<Value, String> {
    let keys = vec![
        ("scale", number(to.scale)),
        ("zero_point", integer(to.zero_point.into())),
    ];
    let data = match last {
        true => node.layer("quantize", keys, &[&value.data], Vec::new())?,
        false => node.helper("quantize", keys, &[&value.data])?,
    };
    Ok(value.through(data))
}

/// The numbers of a value's integers, given what a node says that they stand for.
fn dequantized(node: &mut Node<'_>, value: &Value, from: Quantisation, last: bool) -> Result<Value, String> {
    match value.data.element {
        ElementType::F32 => Err("takes integers, but its input is floats".to_owned()),
        ElementType::U8(own) if own != from => Err(format!(
            "its scale and zero point are not those of its input: {} and {}, not {} and {}",
            from.scale, from.zero_point, own.scale, own.zero_point
        )),
        ElementType::U8(_) => {
            let data = match last {
                true => node.layer("dequantize", Vec::new(), &[&value.data], Vec::new())?,
                false => node.helper("dequantize", Vec::new(), &[&value.data])?,
            };
            Ok(value.through(data))
        }
    }
}

/// A constant's numbers: each integer less its zero point, times its scale; one of each for all, or one for each place
/// along an axis.
fn constant(node: &mut Node<'_>, [integers, scale, zero]: [usize; 3], axis: i64) -> Result<Tensor, String> {
    let tensor = node.constant(integers, "the integers")?;
    let scales = node.constant(scale, "the scale")?.few_doubles()?;
    let zeros = match node.optional_constant(zero, "the zero point")? {
        Some(zeros) => zeros.integers()?,
        None => vec![0],
    };
    node.network.spend(&tensor.dims)?;
    let Numbers::Integer(numbers) = tensor.numbers() else {
        return Err("takes integers, but its input is floats".to_owned());
    };
    let axis = match scales.len() {
        1 => 0,
        _ => crate::node::absolute_axis(axis, tensor.dims.len())?,
    };
    let size = tensor.dims.get(axis).copied().unwrap_or(1);
    for (what, count) in [("scales", scales.len()), ("zero points", zeros.len())] {
        if count != 1 && count != size {
            return Err(format!("{count} {what} for {size} places along axis {axis}"));
        }
    }
    let inner: usize = tensor.dims.iter().skip(axis + 1).product();
    let place = |i: usize, count: usize| if count == 1 { 0 } else { i / inner.max(1) % size.max(1) };
    let shifted = |(i, &number): (usize, &i64)| number.wrapping_sub(zeros[place(i, zeros.len())]);
    let scale = |i: usize| scales[place(i, scales.len())] as f32;
    let integers: Vec<i64> = numbers.iter().enumerate().map(shifted).collect();
    let floats = integers
        .iter()
        .enumerate()
        .map(|(i, &integer)| integer as f32 * scale(i));
    let result = Tensor::from_floats(tensor.dims.clone(), floats.collect());
    let small = integers.iter().all(|integer| (-128..128).contains(integer));
    let sound = scales.iter().all(|&scale| (scale as f32).is_normal() && scale > 0.0);
    Ok(match small && sound {
        true => result.on_grid(Grid {
            axis,
            scales: scales.into_iter().map(|scale| scale as f32).collect(),
        }),
        false => result,
    })
}

pub(super) fn quantize_linear(node: &mut Node<'_>) -> Outputs {
    ignored(node)?;
    let value = node.value(0)?;
    let to = quantisation(node, 1, 2)?;
    Ok(vec![Known::Value(quantized(node, &value, to, true)?)])
}

pub(super) fn dequantize_linear(node: &mut Node<'_>) -> Outputs {
    let axis = node.attributes.int("axis", 1)?;
    ignored(node)?;
    match node.input(0)?.clone() {
        Known::Constant(_) => Ok(vec![Known::Constant(constant(node, [0, 1, 2], axis)?)]),
        Known::Value(value) => {
            let from = quantisation(node, 1, 2)?;
            Ok(vec![Known::Value(dequantized(node, &value, from, true)?)])
        }
        Known::Lost => Err("its input is not known".to_owned()),
    }
}

/// QLinearConv: Conv between DequantizeLinear and QuantizeLinear.
pub(super) fn conv(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let from = quantisation(node, 1, 2)?;
    let to = quantisation(node, 6, 7)?;
    let weight = constant(node, [3, 4, 5], 0)?;
    let bias = match node.optional_constant(8, "the bias")? {
        None => None,
        Some(bias) => {
            let scales = weight.grid().map_or_else(
                || node.constant(4, "the scale").and_then(|scales| scales.few_doubles()),
                |grid| Ok(grid.scales.iter().map(|&scale| scale.into()).collect()),
            )?;
            let unit = |filter: usize| from.scale * scales[filter % scales.len()] as f32;
            let whole = bias.few_doubles()?;
            let bias = whole
                .iter()
                .enumerate()
                .map(|(filter, &bias)| bias as f32 * unit(filter));
            Some(Known::Constant(Tensor::from_floats(vec![whole.len()], bias.collect())))
        }
    };
    let floats = dequantized(node, &value, from, false)?;
    node.inputs = vec![Some(Known::Value(floats)), Some(Known::Constant(weight)), bias];
    let outputs = super::conv::conv(node)?;
    requantized(node, outputs, to)
}

/// QLinearMatMul: MatMul between DequantizeLinear and QuantizeLinear.
pub(super) fn matmul(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let from = quantisation(node, 1, 2)?;
    let to = quantisation(node, 6, 7)?;
    let right = match node.input(3)?.clone() {
        Known::Constant(_) => Known::Constant(constant(node, [3, 4, 5], -1)?),
        Known::Value(value) => {
            let from = quantisation(node, 4, 5)?;
            Known::Value(dequantized(node, &value, from, false)?)
        }
        Known::Lost => return Err("its input is not known".to_owned()),
    };
    let floats = dequantized(node, &value, from, false)?;
    node.inputs = vec![Some(Known::Value(floats)), Some(right)];
    let outputs = super::dense::matmul(node)?;
    requantized(node, outputs, to)
}

fn requantized(node: &mut Node<'_>, outputs: Vec<Known>, to: Quantisation) -> Outputs {
    let quantize = |known| match known {
        Known::Value(value) => quantized(node, &value, to, false).map(Known::Value),
        other => Ok(other),
    };
    outputs.into_iter().map(quantize).collect()
}
