//! How a network is to be compiled.

use std::fmt;
use std::str::FromStr;

use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::Caches;
use cnn_runtime::pack::PackError;

use super::CompileError;
use crate::plan::{Accuracy, InstructionSet, PlanOptions};

/// Who carries a network out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Machine code, compiled by Cranelift around own tile kernels.
    #[default]
    Jit,
    /// Plain loops in f64 over the graph, one image at a time: slow, and the reference for everything else.
    Interp,
}

impl Backend {
    /// All back ends, the default first.
    pub const ALL: &[Backend] = &[Backend::Jit, Backend::Interp];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Jit => "jit",
            Backend::Interp => "interp",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(word: &str) -> Result<Backend, String> {
        Backend::ALL
            .iter()
            .copied()
            .find(|backend| backend.name() == word)
            .ok_or_else(|| {
                let names: Vec<_> = Backend::ALL.iter().map(|backend| backend.name()).collect();
                format!("expected one of {}, found `{word}`", names.join(", "))
            })
    }
}

/// How a network is to be compiled. `Options::default()` is right for one image at a time on the whole machine.
///
/// ```
/// use cnn_codegen::compile::Options;
///
/// let options = Options { batch: 8, threads: Some(1), ..Options::default() };
/// # assert!(options.optimise);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Who carries it out.
    pub backend: Backend,
    /// Images of one run.
    pub batch: usize,
    /// Threads that share one run; all cores if `None`.
    pub threads: Option<usize>,
    /// Whether the passes run: fusing and folding layers.
    pub optimise: bool,
    /// Use no algorithm that rounds more than multiplying and adding does (Winograd's), and all bits of the weights, where
    /// dense layers larger than the second-level cache otherwise read 16 (with a scale for each 64): slower, and within
    /// 1e-5 of f64 arithmetic where otherwise 1e-4 of the largest output is allowed.
    pub exact: bool,
    /// Read all bits of dense layers' weights, as `exact` does, but leave the choice of algorithms. Compiling sets it
    /// by itself where 16 bits do not hold the weights.
    pub full_weights: bool,
    /// The caches to plan for: this machine's. What other machines are to compute to the bit is planned for
    /// [`Caches::TYPICAL`], as `cnn!` does, and for an instruction set that they all have.
    pub caches: Caches,
    /// The instruction set to compile for; the best that this machine has if `None`. [`InstructionSet::Portable`] is
    /// there on every machine; one that is missing is an error when code is made.
    pub isa: Option<InstructionSet>,
    /// Bytes that weights, values between layers, inputs and outputs may take together; what the machine has
    /// available if `None`. [`u64::MAX`] is no limit.
    pub max_memory: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            backend: Backend::default(),
            batch: 1,
            threads: None,
            optimise: true,
            exact: false,
            full_weights: false,
            caches: Caches::of_this_machine(),
            isa: None,
            max_memory: None,
        }
    }
}

impl Options {
    /// For code that machines run of which nothing is known yet: batches of so many images, runs that so many threads
    /// share, and with `no_std` neither an operating system nor much memory.
    pub fn for_rust(batch: usize, threads: usize, no_std: bool) -> Options {
        Options {
            batch,
            threads: Some(if no_std { 1 } else { threads }),
            // Winograd's transformed weights and tiles take several times the memory, which is scarce without a system.
            exact: no_std,
            caches: Caches::TYPICAL,
            // Tiles of the larger set also run everywhere, from a table.
            isa: Some(if no_std {
                InstructionSet::Portable
            } else {
                InstructionSet::Avx2
            }),
            // That of the machine which will run it is not known either; whoever wants a bound sets one.
            max_memory: Some(u64::MAX),
            ..Options::default()
        }
    }

    /// The options to plan again with after weights were refused: with all of their bits, if that is what they need.
    pub fn for_refused(&self, error: &PackError) -> Option<Options> {
        (error.is_coarse() && !self.full_weights).then(|| Options {
            full_weights: true,
            ..self.clone()
        })
    }

    /// Threads that share one run.
    pub fn threads(&self) -> usize {
        self.threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// What the planner is told: all that is left open here is settled.
    pub fn for_plan(&self) -> PlanOptions {
        PlanOptions {
            batch: self.batch,
            isa: self.isa.unwrap_or_else(|| Isa::detect().set()),
            accuracy: match (self.exact, self.full_weights) {
                (true, _) => Accuracy::Exact,
                (false, true) => Accuracy::FullWeights,
                (false, false) => Accuracy::Fast,
            },
            threads: self.threads(),
            caches: self.caches,
            force: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), CompileError> {
        match self.batch == 0 || self.threads == Some(0) {
            true => Err(CompileError::Nothing),
            false => Ok(()),
        }
    }
}
