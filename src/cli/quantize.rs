//! `cnn quantize`: makes a network of 8-bit integers of one of floats, calibrated on someone's data.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use cnn::quantize::{Calibration, Method, QuantizeOptions, Quantized, QuantizedLayer, decibels};
use cnn::text::{RULED, name};
use cnn::{Error, Model, Options, Weights};
use comfy_table::Table;

use super::args::{ModelArgument, Origin};
use super::format::{counted, grouped};
use super::inputs::{self, Feed, Inputs, Pictures};
use super::progress::Progress;
use super::{Failure, session};

/// Images of a run.
const BATCH: usize = 8;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights: a safetensors file, which must not be shortened meanwhile, or made-up numbers [default: the model's own]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    /// What the network will meet: a folder of pictures or .npy files, a .npy file of many images, or made-up numbers; for
    /// each input, in order or by name
    #[arg(long, short, required = true, value_name = "[NAME=]DIR|FILE|random[:SEED]")]
    calibrate: Vec<String>,
    /// How the range of a layer's integers follows from its numbers: minmax (all of them), percentile (99.99 % of them, or
    /// as percentile:99.9 says) or entropy (where cutting off loses the least information)
    #[arg(long, default_value_t, value_name = "METHOD")]
    method: Method,
    /// The greatest error of a layer, as a share of its result (root mean squares); layers with more go on with floats
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_error: Option<f64>,
    /// List each layer's signal-to-noise ratio against floats
    #[arg(long)]
    report: bool,
    /// Folder for model.toml and model.safetensors; made if there is none
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Replace files of these names that hold something else, edited ones too
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pictures: Pictures,
}

/// A share above 0.
fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    share
        .filter(|share| *share >= 0.0 && share.is_finite())
        .ok_or_else(|| format!("expected a share of 0 or more, such as 0.05, found `{text}`"))
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    let limit = arguments.model.limit();
    let groups = arguments.calibrate.iter().map(|text| vec![text.clone()]).collect();
    let inputs = Inputs::new(groups, arguments.pictures.clone());
    let feed = feed(&model, &inputs, limit)?;
    let weights =
        session::weights(&model, arguments.weights.as_ref())?.ok_or_else(|| session::weights_missing(&model))?;
    let quantized = quantize(arguments, &model, &weights, &feed)?;

    let folder = &arguments.output;
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        action: "make",
        path: folder.clone(),
        source,
    })?;
    let [toml, tensors] = ["model.toml", "model.safetensors"].map(|file| folder.join(file));
    let staged = quantized.stage(&toml, &tensors)?;
    for (staged, path) in staged.iter().zip([&toml, &tensors]) {
        if !arguments.force && staged.replaces_another()? {
            return Err(Failure::Error(Error::File {
                path: path.clone(),
                problem: "is there already and holds something else; --force replaces it".to_owned(),
            }));
        }
    }
    let [model_file, weights_file] = staged;
    // The weights first: a model without its weights is no use.
    weights_file.commit()?;
    model_file.commit()?;
    if arguments.report {
        report(out, quantized.layers())?;
    }
    summary(out, &toml, &tensors, &model, &quantized)
}

/// All images, a batch at a time.
fn feed(model: &Model, inputs: &Inputs, limit: Option<u64>) -> Result<Feed, Failure> {
    let mut feed = inputs::assign(model, inputs, None, limit, |_| None)?;
    feed.batch = feed.batch.min(BATCH);
    Ok(feed)
}

fn quantize(arguments: &Arguments, model: &Model, weights: &Weights, feed: &Feed) -> Result<Quantized, Failure> {
    let progress = Progress::new(format!("quantising {}", model.name()));
    let options = Options {
        batch: feed.batch,
        max_memory: arguments.model.limit(),
        ..Options::default()
    };
    let how = QuantizeOptions {
        method: arguments.method,
        max_error: arguments.max_error,
    };
    let data = Calibration {
        runs: feed.runs(),
        arrays: &|run| Ok((feed.arrays(run)?, feed.images_of(run))),
    };
    let mut say = |what: &'static str, run: usize, runs: usize| {
        progress.say(format!(
            "quantising {}: {what}, run {} of {runs}",
            model.name(),
            run + 1
        ));
    };
    Ok(model.quantize(weights, &how, &options, &data, &mut say)?)
}

/// The table of all layers.
fn report(out: &mut dyn Write, layers: &[QuantizedLayer]) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(["layer", "op", "computes with", "alone", "in the network"]);
    let ratio = |error: f64| match error {
        0.0 => "exact".to_owned(),
        error => format!("{:.1} dB", decibels(error)),
    };
    for layer in layers {
        let with = match &layer.floats {
            None => "integers".to_owned(),
            Some(why) => format!("floats: {why}"),
        };
        table.add_row([
            &*name(&layer.layer),
            layer.op,
            &with,
            &layer.error.map(ratio).unwrap_or_default(),
            &ratio(layer.in_network),
        ]);
    }
    writeln!(out, "{}\n", table.trim_fmt())?;
    writeln!(
        out,
        "alone, in the network: signal to noise against floats on the calibration data, of the layer by itself and with \
         all before it\n"
    )?;
    Ok(())
}

fn summary(
    out: &mut dyn Write,
    toml: &std::path::Path,
    tensors: &std::path::Path,
    model: &Model,
    quantized: &Quantized,
) -> Result<(), Failure> {
    let layers = quantized.layers();
    let integers = layers.iter().filter(|layer| layer.floats.is_none()).count();
    writeln!(
        out,
        "{}: {integers} of {} compute with integers",
        toml.display(),
        counted(layers.len(), "layer")
    )?;
    let before: u64 = model.weights().iter().map(cnn::ir::op::WeightDecl::bytes).sum();
    let share = 100.0 * quantized.weight_bytes() as f64 / before.max(1) as f64;
    writeln!(
        out,
        "{}: {} bytes of weights, {share:.1} % of what floats take",
        tensors.display(),
        grouped(quantized.weight_bytes())
    )?;
    let worst = model
        .outputs()
        .into_iter()
        .filter_map(|port| layers.iter().find(|layer| layer.layer == port.name))
        .map(|layer| layer.in_network)
        .fold(0.0, f64::max);
    if worst > 0.0 {
        writeln!(
            out,
            "on the calibration data outputs differ from those of floats by {:.2} % (root mean squares), {:.1} dB",
            100.0 * worst,
            decibels(worst)
        )?;
    }
    Ok(())
}
