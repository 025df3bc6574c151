//! cnn-codegen

pub mod tile;
