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
//! | `network` | the methods that load and run a network |
//! | `page` | what `cargo doc` says about it |
//! | `item` | its struct with all of these |

mod calls;
mod function;
mod item;
mod network;
mod page;
mod recipe;
mod tables;
mod tile;

pub use item::{EmitError, Network, emit};
pub use network::{Memory, identifier};
pub use page::grouped;
