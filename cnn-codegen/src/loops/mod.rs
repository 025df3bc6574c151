//! Loop code: a plan's steps as functions of loops, addresses and vectors of eight floats, before any machine.
//!
//! Each step is one function that does a range of the step's independent tasks, so that a step can be divided between
//! threads. What they spend their time in is either a tile kernel (see [`crate::tile`]) or a function of the runtime
//! for rows of elements. Steps that come out as the same code share one function. The JIT prints loop code as
//! Cranelift IR, the macro as Rust: both run the same loops over the same kernels, and give the same bits.
//!
//! | module | what it owns |
//! |---|---|
//! | `code` | the words: values, expressions, instructions |
//! | `writer` | writes a function |
//! | `step` | addresses of a step's views, its rows of activations |
//! | `sweep`, `winograd`, `along`, `copy`, `elementwise`, `pool`, `channels`, `gather`, `integer`, `matmul`, `recurrent`, `reduce` | the loop nests of each kind of work |
//! | `tile` | tile kernels as loop code, where the machine has none of their own |
//! | `program`, `interner` | all functions of a plan, each once |

mod along;
mod channels;
mod code;
mod copy;
mod elementwise;
mod gather;
mod integer;
mod interner;
mod matmul;
mod pool;
mod program;
mod recurrent;
mod reduce;
mod step;
mod sweep;
mod tile;
mod winograd;
mod writer;

pub use code::{
    Address, AddressExpr, Call, Comparison, Count, Float, FloatExpr, FloatOp, FloatVariable, Function, Inst, Int,
    IntExpr, IntOp, LANES, Test, TestExpr, Vector, VectorExpr, VectorVariable,
};
pub use program::{Operand, Program, StepCode};
pub use tile::portable_tile;
