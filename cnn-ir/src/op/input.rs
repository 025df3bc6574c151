//! Inputs of the network.

use crate::shape::Shape;

/// The order in which the user's arrays hold an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputLayout {
    /// `[N, C, H, W]`, PyTorch's.
    Chw,
    /// `[N, H, W, C]`, TensorFlow's and image files'.
    Hwc,
}

/// An image or vector that the user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its shape, always as channels, height, width.
    pub shape: Shape,
    /// How the user's arrays are laid out.
    pub layout: InputLayout,
}
