//! The command `cnn` as its users call it: every test starts the real program.

mod bad_inputs;
mod bad_models;
mod commands;
mod digits;
mod explain;
mod names;
mod onnx;
mod pictures;
mod readme;
mod rust;
mod support;
mod usage;
