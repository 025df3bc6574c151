//! Kernels compiled ahead of time: what the compiler calls instead of generating.
//!
//! Each algorithm is written once, over the vector type `lanes::Lanes`, and instantiated per
//! instruction set in a function that enables it. An [`Isa`] value, which exists only where the
//! processor has the instructions, chooses between them.
//!
//! | module | what it owns |
//! |---|---|
//! | `isa` | `Isa`, the proof that instructions may be used |
//! | [`integer`] | convolutions, sums and pools of 8-bit integers |
//! | `lanes` | vectors of eight f32: `__m256`, and a portable array |
//! | `math` | exp, tanh, log, … of one vector, with their errors |
//! | [`activation`] | those functions over slices, and the table of their addresses |
//! | [`along`] | places of extremes, running sums, elements at computed places along an axis |
//! | `epilogue` | activations of straight pieces, on sums before they are stored |
//! | `parameters` | structs of numbers that a compiler fills, and their fields |
//! | [`lrn`] | local response normalisation of one row of pixels |
//! | [`softmax`] | softmax and log-softmax of one row |
//! | [`task`] | which kernel does a task, and its function |
//! | [`winograd`] | the transforms around Winograd's matrix products |

pub mod activation;
pub mod along;
mod epilogue;
pub mod integer;
mod isa;
mod lanes;
pub mod lrn;
mod math;
mod parameters;
pub mod softmax;
pub mod task;
pub mod winograd;

pub use isa::Isa;
pub use parameters::{Field, Number};

/// Shows the name of each struct that code hands to kernels, and its fields with where they begin: code and kernels that do
/// not agree about them must not meet.
pub fn layouts(show: &mut dyn FnMut(&'static str, &'static [(&'static str, usize)])) {
    task::Kernel::layouts(show);
    show("LrnRow", lrn::LrnRow::LAYOUT);
    show("InputTransform", winograd::InputTransform::LAYOUT);
    show("InputShape", winograd::InputShape::LAYOUT);
    show("OutputTransform", winograd::OutputTransform::LAYOUT);
    show("OutputShape", winograd::OutputShape::LAYOUT);
}
