//! Normalisation: batch norm and local response.

use super::Activation;

/// `(x − running_mean) / √(running_var + epsilon) · weight + bias` per channel (Ioffe & Szegedy, 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// ε
    pub epsilon: f64,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

/// `x / (k + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring channels: `⌊(size−1)/2⌋` down and the
/// rest up (Krizhevsky et al., 2012; PyTorch's convention for `alpha`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Channels in the window.
    pub size: usize,
    /// Scale of the sum.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum.
    pub k: f32,
}
