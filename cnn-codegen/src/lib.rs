//! cnn-codegen

pub mod interp;
#[cfg(feature = "jit")]
pub mod jit;
pub mod loops;
pub mod plan;
pub mod tile;
#[cfg(feature = "jit")]
pub mod tune;
