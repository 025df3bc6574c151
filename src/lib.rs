//! A compiler for convolutional neural networks.
