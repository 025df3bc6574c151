//! Sums of two values of integers, each with a scale of its own.

use super::requantise::Cut;
use crate::kernels::Isa;
use crate::kernels::parameters::parameters;
use crate::kernels::task::{KernelFn, plain};

parameters! {
    /// A sum. A task is a row of an image. The result is `round(a · left + (b · right + shift)) + zero point`, cut off, with
    /// the ratios of the operands' scales to the result's, and a shift that makes up for their zero points (ONNX Runtime's
    /// order of operations).
    pub struct AddShape {
        /// Rows of an image.
        pub rows: usize,
        /// Bytes of a row.
        pub bytes: usize,
        /// Bytes from the first operand's first byte to its first element, from an image to the next, and from a row to the next.
        pub left_origin: usize,
        /// Bytes from an image of the first operand to the next.
        pub left_image: usize,
        /// Bytes from a row of the first operand to the next.
        pub left_row: usize,
        /// The same of the second operand.
        pub right_origin: usize,
        /// Bytes from an image of the second operand to the next.
        pub right_image: usize,
        /// Bytes from a row of the second operand to the next.
        pub right_row: usize,
        /// The same of the result.
        pub to_origin: usize,
        /// Bytes from an image of the result to the next.
        pub to_image: usize,
        /// Bytes from a row of the result to the next.
        pub to_row: usize,
        /// The first operand's scale over the result's.
        pub left: f32,
        /// The second operand's scale over the result's.
        pub right: f32,
        /// The zero point of the result less those of the operands, each times its ratio.
        pub shift: f32,
        /// The least integer of the result.
        pub least: usize,
        /// The greatest.
        pub greatest: usize,
    }
}

pub(in crate::kernels) fn add(isa: Isa) -> KernelFn {
    plain!(isa, add_row)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn add_row(s: &AddShape, input: *const u8, other: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        // The shift has the zero point in it.
        let cut = Cut::new(s.least, s.greatest, 0);
        let (left, right, to) = {
            (
                core::slice::from_raw_parts(
                    input.add(s.left_origin + image * s.left_image + row * s.left_row),
                    s.bytes,
                ),
                core::slice::from_raw_parts(
                    other.add(s.right_origin + image * s.right_image + row * s.right_row),
                    s.bytes,
                ),
                core::slice::from_raw_parts_mut(output.add(s.to_origin + image * s.to_image + row * s.to_row), s.bytes),
            )
        };
        for ((to, &left), &right) in to.iter_mut().zip(left).zip(right) {
            let right = f32::from(right) * s.right + s.shift;
            *to = cut.integer(f32::from(left) * s.left + right);
        }
    }
}
