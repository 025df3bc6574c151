//! What a convolutional network means: its declaration, graph, shapes, costs, passes and dumps.
//!
//! People write a network down as TOML (or in `cnn!`, or have it in an ONNX file). [`front`] makes a declaration of it
//! ([`ast`]), every word with its place, and of that a [`graph::Graph`]: operators ([`op`]) as nodes, values as edges.
//! [`validate`] gives every value its type ([`value`]), or says everything that does not fit, with the arithmetic. [`passes`] rewrite the
//! graph so that it computes the same with fewer layers; they need no weights. [`cost`] counts. The graph can be looked
//! at any time as [`text`], which reads back, [`dot`] or `json`.
//!
//! This crate does no IO and knows no code generator. There is no `_ =>` over [`op::Op`]: the compiler shows where a new
//! operator goes.
//!
//! ```
//! use cnn_ir::{front, passes, text, validate};
//!
//! let model = r#"
//!     [inputs]
//!     image = [3, 8, 8]
//!     [[layer]]
//!     name = "c"
//!     op = "conv"
//!     filters = 4
//!     kernel = 3
//!     [[layer]]
//!     name = "r"
//!     op = "relu"
//! "#;
//! let (mut graph, _warnings) = front::graph_from_toml(model).expect("a valid model");
//! let shapes = validate::validate(&graph).expect("shapes that fit");
//! assert!(text::print(&graph, Some(&shapes)).contains("[4, 6, 6]"));
//! passes::optimise(&mut graph).expect("the passes keep it valid");
//! assert_eq!(graph.len(), 2); // the activation moved into the convolution
//! ```

pub mod ast;
pub mod brief;
pub mod cost;
pub mod diag;
pub mod dot;
pub mod front;
pub mod graph;
#[cfg(feature = "json")]
pub mod json;
pub mod op;
pub mod passes;
#[cfg(feature = "render")]
pub mod render;
pub mod shape;
pub mod span;
pub mod text;
pub mod validate;
pub mod value;
