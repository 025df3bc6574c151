//! `cnn explain`: a network as a page that shows it at work, in a file or live.
//!
//! | module | what it owns |
//! |---|---|
//! | `desk` | a lesson changed by the reader of a live page |

mod desk;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use cnn::explain::Origin;
use cnn::explain::serve::Served;
use cnn::io::atomic;
use cnn::lesson::{Lesson, drawn};
use cnn::{Error, Model, Options, Source, Weights};
use ndarray::ArrayD;

use super::args::{ModelArgument, Origin as Asked};
use super::inputs::{self, Given, Inputs};
use super::progress::Progress;
use super::{Failure, session};
use desk::LiveDesk;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights: a safetensors file or made-up numbers [default: the model's own, else random]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Asked>,
    #[command(flatten)]
    inputs: Inputs,
    /// Where the page goes: one file that needs nothing else
    #[arg(
        long,
        short,
        value_name = "FILE.html",
        required_unless_present = "serve",
        conflicts_with = "serve"
    )]
    output: Option<PathBuf>,
    /// Serve the page on 127.0.0.1, to change the network on it
    #[arg(long)]
    serve: bool,
    /// The port to serve on; 0 takes a free one
    #[arg(long, value_name = "N", default_value = "7878", requires = "serve")]
    port: u16,
    /// The classes' names, a line each
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Another model, whose table stands beside this one's
    #[arg(long, value_name = "MODEL")]
    beside: Option<String>,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open_for(&arguments.model, &arguments.inputs)?;
    let options = Options {
        max_memory: arguments.model.limit(),
        ..Options::default()
    };
    let beside = &arguments.beside;
    let beside = beside.as_ref().map(|name| other(name, &arguments.model)).transpose()?;
    let labels = match &arguments.labels {
        Some(path) => super::run::labels(path, &model)?,
        None => digits(&model),
    };
    let (weights, weight_origin) = weights(&model, arguments.weights.as_ref())?;
    let served = match arguments.serve {
        true => Some(Served::bind(arguments.port).map_err(Error::from)?),
        false => None,
    };
    let progress = Progress::new(format!("explaining {}", model.name()));
    let images = |model: &Model| given(model, &arguments.inputs);
    let lesson = Lesson::new::<Failure>(model, (weights, weight_origin), images, &options)?.with(labels, beside)?;
    match (served, &arguments.output) {
        (Some(served), _) => {
            drop(progress);
            writeln!(
                out,
                "serving {} at {} (Ctrl-C ends it)",
                lesson.model.name(),
                served.address()
            )?;
            out.flush()?;
            served.run(&mut LiveDesk::new(lesson, options));
        }
        (None, Some(path)) => {
            let page = lesson.page()?;
            atomic::write(path, |file| file.write_all(page.as_bytes()))?;
            drop(progress);
            let size = cnn::error::bytes(page.len() as u128);
            writeln!(out, "written: {} ({size}); open it in a browser", path.display())?;
        }
        // `clap` asks for one of both.
        (None, None) => {}
    }
    Ok(())
}

/// One image for each input: what was given, else the model's own sample, else a drawn picture or made-up numbers.
fn given(model: &Model, arguments: &Inputs) -> Result<(Vec<ArrayD<f32>>, Origin), Failure> {
    let feed = inputs::assign(model, arguments, None, None, |port| {
        let own = super::run::sample(model);
        Some(
            own.or_else(|| drawn(port).map(Given::array))
                .unwrap_or(Given::Random(0)),
        )
    })?;
    if feed.images() != 1 {
        let problem = format!("a page shows one image, and the inputs hold {}", feed.images());
        return Err(Error::Option(problem).into());
    }
    let origin = Origin::new;
    let texts = arguments.texts();
    let origin = match (feed.picture(), &*texts) {
        (Some(true), _) => origin("own", ""),
        (_, []) if feed.holds_files() => origin("card", ""),
        (_, []) => origin("random", "random:0"),
        _ => origin("file", &texts.join(", ")),
    };
    Ok((feed.arrays(0)?, origin))
}

/// The weights, and what the page says about them.
fn weights(model: &Model, argument: Option<&Asked>) -> Result<(Weights, Origin), Error> {
    let found = session::weights(model, argument)?;
    let kind = match argument {
        _ if model.weights().is_empty() => "none",
        Some(Asked::Random(_)) => "random",
        Some(Asked::File(_)) => "file",
        None if found.is_some() => "own",
        None => "random",
    };
    let weights = found.unwrap_or_else(|| Weights::random(0));
    let origin = Origin::new(kind, &weights.describe());
    Ok((weights, origin))
}

/// The model of that name, within the memory that the first may take.
fn other(name: &str, first: &ModelArgument) -> Result<Model, Failure> {
    let options = cnn::onnx::ImportOptions {
        max_memory: first.limit(),
        ..cnn::onnx::ImportOptions::default()
    };
    session::understood(Source::open(name, &options)?)
}

/// The names of classes of a model that reads digits.
fn digits(model: &Model) -> Vec<String> {
    let sample = model.as_builtin().and_then(|builtin| builtin.sample);
    match sample {
        Some(_) => (0..10).map(|digit| digit.to_string()).collect(),
        None => Vec::new(),
    }
}
