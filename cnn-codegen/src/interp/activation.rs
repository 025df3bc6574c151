//! Functions of one element, and PReLU.
//!
//! NaN passes through every one of them, as in PyTorch; Rust's `max` and `min` would swallow it.

use cnn_ir::op::Activation;

use super::tensor::Tensor;

/// `activation(x)`, or `x` itself without one.
pub(super) fn apply(activation: Option<Activation>, x: f64) -> f64 {
    let Some(activation) = activation else { return x };
    match activation {
        Activation::Relu => at_least(x, 0.0),
        Activation::Relu6 => at_most(at_least(x, 0.0), 6.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu { tanh: true } => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            x / 2.0 * (1.0 + inner.tanh())
        }
        Activation::Gelu { tanh: false } => x / 2.0 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        Activation::HardSigmoid { .. } if activation == Activation::HARD_SIGMOID => {
            at_most(at_least(x + 3.0, 0.0), 6.0) / 6.0
        }
        Activation::HardSigmoid { alpha, beta } => at_most(at_least(f64::from(alpha) * x + f64::from(beta), 0.0), 1.0),
        Activation::HardSwish => x * at_most(at_least(x + 3.0, 0.0), 6.0) / 6.0,
        Activation::Softplus if x > 20.0 => x,
        Activation::Softplus => x.exp().ln_1p(),
        Activation::LeakyRelu { alpha } => leaky(x, f64::from(alpha)),
        Activation::Elu { .. } if x > 0.0 => x,
        Activation::Elu { alpha } => f64::from(alpha) * x.exp_m1(),
        Activation::Selu => {
            let [scale, alpha] = Activation::SELU;
            scale * if x > 0.0 { x } else { alpha * x.exp_m1() }
        }
        Activation::Clip { min, max } => at_most(at_least(x, f64::from(min)), f64::from(max)),
        Activation::Mish => x * x.exp().ln_1p().tanh(),
        Activation::Celu { .. } if x > 0.0 => x,
        Activation::Celu { alpha } => f64::from(alpha) * (x / f64::from(alpha)).exp_m1(),
        Activation::Softsign => x / (1.0 + x.abs()),
        Activation::ThresholdedRelu { alpha } if x <= f64::from(alpha) => 0.0,
        Activation::ThresholdedRelu { .. } => x,
        Activation::Shrink { lambda, bias } if x < -f64::from(lambda) => x + f64::from(bias),
        Activation::Shrink { lambda, bias } if x > f64::from(lambda) => x - f64::from(bias),
        // NaN stays.
        Activation::Shrink { .. } => x * 0.0,
        Activation::Affine { alpha, beta } => f64::from(alpha) * x + f64::from(beta),
        Activation::Exp => x.exp(),
        Activation::Log => x.ln(),
        Activation::Sqrt => x.sqrt(),
        Activation::Reciprocal => 1.0 / x,
        Activation::Pow { exponent } => x.powf(f64::from(exponent)),
        Activation::Abs => x.abs(),
        // PyTorch's sign of NaN is 0.
        Activation::Sign => f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
        Activation::Erf => libm::erf(x),
        Activation::Floor => x.floor(),
        Activation::Ceil => x.ceil(),
        Activation::Round => x.round_ties_even(),
    }
}

/// An activation as a layer of its own.
pub(super) fn run(activation: Activation, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| apply(Some(activation), x.at(c, row, column)));
}

/// PReLU: a slope per channel.
pub(super) fn prelu(slope: &[f32], x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| leaky(x.at(c, row, column), f64::from(slope[c])));
}

fn leaky(x: f64, slope: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}

/// The greater of both; NaN if `x` is.
pub(super) fn at_least(x: f64, bound: f64) -> f64 {
    if x < bound { bound } else { x }
}

/// The lesser of both; NaN if `x` is.
pub(super) fn at_most(x: f64, bound: f64) -> f64 {
    if x > bound { bound } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 15] = [
        Activation::Relu,
        Activation::Relu6,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Silu,
        Activation::Gelu { tanh: false },
        Activation::Gelu { tanh: true },
        Activation::HARD_SIGMOID,
        Activation::HardSigmoid {
            alpha: 0.25,
            beta: 0.25,
        },
        Activation::HardSwish,
        Activation::Softplus,
        Activation::LeakyRelu { alpha: 0.25 },
        Activation::Elu { alpha: 2.0 },
        Activation::Selu,
        Activation::Clip { min: -1.0, max: 1.5 },
    ];

    /// Values from PyTorch's `torch.nn.functional` in float64.
    #[test]
    fn has_pytorchs_values() {
        let expected = [
            // at −2, 0, 0.5, 7, 30
            [0.0, 0.0, 0.5, 7.0, 30.0],
            [0.0, 0.0, 0.5, 6.0, 6.0],
            [
                -0.964_027_580_075_816_9,
                0.0,
                0.462_117_157_260_009_75,
                0.999_998_336_943_944_7,
                1.0,
            ],
            [
                0.119_202_922_022_117_56,
                0.5,
                0.622_459_331_201_854_6,
                0.999_088_948_805_599_4,
                0.999_999_999_999_906_4,
            ],
            [
                -0.238_405_844_044_235_12,
                0.0,
                0.311_229_665_600_927_3,
                6.993_622_641_639_196,
                29.999_999_999_997_193,
            ],
            [
                -0.045_500_263_896_358_42,
                0.0,
                0.345_731_230_632_406_5,
                6.999_999_999_991_041,
                30.0,
            ],
            [
                -0.045_402_305_912_224_94,
                0.0,
                0.345_714_009_825_143_94,
                6.999_999_999_999_997,
                30.0,
            ],
            [1.0 / 6.0, 0.5, 3.5 / 6.0, 1.0, 1.0],
            [0.0, 0.25, 0.375, 1.0, 1.0],
            [-2.0 / 6.0, 0.0, 1.75 / 6.0, 7.0, 30.0],
            [
                0.126_928_011_042_972_5,
                std::f64::consts::LN_2,
                0.974_076_984_180_106_8,
                7.000_911_466_453_774,
                30.0,
            ],
            [-0.5, 0.0, 0.5, 7.0, 30.0],
            [-1.729_329_433_526_774_6, 0.0, 0.5, 7.0, 30.0],
            [
                -1.520_166_468_595_694_8,
                0.0,
                0.525_350_493_677_740_2,
                7.354_906_911_488_364,
                31.521_029_620_664_414,
            ],
            [-1.0, 0.0, 0.5, 1.5, 1.5],
        ];
        for (activation, row) in ALL.into_iter().zip(expected) {
            for (x, y) in [-2.0, 0.0, 0.5, 7.0, 30.0].into_iter().zip(row) {
                let got = apply(Some(activation), x);
                assert!((got - y).abs() < 1e-11, "{activation:?}({x}) = {got}, not {y}");
            }
        }
    }

    #[test]
    fn nan_passes_through() {
        for activation in ALL {
            assert!(apply(Some(activation), f64::NAN).is_nan(), "{activation:?}");
        }
        assert!(leaky(f64::NAN, 0.5).is_nan());
    }

    #[test]
    fn limits_are_finite_where_they_should_be() {
        assert_eq!(apply(Some(Activation::Sigmoid), -1e4), 0.0);
        assert_eq!(apply(Some(Activation::Sigmoid), 1e4), 1.0);
        assert_eq!(apply(Some(Activation::Softplus), -1e4), 0.0);
        assert_eq!(apply(Some(Activation::Elu { alpha: 2.0 }), -1e4), -2.0);
        // torch.clamp with min > max: max wins.
        assert_eq!(apply(Some(Activation::Clip { min: 2.0, max: 1.0 }), 1.5), 1.0);
    }
}
