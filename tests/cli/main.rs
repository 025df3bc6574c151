//! The command `cnn` as its users call it: every test starts the real program.

mod accuracy;
mod bad_inputs;
mod bad_models;
mod commands;
mod digits;
mod explain;
mod large;
mod limits;
mod names;
mod onnx;
mod pictures;
mod quantize;
mod readme;
mod rust;
mod sizes;
mod support;
mod usage;
