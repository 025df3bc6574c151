//! `cnn bench`: how long a network takes to compile and to run.

use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use cnn::error::bytes;
use cnn::{Error, Network, Port, Roofs, StepTime, Weights};
use ndarray::ArrayD;
use serde::Serialize;

use super::args::{Compilation, ModelArgument, Origin};
use super::format::{columns, counted, duration, grouped, milliseconds};
use super::inputs::{self, Given, Inputs};
use super::profile::{Layer, Profile};
use super::progress::Progress;
use super::{Failure, session};

/// Without `--iterations`: how long is measured, how many runs at least and at most.
const BUDGET: Duration = Duration::from_secs(1);
const LEAST: usize = 5;
const MOST: usize = 100_000;
/// Runs that `--profile` measures step by step, at most.
const PROFILES: usize = 1000;
/// Share of the budget, or of the iterations, that runs before the clock counts: caches fill, the core speeds up.
const WARM_UP: u32 = 5;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Weights: a safetensors file, which must not be shortened meanwhile, or made-up numbers
    /// [default: the model's own, else random]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    #[command(flatten)]
    inputs: Inputs,
    /// How many runs are measured [default: what a second holds, but at least 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    iterations: Option<u32>,
    /// Also measure each step: time, speed, kernel, shares of what this machine can do
    #[arg(long)]
    profile: bool,
    /// Print a JSON object for other programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compilation: Compilation,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open_for(&arguments.model, &arguments.inputs)?;
    let asked = arguments.compilation.batch.map(usize::from);
    let limit = arguments.model.limit();
    let mut feed = inputs::assign(&model, &arguments.inputs, asked, limit, |_| Some(Given::Random(0)))?;
    let batch = feed.batch;
    let weights = session::weights(&model, arguments.weights.as_ref())?.unwrap_or_else(|| Weights::random(0));
    let network = session::compile(&model, &weights, &arguments.compilation, limit, batch)?;
    feed.beside(&network);
    let arrays = feed.arrays(0)?;
    let mut bench = Bench::new(&network, &arrays);
    let times = {
        let _progress = Progress::new(format!("measuring {}", model.name()));
        bench.measure(arguments.iterations.map(|n| n as usize))?
    };
    let median = times[times.len() / 2];
    let least = times[0];
    let profile = if arguments.profile {
        Some(Profile {
            steps: bench.profile()?,
            roofs: Roofs::measure(network.threads())?,
            batch,
        })
    } else {
        None
    };
    if arguments.json {
        let measured = Measured {
            model: model.name(),
            backend: network.backend().name(),
            isa: network.isa().map(|set| set.name()),
            threads: network.threads(),
            batch,
            compile_ms: milliseconds(network.compile_time()),
            median_ms: milliseconds(median),
            min_ms: milliseconds(least),
            peak_arena_bytes: network.arena_bytes(),
            weight_bytes: network.weight_bytes(),
            macs: model.macs(),
            iterations: times.len(),
            peak_gflops: profile
                .as_ref()
                .and_then(|profile| profile.roofs.operations.map(|rate| rate / 1e9)),
            memory_gb_per_s: profile.as_ref().map(|profile| profile.roofs.bytes / 1e9),
            layers: profile.as_ref().map(Profile::layers),
        };
        let text = serde_json::to_string(&measured).map_err(|error| Error::Internal(error.to_string()))?;
        writeln!(out, "{text}")?;
        return Ok(());
    }
    let rate = |macs: u64, time: Duration| 2.0 * macs as f64 * batch as f64 / time.as_secs_f64() / 1e9;
    writeln!(
        out,
        "{} on {}, {}",
        model.name(),
        network.target(),
        counted(network.threads(), "thread")
    )?;
    writeln!(out, "  batch    {batch}")?;
    writeln!(out, "  compile  {}", duration(network.compile_time()))?;
    writeln!(
        out,
        "  median   {}  of {}",
        duration(median),
        counted(times.len(), "run")
    )?;
    writeln!(out, "  least    {}", duration(least))?;
    writeln!(
        out,
        "  speed    {:.3} GFLOP/s ({} multiplications an image)",
        rate(model.macs(), median),
        grouped(model.macs())
    )?;
    writeln!(
        out,
        "  memory   {} of weights, {} between layers",
        bytes(u128::from(network.weight_bytes())),
        bytes(u128::from(network.arena_bytes()))
    )?;
    if let Some(profile) = profile {
        writeln!(out, "  machine  {}", profile.machine())?;
        writeln!(out, "\n{}", profile.table(columns()))?;
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Measured<'a> {
    model: &'a str,
    backend: &'a str,
    /// The instruction set of its kernels.
    isa: Option<&'a str>,
    threads: usize,
    batch: usize,
    compile_ms: f64,
    median_ms: f64,
    min_ms: f64,
    peak_arena_bytes: u64,
    weight_bytes: u64,
    /// Multiplications of one image.
    macs: u64,
    iterations: usize,
    /// The machine's roofs.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_gflops: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_gb_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<Layer<'a>>>,
}

/// A network with inputs, and memory for its outputs: what is measured allocates nothing.
struct Bench<'a> {
    network: &'a Network,
    inputs: Vec<&'a [f32]>,
    outputs: Vec<Vec<f32>>,
}

impl<'a> Bench<'a> {
    fn new(network: &'a Network, inputs: &'a [ArrayD<f32>]) -> Self {
        let elements = |port: &Port| port.batched(network.batch()).iter().product();
        Bench {
            network,
            // `Feed::arrays` makes arrays in standard layout.
            inputs: inputs.iter().filter_map(|array| array.as_slice()).collect(),
            outputs: network.outputs().iter().map(|port| vec![0.0; elements(port)]).collect(),
        }
    }

    fn run(&mut self) -> Result<Duration, Error> {
        let mut outputs: Vec<_> = self.outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let start = Instant::now();
        self.network.run_into(&self.inputs, &mut outputs)?;
        Ok(start.elapsed())
    }

    /// Times of single runs, sorted; at least one.
    fn measure(&mut self, iterations: Option<usize>) -> Result<Vec<Duration>, Error> {
        let (least, most) = iterations.map_or((LEAST, MOST), |n| (n, n));
        let begin = Instant::now();
        for done in 1.. {
            self.run()?;
            if begin.elapsed() >= BUDGET / WARM_UP || done >= most.div_ceil(WARM_UP as usize) {
                break;
            }
        }
        let begin = Instant::now();
        let mut times = Vec::new();
        while times.len() < least || (times.len() < most && begin.elapsed() < BUDGET) {
            times.push(self.run()?);
        }
        times.sort_unstable();
        Ok(times)
    }

    /// The median time of each step over several runs.
    fn profile(&mut self) -> Result<Vec<StepTime>, Error> {
        let mut outputs: Vec<_> = self.outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let begin = Instant::now();
        let mut runs = Vec::new();
        while runs.len() < LEAST || (runs.len() < PROFILES && begin.elapsed() < BUDGET) {
            runs.push(self.network.profile(&self.inputs, &mut outputs)?);
        }
        let mut steps = runs.pop().unwrap_or_default();
        for (index, step) in steps.iter_mut().enumerate() {
            let mut times: Vec<_> = runs.iter().map(|run| run[index].time).collect();
            times.sort_unstable();
            step.time = times[times.len() / 2];
        }
        Ok(steps)
    }
}
