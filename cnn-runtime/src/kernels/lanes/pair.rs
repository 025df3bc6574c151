//! Two vectors computed in step.
//!
//! The elementary functions are chains of a dozen dependent operations. Two chains whose
//! operations alternate keep the processor busy while each waits for its own previous result.

use super::Lanes;

/// Two vectors, the second behind the first in memory.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Pair<L>(L, L);

impl<L: Lanes> Pair<L> {
    #[inline(always)]
    fn zip(self, other: Self, one: impl Fn(L, L) -> L) -> Self {
        Pair(one(self.0, other.0), one(self.1, other.1))
    }
}

// SAFETY: loads and stores are two of `L`, one behind the other.
unsafe impl<L: Lanes> Lanes for Pair<L> {
    const WIDTH: usize = 2 * L::WIDTH;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for twice the width of `L`, and its instructions.
        unsafe { Pair(L::load(from), L::load(from.add(L::WIDTH))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for twice the width of `L`.
        unsafe {
            self.0.store(to);
            self.1.store(to.add(L::WIDTH));
        }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self {
        let both = self.0.splat(value);
        Pair(both, both)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, L::add)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, L::sub)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, L::mul)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, L::div)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Pair(self.0.mul_add(factor.0, addend.0), self.1.mul_add(factor.1, addend.1))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Pair(self.0.sqrt(), self.1.sqrt())
    }

    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        self.zip(bound, L::at_least)
    }

    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        self.zip(bound, L::at_most)
    }

    #[inline(always)]
    fn neg_abs(self) -> Self {
        Pair(self.0.neg_abs(), self.1.neg_abs())
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.zip(other, L::with_sign_of)
    }

    #[inline(always)]
    fn if_less(self, bound: Self, yes: Self, no: Self) -> Self {
        Pair(
            self.0.if_less(bound.0, yes.0, no.0),
            self.1.if_less(bound.1, yes.1, no.1),
        )
    }

    #[inline(always)]
    fn pow2<const BIAS: i32>(self) -> Self {
        Pair(self.0.pow2::<BIAS>(), self.1.pow2::<BIAS>())
    }

    #[inline(always)]
    fn frexp(self) -> (Self, Self) {
        let (low, high) = (self.0.frexp(), self.1.frexp());
        (Pair(low.0, high.0), Pair(low.1, high.1))
    }
}
