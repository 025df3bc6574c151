//! Vectors of eight f32, the type every kernel is written over.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod pair;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
pub(super) use pair::Pair;
pub(super) use portable::Portable;

/// Number of f32 in a vector, and channels in a block.
pub(super) const LANES: usize = 8;

/// 1.5 · 2^23. Adding it to |x| < 2^22 leaves x, rounded to an integer, in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// A vector of f32.
///
/// A value can only come from [`Lanes::load`] (or from another value), whose caller vouches that
/// the processor has the instructions. So everything else is safe. Methods are inlined into
/// functions that enable the instructions; called from others they are right but slow.
///
/// # Safety
/// `load` and `store` access exactly [`Lanes::WIDTH`] f32 at any alignment.
pub(super) unsafe trait Lanes: Copy {
    /// Number of f32.
    const WIDTH: usize;

    /// Reads a vector.
    ///
    /// # Safety
    /// The processor has the type's instructions, and `from` may be read for [`Lanes::WIDTH`] f32.
    unsafe fn load(from: *const f32) -> Self;

    /// Writes a vector.
    ///
    /// # Safety
    /// `to` may be written for [`Lanes::WIDTH`] f32.
    unsafe fn store(self, to: *mut f32);

    /// `value` in every lane; self only proves that the instructions exist.
    fn splat(self, value: f32) -> Self;

    /// self + other.
    fn add(self, other: Self) -> Self;

    /// self − other.
    fn sub(self, other: Self) -> Self;

    /// self · other.
    fn mul(self, other: Self) -> Self;

    /// self / other.
    fn div(self, other: Self) -> Self;

    /// √self; NaN below 0.
    fn sqrt(self) -> Self;

    /// self · factor + addend, rounded once where the processor can.
    fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// self · factor + addend with the same factor for every lane.
    #[inline(always)]
    fn times_plus(self, factor: f32, addend: Self) -> Self {
        self.mul_add(self.splat(factor), addend)
    }

    /// The greater of self and `bound`; self if it is NaN.
    fn at_least(self, bound: Self) -> Self;

    /// The lesser of self and `bound`; self if it is NaN.
    fn at_most(self, bound: Self) -> Self;

    /// −|self|.
    fn neg_abs(self) -> Self;

    /// |self| with the sign of `other`.
    fn with_sign_of(self, other: Self) -> Self;

    /// `yes` where self < bound, `no` elsewhere and where self is NaN.
    fn if_less(self, bound: Self, yes: Self, no: Self) -> Self;

    /// 2^(n + BIAS − 127) where self is `n + ROUND`, for n + BIAS in 1..=254.
    fn pow2<const BIAS: i32>(self) -> Self;

    /// Mantissa in √½ ≤ m < √2 and exponent, with self = m · 2^e, of positive normal numbers.
    fn frexp(self) -> (Self, Self);
}

/// N vectors, `stride` f32 apart.
///
/// # Safety
/// As [`Lanes::load`], for each of them.
#[inline(always)]
pub(super) unsafe fn load_each<L: Lanes, const N: usize>(from: *const f32, stride: usize) -> [L; N] {
    // SAFETY: the caller vouches for each vector.
    unsafe {
        let mut vectors = [L::load(from); N];
        let mut i = 1;
        while i < N {
            vectors[i] = L::load(from.add(i * stride));
            i += 1;
        }
        vectors
    }
}

/// Writes N vectors, `stride` f32 apart.
///
/// # Safety
/// As [`Lanes::store`], for each of them.
#[inline(always)]
pub(super) unsafe fn store_each<L: Lanes, const N: usize>(vectors: [L; N], to: *mut f32, stride: usize) {
    let mut i = 0;
    while i < N {
        // SAFETY: the caller vouches for each vector.
        unsafe { vectors[i].store(to.add(i * stride)) };
        i += 1;
    }
}
