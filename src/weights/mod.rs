//! Where weights come from: what every network is given, and [`Weights`] of any origin.

mod named;

pub use cnn_runtime::weights::*;
pub use named::Weights;
