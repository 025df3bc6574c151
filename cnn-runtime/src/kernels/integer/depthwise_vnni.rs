//! Windows over 64 channels with AVX-512 VNNI. The taps of a row of a window are interleaved, so that each lane of 32 bits has
//! four taps of one channel, whose products one instruction adds up. A second window, one pixel on, takes its taps from the same
//! lanes, with weights that stand one byte further.

use core::arch::x86_64::{
    __m512i, __mmask64, _mm_storeu_si128, _mm256_cvtepi16_epi8, _mm256_loadu_si256, _mm512_add_epi32,
    _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_packs_epi32,
    _mm512_packus_epi16, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_unpackhi_epi8,
    _mm512_unpackhi_epi16, _mm512_unpacklo_epi8, _mm512_unpacklo_epi16,
};
use core::mem::MaybeUninit;

use super::depthwise::DepthwiseShape;
use super::requantise::Cut;

/// Channels of a register of bytes.
const LANES: usize = 64;
/// Channels that stand together in the constant.
const CHANNELS: usize = DepthwiseShape::CHANNELS;
/// Groups of these in a register.
const BLOCKS: usize = LANES / CHANNELS;
/// Taps of a lane.
const TAPS: usize = 4;
/// The most rows of a window, and the most lanes' taps of one.
const ROWS: usize = 7;
const QUADS: usize = 2;

/// Four taps of 64 channels, in four registers: as interleaving leaves them, the n-th has channels 4n to 4n + 3 of each sixteen.
type Quad = [__m512i; TAPS];

/// What 64 channels need for all windows of a row.
#[repr(align(64))]
struct Prepared {
    /// Of each row and each four columns, in the order of [`Quad`].
    weights: [[MaybeUninit<Quad>; QUADS]; ROWS],
    /// The same one column on: those of the window beside it.
    shifted: [MaybeUninit<Quad>; ROWS],
    biases: Quad,
    factors: [[f32; CHANNELS]; TAPS],
}

/// Whether windows of this shape are computed here.
fn takes(s: &DepthwiseShape) -> bool {
    s.kernel_rows <= ROWS && s.kernel_columns <= QUADS * TAPS
}

/// # Safety
/// The processor has the instructions.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn interleaved([a, b, c, d]: Quad) -> Quad {
    let (low_ab, high_ab) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
    let (low_cd, high_cd) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
    [
        _mm512_unpacklo_epi16(low_ab, low_cd),
        _mm512_unpackhi_epi16(low_ab, low_cd),
        _mm512_unpacklo_epi16(high_ab, high_cd),
        _mm512_unpackhi_epi16(high_ab, high_cd),
    ]
}

impl Prepared {
    /// Reads the constant of up to four groups of sixteen channels, from `block` on.
    ///
    /// # Safety
    /// The processor has the instructions, and the constant is the shape's.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
    unsafe fn read(&mut self, s: &DepthwiseShape, constant: *const u8, block: usize) {
        // SAFETY: the caller's promise: of the groups from `block` on `there` exist.
        unsafe {
            let there = BLOCKS.min(s.blocks - block);
            let taps = s.kernel_rows * s.kernel_columns;
            let biases = constant.cast::<[[i32; 4]; 4]>();
            let factors = biases.add(s.blocks).cast::<[[f32; 4]; 4]>();
            let weights = factors.add(s.blocks).cast::<[i16; CHANNELS]>();
            let mut sums = [[[0i32; 4]; BLOCKS]; TAPS];
            let mut scales = [[[0f32; 4]; BLOCKS]; TAPS];
            for group in 0..there {
                let (of_bias, of_factor) = (biases.add(block + group).read(), factors.add(block + group).read());
                for part in 0..TAPS {
                    sums[part][group] = of_bias[part];
                    scales[part][group] = of_factor[part];
                }
            }
            for part in 0..TAPS {
                self.biases[part] = _mm512_loadu_si512(sums[part].as_ptr().cast());
                self.factors[part].copy_from_slice(scales[part].as_flattened());
            }
            let zero = _mm512_setzero_si512();
            for row in 0..s.kernel_rows {
                let mut columns = [zero; QUADS * TAPS];
                for (column, bytes) in columns.iter_mut().enumerate().take(s.kernel_columns) {
                    for group in 0..there {
                        let tap = weights.add((block + group) * taps + row * s.kernel_columns + column);
                        let tap = _mm256_cvtepi16_epi8(_mm256_loadu_si256(tap.cast()));
                        let to = core::ptr::from_mut(bytes).cast::<[u8; CHANNELS]>().add(group);
                        _mm_storeu_si128(to.cast(), tap);
                    }
                }
                let [a, b, c, d, e, f, g, h] = columns;
                self.weights[row][0].write(interleaved([a, b, c, d]));
                self.weights[row][1].write(interleaved([e, f, g, h]));
                self.shifted[row].write(interleaved([zero, a, b, c]));
            }
        }
    }
}

/// `PAIR`: two windows of three columns, one pixel apart, instead of one window.
///
/// # Safety
/// The processor has the instructions; all taps of the windows are readable in the channels of the mask, and their places
/// writable there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn windows<const PAIR: bool, const QUADS_OF: usize>(
    s: &DepthwiseShape,
    of: &Prepared,
    mask: __mmask64,
    cut: Cut,
    input: *const u8,
    output: *mut u8,
) {
    // SAFETY: the caller's promise; as many rows of weights were written.
    unsafe {
        let mut sums = [of.biases; 2];
        let zero = _mm512_setzero_si512();
        for row in 0..s.kernel_rows {
            let from = input.add(row * s.tap_row);
            for quad in 0..QUADS_OF {
                let mut taps = [zero; TAPS];
                let there = if PAIR {
                    TAPS
                } else {
                    TAPS.min(s.kernel_columns - quad * TAPS)
                };
                for (column, tap) in taps.iter_mut().enumerate() {
                    if column < there {
                        let at = from.add((quad * TAPS + column) * s.tap_pixel);
                        *tap = _mm512_maskz_loadu_epi8(mask, at.cast());
                    }
                }
                let lanes = interleaved(taps);
                let weights = of.weights[row][quad].assume_init_ref();
                for part in 0..TAPS {
                    sums[0][part] = _mm512_dpbusd_epi32(sums[0][part], lanes[part], weights[part]);
                }
                if PAIR {
                    let weights = of.shifted[row].assume_init_ref();
                    for part in 0..TAPS {
                        sums[1][part] = _mm512_dpbusd_epi32(sums[1][part], lanes[part], weights[part]);
                    }
                }
            }
        }
        let (least, greatest) = (_mm512_set1_ps(cut.least), _mm512_set1_ps(cut.greatest));
        let shift = _mm512_set1_epi32(cut.zero as i32);
        for (window, sums) in sums.iter().enumerate().take(1 + usize::from(PAIR)) {
            let mut integers = [zero; TAPS];
            for part in 0..TAPS {
                let factors = _mm512_loadu_ps(of.factors[part].as_ptr());
                let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[part]), factors);
                let cut = _mm512_min_ps(_mm512_max_ps(scaled, least), greatest);
                // Rounds to the nearest, ties to the even: what every program's control register says.
                integers[part] = _mm512_add_epi32(_mm512_cvtps_epi32(cut), shift);
            }
            // Packing undoes what interleaving did to the order.
            let low = _mm512_packs_epi32(integers[0], integers[1]);
            let high = _mm512_packs_epi32(integers[2], integers[3]);
            let bytes = _mm512_packus_epi16(low, high);
            _mm512_mask_storeu_epi8(output.add(window * s.to_pixel).cast(), mask, bytes);
        }
    }
}

/// # Safety
/// As [`KernelFn`](super::KernelFn), the shape is one that is taken, and the processor has the instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn row(s: &DepthwiseShape, input: *const u8, constant: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let from = input.add(s.from_origin + image * s.from_image + row * s.from_row);
        let to = output.add(s.to_origin + image * s.to_image + row * s.to_row);
        let cut = Cut::new(s.least, s.greatest, s.zero_point);
        let mut of = Prepared {
            weights: [[MaybeUninit::uninit(); QUADS]; ROWS],
            shifted: [MaybeUninit::uninit(); ROWS],
            biases: [_mm512_setzero_si512(); TAPS],
            factors: [[0.0; CHANNELS]; TAPS],
        };
        let pairs = s.kernel_columns == TAPS - 1 && s.from_pixel == s.tap_pixel;
        for block in (0..s.blocks).step_by(BLOCKS) {
            of.read(s, constant, block);
            let bytes = LANES.min(s.bytes - block * CHANNELS);
            let mask = u64::MAX >> (LANES - bytes);
            let mut column = 0;
            while column < s.columns {
                let from = from.add(column * s.from_pixel + block * CHANNELS);
                let to = to.add(column * s.to_pixel + block * CHANNELS);
                if pairs && column + 1 < s.columns {
                    windows::<true, 1>(s, &of, mask, cut, from, to);
                    column += 2;
                } else if s.kernel_columns <= TAPS {
                    windows::<false, 1>(s, &of, mask, cut, from, to);
                    column += 1;
                } else {
                    windows::<false, 2>(s, &of, mask, cut, from, to);
                    column += 1;
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
pub(super) unsafe extern "C" fn depthwise(
    shape: *const u8,
    input: *const u8,
    other: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let s: &DepthwiseShape = &*shape.cast();
        if takes(s) {
            row(s, input, other, output, task);
        } else {
            super::depthwise_avx2::depthwise(shape, input, other, output, task);
        }
    }
}
