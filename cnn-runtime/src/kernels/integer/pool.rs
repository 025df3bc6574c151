//! The greatest or least integers of windows.

use crate::kernels::Isa;
use crate::kernels::parameters::parameters;
use crate::kernels::task::{KernelFn, plain};

/// Bytes of a pixel that are looked at together.
const CHUNK: usize = 64;

parameters! {
    /// A pool. A task is a row of an image of the result. Windows are cut off at the borders of the map.
    pub struct PoolShape {
        /// Rows of the operand.
        pub height: usize,
        /// Columns of the operand.
        pub width: usize,
        /// Rows of the result.
        pub rows: usize,
        /// Columns of the result.
        pub columns: usize,
        /// Bytes of a pixel.
        pub pixel: usize,
        /// Bytes from the operand's first byte to its first element.
        pub from_origin: usize,
        /// Bytes from an image of the operand to the next.
        pub from_image: usize,
        /// Bytes from a row of the operand to the next.
        pub from_row: usize,
        /// Bytes from the result's first byte to its first element.
        pub to_origin: usize,
        /// Bytes from an image of the result to the next.
        pub to_image: usize,
        /// Bytes from a row of the result to the next.
        pub to_row: usize,
        /// Rows and columns of a window.
        pub kernel_rows: usize,
        /// Columns of a window.
        pub kernel_columns: usize,
        /// Rows from a window to the next.
        pub stride_rows: usize,
        /// Columns from a window to the next.
        pub stride_columns: usize,
        /// Rows from a row of a window to the next.
        pub dilation_rows: usize,
        /// Columns from a column of a window to the next.
        pub dilation_columns: usize,
        /// Rows of padding above.
        pub above: usize,
        /// Columns of padding on the left.
        pub left: usize,
        /// 1 for the least, 0 for the greatest.
        pub least: usize,
    }
}

pub(in crate::kernels) fn pool(isa: Isa) -> KernelFn {
    plain!(isa, pool_row)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn pool_row(s: &PoolShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match s.least {
            0 => windows::<false>(s, input, output, task),
            _ => windows::<true>(s, input, output, task),
        }
    }
}

/// The places of a window that are in a map of `size`: its `count` taps begin at `start`, less the padding.
#[inline(always)]
fn within(start: usize, count: usize, dilation: usize, before: usize, size: usize) -> impl Iterator<Item = usize> {
    (0..count).filter_map(move |tap| {
        (start + tap * dilation)
            .checked_sub(before)
            .filter(|&place| place < size)
    })
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn windows<const LEAST: bool>(s: &PoolShape, input: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let from = s.from_origin + image * s.from_image;
        let to = s.to_origin + image * s.to_image + row * s.to_row;
        for column in 0..s.columns {
            for start in (0..s.pixel).step_by(CHUNK) {
                let bytes = CHUNK.min(s.pixel - start);
                let mut best = [if LEAST { u8::MAX } else { 0 }; CHUNK];
                for y in within(row * s.stride_rows, s.kernel_rows, s.dilation_rows, s.above, s.height) {
                    for x in within(
                        column * s.stride_columns,
                        s.kernel_columns,
                        s.dilation_columns,
                        s.left,
                        s.width,
                    ) {
                        let pixel = input.add(from + y * s.from_row + x * s.pixel + start);
                        let pixel = core::slice::from_raw_parts(pixel, bytes);
                        if let Ok(whole) = <&[u8; CHUNK]>::try_from(pixel) {
                            keep::<LEAST>(&mut best, whole);
                        } else {
                            keep::<LEAST>(&mut best[..bytes], pixel);
                        }
                    }
                }
                best.as_ptr()
                    .copy_to_nonoverlapping(output.add(to + column * s.pixel + start), bytes);
            }
        }
    }
}

#[inline(always)]
fn keep<const LEAST: bool>(best: &mut [u8], pixel: &[u8]) {
    for (best, &byte) in best.iter_mut().zip(pixel) {
        *best = if LEAST { byte.min(*best) } else { byte.max(*best) };
    }
}
