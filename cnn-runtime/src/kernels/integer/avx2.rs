//! Tiles of sums of products with AVX2: integers are widened to 16 bits, whose products are summed in pairs exactly.
//! (`vpmaddubsw` would multiply 8-bit integers, but its sums of two do not fit 16 bits.)

use core::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm_set1_epi32, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16,
    _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_permute4x64_epi64, _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::conv::{ConvShape, MOST, Panel, Tiles, one_task};
use super::portable::store;
use super::{GROUP, PANEL};

struct Avx2;

/// Filters of a pass over the products: two registers of four filters' pairs.
const FILTERS: usize = 8;

impl Tiles for Avx2 {
    const PIXELS: usize = 4;

    #[inline(always)]
    unsafe fn tile(s: &ConvShape, panel: Panel, from: &[*const u8; MOST], to: &[*mut u8; MOST], pixels: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match pixels {
                1 => tile::<1>(s, panel, from, to),
                2 => tile::<2>(s, panel, from, to),
                3 => tile::<3>(s, panel, from, to),
                _ => tile::<4>(s, panel, from, to),
            }
        }
    }
}

/// # Safety
/// As [`Tiles::tile`].
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const P: usize>(s: &ConvShape, panel: Panel, from: &[*const u8; MOST], to: &[*mut u8; MOST]) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut all = [[0i32; PANEL]; P];
        for first in (0..PANEL.min(panel.written.next_multiple_of(FILTERS))).step_by(FILTERS) {
            // Of each pixel, filters 0–3 and 4–7: two sums each, of channels 0 and 1, 2 and 3.
            let mut sums = [[_mm256_setzero_si256(); 2]; P];
            let mut weights = panel.weights.add(first * GROUP);
            for row in 0..s.kernel_rows {
                for column in 0..s.kernel_columns {
                    let tap = row * s.tap_row + column * s.tap_pixel;
                    for group in 0..s.groups {
                        let half = |half: usize| _mm256_cvtepi8_epi16(_mm_loadu_si128(weights.add(16 * half).cast()));
                        let halves = [half(0), half(1)];
                        for pixel in 0..P {
                            let channels = from[pixel].add(tap + group * GROUP).cast::<i32>().read_unaligned();
                            let channels = _mm256_cvtepu8_epi16(_mm_set1_epi32(channels));
                            for half in 0..2 {
                                let products = _mm256_madd_epi16(channels, halves[half]);
                                sums[pixel][half] = _mm256_add_epi32(sums[pixel][half], products);
                            }
                        }
                        weights = weights.add(PANEL * GROUP);
                    }
                }
            }
            for pixel in 0..P {
                // Pairs of the two registers' lower halves, then of their upper halves: filters 0 1 4 5, 2 3 6 7.
                let pairs = _mm256_hadd_epi32(sums[pixel][0], sums[pixel][1]);
                let ordered: __m256i = _mm256_permute4x64_epi64::<0b11_01_10_00>(pairs);
                _mm256_storeu_si256(all[pixel].as_mut_ptr().add(first).cast(), ordered);
            }
        }
        for pixel in 0..P {
            let biases = &*panel.biases.cast::<[i32; PANEL]>();
            for (sum, &bias) in all[pixel].iter_mut().zip(biases) {
                *sum = sum.wrapping_add(bias);
            }
            store(s, panel, &all[pixel], to[pixel]);
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub(super) unsafe extern "C" fn conv(
    shape: *const u8,
    input: *const u8,
    other: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { one_task::<Avx2>(&*shape.cast(), input, other, output, task) }
}
