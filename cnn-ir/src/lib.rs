//! What a convolutional network means: its declaration, graph, shapes, costs, passes and dumps.

pub mod ast;
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
