//! Resize and Upsample, DepthToSpace and SpaceToDepth.

use cnn_ir::ast::{Value as KeyValue, ValueKind};

use super::resample::{Filter, Place, Resample};
use super::window::{Spatial, size};
use crate::network::{integer, pair, word};
use crate::node::{Node, Outputs};
use crate::value::Known;

/// How much larger, or to which size.
enum Target {
    Scale([f32; 2]),
    Size([usize; 2]),
}

/// Of one number for each axis, those of height and width, which is `one` for signals; the others must be `same`.
fn pixels<T: Copy + PartialEq + std::fmt::Debug>(
    numbers: &[T],
    input: &Spatial,
    one: T,
    same: impl Fn(usize, T) -> bool,
) -> Result<[T; 2], String> {
    let rank = input.rank + 2;
    if numbers.len() != rank {
        return Err(format!("{} numbers for {rank} axes", numbers.len()));
    }
    if let Some(axis) = (0..2).find(|&axis| !same(axis, numbers[axis])) {
        return Err(format!(
            "resizes axis {axis}, to {:?}; pixels can be resized",
            numbers[axis]
        ));
    }
    match *numbers {
        // A signal is a map of one row.
        [_, _, w] => Ok([one, w]),
        [_, _, h, w] => Ok([h, w]),
        _ => Err(format!(
            "{} numbers; those of images and signals are possible",
            numbers.len()
        )),
    }
}

pub(super) fn upsample(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of(node, &value)?;
    let scales = match node.optional_constant(1, "`scales`")? {
        Some(tensor) => tensor.few_doubles()?.iter().map(|&scale| scale as f32).collect(),
        None => match node.attributes.floats("scales")? {
            Some(scales) => scales.to_vec(),
            // Opset 1.
            None => {
                let of = |name| node.attributes.float(name, 1.0);
                vec![1.0, 1.0, of("height_scale")?, of("width_scale")?]
            }
        },
    };
    let scale = pixels(&scales, &input, 1.0, |_, scale| scale == 1.0)?;
    let mode = match mode(node)? {
        Mode::Nearest => "nearest",
        Mode::Linear => "bilinear",
        Mode::Cubic => return Err("`mode` is \"cubic\"; \"nearest\" and \"linear\" are possible".to_owned()),
    };
    resized(node, &input, mode, "asymmetric", "floor", Target::Scale(scale))
}

/// What `mode` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Nearest,
    Linear,
    Cubic,
}

fn mode(node: &Node<'_>) -> Result<Mode, String> {
    match node.attributes.text("mode", "nearest")? {
        "nearest" => Ok(Mode::Nearest),
        "linear" | "bilinear" => Ok(Mode::Linear),
        "cubic" => Ok(Mode::Cubic),
        other => Err(format!(
            "`mode` is {other:?}; \"nearest\", \"linear\" and \"cubic\" are possible"
        )),
    }
}

/// The words for where pixels are, which are the language's too but for one.
const COORDINATES: [(&str, Place); 5] = [
    ("half_pixel", Place::HalfPixel),
    ("align_corners", Place::AlignCorners),
    ("asymmetric", Place::Asymmetric),
    ("pytorch_half_pixel", Place::PytorchHalfPixel),
    ("half_pixel_symmetric", Place::HalfPixelSymmetric),
];

pub(super) fn resize(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of(node, &value)?;
    let mode = mode(node)?;
    // Opset 10 had the scales as second input and no other choices; what it did is `asymmetric` and `floor`.
    let old = node.opset < 11;
    let coordinates = match old {
        true => "asymmetric",
        false => node.attributes.text("coordinate_transformation_mode", "half_pixel")?,
    };
    let (coordinates, place) = *COORDINATES
        .iter()
        .find(|(word, _)| *word == coordinates)
        .ok_or_else(|| {
            let known = COORDINATES.map(|(word, _)| format!("{word:?}"));
            format!(
                "`coordinate_transformation_mode` is {coordinates:?}; {} are possible",
                known.join(", ")
            )
        })?;
    let rounding = match old {
        true => "floor",
        false => node.attributes.text("nearest_mode", "round_prefer_floor")?,
    };
    let rounding = ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]
        .into_iter()
        .find(|known| *known == rounding)
        .ok_or_else(|| format!("`nearest_mode` is {rounding:?}, which is not known"))?;
    let antialias = node.attributes.flag("antialias", false)?;
    match node.attributes.text("keep_aspect_ratio_policy", "stretch")? {
        "stretch" => {}
        other => {
            return Err(format!(
                "`keep_aspect_ratio_policy` is {other:?}; \"stretch\" is possible"
            ));
        }
    }
    let exclude_outside = node.attributes.flag("exclude_outside", false)?;
    let coefficient = node.attributes.float("cubic_coeff_a", -0.75)?;
    node.attributes.ignore("extrapolation_value"); // of crops
    let axes = node.attributes.ints("axes")?;
    let rank = input.rank + 2;
    let (scales, sizes) = match old {
        true => (node.optional_constant(1, "`scales`")?, None),
        false => (
            node.optional_constant(2, "`scales`")?,
            node.optional_constant(3, "`sizes`")?,
        ),
    };
    // `axes` says which axes the numbers belong to; the others stay.
    let all = |numbers: Vec<f64>, same: &dyn Fn(usize) -> f64| -> Result<Vec<f64>, String> {
        let Some(axes) = axes else { return Ok(numbers) };
        if axes.len() != numbers.len() {
            return Err(format!("{} numbers for {} `axes`", numbers.len(), axes.len()));
        }
        let mut full: Vec<f64> = (0..rank).map(same).collect();
        for (&axis, number) in axes.iter().zip(numbers) {
            full[crate::node::absolute_axis(axis, rank)?] = number;
        }
        Ok(full)
    };
    let [channels, height, width] = input.size();
    let now = [node.batch, channels, height, width];
    let target = match (
        scales.filter(|scales| scales.len() > 0),
        sizes.filter(|sizes| sizes.len() > 0),
    ) {
        (Some(scales), _) => {
            let scales = all(scales.few_doubles()?, &|_| 1.0)?;
            let scale = pixels(&scales, &input, 1.0, |_, scale| scale == 1.0)?;
            Target::Scale(scale.map(|scale| scale as f32))
        }
        (None, Some(sizes)) => {
            let sizes = all(sizes.few_doubles()?, &|axis| now.get(axis).map_or(1.0, |&n| n as f64))?;
            let [h, w] = pixels(&sizes, &input, 1.0, |axis, size| size == now[axis] as f64)?;
            Target::Size([size("sizes", h as i64, 1)?, size("sizes", w as i64, 1)?])
        }
        (None, None) => return Err("has neither scales nor sizes".to_owned()),
    };
    let filter = match mode {
        Mode::Nearest => return resized(node, &input, "nearest", coordinates, rounding, target),
        Mode::Linear if !antialias && place != Place::HalfPixelSymmetric => {
            return resized(node, &input, "bilinear", coordinates, rounding, target);
        }
        Mode::Linear => Filter::Linear,
        Mode::Cubic => Filter::Cubic(f64::from(coefficient)),
    };
    let resample = Resample {
        filter,
        place,
        antialias,
        exclude_outside,
    };
    let (size, scale) = match target {
        Target::Size(size) => (size, [size[0] as f64 / height as f64, size[1] as f64 / width as f64]),
        Target::Scale(scale) => {
            let size = |n: usize, scale: f32| (n as f32 * scale) as usize;
            ([size(height, scale[0]), size(width, scale[1])], scale.map(f64::from))
        }
    };
    if size == [height, width] {
        return Ok(vec![Known::Value(input.value(input.data.clone()))]);
    }
    if size.contains(&0) {
        return Err(format!("leaves nothing of {height} × {width} pixels"));
    }
    let data = resample.resample(node, &input.data, size, scale)?;
    Ok(vec![Known::Value(input.value(data))])
}

fn resized(
    node: &mut Node<'_>,
    input: &Spatial,
    mode: &'static str,
    coordinates: &'static str,
    rounding: &'static str,
    target: Target,
) -> Outputs {
    let [_, height, width] = input.size();
    // A whole factor, if it is one.
    let whole = match target {
        Target::Scale([h, w]) => [h, w].map(|scale| (scale >= 1.0 && scale.fract() == 0.0).then_some(scale as usize)),
        Target::Size([h, w]) => [(h, height), (w, width)].map(|(new, old)| new.is_multiple_of(old).then(|| new / old)),
    };
    if whole == [Some(1), Some(1)] {
        return Ok(vec![Known::Value(input.value(input.data.clone()))]);
    }
    // Enlarging by whole factors is what the language's `upsample` does, for these meanings.
    let usual = match mode {
        "nearest" => match coordinates {
            "asymmetric" => rounding == "floor",
            "half_pixel" | "pytorch_half_pixel" => rounding.starts_with("round"),
            _ => false,
        },
        _ => coordinates == "half_pixel" || (coordinates == "pytorch_half_pixel" && height > 0 && width > 0),
    };
    if let ([Some(h), Some(w)], true) = (whole, usual) {
        let mut keys = vec![("scale", pair([h, w]))];
        if mode != "nearest" {
            keys.push(("mode", word(mode)));
        }
        let data = node.layer("upsample", keys, &[&input.data], Vec::new())?;
        return Ok(vec![Known::Value(input.value(data))]);
    }
    let mut keys = match target {
        Target::Size(size) => vec![("size", pair(size))],
        Target::Scale(scale) => {
            let list = scale.map(|scale| KeyValue::unplaced(crate::network::number(scale)));
            vec![("scale", ValueKind::List(list.to_vec()))]
        }
    };
    keys.push(("mode", word(mode)));
    keys.push(("coordinates", word(coordinates)));
    if mode == "nearest" {
        keys.push(("rounding", word(rounding)));
    }
    let data = node.layer("resize", keys, &[&input.data], Vec::new())?;
    Ok(vec![Known::Value(input.value(data))])
}

pub(super) fn depth_to_space(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of(node, &value)?;
    let block = block(node)?;
    let mode = match node.attributes.text("mode", "DCR")? {
        "DCR" => Some(("mode", word("dcr"))),
        "CRD" => None,
        other => return Err(format!("`mode` is {other:?}; \"DCR\" and \"CRD\" are possible")),
    };
    let mut keys = vec![("block", integer(block))];
    keys.extend(mode);
    let data = node.layer("depth_to_space", keys, &[&input.data], Vec::new())?;
    Ok(vec![Known::Value(input.value(data))])
}

pub(super) fn space_to_depth(node: &mut Node<'_>) -> Outputs {
    let value = node.value(0)?;
    let input = Spatial::of(node, &value)?;
    let block = block(node)?;
    let keys = vec![("block", integer(block))];
    let data = match node.attributes.text("mode", "DCR")? {
        "DCR" => node.layer("space_to_depth", keys, &[&input.data], Vec::new())?,
        // The places within a block are the inner axis of the channels.
        "CRD" => {
            let data = node.helper("space_to_depth", keys, &[&input.data])?;
            let groups = vec![("groups", integer(block.saturating_mul(block)))];
            node.layer("channel_shuffle", groups, &[&data], Vec::new())?
        }
        other => return Err(format!("`mode` is {other:?}; \"DCR\" and \"CRD\" are possible")),
    };
    Ok(vec![Known::Value(input.value(data))])
}

fn block(node: &Node<'_>) -> Result<usize, String> {
    let block = node.attributes.optional_int("blocksize")?;
    size("blocksize", block.ok_or("attribute `blocksize` is missing")?, 1)
}
