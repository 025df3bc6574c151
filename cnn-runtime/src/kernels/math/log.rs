//! Logarithms from the series of the inverse hyperbolic tangent:
//! ln((1 + s) / (1 − s)) = 2 artanh(s) = 2s + 2s³ · P(s²).

use super::{Function, polynomial};
use crate::kernels::lanes::Lanes;

/// P, of degree 3, for |s| ≤ 1/3: relative error of artanh(s) below 2^-27.
const TAIL: [f32; 4] = [0.333_332_1, 0.200_107_65, 0.140_008_8, 0.140_060_84];

/// ln 2 in nine bits, so that an exponent times it is exact, and the rest.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -0.000_212_194_44;

/// ln(1 + f) for √½ − 1 ≤ f ≤ 1.
#[inline(always)]
pub(super) fn log1p_core<L: Lanes>(f: L) -> L {
    let s = f.div(f.add(f.splat(2.0)));
    let double = s.add(s);
    let square = s.mul(s);
    double.mul(square).mul_add(polynomial(square, &TAIL), double)
}

/// The natural logarithm: −∞ at ±0, NaN below.
pub(in crate::kernels) struct Log;

impl Function for Log {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let (zero, infinity) = (x.splat(0.0), x.splat(f32::INFINITY));
        // Subnormals are made normal first.
        let small = x.splat(f32::MIN_POSITIVE);
        let normal = x.if_less(small, x.mul(x.splat((1 << 24) as f32)), x);
        let shift = x.if_less(small, x.splat(-24.0), zero);
        let (mantissa, exponent) = normal.frexp();
        let exponent = exponent.add(shift);
        let fraction = log1p_core(mantissa.sub(x.splat(1.0)));
        let log = exponent.mul_add(x.splat(LN_2_HIGH), exponent.mul_add(x.splat(LN_2_LOW), fraction));
        // Both comparisons are false for NaN and +∞, which are returned as they are.
        let positive = x.if_less(infinity, log, x);
        let at_most_zero = x.if_less(zero, x.splat(f32::NAN), x.splat(f32::NEG_INFINITY));
        x.if_less(x.splat(f32::from_bits(1)), at_most_zero, positive)
    }
}
