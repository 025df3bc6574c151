//! Between floats in any layout and integers pixel by pixel, and copies of integers.

use cnn_types::Quantisation;

use crate::kernels::Isa;
use crate::kernels::parameters::parameters;
use crate::kernels::task::{KernelFn, plain};

/// Columns that are converted at a time.
const COLUMNS: usize = 64;
/// Channels of a block of a blocked layout.
const BLOCK: usize = 8;

parameters! {
    /// Floats to integers. A task is a row of an image; strides of floats are counted in floats.
    pub struct QuantizeShape {
        /// Rows of an image.
        pub rows: usize,
        /// Pixels of a row.
        pub columns: usize,
        /// Channels; the rest of a pixel gets the zero point.
        pub channels: usize,
        /// Floats from the operand's first byte to its first element.
        pub from_origin: usize,
        /// Floats from an image to the next.
        pub from_image: usize,
        /// Floats from a block of eight channels to the next.
        pub from_block: usize,
        /// Floats from a channel of a block to the next.
        pub from_lane: usize,
        /// Floats from a row to the next.
        pub from_row: usize,
        /// Floats from a pixel to the next.
        pub from_pixel: usize,
        /// Bytes from the result's first byte to its first element.
        pub to_origin: usize,
        /// Bytes from an image to the next.
        pub to_image: usize,
        /// Bytes from a row to the next.
        pub to_row: usize,
        /// Bytes from a pixel to the next.
        pub to_pixel: usize,
        /// What the integers stand for.
        pub scale: f32,
        /// The integer that stands for 0.
        pub zero_point: usize,
    }
}

parameters! {
    /// Integers to floats. A task is a row of an image; strides of floats are counted in floats.
    pub struct DequantizeShape {
        /// Rows of an image.
        pub rows: usize,
        /// Pixels of a row.
        pub columns: usize,
        /// Channels.
        pub channels: usize,
        /// Channels that are written, the rest as 0.
        pub padded: usize,
        /// Bytes from the operand's first byte to its first element.
        pub from_origin: usize,
        /// Bytes from an image to the next.
        pub from_image: usize,
        /// Bytes from a row to the next.
        pub from_row: usize,
        /// Bytes from a pixel to the next.
        pub from_pixel: usize,
        /// Floats from the result's first byte to its first element.
        pub to_origin: usize,
        /// Floats from an image to the next.
        pub to_image: usize,
        /// Floats from a block of eight channels to the next.
        pub to_block: usize,
        /// Floats from a channel of a block to the next.
        pub to_lane: usize,
        /// Floats from a row to the next.
        pub to_row: usize,
        /// Floats from a pixel to the next.
        pub to_pixel: usize,
        /// What the integers stand for.
        pub scale: f32,
        /// The integer that stands for 0.
        pub zero_point: usize,
    }
}

parameters! {
    /// Integers to integers. A task is a row of an image.
    pub struct CopyShape {
        /// Rows of an image.
        pub rows: usize,
        /// Pixels of a row.
        pub columns: usize,
        /// Channels.
        pub channels: usize,
        /// Bytes from the operand's first byte to its first element.
        pub from_origin: usize,
        /// Bytes from an image to the next.
        pub from_image: usize,
        /// Bytes from a row to the next.
        pub from_row: usize,
        /// Bytes from a pixel to the next.
        pub from_pixel: usize,
        /// Bytes from the result's first byte to its first element.
        pub to_origin: usize,
        /// Bytes from an image to the next.
        pub to_image: usize,
        /// Bytes from a row to the next.
        pub to_row: usize,
        /// Bytes from a pixel to the next.
        pub to_pixel: usize,
        /// Bytes from a channel of the operand to the next: more than 1 where it is a vector of channel after channel.
        pub from_channel: usize,
        /// The same of the result.
        pub to_channel: usize,
    }
}

parameters! {
    /// A border of one integer around a map. A task is an image.
    pub struct FillShape {
        /// Bytes of an image.
        pub image: usize,
        /// Rows, with the border.
        pub all_rows: usize,
        /// Bytes of a row, with the border.
        pub row: usize,
        /// Rows of the border above.
        pub above: usize,
        /// Rows between.
        pub rows: usize,
        /// Bytes of the border on the left.
        pub left: usize,
        /// Bytes between.
        pub inside: usize,
        /// The integer.
        pub value: usize,
    }
}

pub(in crate::kernels) fn quantize(isa: Isa) -> KernelFn {
    plain!(isa, quantize_row)
}

pub(in crate::kernels) fn dequantize(isa: Isa) -> KernelFn {
    plain!(isa, dequantize_row)
}

pub(in crate::kernels) fn copy(isa: Isa) -> KernelFn {
    plain!(isa, copy_row)
}

pub(in crate::kernels) fn fill(isa: Isa) -> KernelFn {
    plain!(isa, fill_image)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn quantize_row(s: &QuantizeShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let to = Quantisation {
            scale: s.scale,
            zero_point: s.zero_point as u8,
        };
        let from = s.from_origin + image * s.from_image + row * s.from_row;
        let first = s.to_origin + image * s.to_image + row * s.to_row;
        if s.from_pixel != 1 {
            for column in 0..s.columns {
                let at = output.add(first + column * s.to_pixel);
                for channel in 0..s.channels {
                    let float =
                        from + column * s.from_pixel + channel / BLOCK * s.from_block + channel % BLOCK * s.from_lane;
                    let float = input.cast::<f32>().add(float).read_unaligned();
                    at.add(channel).write(to.quantise(float));
                }
                for channel in s.channels..s.to_pixel {
                    at.add(channel).write(to.zero_point);
                }
            }
            return;
        }
        for start in (0..s.columns).step_by(COLUMNS) {
            let columns = COLUMNS.min(s.columns - start);
            let to_start = output.add(first + start * s.to_pixel);
            for channel in 0..s.channels {
                let float = from + start + channel / BLOCK * s.from_block + channel % BLOCK * s.from_lane;
                let floats = input.cast::<f32>().add(float);
                let mut integers = [0u8; COLUMNS];
                for (column, integer) in integers.iter_mut().enumerate().take(columns) {
                    *integer = to.quantise(floats.add(column).read_unaligned());
                }
                for (column, integer) in integers.into_iter().enumerate().take(columns) {
                    to_start.add(column * s.to_pixel + channel).write(integer);
                }
            }
            for column in 0..columns {
                for channel in s.channels..s.to_pixel {
                    to_start.add(column * s.to_pixel + channel).write(to.zero_point);
                }
            }
        }
    }
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn dequantize_row(s: &DequantizeShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let of = Quantisation {
            scale: s.scale,
            zero_point: s.zero_point as u8,
        };
        let from = s.from_origin + image * s.from_image + row * s.from_row;
        let to = s.to_origin + image * s.to_image + row * s.to_row;
        for column in 0..s.columns {
            let at = input.add(from + column * s.from_pixel);
            for channel in 0..s.padded {
                let float = to + column * s.to_pixel + channel / BLOCK * s.to_block + channel % BLOCK * s.to_lane;
                let value = if channel < s.channels {
                    of.dequantise(at.add(channel).read())
                } else {
                    0.0
                };
                output.cast::<f32>().add(float).write_unaligned(value);
            }
        }
    }
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn copy_row(s: &CopyShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let from = s.from_origin + image * s.from_image + row * s.from_row;
        let to = s.to_origin + image * s.to_image + row * s.to_row;
        for column in 0..s.columns {
            let (from, to) = {
                (
                    input.add(from + column * s.from_pixel),
                    output.add(to + column * s.to_pixel),
                )
            };
            if s.from_channel == 1 && s.to_channel == 1 {
                from.copy_to_nonoverlapping(to, s.channels);
                continue;
            }
            for channel in 0..s.channels {
                to.add(channel * s.to_channel)
                    .write(from.add(channel * s.from_channel).read());
            }
        }
    }
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn fill_image(s: &FillShape, _: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let inside = s.above..s.above + s.rows;
        for row in 0..s.all_rows {
            let at = output.add(task * s.image + row * s.row);
            let value = s.value as u8;
            if inside.contains(&row) {
                let end = s.left + s.inside;
                at.write_bytes(value, s.left);
                at.add(end).write_bytes(value, s.row - end);
            } else {
                at.write_bytes(value, s.row);
            }
        }
    }
}
