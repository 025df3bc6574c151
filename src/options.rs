//! How a network is to be compiled.

use std::fmt;
use std::str::FromStr;

use cnn_codegen::plan::Measurements;
use cnn_runtime::memory::Caches;

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
/// use cnn::Options;
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
    /// dense layers larger than the second-level cache otherwise read 16 (with a scale for each 64): slower, and within 1e-5 of f64 arithmetic where otherwise 1e-4 of the largest
    /// output is allowed.
    pub exact: bool,
    /// Times of kernels on this machine, from [`Model::tune`](crate::Model::tune): they decide between algorithms where
    /// they are known.
    pub measured: Measurements,
    /// The caches to plan for: this machine's. What other machines are to compute to the bit is planned for
    /// [`Caches::TYPICAL`], as `cnn!` does.
    pub caches: Caches,
    /// Use no instructions but those that every machine of this kind has, even where there are better ones.
    pub portable: bool,
    /// Bytes that weights, values between layers, inputs and outputs may take together; what the machine has
    /// available if `None`.
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
            measured: Measurements::NONE,
            caches: Caches::of_this_machine(),
            portable: false,
            max_memory: None,
        }
    }
}
