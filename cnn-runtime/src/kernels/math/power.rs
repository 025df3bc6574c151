//! Powers and roots.

use super::Function;
use super::exp::exp;
use super::log::Log;
use crate::kernels::lanes::Lanes;

/// √x; NaN below 0.
pub(in crate::kernels) struct Sqrt;

impl Function for Sqrt {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        x.sqrt()
    }
}

/// 1 / x.
pub(in crate::kernels) struct Reciprocal;

impl Function for Reciprocal {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        x.splat(1.0).div(x)
    }
}

/// What a power makes of the sign of its base: 1 if it drops it (an even exponent), −1 if it keeps it (an odd one), NaN
/// if there is no power of a negative number.
pub(in crate::kernels) fn parity(exponent: f32) -> f32 {
    // From 2^24 on every f32 is even.
    if exponent.abs() >= 16_777_216.0 {
        return 1.0;
    }
    let whole = exponent as i32;
    if whole as f32 != exponent {
        f32::NAN
    } else if whole % 2 == 0 {
        1.0
    } else {
        -1.0
    }
}

/// x^p = exp(p · ln |x|); parameter 0 is p, parameter 1 its parity.
pub(in crate::kernels) struct Pow;

impl Function for Pow {
    #[inline(always)]
    fn of<L: Lanes>(x: L, p: L, parity: L) -> L {
        let zero = x.splat(0.0);
        let size = zero.sub(x.neg_abs());
        let power = exp(Log::of(size, zero, zero).mul(p));
        x.if_less(zero, power.mul(parity), power)
    }
}
