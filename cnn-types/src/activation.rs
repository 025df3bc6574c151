//! Functions of one element.

use core::hash::{Hash, Hasher};
use core::mem::discriminant;

/// A function of each element, as PyTorch defines it.
///
/// Two are equal if their parameters have the same bits: specifications of kernels are compared and hashed.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    /// `x/2 · (1 + erf(x/√2))`, or `x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))`, which is close to it
    Gelu {
        /// The approximation by tanh.
        tanh: bool,
    },
    /// `min(max(alpha · x + beta, 0), 1)`
    HardSigmoid {
        /// Slope between 0 and 1.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
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
    /// `λ · x` above 0, `λ · α · (e^x − 1)` below, with the constants of Klambauer et al. (2017):
    /// [`Activation::SELU`]
    Selu,
    /// `min(max(x, min), max)`
    Clip {
        /// Least result.
        min: f32,
        /// Greatest result.
        max: f32,
    },
    /// `x · tanh(ln(1 + e^x))` (Misra, 2019)
    Mish,
    /// `x` above 0, `alpha · (e^(x/alpha) − 1)` below
    Celu {
        /// The limit far below 0 is `−alpha`; not 0.
        alpha: f32,
    },
    /// `x / (1 + |x|)`
    Softsign,
    /// `x` above `alpha`, 0 elsewhere
    ThresholdedRelu {
        /// Up to here the result is 0.
        alpha: f32,
    },
    /// `x + bias` below `−lambda`, `x − bias` above `lambda`, 0 between
    Shrink {
        /// Half the width of what becomes 0.
        lambda: f32,
        /// How far the rest moves towards 0.
        bias: f32,
    },
    /// `alpha · x + beta`
    Affine {
        /// Slope.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
    /// `e^x`
    Exp,
    /// `ln x`, −∞ at 0, NaN below
    Log,
    /// `√x`, NaN below 0
    Sqrt,
    /// `1 / x`
    Reciprocal,
    /// `x^exponent`, NaN below 0 unless the exponent is whole
    Pow {
        /// The exponent.
        exponent: f32,
    },
    /// `|x|`
    Abs,
    /// −1 below 0, 1 above, 0 else (of NaN too)
    Sign,
    /// The error function, `2/√π · ∫₀ˣ e^−t² dt`
    Erf,
    /// The greatest whole number up to `x`
    Floor,
    /// The least whole number from `x` on
    Ceil,
    /// The nearest whole number; of two as near the even one
    Round,
}

impl Activation {
    /// λ and α of SELU.
    pub const SELU: [f64; 2] = [1.050_700_987_355_480_5, 1.673_263_242_354_377_2];

    /// PyTorch's hard sigmoid.
    pub const HARD_SIGMOID: Activation = Activation::HardSigmoid {
        alpha: 1.0 / 6.0,
        beta: 0.5,
    };

    /// The word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Silu => "silu",
            Activation::Gelu { .. } => "gelu",
            Activation::HardSigmoid { .. } => "hard_sigmoid",
            Activation::HardSwish => "hard_swish",
            Activation::Softplus => "softplus",
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Elu { .. } => "elu",
            Activation::Selu => "selu",
            Activation::Clip { .. } => "clip",
            Activation::Mish => "mish",
            Activation::Celu { .. } => "celu",
            Activation::Softsign => "softsign",
            Activation::ThresholdedRelu { .. } => "thresholded_relu",
            Activation::Shrink { .. } => "shrink",
            Activation::Affine { .. } => "affine",
            Activation::Exp => "exp",
            Activation::Log => "log",
            Activation::Sqrt => "sqrt",
            Activation::Reciprocal => "reciprocal",
            Activation::Pow { .. } => "pow",
            Activation::Abs => "abs",
            Activation::Sign => "sign",
            Activation::Erf => "erf",
            Activation::Floor => "floor",
            Activation::Ceil => "ceil",
            Activation::Round => "round",
        }
    }

    /// Its parameters in the order of declaration, 0 for those it does not have.
    pub const fn parameters(self) -> [f32; 2] {
        match self {
            Activation::HardSigmoid { alpha, beta } | Activation::Affine { alpha, beta } => [alpha, beta],
            Activation::LeakyRelu { alpha }
            | Activation::Elu { alpha }
            | Activation::Celu { alpha }
            | Activation::ThresholdedRelu { alpha } => [alpha, 0.0],
            Activation::Pow { exponent } => [exponent, 0.0],
            Activation::Shrink { lambda, bias } => [lambda, bias],
            Activation::Clip { min, max } => [min, max],
            Activation::Gelu { tanh } => [tanh as u8 as f32, 0.0],
            Activation::Relu
            | Activation::Relu6
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::Silu
            | Activation::HardSwish
            | Activation::Softplus
            | Activation::Selu
            | Activation::Mish
            | Activation::Softsign
            | Activation::Exp
            | Activation::Log
            | Activation::Sqrt
            | Activation::Reciprocal
            | Activation::Abs
            | Activation::Sign
            | Activation::Erf
            | Activation::Floor
            | Activation::Ceil
            | Activation::Round => [0.0; 2],
        }
    }

    /// Whether its value at 0 is finite: then it may be applied to lanes of a vector that hold no element.
    pub const fn is_finite_at_zero(self) -> bool {
        match self {
            Activation::Log | Activation::Reciprocal => false,
            Activation::Pow { exponent } => exponent >= 0.0,
            _ => true,
        }
    }
}

impl PartialEq for Activation {
    fn eq(&self, other: &Self) -> bool {
        let bits = |activation: &Self| activation.parameters().map(f32::to_bits);
        discriminant(self) == discriminant(other) && bits(self) == bits(other)
    }
}

impl Eq for Activation {}

impl Hash for Activation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        self.parameters().map(f32::to_bits).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn parameters_tell_them_apart() {
        let clip = |min, max| Activation::Clip { min, max };
        assert_eq!(clip(0.0, 6.0), clip(0.0, 6.0));
        assert_ne!(clip(0.0, 6.0), clip(0.0, 1.0));
        assert_ne!(clip(0.0, 6.0), Activation::Relu6);
        assert_ne!(Activation::Gelu { tanh: true }, Activation::Gelu { tanh: false });
        assert_ne!(Activation::LeakyRelu { alpha: 0.5 }, Activation::Elu { alpha: 0.5 });
    }
}
