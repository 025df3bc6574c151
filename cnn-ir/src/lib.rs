//! What a convolutional network means: its declaration, graph, shapes, costs, passes and dumps.

pub mod ast;
pub mod cost;
pub mod diag;
pub mod graph;
pub mod op;
pub mod passes;
pub mod shape;
pub mod span;
pub mod validate;
