//! `cnn check`: everything that is wrong with a model and its weights, or that nothing is.

use std::io::Write;

use anstyle::AnsiColor;
use clap::Args;
use cnn::onnx::Import;
use cnn::{Error, Port, Weights};

use super::args::{ModelArgument, Origin};
use super::format::{counted, grouped};
use super::{Failure, session};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights that must fit it: a safetensors file
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
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
    let import = model.import();
    let files = |of: fn(&Import) -> &[cnn::onnx::Port]| import.map_or(&[][..], of);
    let ports = |ports: Vec<Port>, files: &[cnn::onnx::Port]| {
        let text = |(at, port): (usize, &Port)| match files.get(at) {
            // As the file has them: these are the names and shapes that arrays have.
            Some(file) => format!("{} {:?}", file.name.escape_debug(), file.dims),
            None if port.hwc => format!("{} {:?} (height, width, channels)", port.name, port.shape),
            None => format!("{} {:?}", port.name, port.shape),
        };
        ports.iter().enumerate().map(text).collect::<Vec<_>>().join(", ")
    };
    writeln!(
        out,
        "  inputs      {}",
        ports(model.inputs(), files(|import| &import.inputs))
    )?;
    writeln!(
        out,
        "  outputs     {}",
        ports(model.outputs(), files(|import| &import.outputs))
    )?;
    writeln!(
        out,
        "  layers      {}",
        model.graph().len() - model.graph().inputs().len()
    )?;
    writeln!(out, "  parameters  {}", grouped(model.parameters()))?;
    if let Some(weights) = weights {
        writeln!(
            out,
            "  weights     {} of {weights}, all of the right shape",
            counted(tensors, "tensor")
        )?;
    }
    Ok(())
}
