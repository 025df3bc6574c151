//! `cnn check --accuracy`, `--check-finite`: how compiled code, exact code and the interpreter compare on someone's data,
//! and which layer is the first to part from the others or to hold what is no number.

use std::io::Write;

use cnn::text::{RULED, name};
use cnn::{Error, LayerAccuracy, Model, Options, Weights};
use comfy_table::Table;

use super::Failure;
use super::inputs::Feed;
use super::progress::Progress;

/// What compiled code is promised to keep to, as a share of a layer's largest number.
const PROMISED: f64 = 1e-4;

/// Compares on the feed's first run.
pub(super) fn layers(
    model: &Model,
    weights: &Weights,
    feed: &Feed,
    options: &Options,
) -> Result<Vec<LayerAccuracy>, Failure> {
    let arrays = feed.arrays(0)?;
    // `Feed::arrays` makes arrays in standard layout.
    let slices: Vec<&[f32]> = arrays.iter().filter_map(|array| array.as_slice()).collect();
    let options = Options {
        batch: feed.batch,
        ..options.clone()
    };
    let _progress = Progress::new(format!("comparing {}", model.name()));
    Ok(model.accuracy(weights, &options, &slices)?)
}

/// The table of all layers, and the first layer that is further off than promised.
pub(super) fn write(out: &mut dyn Write, layers: &[LayerAccuracy]) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(["layer", "op", "largest", "error", "with --exact", "not finite"]);
    for layer in layers {
        let not_finite = match layer.not_finite {
            0 => String::new(),
            count => count.to_string(),
        };
        table.add_row([
            &*name(&layer.layer),
            layer.op,
            &format!("{:.3e}", layer.largest),
            &format!("{:.1e}", layer.error),
            &format!("{:.1e}", layer.exact_error),
            &not_finite,
        ]);
    }
    writeln!(out, "\n{}\n", table.trim_fmt())?;
    writeln!(
        out,
        "error: the largest difference from the interpreter (f64), as a share of the layer's largest number"
    )?;
    match layers.iter().find(|layer| layer.error > PROMISED) {
        Some(layer) => writeln!(
            out,
            "`{}` is the first layer that is more than {PROMISED:.0e} off: {:.1e}, and {:.1e} with --exact",
            name(&layer.layer),
            layer.error,
            layer.exact_error
        )?,
        None => writeln!(out, "no layer is more than {PROMISED:.0e} off")?,
    }
    Ok(())
}

/// An error if some layer holds NaN or an infinity, which names the first.
pub(super) fn check_finite(layers: &[LayerAccuracy]) -> Result<(), Failure> {
    match layers.iter().find(|layer| layer.not_finite > 0) {
        None => Ok(()),
        Some(layer) => Err(Error::Limit(format!(
            "`{}` is the first layer whose result holds NaN or infinities: {} numbers of it",
            name(&layer.layer),
            layer.not_finite
        ))
        .into()),
    }
}
