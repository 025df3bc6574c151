//! Eight f32 in one AVX register.

use core::arch::x86_64::*;

use super::{LANES, Lanes};

/// A vector of eight f32 on a processor with AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(in crate::kernels) struct Avx2(__m256);

// SAFETY: loads and stores are the unaligned 256-bit ones. In every method below that computes,
// a value of the type exists, and `load` had its caller vouch for AVX2 and FMA.
unsafe impl Lanes for Avx2 {
    const WIDTH: usize = LANES;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the instructions and for eight readable f32.
        Avx2(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight writable f32.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_sqrt_ps(self.0) })
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        // The instruction returns its second operand if either is NaN.
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_max_ps(bound.0, self.0) })
    }

    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_min_ps(bound.0, self.0) })
    }

    #[inline(always)]
    fn neg_abs(self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe { _mm256_or_ps(self.0, _mm256_set1_ps(-0.0)) })
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe {
            let sign = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(sign, self.0), _mm256_and_ps(sign, other.0))
        })
    }

    #[inline(always)]
    fn if_less(self, bound: Self, yes: Self, no: Self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe {
            let less = _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, bound.0);
            _mm256_blendv_ps(no.0, yes.0, less)
        })
    }

    #[inline(always)]
    fn pow2<const BIAS: i32>(self) -> Self {
        // SAFETY: self exists.
        Avx2(unsafe {
            let n = _mm256_slli_epi32::<23>(_mm256_castps_si256(self.0));
            let bias = _mm256_set1_epi32(BIAS << 23);
            _mm256_castsi256_ps(_mm256_add_epi32(n, bias))
        })
    }

    #[inline(always)]
    fn frexp(self) -> (Self, Self) {
        // Relative to √½, the exponent field of the difference is e and its rest the mantissa.
        let origin = core::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed();
        // SAFETY: self exists.
        unsafe {
            let bits = _mm256_castps_si256(self.0);
            let offset = _mm256_sub_epi32(bits, _mm256_set1_epi32(origin));
            let exponent = _mm256_srai_epi32::<23>(offset);
            let mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent));
            (Avx2(_mm256_castsi256_ps(mantissa)), Avx2(_mm256_cvtepi32_ps(exponent)))
        }
    }
}
