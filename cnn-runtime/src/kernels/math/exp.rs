//! The exponential function and what follows from it.
//!
//! exp(x) = 2^n · exp(r) with n = round(x / ln 2) and |r| ≤ ½ ln 2, ln 2 being subtracted in two
//! parts (Cody & Waite 1980), exp(r) = 1 + r + r² · P(r).

use super::log::log1p_core;
use super::{Function, polynomial};
use crate::kernels::lanes::{Lanes, ROUND};

/// P, of degree 4: relative error of exp(r) below 2^-28.
const TAIL: [f32; 5] = [0.499_999_94, 0.166_665_2, 0.041_668_393, 0.008_368_781, 0.001_381_446_5];

/// ln 2 in nine bits, so that n times it is exact, and the rest.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -0.000_212_194_44;

/// n + ROUND and r of a finite `x`.
#[inline(always)]
fn reduce<L: Lanes>(x: L) -> (L, L) {
    let shifted = x.mul_add(x.splat(core::f32::consts::LOG2_E), x.splat(ROUND));
    let n = shifted.sub(x.splat(ROUND));
    let r = n.mul_add(x.splat(-LN_2_HIGH), x);
    (shifted, n.mul_add(x.splat(-LN_2_LOW), r))
}

/// exp(r) − 1.
#[inline(always)]
fn reduced_expm1<L: Lanes>(r: L) -> L {
    polynomial(r, &TAIL).mul_add(r.mul(r), r)
}

/// exp(x) for any x.
#[inline(always)]
pub(super) fn exp<L: Lanes>(x: L) -> L {
    let x = x.at_least(x.splat(-105.0)).at_most(x.splat(89.0));
    let (shifted, r) = reduce(x);
    // 2^n does not fit an f32 for results near either end: two factors.
    let n = shifted.sub(x.splat(ROUND));
    let half = n.mul_add(x.splat(0.5), x.splat(ROUND));
    let rest = n.sub(half.sub(x.splat(ROUND))).add(x.splat(ROUND));
    reduced_expm1(r)
        .add(x.splat(1.0))
        .mul(half.pow2::<127>())
        .mul(rest.pow2::<127>())
}

/// 2^-64, as the last factor of results that may be subnormal.
const LAST: f32 = 1.0 / (1u128 << 64) as f32;

/// From here down x · exp(x) rounds to 0.
const BOTTOM: f32 = -110.0;

/// exp(x) · 2^64 for x ≤ 0 (or NaN): never subnormal, so accurate down to `BOTTOM`.
#[inline(always)]
fn scaled_exp_of_negative<L: Lanes>(x: L) -> L {
    let (shifted, r) = reduce(x.at_least(x.splat(BOTTOM)));
    // n ≥ −159.
    reduced_expm1(r).add(x.splat(1.0)).mul(shifted.pow2::<{ 127 + 64 }>())
}

/// exp(x) for x ≤ 0 (or NaN), cheaper.
#[inline(always)]
pub(in crate::kernels) fn exp_of_negative<L: Lanes>(x: L) -> L {
    scaled_exp_of_negative(x).mul(x.splat(LAST))
}

/// exp(x) − 1 for x ≤ 0 (or NaN), without cancellation near 0.
#[inline(always)]
fn expm1_of_negative<L: Lanes>(x: L) -> L {
    // Below −30 the result is −1.
    let (shifted, r) = reduce(x.at_least(x.splat(-30.0)));
    let scale = shifted.pow2::<127>();
    reduced_expm1(r).mul_add(scale, scale.sub(x.splat(1.0)))
}

/// exp(x).
pub(in crate::kernels) struct Exp;

impl Function for Exp {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        exp(x)
    }
}

/// 1 / (1 + exp(−x)).
pub(in crate::kernels) struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let e = exp_of_negative(x.neg_abs());
        let one = x.splat(1.0);
        x.if_less(x.splat(0.0), e, one).div(one.add(e))
    }
}

/// x · sigmoid(x) (Hendrycks & Gimpel 2016; Elfwing et al. 2017), NaN at −∞ as in PyTorch.
pub(in crate::kernels) struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let scaled = scaled_exp_of_negative(x.neg_abs());
        let (last, bottom) = (x.splat(LAST), x.splat(BOTTOM));
        // x · e^x is 0 from `BOTTOM` down, but −∞ · 0 is NaN.
        let negative = x.if_less(bottom, x.mul(x.splat(0.0)), x.mul(scaled).mul(last));
        let denominator = scaled.mul_add(last, x.splat(1.0));
        x.if_less(x.splat(0.0), negative, x).div(denominator)
    }
}

/// ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(−|x|)).
pub(in crate::kernels) struct Softplus;

impl Function for Softplus {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let e = exp_of_negative(x.neg_abs());
        log1p_core(e).add(x.at_least(x.splat(0.0)))
    }
}

/// tanh(|x|) = −e / (2 + e) with e = exp(−2|x|) − 1.
///
/// A rational function of x², two operations cheaper, errs by 4.6 ULP.
pub(in crate::kernels) struct Tanh;

impl Function for Tanh {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let e = expm1_of_negative(x.add(x).neg_abs());
        e.div(e.add(x.splat(2.0))).with_sign_of(x)
    }
}

/// λx where x > 0, α (exp(x) − 1) elsewhere (Clevert et al. 2015: λ = 1; Klambauer et al. 2017); parameter 0 is α,
/// parameter 1 λ.
pub(in crate::kernels) struct Elu;

impl Function for Elu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, alpha: L, lambda: L) -> L {
        let zero = x.splat(0.0);
        let negative = expm1_of_negative(x.at_most(zero)).mul(alpha);
        zero.if_less(x, x.mul(lambda), negative)
    }
}

/// x where x > 0, α (exp(x/α) − 1) elsewhere (Barron 2017); parameter 0 is α, parameter 1 one over it.
pub(in crate::kernels) struct Celu;

impl Function for Celu {
    #[inline(always)]
    fn of<L: Lanes>(x: L, alpha: L, inverse: L) -> L {
        let zero = x.splat(0.0);
        let scaled = x.at_most(zero).mul(inverse);
        // A negative α makes e^(x/α) − 1 large below 0.
        let below = scaled.if_less(
            zero,
            expm1_of_negative(scaled.at_most(zero)),
            exp(scaled).sub(x.splat(1.0)),
        );
        zero.if_less(x, x, below.mul(alpha))
    }
}

/// x · tanh(ln(1 + exp(x))) (Misra 2019): with e = exp(−|x|) the tangent is (e² + 2e) / (e² + 2e + 2) below 0 and
/// (1 + 2e) / (1 + 2e + 2e²) above. NaN at −∞ as in PyTorch.
pub(in crate::kernels) struct Mish;

impl Function for Mish {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let (zero, one, two) = (x.splat(0.0), x.splat(1.0), x.splat(2.0));
        let e = exp_of_negative(x.neg_abs());
        let below = e.mul(e.add(two));
        let above = e.mul_add(two, one);
        let numerator = x.if_less(zero, below, above);
        let rest = x.if_less(zero, two, e.mul(e).mul(two));
        x.mul(numerator.div(numerator.add(rest)))
    }
}
