//! `cnn run`: compiles a network, runs it on inputs, says or writes what comes out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use cnn::io::read_text;
use cnn::ir::op::Meaning;
use cnn::{Error, Model, Network, Port};
use ndarray::{ArrayD, ArrayView2, Axis, CowArray, Ix4, IxDyn, Slice};

use super::answer::{self, Presentation};
use super::args::{Compilation, ModelArgument, Origin, Range};
use super::format::{counted, dims, duration, grouped, milliseconds};
use super::inputs::{self, Feed, Given, Inputs, Sized};
use super::outputs::{self, Outputs, Targets};
use super::progress::Progress;
use super::{Failure, accuracy, draw, session, warn};

/// The longest file of class names read.
const MAX_LABELS_BYTES: u64 = 16 << 20;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights: a safetensors file, which must not be shortened meanwhile, or made-up numbers [default: the model's own]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    #[command(flatten)]
    inputs: Inputs,
    /// Where the output goes: a .npy file, a .png file if it is a picture, or a directory for several outputs or for
    /// each of several files; NAME=FILE for one of several outputs
    #[arg(long, short, value_name = "[NAME=]FILE|DIR")]
    output: Vec<String>,
    /// The values that are black and white in a .png output
    #[arg(long, value_name = "LOW,HIGH", default_value = "0,1", allow_hyphen_values = true)]
    range: Range,
    /// How many classes are shown [default: 5, or 3 for each image of a batch]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,
    /// The classes' names, a line each
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Outputs that hold NaN or infinities are an error (exit code 1) that names the first layer of them; nothing is written
    #[arg(long)]
    check_finite: bool,
    /// Print a JSON object for other programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compilation: Compilation,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open_of_any_size(&arguments.model)?;
    let all = match arguments.model.is_shaped() {
        true => vec![Sized::as_given(model, &arguments.inputs)],
        false => inputs::at_their_sizes(model, &arguments.inputs, arguments.model.limit())?,
    };
    // Images of each size are a run of their own, with its own answer.
    let names: Vec<_> = all.iter().flat_map(|one| one.names.clone()).collect();
    if names.is_empty() && !arguments.model.is_shaped() {
        session::say_sizes(&all[0].model);
    }
    let mut stems = &*outputs::stems(&names);
    for (number, sized) in all.iter().enumerate() {
        if number > 0 && !arguments.json {
            writeln!(out)?;
        }
        let (own, others) = stems.split_at(sized.names.len());
        stems = others;
        at_one_size(sized, (all.len() > 1).then_some(own), arguments, out)?;
    }
    Ok(())
}

/// Runs the network of one size. `stems` are what to call the images' files if there are images of other sizes too.
fn at_one_size(
    sized: &Sized,
    stems: Option<&[String]>,
    arguments: &Arguments,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Sized { model, inputs, .. } = sized;
    let others = stems.is_some();
    let limit = arguments.model.limit();
    let asked = arguments.compilation.batch.map(usize::from);
    let mut feed = inputs::assign(model, inputs, asked, limit, |_| sample(model))?;
    let labels = arguments
        .labels
        .as_deref()
        .map(|path| labels(path, model))
        .transpose()?;
    let names = if others {
        Some(sized.names.clone())
    } else {
        feed.names()
    };
    let own = names.as_deref().map(outputs::stems);
    let wanted = Outputs {
        model,
        images: stems.or(own.as_deref()),
        count: feed.images(),
        others,
    };
    let targets = Targets::new(&arguments.output, &wanted, arguments.range.ends())?;
    let weights =
        session::weights(model, arguments.weights.as_ref())?.ok_or_else(|| session::weights_missing(model))?;
    let network = session::compile(model, &weights, &arguments.compilation, limit, feed.batch)?;
    feed.beside(&network);

    let drawn = feed.picture().filter(|_| !arguments.json);
    let Ran { results, first, taken } = run(&network, &feed, drawn.is_some())?;
    if arguments.check_finite && results.iter().flatten().any(|x| !x.is_finite()) {
        let options = arguments.compilation.options(feed.batch, limit);
        accuracy::check_finite(&accuracy::layers(model, &weights, &feed, &options)?)?;
        // Not in the first run, or not where all layers' results are kept: at least say where it ends.
        let names = outputs::shown_names(model);
        let mut bad = names
            .iter()
            .zip(&results)
            .filter(|(_, result)| result.iter().any(|x| !x.is_finite()));
        let name = bad
            .next()
            .map(|(name, _)| name.escape_debug().to_string())
            .unwrap_or_default();
        return Err(Error::Limit(format!("the output `{name}` holds NaN or infinities")).into());
    }
    let shaped = outputs::in_files_shapes(model, &results);
    targets.write(&shaped)?;
    if let Some(share) = targets.clipped(&shaped) {
        let (low, high) = arguments.range.ends();
        warn(format_args!(
            "{:.1} % of the picture's values lie outside {low} … {high} and were clipped; --range LOW,HIGH says what is \
             black and white",
            100.0 * share
        ));
    }
    let presentation = Presentation {
        top: arguments.top.map(usize::from),
        labels: labels.as_deref(),
        images: names.as_deref(),
    };
    let shown = Shown {
        model,
        network: &network,
        results: &results,
        shaped: &shaped,
        targets: &targets,
        taken,
    };
    if arguments.json {
        return shown.as_json(out, &presentation);
    }
    if others {
        writeln!(out, "{}:", sized.names.join(", "))?;
    }
    if let (Some(sampled), Some(array)) = (drawn, &first) {
        draw_input(out, &network.inputs()[0], array, sampled)?;
    }
    shown.as_text(out, &presentation)
}

/// What all runs gave.
struct Ran {
    /// The outputs of all images, with the batch in front.
    results: Vec<ArrayD<f32>>,
    /// The first input of the first run, if it was to be kept.
    first: Option<ArrayD<f32>>,
    taken: Duration,
}

/// Runs the network on all images.
fn run(network: &Network, feed: &Feed, kept: bool) -> Result<Ran, Failure> {
    let progress = Progress::new(format!(
        "running {} on {}",
        network.name(),
        counted(feed.images(), "image")
    ));
    let mut results = Vec::new();
    let mut first = None;
    let mut taken = Duration::ZERO;
    for number in 0..feed.runs() {
        let mut arrays = feed.arrays(number)?;
        let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
        let start = Instant::now();
        let mut outputs = network.run(&views)?;
        taken += start.elapsed();
        if kept && number == 0 && !arrays.is_empty() {
            first = Some(arrays.swap_remove(0));
        }
        if feed.runs() == 1 {
            results = outputs;
            break;
        }
        for output in &mut outputs {
            output.slice_axis_inplace(Axis(0), Slice::from(..feed.images_of(number)));
        }
        if results.is_empty() {
            results = room(network, feed.images())?;
        }
        for (result, output) in results.iter_mut().zip(&outputs) {
            let start = number * network.batch();
            let mut place = result.slice_axis_mut(Axis(0), Slice::from(start..start + output.len_of(Axis(0))));
            place.assign(output);
        }
    }
    drop(progress);
    Ok(Ran { results, first, taken })
}

/// Arrays for the outputs of so many images.
fn room(network: &Network, images: usize) -> Result<Vec<ArrayD<f32>>, Error> {
    let array = |port: &Port| {
        let shape = port.batched(images);
        let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
        let mut elements: Vec<f32> = Vec::new();
        let fits = count.is_some_and(|count| elements.try_reserve_exact(count).is_ok());
        let problem = || Error::Limit(format!("there is no memory for `{}` of {images} images", port.name));
        let count = count.filter(|_| fits).ok_or_else(problem)?;
        elements.resize(count, 0.0);
        ArrayD::from_shape_vec(IxDyn(&shape), elements).map_err(|_| problem())
    };
    network.outputs().iter().map(array).collect()
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

/// What there is to say.
struct Shown<'a> {
    model: &'a Model,
    network: &'a Network,
    results: &'a [ArrayD<f32>],
    /// The results in the shapes of the model's file.
    shaped: &'a [CowArray<'a, f32, IxDyn>],
    targets: &'a Targets,
    taken: Duration,
}

impl Shown<'_> {
    /// Each output with its name, what its numbers are, as the network has it and as the file has it.
    fn each(
        &self,
        presentation: &Presentation<'_>,
        mut say: impl FnMut(&str, Meaning, &ArrayD<f32>, &CowArray<'_, f32, IxDyn>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let wanted = presentation.top.is_some() || presentation.labels.is_some();
        let graph = self.model.graph();
        let names = outputs::shown_names(self.model);
        for (at, (port, output)) in self.network.outputs().iter().zip(graph.outputs()).enumerate() {
            let meaning = answer::meaning(graph, output.node, wanted, &port.shape);
            say(&names[at], meaning, &self.results[at], &self.shaped[at])?;
        }
        Ok(())
    }

    fn as_text(&self, out: &mut dyn Write, presentation: &Presentation<'_>) -> Result<(), Failure> {
        self.each(presentation, |name, meaning, result, shaped| {
            let name = name.escape_debug().to_string();
            // Classes are counted as the network has them; anything else has the file's shape.
            let array = if meaning == Meaning::Values {
                shaped.view()
            } else {
                result.view()
            };
            Ok(answer::write(out, &name, array, meaning, presentation)?)
        })?;
        writeln!(out)?;
        self.conclude(out)?;
        let files: Vec<_> = self.targets.files().collect();
        const LISTED: usize = 10;
        for path in files.iter().take(LISTED) {
            writeln!(out, "written: {}", path.display())?;
        }
        if files.len() > LISTED {
            writeln!(out, "written: … {} more", grouped((files.len() - LISTED) as u64))?;
        }
        Ok(())
    }

    /// What was compiled for whom, and how long it all took.
    fn conclude(&self, out: &mut dyn Write) -> io::Result<()> {
        let (model, network) = (self.model, self.network);
        writeln!(
            out,
            "{} ({} parameters, {} multiplications an image): compiled for {} in {}, ran in {}",
            model.name(),
            grouped(model.parameters()),
            grouped(model.macs()),
            network.target(),
            duration(network.compile_time()),
            duration(self.taken)
        )
    }

    fn as_json(&self, out: &mut dyn Write, presentation: &Presentation<'_>) -> Result<(), Failure> {
        let mut outputs = Vec::new();
        self.each(presentation, |name, meaning, result, shaped| {
            outputs.push(answer::as_json(
                name,
                result.view(),
                shaped.view(),
                meaning,
                presentation,
            ));
            Ok(())
        })?;
        let text = serde_json::json!({
            "model": self.model.name(),
            "backend": self.network.backend().name(),
            "threads": self.network.threads(),
            "batch": self.network.batch(),
            "images": self.results.first().map_or(0, |result| result.len_of(Axis(0))),
            "inputs": presentation.images,
            "outputs": outputs,
            "written": self.targets.files().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "compile_ms": milliseconds(self.network.compile_time()),
            "run_ms": milliseconds(self.taken),
        });
        writeln!(out, "{text}")?;
        Ok(())
    }
}
