//! What a convolutional network becomes: a plan, machine code, Rust source.
//!
//! A valid graph (`cnn-ir`) says what is computed. [`plan`] decides everything about computing it: the order, where values
//! lie in memory, which kernel makes each, how weights are packed. From then on nothing looks at the graph any more:
//! [`loops`] turns the plan into functions of loops and vectors, [`tile`] into kernels that keep a tile of the result in
//! registers, and two back ends carry both out: [`jit`] as machine code in memory, `rust` as source. [`interp`] is neither: it
//! takes the graph as it stands, with plain loops in f64, and is what everything else is compared with.
//!
//! Start with [`compile::compile`]: the whole way as one function.
//!
//! ```
//! use cnn_codegen::compile::{Executable, Options, compile};
//! use cnn_ir::front::graph_from_toml;
//! use cnn_runtime::weights::Synthetic;
//!
//! let (graph, _) = graph_from_toml(
//!     "[inputs]\nimage = [1, 8, 8]\n[[layer]]\nname = 'c'\nop = 'conv'\nfilters = 2\nkernel = 3\nactivation = 'relu'\n",
//! )
//! .expect("a valid model");
//! let (network, _) = compile(&graph, &Synthetic { seed: 0 }, &Options::default())?;
//! if let Executable::Jit(code) = network {
//!     let mut output = [0.0; 2 * 6 * 6];
//!     code.run(&[&[0.5; 64]], &mut [&mut output]).expect("arrays of the right sizes");
//!     assert!(output.iter().all(|value| *value >= 0.0));
//! }
//! # Ok::<(), cnn_codegen::compile::CompileError>(())
//! ```
//!
//! Features: `jit` (Cranelift), `rust` (source), `macro` (what `cnn!` needs, without Cranelift).

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
