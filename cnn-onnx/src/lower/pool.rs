//! Pools over windows and over the whole map.

use cnn_ir::ast::ValueKind;
use cnn_ir::shape::Shape;

use super::window::{Spatial, Window};
use crate::network::{number, pair, sides};
use crate::node::{Node, Outputs};
use crate::tensor::Tensor;
use crate::value::{Data, Known};

pub(super) fn max_pool(node: &mut Node<'_>) -> Outputs {
    node.one_output("the places of the greatest elements")?;
    node.attributes.ignore("storage_order"); // of the second output
    pool(node, "max_pool", false)
}

pub(super) fn average_pool(node: &mut Node<'_>) -> Outputs {
    let count_include_pad = node.attributes.flag("count_include_pad", false)?;
    pool(node, "avg_pool", count_include_pad)
}

fn pool(node: &mut Node<'_>, op: &str, count_include_pad: bool) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of_rows(node, &value)?;
    let [_, height, width] = input.size();
    let mut window = Window::read(node, input.rank, None)?;
    window.pad(node, input.rank, [height, width])?;
    let ceil = node.attributes.flag("ceil_mode", false)?;
    let extent = window.extent();
    let [top, left, bottom, right] = window.pads;
    // PyTorch's rule, which is the language's too: padding is at most half of the window.
    let wide = [(top, 0), (bottom, 0), (left, 1), (right, 1)]
        .iter()
        .any(|&(pad, axis)| pad > extent[axis] / 2);
    let data = if wide {
        padded_before(node, op, &input, window, ceil, count_include_pad)?
    } else {
        let keys = keys(&window, ceil, count_include_pad);
        node.layer(op, keys, &[&input.data], Vec::new())?
    };
    Ok(vec![Known::Value(input.value(data))])
}

fn keys(window: &Window, ceil: bool, count_include_pad: bool) -> crate::network::Keys {
    let mut keys = vec![("size", pair(window.kernel))];
    keys.extend(window.keys(window.kernel));
    if ceil {
        keys.push(("ceil", ValueKind::Boolean(true)));
    }
    if count_include_pad && window.pads != [0; 4] {
        keys.push(("count_include_pad", ValueKind::Boolean(true)));
    }
    keys
}

/// A pool with wide padding: the map is padded before. Where padding does not count, the sums are divided by the number
/// of pixels in each window, which is the same for every image.
fn padded_before(
    node: &mut Node<'_>,
    op: &str,
    input: &Spatial,
    window: Window,
    ceil: bool,
    count_include_pad: bool,
) -> Result<Data, String> {
    if ceil {
        return Err("padding of more than half of the window goes with `ceil_mode` 0 only".to_owned());
    }
    let mut pad = vec![("padding", sides(window.pads))];
    if op == "max_pool" {
        pad.push(("value", number(f32::NEG_INFINITY)));
    }
    let padded = node.helper("pad", pad, &[&input.data])?;
    let bare = Window {
        pads: [0; 4],
        ..window.clone()
    };
    let keys = keys(&bare, false, false);
    if op == "max_pool" || count_include_pad {
        return node.layer(op, keys, &[&padded], Vec::new());
    }
    let means = node.helper(op, keys, &[&padded])?;
    let Shape::Map { height, width, .. } = means.shape else {
        return Ok(means);
    };
    let [_, rows, columns] = input.size();
    node.network.spend(&[1, height, width])?;
    let counts = |axis: usize, outputs: usize, before: usize, n: usize| -> Vec<f32> {
        // Taps at `start + tap · dilation` that lie in `before .. before + n`. Places of a padded map are below 2³³.
        let taps = |output: usize| {
            let (start, step) = (output * window.stride[axis], window.dilation[axis]);
            let below = |end: usize| end.saturating_sub(start).div_ceil(step).min(window.kernel[axis]);
            below(before + n) - below(before)
        };
        (0..outputs)
            .map(|output| window.kernel[axis] as f32 / taps(output) as f32)
            .collect()
    };
    let vertical = counts(0, height, window.pads[0], rows);
    let horizontal = counts(1, width, window.pads[1], columns);
    if vertical.iter().chain(&horizontal).any(|factor| !factor.is_finite()) {
        return Err("a window holds padding only, of which there is no mean".to_owned());
    }
    let factors = vertical
        .iter()
        .flat_map(|v| horizontal.iter().map(move |h| v * h))
        .collect();
    let shape = Shape::map(1, height, width);
    let factors = node.constant_layer(&Tensor::from_floats(shape.dims(), factors), shape)?;
    node.layer("mul", Vec::new(), &[&means, &factors], Vec::new())
}

pub(super) fn global(node: &mut Node<'_>, op: &str) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of(node, &value)?;
    let data = node.layer(op, Vec::new(), &[&input.data], Vec::new())?;
    Ok(vec![Known::Value(input.value(data))])
}
