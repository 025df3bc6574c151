//! A compiler for convolutional neural networks: TOML in, machine code in memory, answers out.
//!
//! ```
//! use cnn::{Model, Options, Weights};
//! use ndarray::Array4;
//!
//! // Read and check a network, compile it for its weights and this machine, run it on a batch.
//! let model = Model::builtin("lenet5")?; // or Model::from_toml_file("net.toml")?
//! let weights = Weights::builtin("lenet5")?; // or Weights::from_file("weights.safetensors")?
//! let network = model.compile(&weights, &Options::default())?;
//! let images = Array4::<f32>::zeros((1, 1, 32, 32)); // [batch, channels, height, width]
//! let outputs = network.run(&[images.view()])?;
//! assert_eq!(outputs[0].shape(), [1, 10]);
//! assert!((outputs[0].sum() - 1.0).abs() < 1e-5);
//! # Ok::<(), cnn::Error>(())
//! ```
//!
//! | type | what it is |
//! |---|---|
//! | [`Source`] → [`Model`] | a network's text, or an ONNX file ([`onnx`]); the network, understood and found valid |
//! | [`Weights`] | named tensors: a file, bytes, arrays, or made up |
//! | [`Options`] | back end, batch, threads, bounds |
//! | [`Tuner`] → [`Tuning`] | kernels measured on this machine |
//! | [`Network`] | compiled: runs, from several threads at once if need be |
//! | [`Roofs`] | what this machine can do at most |
//! | [`Error`] | everything that can go wrong, typed, with messages that teach |
//!
//! What lies below is public too: [`ir`] (graphs, shapes, passes, dumps), [`plan`] and [`jit`].

pub mod builtin;
pub mod error;
mod executable;
pub mod io;
mod memory;
mod model;
mod network;
mod options;
mod roofs;
pub mod tune;
mod weights;

pub use builtin::Builtin;
pub use cnn_codegen::{jit, plan};
pub use cnn_ir as ir;
#[cfg(feature = "macros")]
pub use cnn_macros::cnn;
pub use cnn_onnx as onnx;
pub use cnn_runtime::weights::synthetic_input as random_input;
pub use error::Error;
pub use executable::StepTime;
pub use model::{Model, Optimised, Port, Source, WeightReport};
pub use network::Network;
pub use options::{Backend, Options};
pub use roofs::Roofs;
pub use tune::{Tuner, Tuning};
pub use weights::Weights;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
