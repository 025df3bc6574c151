//! Who carries a network out: the one place that knows the back ends.

use std::time::Duration;

use cnn_codegen::interp::{Interpreter, InterpreterError};
use cnn_codegen::jit::{self, JitError, RunError};
use cnn_codegen::plan::{self, Accuracy, Measurements, Plan, PlanError, PlanOptions, TileIsa};
use cnn_ir::graph::Graph;
use cnn_ir::validate::Shapes;

use cnn_runtime::memory::Caches;
use cnn_runtime::pack::PackError;

use crate::memory::Need;
use crate::{Backend, Error, Weights};

/// A network in the form that its back end runs.
#[derive(Debug)]
pub(crate) enum Executable {
    Jit(Box<jit::Executable>),
    Interp(Box<Interpreter>),
}

/// What to compile, and within which bounds.
pub(crate) struct Job<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) shapes: &'a Shapes,
    pub(crate) batch: usize,
    pub(crate) threads: usize,
    /// Only instructions that every machine of this kind has.
    pub(crate) portable: bool,
    /// Whether only multiplying and adding will do.
    pub(crate) exact: bool,
    /// The caches to plan for.
    pub(crate) caches: Caches,
    /// Times of kernels, measured before.
    pub(crate) measured: Measurements,
    /// What the user's arrays take.
    pub(crate) arrays: Need,
    /// Bytes that may be taken; `None`: what the system has.
    pub(crate) limit: Option<u64>,
}

/// A step of compiled code and how long it took.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// The layer it computes, or a part of it.
    pub layer: String,
    /// The layer's operator.
    pub op: &'static str,
    /// The kernel that computes it.
    pub kernel: String,
    /// Multiplications for one image; 0 where they are another step's.
    pub multiplications: u64,
    /// Bytes of its weights, operands and result, for the whole batch: what it moves if no cache holds anything.
    pub bytes: u64,
    /// How long it took, for the whole batch.
    pub time: Duration,
}

impl Job<'_> {
    /// What the plan is made for.
    pub(crate) fn plan_options(&self) -> PlanOptions {
        PlanOptions {
            batch: self.batch,
            isa: if self.portable {
                TileIsa::Portable
            } else {
                TileIsa::detect()
            },
            accuracy: if self.exact { Accuracy::Exact } else { Accuracy::Fast },
            threads: self.threads,
            caches: self.caches,
            force: None,
            measured: self.measured.clone(),
        }
    }

    /// The plan, if it keeps the bounds.
    pub(crate) fn plan(&self) -> Result<(Plan, Need), Error> {
        self.arrays
            .at_least(self.graph, self.shapes, self.batch)
            .check(self.limit, self.batch)?;
        let plan = plan::build(self.graph, self.shapes, &self.plan_options()).map_err(plan_error)?;
        let need = self.arrays.clone().planned(&plan, self.threads);
        need.check(self.limit, self.batch)?;
        Ok((plan, need))
    }

    /// The network in the form that `backend` runs, and what it takes.
    pub(crate) fn compile(self, backend: Backend, weights: &Weights) -> Result<(Executable, Need), Error> {
        match backend {
            Backend::Jit => {
                let (plan, need) = self.plan()?;
                let code = jit::compile(&plan, weights.source(), self.threads).map_err(jit_error)?;
                Ok((Executable::Jit(Box::new(code)), need))
            }
            Backend::Interp => {
                let need = self.arrays.interpreted(self.graph, self.shapes);
                need.check(self.limit, self.batch)?;
                let interpreter =
                    Interpreter::new(self.graph, self.shapes, weights.source()).map_err(interpreter_error)?;
                Ok((Executable::Interp(Box::new(interpreter)), need))
            }
        }
    }
}

impl Executable {
    /// Runs one batch; the slices have the right sizes.
    pub(crate) fn run(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], batch: usize) -> Result<(), Error> {
        match self {
            Executable::Jit(code) => code.run(inputs, outputs).map_err(run_error),
            Executable::Interp(interpreter) => {
                let results = interpreter.run(inputs, batch).map_err(interpreter_error)?;
                for (output, result) in outputs.iter_mut().zip(results) {
                    output.copy_from_slice(&result);
                }
                Ok(())
            }
        }
    }

    /// Runs one batch and measures each step.
    pub(crate) fn profile(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) -> Result<Vec<StepTime>, Error> {
        let Executable::Jit(code) = self else {
            return Err(Error::Option(
                "the interpreter cannot be profiled: it has no steps".into(),
            ));
        };
        let times = code.profile(inputs, outputs).map_err(run_error)?;
        let steps = code.plan().steps.iter().zip(times).map(|(step, time)| StepTime {
            layer: step.layer.clone(),
            op: step.op,
            kernel: step.kernel.clone(),
            multiplications: step.multiplications,
            bytes: step.bytes,
            time,
        });
        Ok(steps.collect())
    }

    /// Threads that share a run.
    pub(crate) fn threads(&self) -> usize {
        match self {
            Executable::Jit(code) => code.threads(),
            Executable::Interp(_) => 1,
        }
    }

    /// What it was compiled for, in words.
    pub(crate) fn target(&self) -> String {
        match self {
            Executable::Jit(code) => match code.plan().isa {
                TileIsa::Avx2Fma => format!("{} with AVX2 and FMA", std::env::consts::ARCH),
                TileIsa::Portable => format!("{} with 128-bit vectors", std::env::consts::ARCH),
            },
            Executable::Interp(_) => "the interpreter".to_owned(),
        }
    }
}

pub(crate) fn plan_error(error: PlanError) -> Error {
    match error {
        PlanError::TooLarge { .. } => Error::Limit(error.to_string()),
        PlanError::Tile { .. } | PlanError::IndexMap { .. } | PlanError::Phases { .. } => {
            Error::Limit(format!("{error}; the interpreter has no such limit"))
        }
        PlanError::NoImages => Error::Option(error.to_string()),
        PlanError::Invalid => Error::Internal(error.to_string()),
    }
}

pub(crate) fn jit_error(error: JitError) -> Error {
    match error {
        JitError::Pack(error) => pack_error(error),
        JitError::Target(_) => Error::Limit(format!("{error}; the interpreter runs everywhere")),
        JitError::Memory(_) | JitError::Threads(_) => Error::Limit(error.to_string()),
        JitError::Plan(_) | JitError::Module(_) | JitError::Tile(_) => Error::Internal(error.to_string()),
    }
}

pub(crate) fn pack_error(error: PackError) -> Error {
    match error {
        PackError::Weights(errors) => Error::Weights(errors),
        PackError::Memory(error) => Error::Limit(error.to_string()),
    }
}

fn run_error(error: RunError) -> Error {
    match error {
        RunError::Memory(_) => Error::Limit(error.to_string()),
        RunError::Count { .. } | RunError::Length { .. } => Error::Internal(error.to_string()),
    }
}

fn interpreter_error(error: InterpreterError) -> Error {
    match error {
        InterpreterError::Weights(error) => error.into(),
        InterpreterError::OutOfMemory { .. } => Error::Limit(error.to_string()),
        other => Error::Internal(other.to_string()),
    }
}
