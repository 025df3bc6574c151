//! `cnn explain`: a network as a page that shows it at work.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use cnn::explain::{self, Compiled, ExplainError, Explained, Machine, Origin, Subject};
use cnn::io::atomic;
use cnn::{Error, Model, Network, Options, Roofs, Source, Weights};
use ndarray::ArrayD;

use super::args::{Inputs, ModelArgument, Origin as Given};
use super::inputs;
use super::progress::Progress;
use super::{Failure, session};

/// Runs that are measured step by step, at least and at most, and for how long.
const RUNS: (usize, usize) = (3, 200);
const BUDGET: Duration = Duration::from_millis(300);
/// Built-in models whose tables the course shows.
const FAMOUS: [&str; 6] = ["lenet5", "alexnet", "vgg16", "resnet18", "inception_naive", "googlenet"];

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights: a safetensors file or made-up numbers [default: the model's own, else random]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Given>,
    #[command(flatten)]
    inputs: Inputs,
    /// Where the page goes: one file that needs nothing else
    #[arg(long, short, value_name = "FILE.html")]
    output: PathBuf,
    /// The classes' names, a line each
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Another model, whose table stands beside this one's
    #[arg(long, value_name = "MODEL")]
    beside: Option<String>,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    let (arrays, input_origin) = given(&model, &arguments.inputs)?;
    let beside = arguments.beside.as_deref().map(other).transpose()?;
    let labels = match &arguments.labels {
        Some(path) => super::run::labels(path, &model)?,
        None => digits(&model),
    };
    let (weights, weight_origin) = weights(&model, arguments.weights.as_ref())?;
    let famous = FAMOUS
        .iter()
        .map(|name| Model::builtin(name))
        .collect::<Result<Vec<_>, _>>()?;
    let progress = Progress::new(format!("explaining {}", model.name()));
    let subject = Lesson {
        model: &model,
        weights: &weights,
        weight_origin,
        arrays: &arrays,
        input_origin,
        labels,
        beside: beside.as_ref(),
        famous: &famous,
    };
    let page = explain::page::fill(&subject.explained()?).map_err(error)?;
    atomic::write(&arguments.output, |file| file.write_all(page.as_bytes()))?;
    drop(progress);
    let size = cnn::error::bytes(page.len() as u128);
    writeln!(
        out,
        "written: {} ({size}); open it in a browser",
        arguments.output.display()
    )?;
    Ok(())
}

/// One image for each input: what was given, else the model's own sample, else made-up numbers.
fn given(model: &Model, arguments: &Inputs) -> Result<(Vec<ArrayD<f32>>, Origin), Failure> {
    let assigned = inputs::assign(model, arguments, |_| {
        Some(super::run::sample(model).unwrap_or(inputs::Given::Random(0)))
    })?;
    let batch = inputs::batch(&assigned, None)?;
    if batch != 1 {
        let problem = format!("a page shows one image, and the inputs hold {batch}");
        return Err(Error::Option(problem).into());
    }
    let origin = match (&*assigned, &*arguments.inputs) {
        ([(_, inputs::Given::Sample(_))], _) => Origin {
            kind: "own",
            text: String::new(),
        },
        (_, []) => Origin {
            kind: "random",
            text: "random:0".into(),
        },
        (_, given) => {
            let texts = given.iter().map(|argument| match &argument.origin {
                Given::Random(seed) => format!("random:{seed}"),
                Given::File(path) => path.display().to_string(),
            });
            Origin {
                kind: "file",
                text: texts.collect::<Vec<_>>().join(", "),
            }
        }
    };
    Ok((inputs::arrays(assigned, arguments, batch)?, origin))
}

/// The weights, and what the page says about them.
fn weights(model: &Model, argument: Option<&Given>) -> Result<(Weights, Origin), Error> {
    let found = session::weights(model, argument)?;
    let kind = match argument {
        _ if model.weights().is_empty() => "none",
        Some(Given::Random(_)) => "random",
        Some(Given::File(_)) => "file",
        None if found.is_some() => "own",
        None => "random",
    };
    let weights = found.unwrap_or_else(|| Weights::random(0));
    let text = weights.describe();
    Ok((weights, Origin { kind, text }))
}

fn other(name: &str) -> Result<Model, Failure> {
    session::understood(Source::open(name, &cnn::onnx::ImportOptions::default())?)
}

/// The names of classes of a model that reads digits.
fn digits(model: &Model) -> Vec<String> {
    let sample = model.as_builtin().and_then(|builtin| builtin.sample);
    match sample {
        Some(_) => (0..10).map(|digit| digit.to_string()).collect(),
        None => Vec::new(),
    }
}

/// A network and what it is shown with.
struct Lesson<'a> {
    model: &'a Model,
    weights: &'a Weights,
    weight_origin: Origin,
    arrays: &'a [ArrayD<f32>],
    input_origin: Origin,
    labels: Vec<String>,
    beside: Option<&'a Model>,
    famous: &'a [Model],
}

impl Lesson<'_> {
    /// All that the page shows.
    fn explained(&self) -> Result<Explained, Error> {
        let model = self.model;
        let options = Options::default();
        let inputs: Vec<&[f32]> = self.arrays.iter().filter_map(|array| array.as_slice()).collect();
        let (plan, listing) = (model.plan(&options)?, model.listing(&options)?);
        let network = model.compile(self.weights, &options)?;
        let machine = measured(&network, &inputs)?;
        let (text, name) = model.text();
        let subject = Subject {
            graph: model.graph(),
            shapes: model.shapes(),
            text,
            text_name: name.to_owned(),
            about: model
                .as_builtin()
                .map_or(String::new(), |builtin| builtin.about.to_owned()),
            labels: self.labels.clone(),
            inputs,
            input_origin: self.input_origin.clone(),
            weight_origin: self.weight_origin.clone(),
            compiled: Some(Compiled {
                plan: &plan,
                listing: &listing,
                machine,
            }),
            beside: self.beside.map(|model| (model.graph(), model.shapes())),
            famous: Some(
                self.famous
                    .iter()
                    .map(|model| (model.graph(), model.shapes()))
                    .collect(),
            ),
        };
        explain::explain(&subject, self.weights.source()).map_err(error)
    }
}

/// The median time of each step, and the machine's roofs.
fn measured(network: &Network, inputs: &[&[f32]]) -> Result<Machine, Error> {
    let elements = |port: &cnn::Port| port.shape.iter().product();
    let mut outputs: Vec<Vec<f32>> = network.outputs().iter().map(|port| vec![0.0; elements(port)]).collect();
    let mut outputs: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    let begin = Instant::now();
    let mut runs = Vec::new();
    while runs.len() < RUNS.0 || (runs.len() < RUNS.1 && begin.elapsed() < BUDGET) {
        let steps = network.profile(inputs, &mut outputs)?;
        runs.push(steps.into_iter().map(|step| step.time).collect::<Vec<_>>());
    }
    let median = |step: usize| {
        let mut times: Vec<_> = runs.iter().map(|run| run[step]).collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    let roofs = Roofs::measure(network.threads())?;
    Ok(Machine {
        target: network.target(),
        times: (0..runs[0].len()).map(median).collect(),
        roofs: roofs.operations.map(|operations| [operations, roofs.bytes]),
    })
}

fn error(error: ExplainError) -> Error {
    match error {
        ExplainError::Weights(error) => error.into(),
        ExplainError::Interpreter(error) => Error::Limit(error.to_string()),
        ExplainError::Memory { .. } => Error::Limit(error.to_string()),
        ExplainError::Pass(_) | ExplainError::Plan(_) | ExplainError::Internal(_) => Error::Internal(error.to_string()),
    }
}
