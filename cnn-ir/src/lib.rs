//! cnn-ir
