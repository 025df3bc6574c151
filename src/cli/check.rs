//! `cnn check`: everything that is wrong with a model and its weights, or that nothing is.

use std::io::Write;

use anstyle::AnsiColor;
use clap::Args;
use cnn::text::name;
use cnn::{Error, FileArrays, Options, Port, Weights};

use super::args::{ModelArgument, Origin};
use super::format::{counted, dims, grouped};
use super::inputs::{self, Inputs};
use super::{Failure, accuracy, run, session};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights that must fit it: a safetensors file, which must not be shortened meanwhile
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    #[command(flatten)]
    inputs: Inputs,
    /// Run it on the inputs as it is compiled by default, with --exact, and interpreted, and compare all layers
    #[arg(long)]
    accuracy: bool,
    /// Run it on the inputs; NaN or infinities in a layer's result are an error that names the first such layer
    #[arg(long)]
    check_finite: bool,
    /// Of a .cnnc file, check all checksums, the weights' too, and that its code is what its plan compiles to
    #[arg(long)]
    verify: bool,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = match arguments.inputs.are_given() {
        true => session::open_for(&arguments.model, &arguments.inputs)?,
        false => session::open_of_any_size(&arguments.model)?,
    };
    match (model.compiled(), arguments.verify) {
        (Some(file), true) => file.verify()?,
        (None, true) => return Err(Failure::Usage("--verify goes with a .cnnc file".into())),
        (_, false) => {}
    }
    let tensors = model.weights().len();
    let weights = match &arguments.weights {
        None => None,
        Some(Origin::File(path)) => {
            let weights = session::from_file(&model, path)?;
            session::warn_unused(&model, &weights);
            let problems = model.check_weights(&weights).problems;
            if !problems.is_empty() {
                return Err(Error::Weights(problems).into());
            }
            Some(weights.describe())
        }
        // They have the shape that is asked for, whatever it is.
        Some(Origin::Random(seed)) => Some(Weights::random(*seed).describe()),
    };
    let ok = AnsiColor::Green.on_default().bold();
    writeln!(out, "{ok}ok{ok:#}: {}", model.name())?;
    let arrays = model.file_arrays();
    let files = |of: fn(&FileArrays) -> &[cnn::onnx::Port]| arrays.as_ref().map_or(&[][..], of);
    let ports = |ports: Vec<Port>, files: &[cnn::onnx::Port]| {
        let text = |(at, port): (usize, &Port)| match files.get(at) {
            // As the file has them: these are the names and shapes that arrays have.
            Some(file) => format!("{} {:?}", name(&file.name).escape_debug(), file.dims),
            None if port.hwc => format!("{} {:?} (height, width, channels)", name(&port.name), port.shape),
            None => format!("{} {:?}", name(&port.name), port.shape),
        };
        ports.iter().enumerate().map(text).collect::<Vec<_>>().join(", ")
    };
    writeln!(
        out,
        "  inputs      {}",
        ports(model.inputs(), files(|arrays| &arrays.inputs))
    )?;
    let possible: Vec<_> = model.possible_sizes().iter().map(ToString::to_string).collect();
    if !possible.is_empty() {
        let taken: Vec<_> = model.free_sizes().iter().map(|free| free.size).collect();
        writeln!(out, "  sizes       {}; here {}", possible.join(", "), dims(&taken))?;
    }
    writeln!(
        out,
        "  outputs     {}",
        ports(model.outputs(), files(|arrays| &arrays.outputs))
    )?;
    writeln!(
        out,
        "  layers      {}",
        model.graph().len() - model.graph().inputs().len()
    )?;
    writeln!(out, "  parameters  {}", grouped(model.parameters()))?;
    if let Some(file) = model.compiled() {
        let sets: Vec<_> = file.instruction_sets().iter().map(|set| set.name()).collect();
        let verified = if arguments.verify { ", verified" } else { "" };
        writeln!(
            out,
            "  compiled    for {}, batch {}{verified}",
            sets.join(" and "),
            file.batch()
        )?;
    }
    if let Some(weights) = weights {
        writeln!(
            out,
            "  weights     {} of {weights}, all of the right shape",
            counted(tensors, "tensor")
        )?;
    }
    if !arguments.accuracy && !arguments.check_finite {
        return match arguments.inputs.are_given() {
            true => Err(Failure::Usage("--input goes with --accuracy or --check-finite".into())),
            false => Ok(()),
        };
    }
    let options = Options {
        max_memory: arguments.model.limit(),
        ..Options::default()
    };
    let feed = inputs::assign(&model, &arguments.inputs, None, options.max_memory, |_| {
        run::sample(&model)
    })?;
    let weights =
        session::weights(&model, arguments.weights.as_ref())?.ok_or_else(|| session::weights_missing(&model))?;
    let layers = accuracy::layers(&model, &weights, &feed, &options)?;
    if arguments.accuracy {
        accuracy::write(out, &layers)?;
    }
    match arguments.check_finite {
        true => accuracy::check_finite(&layers),
        false => Ok(()),
    }
}
