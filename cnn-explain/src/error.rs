//! Why a network cannot be explained.

use cnn_codegen::compile::bytes;
use cnn_codegen::interp::InterpreterError;
use cnn_codegen::plan::PlanFault;
use cnn_ir::passes::InvalidGraph;
use cnn_runtime::weights::WeightError;
use thiserror::Error;

/// Why a network cannot be explained.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// A tensor is missing, misshapen or damaged.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The interpreter refused.
    #[error(transparent)]
    Interpreter(InterpreterError),
    /// All values together do not fit into memory.
    #[error(
        "explaining this network keeps the values of all its layers and takes {}, and may take {}",
        bytes(*.needed),
        bytes(u128::from(*.available))
    )]
    Memory {
        /// Bytes needed.
        needed: u128,
        /// Bytes it may take: what the user says, else what the system has.
        available: u64,
    },
    /// A pass made an invalid graph: a fault of the compiler.
    #[error(transparent)]
    Pass(#[from] InvalidGraph),
    /// The plan is not sound: a fault of the compiler.
    #[error("the plan is not sound: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Plan(Vec<PlanFault>),
    /// Something that cannot be.
    #[error("internal error, please report it: {0}")]
    Internal(String),
    /// The live page cannot be served.
    #[error("cannot serve on 127.0.0.1:{port}: {problem}")]
    Serve {
        /// The port that was asked for.
        port: u16,
        /// The system's reason.
        problem: String,
    },
}

impl From<InterpreterError> for ExplainError {
    fn from(error: InterpreterError) -> ExplainError {
        match error {
            InterpreterError::Weights(error) => ExplainError::Weights(error),
            other => ExplainError::Interpreter(other),
        }
    }
}
