//! The JIT: a plan becomes machine code in memory.
//!
//! Tile kernels are encoded by this crate, [loop code](crate::loops) around them is compiled by Cranelift.
//!
//! | module | what it owns |
//! |---|---|
//! | `functions` | all functions of a plan: kernels, those of steps |
//! | `targets` | Cranelift's settings for this machine |
//! | `compiler` | one function, on any thread |
//! | `translate`, `calls`, `vectors` | loop code → Cranelift IR |
//! | `runtime` | the runtime's functions, by name |
//! | `listing` | what a dump shows of a function: texts, and which line came from which |
//! | `image` | the functions as one piece of code that runs wherever it is placed |
//! | `code_memory` | the memory that it is placed in |
//! | `object` | code and constants as they are stored in a file, and loaded from it |
//! | `executable` | finished code and its memory; the only place that calls it |

mod calls;
mod code_memory;
mod compiler;
mod executable;
mod functions;
#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod hostile;
mod image;
mod listing;
mod object;
#[cfg(all(test, target_arch = "x86_64"))]
mod portable_tile;
mod runtime;
mod targets;
mod translate;
mod vectors;

use std::sync::Arc;

use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::MemoryError;
use cnn_runtime::pack::PackError;
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::WeightSource;
use cnn_types::InstructionSet;
use thiserror::Error;

use crate::loops::Program;
use crate::plan::{Plan, PlanFault};
use crate::tile::TileError;
use executable::Constants;
pub use executable::{Executable, RunError};
use functions::Functions;
use image::Image;
pub use listing::{Listed, Origin};
pub use object::{CodePages, Object, StoredConstants, interface};
#[cfg(all(test, target_arch = "x86_64"))]
pub(crate) use portable_tile::PortableTile;
use targets::Targets;

/// Why a plan did not become code.
#[derive(Debug, Error)]
pub enum JitError {
    /// Cranelift has no code generator for this machine.
    #[error("no code can be generated for this machine: {0}")]
    Target(String),
    /// This machine lacks the instruction set that the plan is for.
    #[error("this machine has no {wanted} instructions; it has {}", .has.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))]
    InstructionSet {
        /// The one asked for.
        wanted: InstructionSet,
        /// Those that it has, the best first.
        has: Vec<Isa>,
    },
    /// The plan is wrong: a mistake of the planner, not of the network.
    #[error("the plan is not sound, please report it: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Plan(Vec<PlanFault>),
    /// Cranelift refused a function.
    #[error("code generation failed: {0}")]
    Function(String),
    /// Code that was stored cannot be loaded: its parts do not belong together.
    #[error("the compiled code cannot be loaded: {0}")]
    Stored(String),
    /// A tile kernel could not be made.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// Weights are missing, misshapen or damaged, or there is not enough memory for them.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// There is not enough memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Worker threads could not be started.
    #[error("threads cannot be started: {0}")]
    Threads(#[from] std::io::Error),
}

/// Compiles a plan and makes its constants.
///
/// `threads` run each step, 0 means all of the machine's; results do not depend on it.
///
/// # Errors
/// [`JitError`]
pub fn compile(plan: &Plan, weights: &dyn WeightSource, threads: usize) -> Result<Executable, JitError> {
    compile_beside(&[], plan, weights, threads)
}

/// Compiles a plan as [`compile`] does, beside networks of the same weights: if one of them has the constants that the plan
/// needs, they are shared.
///
/// # Errors
/// [`JitError`]
pub fn compile_beside(
    others: &[&Executable],
    plan: &Plan,
    weights: &dyn WeightSource,
    threads: usize,
) -> Result<Executable, JitError> {
    let isa = machine(plan.isa)?;
    let pool = ThreadPool::new(threads)?;
    let code = generate(plan, &pool, false)?;
    let constants = match others.iter().find_map(|other| other.constants_for(plan)) {
        Some(shared) => shared,
        None => Arc::new(Constants::Own(plan.pack(weights, &pool)?)),
    };
    Executable::new(plan.clone(), &code, isa, constants, pool)
}

/// The proof that this machine has an instruction set.
fn machine(wanted: InstructionSet) -> Result<Isa, JitError> {
    Isa::new(wanted).ok_or_else(|| {
        let has = Isa::available();
        JitError::InstructionSet { wanted, has }
    })
}

/// The code of a plan as texts, in the order it was made: kernels, then steps.
///
/// # Errors
/// [`JitError`]
pub fn listing(plan: &Plan) -> Result<Vec<Listed>, JitError> {
    Ok(generate(plan, &ThreadPool::new(1)?, true)?.listing)
}

/// All functions of a plan.
struct Code {
    program: Program,
    /// Its kernels, then its functions.
    image: Image,
    /// Their texts, if they are kept.
    listing: Vec<Listed>,
}

impl Code {
    /// Where the program's functions begin in the image.
    fn functions(&self) -> &[usize] {
        &self.image.functions[self.program.kernels.len()..]
    }
}

/// Plan → functions: verified, then loop code, then machine code.
fn generate(plan: &Plan, pool: &ThreadPool, keep_text: bool) -> Result<Code, JitError> {
    let program = Program::new(plan).map_err(JitError::Plan)?;
    let functions = Functions::new(Targets::of_this_machine()?, plan.isa, keep_text);
    let (image, listing) = functions.compile(&program, pool)?;
    Ok(Code {
        program,
        image,
        listing,
    })
}
