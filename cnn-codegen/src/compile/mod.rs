//! From a valid network to one that runs: every stage in order, for whoever asks.
//!
//! [`compile`] goes the whole way. [`plan`](fn@plan) is its first part, which code that other machines will run shares: `cnn!` and
//! `cnn emit` hand its plan to [`rust::emit`](crate::rust) instead of compiling it here.
//!
//! | module | what it owns |
//! |---|---|
//! | `options` | what may be asked for |
//! | `need` | memory, counted before any of it is taken |

mod need;
mod options;

use cnn_ir::graph::Graph;
use cnn_ir::passes::{Expand, InvalidGraph, PASSES, Pass, Report, optimise_with};
use cnn_ir::validate::Shapes;
#[cfg(feature = "jit")]
use cnn_runtime::weights::WeightSource;
use thiserror::Error;

#[cfg(feature = "jit")]
use crate::interp::Interpreter;
use crate::interp::InterpreterError;
#[cfg(feature = "jit")]
use crate::jit::{self, JitError, Object};
use crate::plan::{self, Plan, PlanError};

pub use need::{MemoryError, Need, bytes};
pub use options::{Backend, Options};

/// Why a network was not compiled.
#[derive(Debug, Error)]
pub enum CompileError {
    /// A batch of no images, or no threads.
    #[error("the batch and the number of threads must be at least 1")]
    Nothing,
    /// A pass made an invalid graph: a fault of the compiler.
    #[error(transparent)]
    Pass(#[from] InvalidGraph),
    /// It needs more memory than it may take.
    #[error(transparent)]
    Memory(#[from] Box<MemoryError>),
    /// It is beyond what compiled code can do.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Code or constants could not be made.
    #[cfg(feature = "jit")]
    #[error(transparent)]
    Jit(#[from] JitError),
    /// The interpreter could not load it.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
}

/// A graph after the passes.
#[derive(Clone, Debug)]
pub struct Optimised {
    /// The graph.
    pub graph: Graph,
    /// Its shapes.
    pub shapes: Shapes,
    /// What each pass did and refused.
    pub reports: Vec<Report>,
}

/// Runs the passes, each on a valid graph, and validates what they leave.
///
/// # Errors
/// [`InvalidGraph`]: the graph was not valid, or a pass made it so.
pub fn optimise(graph: &Graph) -> Result<Optimised, InvalidGraph> {
    after(graph, PASSES)
}

fn after(graph: &Graph, passes: &[&dyn Pass]) -> Result<Optimised, InvalidGraph> {
    let (mut graph, mut shapes) = (graph.clone(), Shapes::default());
    let reports = optimise_with(&mut graph, passes, |_, _, after| shapes = after.clone())?;
    Ok(Optimised { graph, shapes, reports })
}

/// A network in the form that its back end runs.
#[cfg(feature = "jit")]
#[derive(Debug)]
pub enum Executable {
    /// Machine code.
    Jit(Box<jit::Executable>),
    /// The graph itself.
    Interp(Box<Interpreter>),
}

#[cfg(feature = "jit")]
impl Executable {
    /// The machine code, if it is that.
    pub fn code(&self) -> Option<&jit::Executable> {
        match self {
            Executable::Jit(code) => Some(code),
            Executable::Interp(_) => None,
        }
    }
}

/// What everything about running a network is decided in, within the bounds that `options` set: a plan, and what it
/// takes.
///
/// # Errors
/// [`CompileError`], before anything large is allocated.
pub fn plan(graph: &Graph, options: &Options) -> Result<(Plan, Need), CompileError> {
    options.check()?;
    let Optimised { graph, shapes, .. } = wanted(graph, options)?;
    let arrays = Need::arrays(&graph, &shapes, options.batch);
    // A plan of a network that cannot run at all may itself be too large to make.
    let least = arrays.at_least(&graph, &shapes, options.batch);
    least.check(options)?;
    let plan = plan::build(&graph, &shapes, &options.for_plan())?;
    let need = arrays.planned(&plan, options.threads());
    need.check(options)?;
    Ok((plan, need))
}

/// The whole way: a network as declared, with its weights, becomes one that runs; and what that takes.
///
/// # Errors
/// [`CompileError`]; for want of memory before anything large is allocated.
#[cfg(feature = "jit")]
pub fn compile(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &Options,
) -> Result<(Executable, Need), CompileError> {
    compile_beside(&[], graph, weights, options)
}

/// As [`compile`], beside networks of the same weights: constants that one of them has already are shared.
///
/// # Errors
/// As [`compile`].
#[cfg(feature = "jit")]
pub fn compile_beside(
    others: &[&Executable],
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &Options,
) -> Result<(Executable, Need), CompileError> {
    match options.backend {
        Backend::Jit => {
            // Optimise, validate, plan; then verify the plan, generate code and pack the weights.
            let (plan, need) = plan(graph, options)?;
            let compiled: Vec<&jit::Executable> = others.iter().copied().filter_map(Executable::code).collect();
            match jit::compile_beside(&compiled, &plan, weights, options.threads()) {
                Ok(code) => Ok((Executable::Jit(Box::new(code)), need)),
                Err(JitError::Pack(error)) => match options.for_refused(&error) {
                    Some(options) => compile_beside(others, graph, weights, &options),
                    None => Err(JitError::Pack(error).into()),
                },
                Err(error) => Err(error.into()),
            }
        }
        Backend::Interp => {
            options.check()?;
            let Optimised { graph, shapes, .. } = wanted(graph, options)?;
            let need = Need::arrays(&graph, &shapes, options.batch).interpreted(&graph, &shapes);
            need.check(options)?;
            let interpreter = Interpreter::new(&graph, &shapes, weights)?;
            Ok((Executable::Interp(Box::new(interpreter)), need))
        }
    }
}

/// A network as declared, with its weights, becomes pieces that can be stored; and the plan they are made of. Its
/// instruction set need not be this machine's.
///
/// # Errors
/// As [`compile`].
#[cfg(feature = "jit")]
pub fn object(graph: &Graph, weights: &dyn WeightSource, options: &Options) -> Result<(Plan, Object), CompileError> {
    let (plan, _) = plan(graph, options)?;
    match Object::new(&plan, weights, options.threads()) {
        Ok(object) => Ok((plan, object)),
        Err(JitError::Pack(error)) => match options.for_refused(&error) {
            Some(options) => object(graph, weights, &options),
            None => Err(JitError::Pack(error).into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// The network after the passes, or in operators of the core and otherwise as it was declared.
fn wanted(graph: &Graph, options: &Options) -> Result<Optimised, InvalidGraph> {
    match options.optimise {
        true => optimise(graph),
        false => after(graph, &[&Expand]),
    }
}
