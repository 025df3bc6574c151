//! Convolutions of one channel a group: sixteen channels of a pixel at a time.

use super::KernelFn;
use super::requantise::Cut;
use crate::kernels::Isa;
use crate::kernels::parameters::parameters;

/// Channels that are computed together.
const CHANNELS: usize = 16;

parameters! {
    /// A depthwise convolution. A task is a row of an image of the result.
    ///
    /// Its constant has the biases of all channels, whole groups of sixteen, in 32 bits; their factors as floats; then the
    /// weights, 16-bit integers, of each group tap by tap.
    pub struct DepthwiseShape {
        /// Rows of the result.
        pub rows: usize,
        /// Columns of the result.
        pub columns: usize,
        /// Groups of sixteen channels.
        pub blocks: usize,
        /// Bytes of a pixel that are read and written: at most sixteen of a group.
        pub bytes: usize,
        /// Bytes from the operand's first byte to the first tap of the first window.
        pub from_origin: usize,
        /// Bytes from an image of the operand to the next.
        pub from_image: usize,
        /// Bytes from a window to that below it.
        pub from_row: usize,
        /// Bytes from a window to the next.
        pub from_pixel: usize,
        /// Rows of a window.
        pub kernel_rows: usize,
        /// Columns of a window.
        pub kernel_columns: usize,
        /// Bytes from a row of a window to the next.
        pub tap_row: usize,
        /// Bytes from a column of a window to the next.
        pub tap_pixel: usize,
        /// Bytes from the result's first byte to its first element.
        pub to_origin: usize,
        /// Bytes from an image of the result to the next.
        pub to_image: usize,
        /// Bytes from a row of the result to the next.
        pub to_row: usize,
        /// Bytes from a pixel of the result to the next.
        pub to_pixel: usize,
        /// The least integer of the result.
        pub least: usize,
        /// The greatest.
        pub greatest: usize,
        /// The integer of the result that stands for 0.
        pub zero_point: usize,
    }
}

impl DepthwiseShape {
    /// Channels of a group.
    pub const CHANNELS: usize = CHANNELS;
}

/// How windows over sixteen channels are computed with an instruction set.
pub(super) trait Windows {
    /// Computes `N` neighbouring windows and stores their integers.
    ///
    /// # Safety
    /// The processor has the instructions; all taps of the windows are readable, and what `of` points to; `of.bytes` bytes
    /// are writable at each place.
    unsafe fn windows<const N: usize>(s: &DepthwiseShape, of: Channels, input: *const u8, output: *mut u8);
}

/// Sixteen channels' part of the constant.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    pub(super) biases: *const [i32; CHANNELS],
    pub(super) factors: *const [f32; CHANNELS],
    /// Tap by tap.
    pub(super) weights: *const [i16; CHANNELS],
    /// Bytes of a pixel that are read and written.
    pub(super) bytes: usize,
    pub(super) cut: Cut,
}

/// Windows that share a reading of the weights.
const TOGETHER: usize = 4;

/// # Safety
/// As [`KernelFn`], and the processor has the instructions.
#[inline(always)]
pub(super) unsafe fn row<W: Windows>(
    s: &DepthwiseShape,
    input: *const u8,
    constant: *const u8,
    output: *mut u8,
    task: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let from = input.add(s.from_origin + image * s.from_image + row * s.from_row);
        let to = output.add(s.to_origin + image * s.to_image + row * s.to_row);
        let taps = s.kernel_rows * s.kernel_columns;
        let biases = constant.cast::<[i32; CHANNELS]>();
        let factors = biases.add(s.blocks).cast::<[f32; CHANNELS]>();
        let weights = factors.add(s.blocks).cast::<[i16; CHANNELS]>();
        for block in 0..s.blocks {
            let of = Channels {
                biases: biases.add(block),
                factors: factors.add(block),
                weights: weights.add(block * taps),
                bytes: CHANNELS.min(s.bytes - block * CHANNELS),
                cut: Cut::new(s.least, s.greatest, s.zero_point),
            };
            let at = |column: usize| {
                let from = from.add(column * s.from_pixel + block * CHANNELS);
                (from, to.add(column * s.to_pixel + block * CHANNELS))
            };
            let whole = s.columns - s.columns % TOGETHER;
            for column in (0..whole).step_by(TOGETHER) {
                let (from, to) = at(column);
                W::windows::<TOGETHER>(s, of, from, to);
            }
            for column in whole..s.columns {
                let (from, to) = at(column);
                W::windows::<1>(s, of, from, to);
            }
        }
    }
}

/// Plain code.
struct Portable;

impl Windows for Portable {
    #[inline(always)]
    unsafe fn windows<const N: usize>(s: &DepthwiseShape, of: Channels, input: *const u8, output: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [*of.biases; N];
            let mut weights = of.weights;
            for row in 0..s.kernel_rows {
                for column in 0..s.kernel_columns {
                    let weight = weights.read_unaligned();
                    let at = input.add(row * s.tap_row + column * s.tap_pixel);
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let pixel = pixel(at.add(i * s.from_pixel), of.bytes);
                        for lane in 0..CHANNELS {
                            let product = i32::from(i16::from(pixel[lane])) * i32::from(weight[lane]);
                            sums[lane] = sums[lane].wrapping_add(product);
                        }
                    }
                    weights = weights.add(1);
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                store(of, sums, output.add(i * s.to_pixel));
            }
        }
    }
}

/// Sixteen channels of a pixel, those of which there are so many bytes.
///
/// # Safety
/// So many bytes are readable.
#[inline(always)]
pub(super) unsafe fn pixel(at: *const u8, bytes: usize) -> [u8; CHANNELS] {
    // SAFETY: the caller's promise.
    unsafe {
        if bytes == CHANNELS {
            return at.cast::<[u8; CHANNELS]>().read();
        }
        let mut pixel = [0u8; CHANNELS];
        at.copy_to_nonoverlapping(pixel.as_mut_ptr(), bytes);
        pixel
    }
}

/// Writes the integers of complete sums.
///
/// # Safety
/// The factors are readable, and as many bytes as `of` says writable.
#[inline(always)]
pub(super) unsafe fn store(of: Channels, sums: &[i32; CHANNELS], to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let factors = &*of.factors;
        let mut integers = [0; CHANNELS];
        for lane in 0..CHANNELS {
            integers[lane] = of.cut.integer(sums[lane] as f32 * factors[lane]);
        }
        integers.as_ptr().copy_to_nonoverlapping(to, of.bytes);
    }
}

pub(in crate::kernels) fn depthwise(isa: Isa) -> KernelFn {
    unsafe extern "C" fn portable(shape: *const u8, input: *const u8, other: *const u8, output: *mut u8, task: usize) {
        // SAFETY: the caller's promise.
        unsafe { row::<Portable>(&*shape.cast(), input, other, output, task) }
    }
    match isa.set() {
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        cnn_types::InstructionSet::Avx512 if super::vnni::is_available() => super::depthwise_vnni::depthwise,
        #[cfg(target_arch = "x86_64")]
        cnn_types::InstructionSet::Avx512 | cnn_types::InstructionSet::Avx2 => super::depthwise_avx2::depthwise,
        _ => portable,
    }
}
