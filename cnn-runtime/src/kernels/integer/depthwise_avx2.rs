//! Windows over sixteen channels with AVX2: products of 16-bit integers in lanes of 32 bits, whose upper halves are zeros of
//! the pixel.

use core::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm_srli_si128, _mm_storeu_si128, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_cvtepi16_epi32, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_packs_epi32,
    _mm256_packus_epi16, _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_setzero_si256,
};

use super::depthwise::{Channels, DepthwiseShape, Windows, pixel, row};

struct Avx2;

impl Windows for Avx2 {
    #[inline(always)]
    unsafe fn windows<const N: usize>(s: &DepthwiseShape, of: Channels, input: *const u8, output: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            if of.bytes == DepthwiseShape::CHANNELS {
                windows::<N, true>(s, of, input, output);
            } else {
                windows::<N, false>(s, of, input, output);
            }
        }
    }
}

/// `WHOLE`: sixteen channels are there.
///
/// # Safety
/// As [`Windows::windows`].
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn windows<const N: usize, const WHOLE: bool>(
    s: &DepthwiseShape,
    of: Channels,
    input: *const u8,
    output: *mut u8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let biases: [__m256i; 2] = [
            _mm256_loadu_si256(of.biases.cast()),
            _mm256_loadu_si256(of.biases.cast::<i32>().add(8).cast()),
        ];
        let mut sums = [biases; N];
        let mut weights = of.weights.cast::<i16>();
        for row in 0..s.kernel_rows {
            for column in 0..s.kernel_columns {
                let factors = [
                    _mm256_cvtepi16_epi32(_mm_loadu_si128(weights.cast())),
                    _mm256_cvtepi16_epi32(_mm_loadu_si128(weights.add(8).cast())),
                ];
                let tap = input.add(row * s.tap_row + column * s.tap_pixel);
                for (i, sums) in sums.iter_mut().enumerate() {
                    let at = tap.add(i * s.from_pixel);
                    let channels = if WHOLE {
                        _mm_loadu_si128(at.cast())
                    } else {
                        _mm_loadu_si128(pixel(at, of.bytes).as_ptr().cast())
                    };
                    let halves = [
                        _mm256_cvtepu8_epi32(channels),
                        _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(channels)),
                    ];
                    for half in 0..2 {
                        let products = _mm256_madd_epi16(halves[half], factors[half]);
                        sums[half] = _mm256_add_epi32(sums[half], products);
                    }
                }
                weights = weights.add(DepthwiseShape::CHANNELS);
            }
        }
        let (least, greatest) = (_mm256_set1_ps(of.cut.least), _mm256_set1_ps(of.cut.greatest));
        let zero = _mm256_set1_epi32(of.cut.zero as i32);
        // What the packing of two registers' lanes leaves in the order 0 2 1 3 of fours.
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let scales = of.factors.cast::<f32>();
        for (i, sums) in sums.iter().enumerate() {
            let mut integers = [_mm256_setzero_si256(); 2];
            for half in 0..2 {
                let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[half]), _mm256_loadu_ps(scales.add(8 * half)));
                let cut = _mm256_min_ps(_mm256_max_ps(scaled, least), greatest);
                // Rounds to the nearest, ties to the even: what every program's control register says.
                integers[half] = _mm256_add_epi32(_mm256_cvtps_epi32(cut), zero);
            }
            let words = _mm256_packs_epi32(integers[0], integers[1]);
            let bytes = _mm256_packus_epi16(words, words);
            let bytes = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(bytes, order));
            let to = output.add(i * s.to_pixel);
            if WHOLE {
                _mm_storeu_si128(to.cast(), bytes);
            } else {
                let mut some = [0u8; DepthwiseShape::CHANNELS];
                _mm_storeu_si128(some.as_mut_ptr().cast(), bytes);
                some.as_ptr().copy_to_nonoverlapping(to, of.bytes);
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub(super) unsafe extern "C" fn depthwise(
    shape: *const u8,
    input: *const u8,
    other: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { row::<Avx2>(&*shape.cast(), input, other, output, task) }
}
