//! What a compiled network needs while it runs.
//!
//! This crate knows no compiler type: it is handed names, shapes, slices and addresses.

pub mod kernels;
pub mod memory;
pub mod pack;
pub mod threads;
pub mod weights;
