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
//! | [`Network`] | compiled: runs, from several threads at once if need be |
//! | [`CompiledFile`] | compiled networks in files, loaded without being compiled again |
//! | [`Session`] | a model with its weights, compiled for every batch and size it meets; arrays as its file names them |
//! | [`quantize`] | a network of floats as one of 8-bit integers |
//! | [`Roofs`] | what this machine can do at most |
//! | [`Error`] | everything that can go wrong, typed, with messages that teach |
//!
//! What lies below is public too: [`ir`] (graphs, shapes, passes, dumps), [`plan`] and [`jit`], and with the feature
//! `explain` the page that explains a network.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "jit")]
mod accuracy;
#[cfg(feature = "jit")]
mod arrays;
#[cfg(feature = "jit")]
pub mod builtin;
#[cfg(feature = "jit")]
mod compiled;
#[cfg(feature = "jit")]
pub mod error;
#[cfg(feature = "jit")]
mod executable;
#[cfg(feature = "jit")]
pub mod io;
#[cfg(feature = "explain")]
pub mod lesson;
#[cfg(feature = "jit")]
mod model;
#[cfg(feature = "jit")]
mod network;
#[cfg(feature = "jit")]
pub mod quantize;
#[cfg(feature = "jit")]
mod roofs;
#[cfg(feature = "rust")]
mod rust;
#[cfg(feature = "jit")]
mod session;
#[cfg(feature = "text")]
pub mod text;
#[cfg(feature = "std")]
pub mod weights;

#[cfg(feature = "explain")]
pub use cnn_explain as explain;
#[cfg(feature = "macros")]
pub use cnn_macros::cnn;
pub use cnn_runtime::emitted as rt;
#[cfg(all(feature = "macros", feature = "std"))]
pub use cnn_runtime::emitted::Declared;
#[cfg(feature = "std")]
pub use weights::Weights;
#[cfg(feature = "jit")]
pub use {
    accuracy::LayerAccuracy,
    arrays::ArrayInfo,
    builtin::Builtin,
    cnn_codegen::compile::{Backend, Optimised, Options},
    cnn_codegen::plan::InstructionSet,
    cnn_codegen::{jit, plan},
    cnn_ir as ir, cnn_onnx as onnx,
    cnn_runtime::memory::Caches,
    cnn_runtime::weights::synthetic_input as random_input,
    compiled::{CompiledFile, FileArrays},
    error::Error,
    executable::StepTime,
    model::{FreeSize, Model, Port, PossibleSizes, Sizes, Source, WeightReport},
    network::Network,
    roofs::Roofs,
    session::Session,
};

#[cfg(feature = "rust")]
pub use rust::{Package, PackageFile, RustOptions};

#[cfg(all(doctest, feature = "jit", feature = "macros"))]
#[doc = include_str!("../README.md")]
struct Readme;
