//! Softmax and log-softmax.

/// `e^x / Σ e^x` over the channels of each pixel, or over a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Its logarithm instead.
    pub log: bool,
}
