//! Whole numbers near a number.

use super::Function;
use crate::kernels::lanes::Lanes;

/// 2^23: from here on every f32 is whole. Added to what is less, it leaves no bits for a fraction.
const WHOLE: f32 = 8_388_608.0;

/// The nearest whole number, of two as near the even one, with the sign of `x`.
#[inline(always)]
fn nearest<L: Lanes>(x: L) -> L {
    let (zero, whole) = (x.splat(0.0), x.splat(WHOLE));
    let size = zero.sub(x.neg_abs());
    let rounded = size.add(whole).sub(whole).with_sign_of(x);
    // False for NaN, which stays.
    size.if_less(whole, rounded, x)
}

/// The nearest whole number; of two as near the even one.
pub(in crate::kernels) struct Round;

impl Function for Round {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        nearest(x)
    }
}

/// The greatest whole number up to x.
pub(in crate::kernels) struct Floor;

impl Function for Floor {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let near = nearest(x);
        x.if_less(near, near.sub(x.splat(1.0)), near)
    }
}

/// The least whole number from x on.
pub(in crate::kernels) struct Ceil;

impl Function for Ceil {
    #[inline(always)]
    fn of<L: Lanes>(x: L, _: L, _: L) -> L {
        let near = nearest(x);
        near.if_less(x, near.add(x.splat(1.0)), near)
    }
}
