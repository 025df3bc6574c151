//! Everything that can go wrong between a model file and its answer, as one typed error.

use std::fmt;
use std::path::PathBuf;

use cnn_codegen::compile::CompileError;
use cnn_codegen::interp::InterpreterError;
use cnn_codegen::jit::{JitError, RunError};
use cnn_codegen::plan::PlanError;
use cnn_ir::diag::Diagnostic;
use cnn_runtime::pack::PackError;
use thiserror::Error;

pub use cnn_codegen::compile::{MemoryError, bytes};
pub use cnn_runtime::weights::WeightError;

/// Why a network could not be loaded, compiled or run.
///
/// [`Display`](fmt::Display) prints the whole message, several lines where that helps: model errors come with
/// the line of the file, what was expected and what was found. `Debug` prints it too: that is how `main` shows the error
/// it returns.
#[derive(Error)]
#[non_exhaustive]
pub enum Error {
    /// The model is wrong.
    #[error(transparent)]
    Model(Box<ModelError>),
    /// An ONNX file cannot be imported: everything that stands against it.
    #[error(transparent)]
    Onnx(#[from] cnn_onnx::ImportError),
    /// Tensors are missing, of another shape, or the weights file is damaged: every problem found.
    #[error("{}", lines(.0))]
    Weights(Vec<WeightError>),
    /// An array given as input does not fit.
    #[error("input `{name}`: {problem}")]
    Input {
        /// The input's name.
        name: String,
        /// What was expected and what was found.
        problem: String,
    },
    /// A file's content is not what it should be.
    #[error("`{}`: {problem}", path.display())]
    File {
        /// The file as it was given.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
    /// The operating system refused to read or write.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `read`, `write` …
        action: &'static str,
        /// The file as it was given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The network needs more memory than it may take.
    #[error(transparent)]
    Memory(Box<MemoryError>),
    /// An option has no sensible meaning.
    #[error("{0}")]
    Option(String),
    /// A valid network is beyond what the back end or the machine can do.
    #[error("{0}")]
    Limit(String),
    /// The compiler failed on a valid network: a fault of this library.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Error {
        Error::Model(Box::new(error))
    }
}

impl From<WeightError> for Error {
    fn from(error: WeightError) -> Error {
        Error::Weights(vec![error])
    }
}

impl From<CompileError> for Error {
    fn from(error: CompileError) -> Error {
        match error {
            CompileError::Nothing => Error::Option(error.to_string()),
            CompileError::Pass(_) => Error::Internal(error.to_string()),
            CompileError::Memory(error) => Error::Memory(error),
            CompileError::Plan(error) => error.into(),
            CompileError::Jit(error) => error.into(),
            CompileError::Interpreter(error) => error.into(),
        }
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Error {
        match error {
            PlanError::TooLarge { .. } => Error::Limit(error.to_string()),
            PlanError::Tile { .. } | PlanError::IndexMap { .. } | PlanError::Phases { .. } => {
                Error::Limit(format!("{error}; the interpreter has no such limit"))
            }
            PlanError::NoImages => Error::Option(error.to_string()),
            PlanError::Invalid => Error::Internal(error.to_string()),
        }
    }
}

impl From<JitError> for Error {
    fn from(error: JitError) -> Error {
        match error {
            JitError::Pack(error) => error.into(),
            JitError::InstructionSet { .. } => Error::Option(error.to_string()),
            JitError::Target(_) => Error::Limit(format!("{error}; the interpreter runs everywhere")),
            JitError::Memory(_) | JitError::Threads(_) => Error::Limit(error.to_string()),
            JitError::Plan(_) | JitError::Function(_) | JitError::Stored(_) | JitError::Tile(_) => {
                Error::Internal(error.to_string())
            }
        }
    }
}

impl From<PackError> for Error {
    fn from(error: PackError) -> Error {
        match error {
            PackError::Weights(errors) => Error::Weights(errors),
            PackError::Memory(error) => Error::Limit(error.to_string()),
        }
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Error {
        match error {
            RunError::Memory(_) => Error::Limit(error.to_string()),
            RunError::Count { .. } | RunError::Length { .. } => Error::Internal(error.to_string()),
        }
    }
}

#[cfg(feature = "explain")]
impl From<cnn_explain::ExplainError> for Error {
    fn from(error: cnn_explain::ExplainError) -> Error {
        use cnn_explain::ExplainError;
        match error {
            ExplainError::Weights(error) => error.into(),
            ExplainError::Interpreter(_) | ExplainError::Memory { .. } | ExplainError::Serve { .. } => {
                Error::Limit(error.to_string())
            }
            ExplainError::Pass(_) | ExplainError::Plan(_) | ExplainError::Internal(_) => {
                Error::Internal(error.to_string())
            }
        }
    }
}

impl From<InterpreterError> for Error {
    fn from(error: InterpreterError) -> Error {
        match error {
            InterpreterError::Weights(error) => error.into(),
            InterpreterError::OutOfMemory { .. } => Error::Limit(error.to_string()),
            other => Error::Internal(other.to_string()),
        }
    }
}

/// What is wrong with a model, each problem with its place.
#[derive(Debug, Error)]
#[error("{rendered}")]
pub struct ModelError {
    /// All problems, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// The problems as text, each with `FILE:LINE:COLUMN` and the line itself; no colour.
    pub rendered: String,
    /// The file's name as it appears in `rendered`.
    pub origin: String,
    /// The model's text, which the diagnostics' places count in.
    pub source_text: String,
}

fn lines(errors: &[WeightError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
