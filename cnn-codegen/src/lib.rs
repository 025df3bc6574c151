//! cnn-codegen

pub mod compile;
pub mod interp;
mod isa;
#[cfg(feature = "jit")]
pub mod jit;
pub mod loops;
#[cfg(feature = "macro")]
pub mod macros;
pub mod plan;
#[cfg(feature = "rust")]
pub mod rust;
pub mod tile;
