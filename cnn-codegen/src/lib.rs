//! cnn-codegen

pub mod interp;
pub mod tile;
