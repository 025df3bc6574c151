//! Everything that can go wrong between a model file and its answer, as one typed error.

use std::fmt;
use std::path::PathBuf;

use cnn_ir::diag::Diagnostic;
use thiserror::Error;

pub use cnn_runtime::weights::WeightError;

/// Why a network could not be loaded, compiled or run.
///
/// [`Display`](fmt::Display) prints the whole message, several lines where that helps: model errors come with
/// the line of the file, what was expected and what was found.
#[derive(Debug, Error)]
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

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Error {
        Error::Model(Box::new(error))
    }
}

impl From<MemoryError> for Error {
    fn from(error: MemoryError) -> Error {
        Error::Memory(Box::new(error))
    }
}

impl From<WeightError> for Error {
    fn from(error: WeightError) -> Error {
        Error::Weights(vec![error])
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

/// A network that needs more memory than allowed; all sizes in bytes.
#[derive(Debug, Error)]
pub struct MemoryError {
    /// Weights as the compiled network holds them.
    pub weights: u128,
    /// Values between layers, for the whole batch.
    pub activations: u128,
    /// Inputs and outputs of one run.
    pub arrays: u128,
    /// The limit it was held against.
    pub limit: u64,
    /// The batch it was counted for.
    pub batch: usize,
    /// The largest value between layers: its layer's name, its shape and its bytes.
    pub largest: Option<(String, String, u128)>,
}

impl MemoryError {
    /// What the network needs altogether.
    pub fn needed(&self) -> u128 {
        self.weights + self.activations + self.arrays
    }
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the network needs {} at batch {} (weights {}, values between layers {}, inputs and outputs {}), \
             but may take {}",
            bytes(self.needed()),
            self.batch,
            bytes(self.weights),
            bytes(self.activations),
            bytes(self.arrays),
            bytes(u128::from(self.limit)),
        )?;
        if let Some((name, shape, size)) = &self.largest {
            write!(f, "; the largest value is `{name}` {shape} with {}", bytes(*size))?;
        }
        if self.batch > 1 {
            write!(f, "; a smaller batch needs less")?;
        }
        Ok(())
    }
}

/// A number of bytes for people: `823 B`, `1.4 KiB`, `97.5 MiB`.
pub fn bytes(count: u128) -> String {
    let mut value = count as f64;
    let mut unit = 0;
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ if value < 10.0 => format!("{value:.2} {}", UNITS[unit]),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

fn lines(errors: &[WeightError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pick_a_unit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.50 KiB");
        assert_eq!(bytes(97 << 20), "97.0 MiB");
        assert!(bytes(u128::MAX).ends_with(" EiB"));
    }
}
