//! What every crate of cnn speaks of, from a network's graph to its kernels.
//!
//! One type for each such thing, without an allocator and without a standard library, so that a graph, a plan, machine
//! code and the code that `cnn!` emits all mean the same by it.
//!
//! ```
//! use cnn_types::Activation;
//!
//! let relu6 = Activation::Relu6;
//! assert_eq!(relu6.name(), "relu6");
//! // Of straight pieces: kernels apply it to their sums before they store them.
//! assert_eq!(relu6.steps().map(|steps| steps.as_slice().len()), Some(2));
//! assert!(Activation::Tanh.steps().is_none());
//! ```

#![no_std]

mod activation;
mod element;
mod isa;
mod quantisation;
#[cfg(feature = "sources")]
pub mod sources;
mod steps;

pub use activation::Activation;
pub use element::ElementType;
pub use isa::{InstructionSet, UnknownInstructionSet};
pub use quantisation::Quantisation;
pub use steps::{Operation, Place, Step, Steps};
