//! Measures the algorithms of a convolution on this machine: networks of that one layer, run in turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cnn_ir::graph::{Graph, Node, Place};
use cnn_ir::op::{Activation, Input, InputLayout, Op};
use cnn_ir::shape::Shape;
use cnn_ir::validate::validate;
use cnn_runtime::memory::{AlignedBuffer, CACHE_LINE, MemoryError};
use cnn_runtime::weights::{Synthetic, synthetic_input};
use thiserror::Error;

use crate::jit::{self, Executable, JitError, RunError};
use crate::plan::{self, Algorithm, Choice, Plan, PlanError, PlanOptions, Times};

/// Runs of each algorithm that are measured, at least and at most; one before them is not.
const LEAST: usize = 3;
const MOST: usize = 30;
/// The layer that is measured.
const LAYER: &str = "layer";

/// How thoroughly to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How long the measurement of one convolution should take; whatever it is, each algorithm runs three times.
    pub time: Duration,
    /// Bytes that are read before each run: what the rest of the network would have brought into the caches since the
    /// layer's last run, so that a layer whose weights would have gone does not find them.
    pub between: usize,
    /// Bytes that all algorithms' networks may take together.
    pub memory: u64,
}

/// Why a convolution was not measured.
#[derive(Debug, Error)]
pub enum TuneError {
    /// The one layer could not be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It could not be compiled.
    #[error(transparent)]
    Jit(#[from] JitError),
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is no memory for it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The networks would take more memory than they may.
    #[error("measuring takes {needed} bytes of memory, more than the {limit} there are")]
    Limit {
        /// Bytes for all algorithms.
        needed: u128,
        /// Bytes there are.
        limit: u64,
    },
    /// The layer is not what validation accepts.
    #[error("the layer is not valid")]
    Invalid,
}

/// The least time in nanoseconds of each of a convolution's algorithms, in a plan for `options`.
///
/// The weights are made up: no kernel's time depends on them.
///
/// # Errors
/// [`TuneError`], mostly for want of memory.
pub fn measure(choice: &Choice, options: &PlanOptions, effort: &Effort) -> Result<Times, TuneError> {
    let start = Instant::now();
    let graph = one_layer(choice);
    let plans = choice
        .algorithms
        .iter()
        .map(|&algorithm| plan_with(&graph, algorithm, options))
        .collect::<Result<Vec<_>, _>>()?;
    let bytes = |plan: &Plan| {
        let ports = plan.inputs.iter().chain(&plan.outputs);
        let arrays: usize = ports.map(|port| plan.buffers[port.buffer.0].bytes).sum();
        [plan.constant_bytes, plan.arena_bytes, arrays]
    };
    let needed = plans.iter().flat_map(bytes).map(|bytes| bytes as u128).sum::<u128>() + effort.between as u128;
    if needed > u128::from(effort.memory) {
        return Err(TuneError::Limit {
            needed,
            limit: effort.memory,
        });
    }
    let mut runs = plans
        .iter()
        .map(|plan| Run::new(plan, options.threads))
        .collect::<Result<Vec<_>, _>>()?;
    let mut others = AlignedBuffer::zeroed_bytes(effort.between)?;
    // Pages that were never written are all the same one.
    others.floats_mut().fill(1.0);
    for round in 0..=MOST {
        if round > LEAST && start.elapsed() >= effort.time {
            break;
        }
        // In turn, so that whatever else the machine does hits all of them.
        for run in &mut runs {
            read(&others);
            let time = run.once()?;
            if round > 0 {
                run.least = run.least.min(time);
            }
        }
    }
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let times = runs.iter().map(|run| nanoseconds(run.least));
    Ok(choice.algorithms.iter().copied().zip(times).collect())
}

/// The convolution with a layer before and behind it, so that it reads and writes what it would inside a network.
fn one_layer(choice: &Choice) -> Graph {
    let mut graph = Graph::new(choice.layer.clone());
    let node = |name: &str, op: Op| Node {
        name: name.to_owned(),
        op,
        weights: name.to_owned(),
        place: Place::default(),
    };
    let relu = || Op::Activation(Activation::Relu);
    let mut conv = choice.conv.clone();
    // Folded into the weights while they are packed.
    conv.norm = None;
    let operand = |graph: &mut Graph, name: &str, shape: Shape| {
        let input = Input {
            shape,
            layout: InputLayout::Chw,
        };
        let input = graph.add(node(name, Op::Input(input)), &[]);
        graph.add(node(&format!("{name}_relu"), relu()), &[input])
    };
    let mut operands = vec![operand(&mut graph, "input", choice.input)];
    if conv.residual {
        operands.push(operand(&mut graph, "residual", choice.output));
    }
    let layer = graph.add(node(LAYER, Op::Conv(conv)), &operands);
    let behind = graph.add(node("behind", relu()), &[layer]);
    graph.add_output("behind", behind);
    graph
}

fn plan_with(graph: &Graph, algorithm: Algorithm, options: &PlanOptions) -> Result<Plan, TuneError> {
    let shapes = validate(graph).map_err(|_| TuneError::Invalid)?;
    let options = PlanOptions {
        force: Some(algorithm),
        ..options.clone()
    };
    Ok(plan::build(graph, &shapes, &options)?)
}

/// A network of one layer with its arrays.
struct Run {
    executable: Executable,
    /// Whether each step is part of the layer.
    counts: Vec<bool>,
    inputs: Vec<Vec<f32>>,
    output: Vec<f32>,
    least: Duration,
}

impl Run {
    fn new(plan: &Plan, threads: usize) -> Result<Run, TuneError> {
        Ok(Run {
            executable: jit::compile(plan, &Synthetic::default(), threads)?,
            counts: plan.steps.iter().map(|step| step.layer == LAYER).collect(),
            inputs: plan
                .inputs
                .iter()
                .map(|port| synthetic_input(&port.name, plan.batch * port.shape.elements(), 0))
                .collect(),
            output: plan
                .outputs
                .iter()
                .map(|port| vec![0.0; plan.batch * port.shape.elements()])
                .collect::<Vec<_>>()
                .concat(),
            least: Duration::MAX,
        })
    }

    /// Runs it and gives what the layer took.
    fn once(&mut self) -> Result<Duration, RunError> {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let times = self.executable.profile(&inputs, &mut [&mut self.output])?;
        let counted = times.iter().zip(&self.counts).filter(|(_, counts)| **counts);
        Ok(counted.map(|(time, _)| *time).sum())
    }
}

/// Brings a buffer into the caches, a cache line at a time.
fn read(buffer: &AlignedBuffer) {
    let sum: f32 = buffer.floats().iter().step_by(CACHE_LINE / size_of::<f32>()).sum();
    black_box(sum);
}
