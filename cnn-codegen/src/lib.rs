//! cnn-codegen

pub mod interp;
#[cfg(feature = "jit")]
pub mod jit;
pub mod loops;
pub mod plan;
#[cfg(feature = "rust")]
pub mod rust;
pub mod tile;
#[cfg(feature = "jit")]
pub mod tune;
