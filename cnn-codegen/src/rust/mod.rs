//! Plan → Rust: the same loop code and tile kernels as the JIT's, as source.
//!
//! One function per distinct step, shared by steps that differ only in their operands; tile kernels as naked functions
//! of the very instructions that the JIT encodes, beside a table that drives the runtime's portable tile. Step
//! functions are emitted once and compiled twice, for AVX2 and FMA and for every processor; which are run is decided
//! when a network is loaded.
//!
//! | module | what it owns |
//! |---|---|
//! | `function` | loop code → Rust |
//! | `calls` | calls of the runtime |
//! | `tile` | tile kernels: assembler and tables |
//! | `recipe` | weight recipes as expressions |
//! | `tables` | all functions, steps and sizes of a plan |
//! | `network` | the struct's constants and methods |

mod calls;
mod function;
mod network;
mod recipe;
mod tables;
mod tile;

pub use network::{Emitted, Memory, emit};
