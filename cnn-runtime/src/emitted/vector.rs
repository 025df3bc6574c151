//! Eight floats, for every processor: two of SSE's vectors on x86-64, an array elsewhere.
//!
//! SSE because every x86-64 has it, and because vectors that are written down do not depend on a compiler finding them.

#[cfg(all(target_arch = "x86_64", target_feature = "sse"))]
use core::arch::x86_64::{
    __m128, _mm_add_ps, _mm_and_ps, _mm_andnot_ps, _mm_cmplt_ps, _mm_cmpunord_ps, _mm_div_ps, _mm_loadu_ps, _mm_max_ps,
    _mm_min_ps, _mm_mul_ps, _mm_or_ps, _mm_set1_ps, _mm_storeu_ps, _mm_sub_ps,
};
use core::array::from_fn;
use core::ops::{Add, Div, Mul, Sub};

/// Half a vector.
#[cfg(all(target_arch = "x86_64", target_feature = "sse"))]
type Half = __m128;
/// Half a vector.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse")))]
type Half = [f32; 4];

/// Eight f32. Its operations are those of loop code, with the same rounding and the same NaNs.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct F32x8([Half; 2]);

impl F32x8 {
    /// One float in all lanes.
    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        F32x8([half::splat(value); 2])
    }

    /// From memory, of any alignment.
    ///
    /// # Safety
    /// 32 readable bytes.
    #[inline(always)]
    pub unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller's promise.
        F32x8([0, 16].map(|offset| unsafe { half::load(from.add(offset).cast()) }))
    }

    /// Eight 16-bit integers from memory, two a 32-bit word, the first in its low half.
    ///
    /// # Safety
    /// 16 readable bytes.
    #[inline(always)]
    pub unsafe fn load_fixed(from: *const u8) -> Self {
        // SAFETY: the caller's promise.
        let words = unsafe { from.cast::<[u32; 4]>().read_unaligned() };
        let floats: [f32; 8] = from_fn(|lane| f32::from((words[lane / 2] >> (lane % 2 * 16)) as u16 as i16));
        // SAFETY: an array of eight floats.
        unsafe { Self::load(floats.as_ptr().cast()) }
    }

    /// To memory, of any alignment.
    ///
    /// # Safety
    /// 32 writable bytes.
    #[inline(always)]
    pub unsafe fn store(self, to: *mut u8) {
        for (index, value) in self.0.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { half::store(value, to.add(16 * index).cast()) }
        }
    }

    #[inline(always)]
    fn zip(self, other: Self, one: impl Fn(Half, Half) -> Half) -> Self {
        F32x8([one(self.0[0], other.0[0]), one(self.0[1], other.0[1])])
    }

    /// The greater; `other` where either is NaN.
    #[inline(always)]
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.zip(other, half::max)
    }

    /// The lesser; `other` where either is NaN.
    #[inline(always)]
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        self.zip(other, half::min)
    }

    /// `self · factor + sum`, rounded twice.
    #[inline(always)]
    #[must_use]
    pub fn mul_add(self, factor: Self, sum: Self) -> Self {
        sum + self * factor
    }

    /// Lanes of `then` where the mask of the halves holds, else of `otherwise`.
    #[inline(always)]
    fn choose(mask: Self, then: Self, otherwise: Self) -> Self {
        F32x8(from_fn(|i| half::choose(mask.0[i], then.0[i], otherwise.0[i])))
    }

    /// `then` in lanes where `self < right`, else `otherwise`.
    #[inline(always)]
    #[must_use]
    pub fn where_less(self, right: Self, then: Self, otherwise: Self) -> Self {
        Self::choose(self.zip(right, half::less), then, otherwise)
    }

    /// `then` in lanes where `self > right`, else `otherwise`.
    #[inline(always)]
    #[must_use]
    pub fn where_greater(self, right: Self, then: Self, otherwise: Self) -> Self {
        right.where_less(self, then, otherwise)
    }

    /// `then` in lanes where either of `self` and `right` is NaN, else `otherwise`.
    #[inline(always)]
    #[must_use]
    pub fn where_unordered(self, right: Self, then: Self, otherwise: Self) -> Self {
        Self::choose(self.zip(right, half::unordered), then, otherwise)
    }

    /// NaN in lanes where any of the vectors of the pairs has one.
    #[inline(always)]
    #[must_use]
    pub fn or_nan_of<const N: usize>(self, pairs: [[Self; 2]; N]) -> Self {
        let mut lost = F32x8::splat(0.0);
        for [a, b] in pairs {
            lost = lost.zip(a.zip(b, half::unordered), half::either);
        }
        Self::choose(lost, F32x8::splat(f32::NAN), self)
    }

    /// A lane.
    #[inline(always)]
    #[must_use]
    pub fn lane(self, lane: usize) -> f32 {
        half::lanes(self.0[lane / 4])[lane % 4]
    }

    /// Another value in one lane.
    #[inline(always)]
    #[must_use]
    pub fn with_lane(mut self, lane: usize, value: f32) -> Self {
        let mut lanes = half::lanes(self.0[lane / 4]);
        lanes[lane % 4] = value;
        self.0[lane / 4] = half::of(lanes);
        self
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident;)*) => {$(
        impl $operator for F32x8 {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, half::$method)
            }
        }
    )*};
}

operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

/// Four floats in SSE's vectors. A mask is all ones where it holds.
#[cfg(all(target_arch = "x86_64", target_feature = "sse"))]
mod half {
    use super::*;

    #[inline(always)]
    pub(super) fn splat(value: f32) -> Half {
        // SAFETY: every x86-64 has SSE, here and below.
        unsafe { _mm_set1_ps(value) }
    }

    /// # Safety
    /// 16 readable bytes.
    #[inline(always)]
    pub(super) unsafe fn load(from: *const f32) -> Half {
        // SAFETY: the caller's promise.
        unsafe { _mm_loadu_ps(from) }
    }

    /// # Safety
    /// 16 writable bytes.
    #[inline(always)]
    pub(super) unsafe fn store(value: Half, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm_storeu_ps(to, value) }
    }

    macro_rules! instructions {
        ($($name:ident $instruction:ident;)*) => {$(
            #[inline(always)]
            pub(super) fn $name(a: Half, b: Half) -> Half {
                // SAFETY: every x86-64 has SSE.
                unsafe { $instruction(a, b) }
            }
        )*};
    }

    instructions! {
        add _mm_add_ps;
        sub _mm_sub_ps;
        mul _mm_mul_ps;
        div _mm_div_ps;
        max _mm_max_ps;
        min _mm_min_ps;
        less _mm_cmplt_ps;
        unordered _mm_cmpunord_ps;
        either _mm_or_ps;
    }

    #[inline(always)]
    pub(super) fn choose(mask: Half, then: Half, otherwise: Half) -> Half {
        // SAFETY: every x86-64 has SSE.
        unsafe { _mm_or_ps(_mm_and_ps(mask, then), _mm_andnot_ps(mask, otherwise)) }
    }

    #[inline(always)]
    pub(super) fn lanes(value: Half) -> [f32; 4] {
        let mut lanes = [0.0; 4];
        // SAFETY: 16 bytes.
        unsafe { store(value, lanes.as_mut_ptr()) }
        lanes
    }

    #[inline(always)]
    pub(super) fn of(lanes: [f32; 4]) -> Half {
        // SAFETY: 16 bytes.
        unsafe { load(lanes.as_ptr()) }
    }
}

/// Four floats in an array; LLVM makes vectors of them where there are any. A mask is all ones where it holds.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse")))]
mod half {
    use super::{Half, from_fn};

    #[inline(always)]
    pub(super) fn splat(value: f32) -> Half {
        [value; 4]
    }

    /// # Safety
    /// 16 readable bytes.
    #[inline(always)]
    pub(super) unsafe fn load(from: *const f32) -> Half {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<Half>().read_unaligned() }
    }

    /// # Safety
    /// 16 writable bytes.
    #[inline(always)]
    pub(super) unsafe fn store(value: Half, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<Half>().write_unaligned(value) }
    }

    fn mask(holds: bool) -> f32 {
        f32::from_bits(if holds { u32::MAX } else { 0 })
    }

    macro_rules! lanewise {
        ($($name:ident |$a:ident, $b:ident| $value:expr;)*) => {$(
            #[inline(always)]
            pub(super) fn $name(a: Half, b: Half) -> Half {
                from_fn(|i| {
                    let ($a, $b) = (a[i], b[i]);
                    $value
                })
            }
        )*};
    }

    lanewise! {
        add |a, b| a + b;
        sub |a, b| a - b;
        mul |a, b| a * b;
        div |a, b| a / b;
        max |a, b| if b < a { a } else { b };
        min |a, b| if a < b { a } else { b };
        less |a, b| mask(a < b);
        unordered |a, b| mask(a.is_nan() | b.is_nan());
        either |a, b| f32::from_bits(a.to_bits() | b.to_bits());
    }

    #[inline(always)]
    pub(super) fn choose(mask: Half, then: Half, otherwise: Half) -> Half {
        from_fn(|i| if mask[i].to_bits() == 0 { otherwise[i] } else { then[i] })
    }

    #[inline(always)]
    pub(super) fn lanes(value: Half) -> [f32; 4] {
        value
    }

    #[inline(always)]
    pub(super) fn of(lanes: [f32; 4]) -> Half {
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(lanes: [f32; 8]) -> F32x8 {
        // SAFETY: 32 bytes.
        unsafe { F32x8::load(lanes.as_ptr().cast()) }
    }

    fn lanes(vector: F32x8) -> [f32; 8] {
        from_fn(|lane| vector.lane(lane))
    }

    #[test]
    fn comparisons_treat_nan_as_loop_code_does() {
        const NAN: f32 = f32::NAN;
        let a = vector([1.0, 2.0, NAN, 4.0, -0.0, 0.0, NAN, 1.0]);
        let b = vector([2.0, 1.0, 3.0, NAN, 0.0, -0.0, NAN, 1.0]);
        let bits = |v: F32x8| lanes(v).map(f32::to_bits);
        let of = |lanes: [f32; 8]| lanes.map(f32::to_bits);
        assert_eq!(bits(a.max(b))[..6], of([2.0, 2.0, 3.0, NAN, 0.0, -0.0, NAN, 1.0])[..6]);
        assert_eq!(bits(a.min(b))[..6], of([1.0, 1.0, 3.0, NAN, 0.0, -0.0, NAN, 1.0])[..6]);
        let (yes, no) = (F32x8::splat(1.0), F32x8::splat(0.0));
        assert_eq!(
            lanes(a.where_less(b, yes, no)),
            [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            lanes(a.where_greater(b, yes, no)),
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            lanes(a.where_unordered(b, yes, no)),
            [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]
        );
        let lost = lanes(no.or_nan_of([[a, yes], [yes, b]]));
        assert_eq!(
            lost.map(f32::is_nan),
            [false, false, true, true, false, false, true, false]
        );
    }

    #[test]
    fn lanes_are_read_and_replaced() {
        let a = vector([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(
            lanes(a.with_lane(6, 60.0).with_lane(1, 10.0)),
            [0.0, 10.0, 2.0, 3.0, 4.0, 5.0, 60.0, 7.0]
        );
    }
}
