//! A compiler for convolutional neural networks.

pub mod builtin;
pub mod error;
mod executable;
pub mod io;
mod memory;
mod model;
mod network;
mod options;
mod weights;

pub use builtin::Builtin;
pub use cnn_codegen::{jit, plan};
pub use cnn_ir as ir;
pub use cnn_runtime::weights::synthetic_input as random_input;
pub use error::Error;
pub use executable::StepTime;
pub use model::{Model, Optimised, Port, Source, WeightReport};
pub use network::Network;
pub use options::{Backend, Options};
pub use weights::Weights;
