//! Tiles of sums of products with AVX-512 VNNI: one instruction adds the products of four channels to sixteen sums, exactly.

use core::arch::x86_64::{
    __m512i, _CMP_LT_OQ, _mm_storeu_si128, _mm256_storeu_si256, _mm512_abs_ps, _mm512_add_epi32, _mm512_adds_epi16,
    _mm512_castsi512_si256, _mm512_cmp_ps_mask, _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps, _mm512_cvtps_epi32,
    _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_epu8,
    _mm512_max_ps, _mm512_min_epu8, _mm512_min_ps, _mm512_mul_ps, _mm512_packs_epi32, _mm512_packus_epi16,
    _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setr_epi32, _mm512_setzero_si512,
};

use super::conv::{ConvShape, MOST, Panel, Tiles, one_task};
use super::requantise::Cut;
use super::{GROUP, PANEL};

/// Filters of a register.
const LANES: usize = 16;

struct Vnni;

/// Whether this processor has the instructions, given that it has AVX-512.
#[cfg(feature = "std")]
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512vnni")
}

impl Tiles for Vnni {
    /// Sums of eleven are not kept in registers by the compiler: 232 milliards of products a second became 90.
    const PIXELS: usize = 10;

    #[inline(always)]
    unsafe fn tile(s: &ConvShape, panel: Panel, from: &[*const u8; MOST], to: &[*mut u8; MOST], pixels: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if panel.written > LANES {
                of_pixels::<2>(s, panel, from, to, pixels);
            } else {
                of_pixels::<1>(s, panel, from, to, pixels);
            }
        }
    }
}

/// # Safety
/// As [`Tiles::tile`].
#[inline(always)]
unsafe fn of_pixels<const V: usize>(
    s: &ConvShape,
    panel: Panel,
    from: &[*const u8; MOST],
    to: &[*mut u8; MOST],
    pixels: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match pixels {
            1 => tile::<1, V>(s, panel, from, to),
            2 => tile::<2, V>(s, panel, from, to),
            3 => tile::<3, V>(s, panel, from, to),
            4 => tile::<4, V>(s, panel, from, to),
            5 => tile::<5, V>(s, panel, from, to),
            6 => tile::<6, V>(s, panel, from, to),
            7 => tile::<7, V>(s, panel, from, to),
            8 => tile::<8, V>(s, panel, from, to),
            9 => tile::<9, V>(s, panel, from, to),
            _ => tile::<10, V>(s, panel, from, to),
        }
    }
}

/// `P` pixels × `V` registers of filters. A function of its own: inlined together, all tiles would share registers badly.
///
/// # Safety
/// As [`Tiles::tile`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn tile<const P: usize, const V: usize>(
    s: &ConvShape,
    panel: Panel,
    from: &[*const u8; MOST],
    to: &[*mut u8; MOST],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut biases = [_mm512_setzero_si512(); V];
        for (v, bias) in biases.iter_mut().enumerate() {
            *bias = _mm512_loadu_si512(panel.biases.add(v * LANES).cast());
        }
        let mut sums: [[__m512i; V]; P] = [biases; P];
        let mut weights = panel.weights;
        for row in 0..s.kernel_rows {
            for column in 0..s.kernel_columns {
                let tap = row * s.tap_row + column * s.tap_pixel;
                let mut taps = [core::ptr::null::<u8>(); P];
                for (at, from) in taps.iter_mut().zip(from) {
                    *at = from.add(tap);
                }
                for group in 0..s.groups {
                    let mut filters = [_mm512_setzero_si512(); V];
                    for (v, filters) in filters.iter_mut().enumerate() {
                        *filters = _mm512_loadu_si512(weights.add(v * LANES * GROUP).cast());
                    }
                    for (sums, tap) in sums.iter_mut().zip(taps) {
                        let channels = tap.add(group * GROUP).cast::<i32>().read_unaligned();
                        let channels = _mm512_set1_epi32(channels);
                        for (sum, &filters) in sums.iter_mut().zip(&filters) {
                            *sum = _mm512_dpbusd_epi32(*sum, channels, filters);
                        }
                    }
                    weights = weights.add(PANEL * GROUP);
                }
            }
        }
        if V == 2 && panel.written == PANEL && are_small(panel) {
            pack(s, panel, &sums, to);
        } else {
            store(s, panel, &sums, to);
        }
    }
}

/// Whether no complete sum, scaled, is beyond 32 bits: then packing cuts off.
///
/// # Safety
/// The processor has the instructions, and the panel's factors are readable.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn are_small(panel: Panel) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let one = _mm512_set1_ps(1.0);
        let below = |v: usize| {
            let factors = _mm512_abs_ps(_mm512_loadu_ps(panel.factors.add(v * LANES)));
            _mm512_cmp_ps_mask::<_CMP_LT_OQ>(factors, one)
        };
        below(0) & below(1) == u16::MAX
    }
}

/// Stores the integers of complete sums of a whole panel, two pixels at a time, packed with saturation.
///
/// # Safety
/// As [`Tiles::tile`], and the sums are small.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn pack<const P: usize, const V: usize>(
    s: &ConvShape,
    panel: Panel,
    sums: &[[__m512i; V]; P],
    to: &[*mut u8; MOST],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let factors = [
            _mm512_loadu_ps(panel.factors),
            _mm512_loadu_ps(panel.factors.add(LANES)),
        ];
        let zero = _mm512_set1_epi16(s.zero_point as i16);
        let (least, greatest) = (_mm512_set1_epi8(s.least as i8), _mm512_set1_epi8(s.greatest as i8));
        // Packing leaves, of each four lanes, four filters of the first register and four of the second, of either pixel.
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        let words = |pixel: &[__m512i; V]| {
            // Rounds to the nearest, ties to the even: what every program's control register says.
            let scaled = |v: usize| _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(pixel[v]), factors[v]));
            _mm512_adds_epi16(_mm512_packs_epi32(scaled(0), scaled(V - 1)), zero)
        };
        for (two, to) in sums.chunks(2).zip(to.chunks(2)) {
            let bytes = _mm512_packus_epi16(words(&two[0]), words(&two[two.len() - 1]));
            let bytes = _mm512_permutexvar_epi32(order, bytes);
            let bytes = _mm512_min_epu8(_mm512_max_epu8(bytes, least), greatest);
            _mm256_storeu_si256(to[0].cast(), _mm512_castsi512_si256(bytes));
            if two.len() == 2 {
                _mm256_storeu_si256(to[1].cast(), _mm512_extracti64x4_epi64::<1>(bytes));
            }
        }
    }
}

/// Stores the integers of complete sums, those that are written of each pixel.
///
/// # Safety
/// As [`Tiles::tile`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn store<const P: usize, const V: usize>(
    s: &ConvShape,
    panel: Panel,
    sums: &[[__m512i; V]; P],
    to: &[*mut u8; MOST],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let cut = Cut::new(s.least, s.greatest, s.zero_point);
        let (least, greatest) = (_mm512_set1_ps(cut.least), _mm512_set1_ps(cut.greatest));
        let zero = _mm512_set1_epi32(s.zero_point as i32);
        for (sums, to) in sums.iter().zip(to) {
            for (v, &sum) in sums.iter().enumerate() {
                let factors = _mm512_loadu_ps(panel.factors.add(v * LANES));
                let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), factors);
                let cut = _mm512_min_ps(_mm512_max_ps(scaled, least), greatest);
                // Rounds to the nearest, ties to the even: what every program's control register says.
                let integers = _mm512_add_epi32(_mm512_cvtps_epi32(cut), zero);
                let bytes = _mm512_cvtepi32_epi8(integers);
                let written = LANES.min(panel.written - v * LANES);
                if written == LANES {
                    _mm_storeu_si128(to.add(v * LANES).cast(), bytes);
                } else {
                    let mut some = [0u8; LANES];
                    _mm_storeu_si128(some.as_mut_ptr().cast(), bytes);
                    some.as_ptr().copy_to_nonoverlapping(to.add(v * LANES), written);
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
pub(super) unsafe extern "C" fn conv(
    shape: *const u8,
    input: *const u8,
    other: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { one_task::<Vnni>(&*shape.cast(), input, other, output, task) }
}
