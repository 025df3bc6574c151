//! Tiles of sums of products with SSE2, which every x86-64 processor has: integers widened to 16 bits, whose products are
//! summed in pairs.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_loadu_si128, _mm_madd_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_srai_epi16,
    _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpacklo_epi8,
};

use super::conv::{ConvShape, MOST, Panel, Tiles, one_task};
use super::portable::store;
use super::{GROUP, PANEL};

/// Filters of a pass over the products: two registers of two filters' pairs.
const FILTERS: usize = 4;

pub(super) struct Sse2;

impl Tiles for Sse2 {
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
unsafe fn tile<const P: usize>(s: &ConvShape, panel: Panel, from: &[*const u8; MOST], to: &[*mut u8; MOST]) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut all = [*panel.biases.cast::<[i32; PANEL]>(); P];
        for first in (0..PANEL.min(panel.written.next_multiple_of(FILTERS))).step_by(FILTERS) {
            // Of each pixel, filters 0 1 and 2 3: two sums each, of channels 0 and 1, 2 and 3.
            let mut sums = [[_mm_setzero_si128(); 2]; P];
            let mut weights = panel.weights.add(first * GROUP);
            for row in 0..s.kernel_rows {
                for column in 0..s.kernel_columns {
                    let tap = row * s.tap_row + column * s.tap_pixel;
                    for group in 0..s.groups {
                        let bytes = _mm_loadu_si128(weights.cast());
                        // Each byte twice, shifted back with its sign.
                        let halves: [__m128i; 2] = [
                            _mm_srai_epi16::<8>(_mm_unpacklo_epi8(bytes, bytes)),
                            _mm_srai_epi16::<8>(_mm_unpackhi_epi8(bytes, bytes)),
                        ];
                        for (sums, from) in sums.iter_mut().zip(from) {
                            let channels = from.add(tap + group * GROUP).cast::<i32>().read_unaligned();
                            let channels = _mm_unpacklo_epi8(_mm_set1_epi32(channels), _mm_setzero_si128());
                            for (sum, &half) in sums.iter_mut().zip(&halves) {
                                *sum = _mm_add_epi32(*sum, _mm_madd_epi16(channels, half));
                            }
                        }
                        weights = weights.add(PANEL * GROUP);
                    }
                }
            }
            for (all, sums) in all.iter_mut().zip(sums) {
                let mut pairs = [0i32; 2 * FILTERS];
                for (half, &sum) in sums.iter().enumerate() {
                    _mm_storeu_si128(pairs.as_mut_ptr().add(FILTERS * half).cast(), sum);
                }
                for (filter, pair) in pairs.chunks_exact(2).enumerate() {
                    let sum = &mut all[first + filter];
                    *sum = sum.wrapping_add(pair[0]).wrapping_add(pair[1]);
                }
            }
        }
        for (sums, &to) in all.iter().zip(to) {
            store(s, panel, sums, to);
        }
    }
}

pub(super) unsafe extern "C" fn conv(
    shape: *const u8,
    input: *const u8,
    other: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { one_task::<Sse2>(&*shape.cast(), input, other, output, task) }
}
