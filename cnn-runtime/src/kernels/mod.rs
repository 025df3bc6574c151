//! Kernels compiled ahead of time: what the compiler calls instead of generating.
//!
//! Each algorithm is written once, over the vector type `lanes::Lanes`, and instantiated per
//! instruction set in a function that enables it. An [`Isa`] value, which exists only where the
//! processor has the instructions, chooses between them.
//!
//! | module | what it owns |
//! |---|---|
//! | `isa` | `Isa`, the proof that instructions may be used |
//! | `lanes` | vectors of eight f32: `__m256`, and a portable array |
//! | `math` | exp, tanh, log, … of one vector, with their errors |
//! | [`activation`] | those functions over slices, and the table of their addresses |
//! | `epilogue` | activations of straight pieces, on sums before they are stored |
//! | [`lrn`] | local response normalisation of one row of pixels |
//! | [`softmax`] | softmax and log-softmax of one row |
//! | [`winograd`] | the transforms around Winograd's matrix products |

pub mod activation;
mod epilogue;
mod isa;
mod lanes;
pub mod lrn;
mod math;
pub mod softmax;
pub mod winograd;

pub use isa::Isa;
