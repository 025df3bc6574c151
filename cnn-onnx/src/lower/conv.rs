//! Conv and ConvTranspose.

use cnn_ir::ast::ValueKind;

use super::window::{Spatial, Window, per_axis, size, split};
use crate::network::{integer, pair};
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::Known;
use crate::weights::Weight;

/// Weights of one or two axes of pixels as `[a, b, h, w]`.
fn kernel(weight: &Tensor, rank: usize) -> Result<[usize; 4], String> {
    match (&*weight.dims, rank) {
        (&[a, b, w], 1) => Ok([a, b, 1, w]),
        (&[a, b, h, w], 2) => Ok([a, b, h, w]),
        _ => Err(format!(
            "the weights {:?} do not fit an input of {rank} axes of pixels",
            weight.dims
        )),
    }
}

/// The bias, if there is one, and the keys that say so.
fn bias(node: &Node<'_>, keys: &mut crate::network::Keys) -> Result<Option<(&'static str, Weight)>, String> {
    let bias = node.optional_constant(2, "the bias")?;
    if bias.is_none() {
        keys.push(("bias", ValueKind::Boolean(false)));
    }
    Ok(bias.map(|bias| ("bias", Weight::Plain(bias))))
}

pub(super) fn conv(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    if let Known::Value(weight) = node.input(1)?.clone() {
        return super::computed::conv(node, &value, &weight);
    }
    let weight = node.constant(1, "the weights")?;
    let input = Spatial::of_rows(node, &value)?;
    let [filters, _, h, w] = kernel(&weight, input.rank)?;
    let [_, height, width] = input.size();
    let mut window = Window::read(node, input.rank, weight.dims.get(2..))?;
    window.pad(node, input.rank, [height, width])?;
    let groups = size("group", node.attributes.int("group", 1)?, 1)?;
    let mut keys = vec![("filters", integer(filters)), ("kernel", pair([h, w]))];
    keys.extend(window.keys([1, 1]));
    if groups != 1 {
        keys.push(("groups", integer(groups)));
    }
    let mut weights = vec![("weight", Weight::Plain(reshaped(&weight, input.rank)?))];
    if let Some(scales) = weight.scales(0) {
        keys.push(("quantized", ValueKind::Boolean(true)));
        weights.push(("weight_scale", Weight::Plain(scales)));
    }
    weights.extend(bias(node, &mut keys)?);
    let data = node.layer("conv", keys, &[&input.data], weights)?;
    Ok(vec![Known::Value(input.value(data))])
}

fn reshaped(weight: &Tensor, rank: usize) -> Result<Tensor, String> {
    Ok(weight.reshaped(kernel(weight, rank)?.to_vec()))
}

pub(super) fn conv_transpose(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let weight = node.constant(1, "the weights")?;
    let input = Spatial::of_rows(node, &value)?;
    let [_, filters, h, w] = kernel(&weight, input.rank)?;
    let groups = size("group", node.attributes.int("group", 1)?, 1)?;
    let filters = filters.saturating_mul(groups);
    let [_, height, width] = input.size();
    let mut window = Window::read(node, input.rank, weight.dims.get(2..))?;
    let mut more = match node.attributes.ints("output_padding")? {
        Some(&[more]) if input.rank == 1 => [0, size("output_padding", more, 0)?],
        Some(numbers) => per_axis("output_padding", numbers, input.rank, 0)?,
        None => [0, 0],
    };
    // Without padding the result would have so many rows and columns.
    let extent = window.extent();
    let full = [(0, height), (1, width)].map(|(axis, n)| {
        let steps = n.saturating_sub(1).saturating_mul(window.stride[axis]);
        steps.saturating_add(extent[axis]).saturating_add(more[axis])
    });
    let auto = node.attributes.text("auto_pad", "NOTSET")?;
    let wanted = match node.attributes.ints("output_shape")? {
        Some(&[_, _, ref pixels @ ..]) if pixels.len() == input.rank => {
            Some(per_axis("output_shape", pixels, input.rank, 1)?)
        }
        Some(numbers) => Some(per_axis("output_shape", numbers, input.rank, 1)?),
        None if auto.starts_with("SAME") => Some([
            height.saturating_mul(window.stride[0]),
            width.saturating_mul(window.stride[1]),
        ]),
        None => None,
    };
    match wanted {
        Some(wanted) => {
            node.attributes.ignore("pads");
            let total = [0, 1].map(|axis| full[axis].saturating_sub(wanted[axis]));
            for axis in [0, 1] {
                more[axis] = more[axis].saturating_add(wanted[axis].saturating_sub(full[axis]));
            }
            window.pads = split(total, auto == "SAME_UPPER");
        }
        None => window.pad(node, input.rank, [height, width])?,
    }
    let mut keys = vec![("filters", integer(filters)), ("kernel", pair([h, w]))];
    keys.extend(window.keys([1, 1]));
    if more != [0, 0] {
        keys.push(("output_padding", pair(more)));
    }
    if groups != 1 {
        keys.push(("groups", integer(groups)));
    }
    let mut weights = vec![("weight", Weight::Plain(reshaped(&weight, input.rank)?))];
    weights.extend(bias(node, &mut keys)?);
    let data = node.layer("conv_transpose", keys, &[&input.data], weights)?;
    Ok(vec![Known::Value(input.value(data))])
}
