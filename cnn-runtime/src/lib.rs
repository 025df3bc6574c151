//! cnn-runtime
