//! 2-D convolution.

use super::{Activation, Padding, Pair};

/// 2-D convolution: `filters` kernels slide over the map; each output is bias + Σ weight · input.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Output channels.
    pub filters: usize,
    /// Kernel height and width.
    pub kernel: Pair,
    /// Step of the window.
    pub stride: Pair,
    /// Zeros around the input.
    pub padding: Padding,
    /// Distance between taps.
    pub dilation: Pair,
    /// Input and output channels are split into so many groups that do not see each other.
    pub groups: usize,
    /// Whether a bias per filter is added.
    pub bias: bool,
    /// Applied to the result.
    pub activation: Option<Activation>,
    /// A batch norm that a pass folded into weights and bias (before the activation).
    pub norm: Option<FoldedNorm>,
    /// Set by a pass: the last operand is added before the activation.
    pub residual: bool,
}

/// A batch norm folded into the weights that precede it: `w' = w · γ/√(σ²+ε)`, `b' = (b − μ) · γ/√(σ²+ε) + β`.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedNorm {
    /// Prefix of its weights' names.
    pub weights: String,
    /// ε
    pub epsilon: f64,
}
