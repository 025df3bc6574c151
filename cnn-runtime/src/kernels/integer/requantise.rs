//! What becomes of a complete sum: `round(sum · factor) + zero point`, cut off, as ONNX Runtime has it.

/// What the integers of a result are cut off at, less the zero point, and the zero point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The least integer of the result, less its zero point.
    pub(super) least: f32,
    /// The greatest.
    pub(super) greatest: f32,
    /// The zero point.
    pub(super) zero: f32,
}

impl Cut {
    /// Cutting off at two integers.
    #[inline(always)]
    pub(super) fn new(least: usize, greatest: usize, zero: usize) -> Cut {
        let zero = zero as f32;
        Cut {
            least: least as f32 - zero,
            greatest: greatest as f32 - zero,
            zero,
        }
    }

    /// The integer of so many scales. What is cut off is small enough to be rounded by an addition: to 1.5·2²³, which leaves
    /// no fraction, ties to the even integer.
    #[inline(always)]
    pub(super) fn integer(self, scales: f32) -> u8 {
        const WHOLE: f32 = 12_582_912.0;
        let cut = if scales > self.least { scales } else { self.least };
        let cut = if cut < self.greatest { cut } else { self.greatest };
        let whole = ((cut + WHOLE) - WHOLE) + self.zero;
        // SAFETY: it is between two integers from 0 to 255; NaN became the least.
        (unsafe { whole.to_int_unchecked::<i32>() }) as u8
    }
}
