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
//! | `values` | names of values, and constants |
//! | `calls` | calls of the runtime |
//! | `tile` | tile kernels: assembler and tables |
//! | `recipe` | weight recipes as expressions |
//! | `tables` | all functions, steps and sizes of a plan |
//! | `network` | the methods that load and run a network |
//! | `ports` | their parameters and results |
//! | `page` | what `cargo doc` says about it |
//! | `item` | its struct with all of these |
//! | `error` | why there is none |

mod calls;
mod error;
mod function;
mod item;
mod network;
mod page;
mod ports;
mod recipe;
mod tables;
mod tile;
mod values;

pub use error::EmitError;
pub use item::{Network, emit};
pub use network::Memory;
pub use page::grouped;
pub use ports::identifier;
