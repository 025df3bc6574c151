//! `cnn run`: compiles a network, runs it on inputs, says or writes what comes out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use cnn::io::read_text;
use cnn::{Error, Model, Network, Port};
use ndarray::{ArrayD, ArrayView2, Ix4};

use super::answer::{self, Presentation};
use super::args::{Compilation, Inputs, ModelArgument, Origin};
use super::format::{counted, dims, duration, grouped};
use super::inputs::{self, Given};
use super::outputs::{self, Targets};
use super::progress::Progress;
use super::{Failure, draw, session};

/// The longest file of class names read.
const MAX_LABELS_BYTES: u64 = 16 << 20;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights: a safetensors file or made-up numbers [default: the model's own]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    #[command(flatten)]
    inputs: Inputs,
    /// Where the output goes as a .npy array; a directory for several outputs
    #[arg(long, short, value_name = "FILE.npy|DIR")]
    output: Option<PathBuf>,
    /// How many classes are shown [default: 5, or 3 for each image of a batch]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,
    /// The classes' names, a line each
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    compilation: Compilation,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    let given = inputs::assign(&model, &arguments.inputs, |_| sample(&model))?;
    let batch = inputs::batch(&given, arguments.compilation.batch.map(usize::from))?;
    let labels = arguments
        .labels
        .as_deref()
        .map(|path| labels(path, &model))
        .transpose()?;
    let targets = arguments
        .output
        .as_deref()
        .map(|path| Targets::new(path, &outputs::names(&model)))
        .transpose()?;
    let weights =
        session::weights(&model, arguments.weights.as_ref())?.ok_or_else(|| session::weights_missing(&model))?;
    let network = session::compile(&model, &weights, &arguments.compilation, batch)?;

    let picture = matches!(given.as_slice(), [(_, Given::Image(_) | Given::Sample(_))]);
    let sampled = given.iter().any(|(_, given)| matches!(given, Given::Sample(_)));
    let arrays = inputs::arrays(given, &arguments.inputs, batch)?;
    let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
    let progress = Progress::new(format!("running {} on {}", model.name(), counted(batch, "image")));
    let start = Instant::now();
    let results = network.run(&views)?;
    let taken = start.elapsed();
    drop(progress);

    if let Some(targets) = &targets {
        targets.write(&outputs::in_files_shapes(&model, &results))?;
    }
    if picture {
        draw_input(out, &network.inputs()[0], &arrays[0], sampled)?;
    }
    let presentation = Presentation {
        top: arguments.top.map(usize::from),
        labels: labels.as_deref(),
    };
    for ((port, result), output) in network.outputs().iter().zip(&results).zip(model.graph().outputs()) {
        let wanted = presentation.top.is_some() || presentation.labels.is_some();
        let meaning = answer::meaning(model.graph(), output.node, wanted, &port.shape);
        answer::write(out, &port.name, result.view(), meaning, &presentation)?;
    }
    writeln!(out)?;
    conclude(out, &model, &network, taken)?;
    for path in targets.iter().flat_map(Targets::files) {
        writeln!(out, "written: {}", path.display())?;
    }
    Ok(())
}

/// The image that a built-in model comes with, for its only input.
pub(super) fn sample(model: &Model) -> Option<Given> {
    let sample = model.as_builtin()?.sample?;
    (model.inputs().len() == 1).then_some(Given::Sample(sample.png))
}

/// The names of classes, as many as some output has.
pub(super) fn labels(path: &Path, model: &Model) -> Result<Vec<String>, Error> {
    let text = read_text(path, MAX_LABELS_BYTES)?;
    let labels: Vec<_> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
    let classes: Vec<_> = model.outputs().iter().map(|port| port.shape[0]).collect();
    if classes.contains(&labels.len()) {
        return Ok(labels);
    }
    let classes: Vec<_> = classes.iter().map(usize::to_string).collect();
    Err(Error::File {
        path: path.into(),
        problem: format!(
            "expected {} lines, one a class, found {}",
            classes.join(" or "),
            labels.len()
        ),
    })
}

/// Shows a small picture with one channel.
fn draw_input(out: &mut dyn Write, port: &Port, array: &ArrayD<f32>, sample: bool) -> io::Result<()> {
    let Ok(array) = array.view().into_dimensionality::<Ix4>() else {
        return Ok(());
    };
    let (height, width, channels) = match port.map() {
        Some([channels, height, width]) => (height, width, channels),
        None => return Ok(()),
    };
    let pixels: Vec<f32> = array.iter().copied().collect();
    let Ok(pixels) = ArrayView2::from_shape((height, width), &pixels) else {
        return Ok(());
    };
    let lines = if channels == 1 {
        draw::half_blocks(pixels)
    } else {
        Vec::new()
    };
    if lines.is_empty() {
        return Ok(());
    }
    let what = if sample {
        " (built in; give your own with --input FILE)"
    } else {
        ""
    };
    writeln!(out, "{}: {}{what}\n", port.name, dims(&port.shape))?;
    for line in lines {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)
}

/// What was compiled for whom, and how long it all took.
fn conclude(out: &mut dyn Write, model: &Model, network: &Network, taken: Duration) -> io::Result<()> {
    writeln!(
        out,
        "{} ({} parameters, {} multiplications an image): compiled for {} in {}, ran in {}",
        model.name(),
        grouped(model.parameters()),
        grouped(model.macs()),
        network.target(),
        duration(network.compile_time()),
        duration(taken)
    )
}
