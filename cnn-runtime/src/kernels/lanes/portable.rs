//! Eight f32 in an array, for every processor; LLVM makes vectors of them where there are any.

use core::array::from_fn;

use super::{LANES, Lanes};

/// Eight f32.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(in crate::kernels) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, one: impl Fn(f32, f32) -> f32) -> Self {
        Portable(from_fn(|i| one(self.0[i], other.0[i])))
    }
}

// SAFETY: loads and stores access one unaligned array; there are no special instructions.
unsafe impl Lanes for Portable {
    const WIDTH: usize = LANES;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight readable f32.
        Portable(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight writable f32.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self {
        Portable([value; LANES])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        #[cfg(feature = "std")]
        return Portable(self.0.map(f32::sqrt));
        #[cfg(not(feature = "std"))]
        Portable(self.0.map(root))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // Where there is no instruction, `f32::mul_add` would be a slow library call.
        #[cfg(all(feature = "std", any(target_feature = "fma", target_arch = "aarch64")))]
        return Portable(from_fn(|i| self.0[i].mul_add(factor.0[i], addend.0[i])));
        #[cfg(not(all(feature = "std", any(target_feature = "fma", target_arch = "aarch64"))))]
        self.mul(factor).add(addend)
    }

    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        self.zip(bound, |a, b| if b > a { b } else { a })
    }

    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        self.zip(bound, |a, b| if b < a { b } else { a })
    }

    #[inline(always)]
    fn neg_abs(self) -> Self {
        Portable(self.0.map(|a| -a.abs()))
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.zip(other, f32::copysign)
    }

    #[inline(always)]
    fn if_less(self, bound: Self, yes: Self, no: Self) -> Self {
        Portable(from_fn(|i| if self.0[i] < bound.0[i] { yes.0[i] } else { no.0[i] }))
    }

    #[inline(always)]
    fn pow2<const BIAS: i32>(self) -> Self {
        let bias = (BIAS << 23).cast_unsigned();
        Portable(self.0.map(|a| f32::from_bits((a.to_bits() << 23).wrapping_add(bias))))
    }

    #[inline(always)]
    fn frexp(self) -> (Self, Self) {
        let origin = core::f32::consts::FRAC_1_SQRT_2.to_bits();
        let exponent = self.0.map(|a| a.to_bits().wrapping_sub(origin).cast_signed() >> 23);
        let mantissa = from_fn(|i| {
            let exponent = exponent[i].cast_unsigned() << 23;
            f32::from_bits(self.0[i].to_bits().wrapping_sub(exponent))
        });
        (Portable(mantissa), Portable(exponent.map(|e| e as f32)))
    }
}

/// √x where there is no standard library: Newton's iteration in double precision, from half the exponent.
#[cfg(not(feature = "std"))]
fn root(x: f32) -> f32 {
    if x < 0.0 {
        return f32::NAN;
    }
    // ±0, +∞ and NaN are their own roots.
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let x = f64::from(x);
    let mut y = f64::from_bits((x.to_bits() >> 1) + (1023u64 << 51));
    // The start errs by at most 6 %, and each step squares half of that: 2⁻⁵³ after four.
    for _ in 0..4 {
        y = 0.5 * (y + x / y);
    }
    y as f32
}
