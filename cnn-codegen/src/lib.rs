//! cnn-codegen
