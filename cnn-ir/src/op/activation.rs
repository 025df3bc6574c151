//! Functions of one element, and PReLU.

/// A function of each element, as PyTorch defines it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `tanh x`
    Tanh,
    /// `1 / (1 + e^−x)`
    Sigmoid,
    /// `x / (1 + e^−x)`
    Silu,
    /// `x/2 · (1 + erf(x/√2))`
    Gelu,
    /// `min(max(x + 3, 0), 6) / 6`
    HardSigmoid,
    /// `x · min(max(x + 3, 0), 6) / 6`
    HardSwish,
    /// `ln(1 + e^x)`, and `x` itself above 20
    Softplus,
    /// `x` above 0, `alpha · x` below
    LeakyRelu {
        /// Slope below 0.
        alpha: f32,
    },
    /// `x` above 0, `alpha · (e^x − 1)` below
    Elu {
        /// The limit far below 0 is `−alpha`.
        alpha: f32,
    },
    /// `min(max(x, min), max)`
    Clip {
        /// Least result.
        min: f32,
        /// Greatest result.
        max: f32,
    },
}

/// `x` above 0, `slope[c] · x` below (He et al., 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prelu;
