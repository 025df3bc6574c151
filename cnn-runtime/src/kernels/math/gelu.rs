//! GELU, from an odd rational function, and its approximation by tanh.

use super::exp::exp_of_negative;
use super::{Function, polynomial};
use crate::kernels::lanes::Lanes;

/// x · P(x²) / Q(x²).
#[inline(always)]
fn odd_rational<L: Lanes, const N: usize>(x: L, p: &[f32; N], q: &[f32; N]) -> L {
    let square = x.mul(x);
    x.mul(polynomial(square, p)).div(polynomial(square, q))
}

/// x · Φ(x), Φ being the normal distribution function (Hendrycks & Gimpel 2016), NaN at −∞ as in PyTorch.
pub(in crate::kernels) struct Gelu;

impl Gelu {
    /// From here on Φ counts as 1, and as 0 on the other side.
    const END: f32 = 5.5;
    /// Φ(x) − ½: relative error below 2^-25 on [0, END].
    const P: [f32; 6] = [
        0.398_942_26,
        0.033_458_266,
        0.004_651_434_3,
        0.000_164_566_04,
        6.301_418_6e-6,
        2.293_090_2e-8,
    ];
    const Q: [f32; 6] = [
        1.0,
        0.250_533_85,
        0.028_415_747,
        0.001_860_603,
        7.216_394e-5,
        1.199_008_1e-6,
    ];
}

impl Function for Gelu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let (zero, end) = (x.splat(0.0), x.splat(Self::END));
        let inner = x.at_least(zero.sub(end)).at_most(end);
        let phi = odd_rational(inner, &Self::P, &Self::Q).add(x.splat(0.5));
        let phi = x.if_less(zero.sub(end), zero, phi);
        let phi = end.if_less(x, x.splat(1.0), phi);
        x.mul(phi)
    }
}

/// x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) (Hendrycks & Gimpel 2016), which is x · sigmoid of twice the argument;
/// NaN at −∞ as in PyTorch.
pub(in crate::kernels) struct GeluTanh;

impl GeluTanh {
    /// From here on the sigmoid is 1, and 0 on the other side.
    const END: f32 = 12.0;
    /// 2 · √(2/π), and 0.044715 of it.
    const LINEAR: f32 = 1.595_769;
    const CUBIC: f32 = 0.071_354_82;
}

impl Function for GeluTanh {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let (one, end) = (x.splat(1.0), x.splat(Self::END));
        let inner = x.at_least(x.splat(-Self::END)).at_most(end);
        let slope = inner.mul(inner).mul_add(x.splat(Self::CUBIC), x.splat(Self::LINEAR));
        let e = exp_of_negative(inner.mul(slope).neg_abs());
        let sigmoid = x.if_less(x.splat(0.0), e, one).div(one.add(e));
        x.mul(sigmoid)
    }
}

/// The error function: twice what Φ has more than ½, at √2 · x.
pub(in crate::kernels) struct Erf;

impl Function for Erf {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let end = x.splat(Gelu::END);
        let inner = x
            .mul(x.splat(core::f32::consts::SQRT_2))
            .at_least(x.splat(-Gelu::END))
            .at_most(end);
        let half = odd_rational(inner, &Gelu::P, &Gelu::Q);
        // Rounding may lead beyond the limits.
        let one = x.splat(1.0);
        half.add(half).at_least(x.splat(-1.0)).at_most(one)
    }
}
