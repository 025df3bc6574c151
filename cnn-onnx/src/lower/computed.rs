//! Convolutions whose weights the network computes, or is given: for each tap of the window a product of matrices, and
//! the sum of them. Slower than a convolution with weights of the file, and rare.

use super::window::{Spatial, Window};
use crate::network::{Keys, integer, integers, sides};
use crate::node::{Node, Outputs};
use crate::value::{Data, Known, Value};
use cnn_ir::shape::Shape;

/// Taps of a window at most: each becomes some layers.
const MOST_TAPS: usize = 256;

/// Every `stride`th place of an axis from `start` on, `count` of them.
fn part(node: &mut Node<'_>, data: &Data, axis: usize, [start, count, stride]: [usize; 3]) -> Result<Data, String> {
    let end = start
        .saturating_add(count.saturating_sub(1).saturating_mul(stride))
        .saturating_add(1);
    if (start, end, stride) == (0, data.shape.extent()[axis], 1) {
        return Ok(data.clone());
    }
    let key = |name, number: usize| (name, integer(number));
    let keys: Keys = vec![
        key("axis", axis),
        key("start", start),
        key("end", end),
        key("step", stride),
    ];
    node.helper("slice", keys, &[data])
}

/// `Conv` of `value` with the weights `weight`.
pub(super) fn conv(node: &mut Node<'_>, value: &Value, weight: &Value) -> Outputs {
    if node.network.batched {
        return Err(
            "computed weights (input 2) go with a single image only, and inputs have a batch here; weights of the \
                    file are possible"
                .to_owned(),
        );
    }
    let input = Spatial::of(node, value)?;
    let [_, height, width] = input.size();
    let (filters, inner, kernel) = match (&*weight.dims, input.rank) {
        (&[o, i, w], 1) => (o, i, [1, w]),
        (&[o, i, h, w], 2) => (o, i, [h, w]),
        (dims, rank) => {
            return Err(format!(
                "the weights {dims:?} do not fit an input of {rank} axes of pixels"
            ));
        }
    };
    if kernel[0].saturating_mul(kernel[1]) > MOST_TAPS {
        return Err(format!(
            "computed weights of {} × {} taps; {MOST_TAPS} taps are possible",
            kernel[0], kernel[1]
        ));
    }
    let groups = super::window::size("group", node.attributes.int("group", 1)?, 1)?;
    let channels = input.size()[0];
    if inner.checked_mul(groups) != Some(channels) || !filters.is_multiple_of(groups) {
        return Err(format!(
            "the weights {:?} and {groups} groups do not fit {channels} channels",
            weight.dims
        ));
    }
    let mut window = Window::read(node, input.rank, weight.dims.get(2..))?;
    window.pad(node, input.rank, [height, width])?;
    let mut padded = input.data.clone();
    if window.pads != [0; 4] {
        padded = node.helper("pad", vec![("padding", sides(window.pads))], &[&padded])?;
    }
    let [_, height, width] = padded.shape.extent();
    let extent = window.extent();
    let places = [(height, 0), (width, 1)].map(|(n, axis)| match n.checked_sub(extent[axis]) {
        Some(rest) => rest / window.stride[axis] + 1,
        None => 0,
    });
    if places.contains(&0) {
        return Err(format!(
            "a window of {} × {} does not fit {height} × {width} pixels",
            extent[0], extent[1]
        ));
    }
    let weight = node.standard(weight)?;
    let weight = node.shaped(&weight.data, Shape::map(filters * inner, kernel[0], kernel[1]))?;
    let pixels = places[0] * places[1];
    let mut products = Vec::new();
    for row in 0..kernel[0] {
        let rows = part(
            node,
            &padded,
            1,
            [row * window.dilation[0], places[0], window.stride[0]],
        )?;
        let taps = part(node, &weight, 1, [row, 1, 1])?;
        for column in 0..kernel[1] {
            let map = part(
                node,
                &rows,
                2,
                [column * window.dilation[1], places[1], window.stride[1]],
            )?;
            let map = node.shaped(&map, Shape::map(groups, inner, pixels))?;
            let tap = part(node, &taps, 2, [column, 1, 1])?;
            let tap = node.shaped(&tap, Shape::map(groups, filters / groups, inner))?;
            products.push(node.helper("matmul", Vec::new(), &[&tap, &map])?);
        }
    }
    let products: Vec<&Data> = products.iter().collect();
    let sum = match *products {
        [one] => one.clone(),
        _ => node.helper("add", Vec::new(), &products)?,
    };
    let shape = vec![("shape", integers(&[filters, places[0], places[1]]))];
    let sum = node.helper("reshape", shape, &[&sum])?;
    let bias = match node.inputs.get(2).cloned().flatten() {
        None => return Ok(vec![Known::Value(input.value(sum))]),
        Some(Known::Constant(tensor)) => node.constant_layer(&tensor, Shape::map(filters, 1, 1))?,
        Some(Known::Value(value)) => {
            let value = node.standard(&value)?;
            node.shaped(&value.data, Shape::map(filters, 1, 1))?
        }
        Some(Known::Lost) => return Err("the bias is not known".to_owned()),
    };
    let data = node.layer("add", Vec::new(), &[&sum, &bias], Vec::new())?;
    Ok(vec![Known::Value(input.value(data))])
}
