//! What can keep the interpreter from running.

use cnn_runtime::weights::WeightError;
use thiserror::Error;

/// Why a network cannot be interpreted, or not with these inputs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InterpreterError {
    /// A weight is missing or wrong.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The graph has a cycle, so it was not validated.
    #[error("the layers {0:?} depend on each other in a circle")]
    Cycle(Vec<String>),
    /// The graph was not validated.
    #[error("{0}")]
    Invalid(String),
    /// Too many or too few inputs.
    #[error("the network has {expected} inputs, {found} were given")]
    InputCount {
        /// The network's number of inputs.
        expected: usize,
        /// The number of arrays given.
        found: usize,
    },
    /// An input of the wrong length.
    #[error("input `{name}`: expected {batch} × {elements} elements, found {found}")]
    InputLength {
        /// The input's name.
        name: String,
        /// Images asked for.
        batch: usize,
        /// Elements of one image.
        elements: usize,
        /// Elements given.
        found: usize,
    },
    /// A layer's result does not fit the memory.
    #[error("no memory for the {elements} elements of layer `{layer}`")]
    OutOfMemory {
        /// The layer.
        layer: String,
        /// Elements of one image.
        elements: usize,
    },
}
