//! Where weights come from: what every network is given, and, beside the compiler, [`Weights`] of any origin.

#[cfg(feature = "jit")]
mod named;

pub use cnn_runtime::weights::*;
#[cfg(feature = "jit")]
pub use named::Weights;
