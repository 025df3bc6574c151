//! Running sums along an axis, in double precision.

use super::{AlongShape, CHUNK};
use crate::kernels::Isa;
use crate::kernels::task::{KernelFn, plain};

pub(in crate::kernels) fn sum(isa: Isa) -> KernelFn {
    plain!(isa, sum_row)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn sum_row(s: &AlongShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (from, to) = s.row(input, output, task);
        let mut column = 0;
        if s.from_column == 1 && s.to_column == 1 {
            while column + CHUNK <= s.columns {
                chunk::<CHUNK>(s, from.add(column), to.add(column));
                column += CHUNK;
            }
        }
        while column < s.columns {
            chunk::<1>(s, from.add(column * s.from_column), to.add(column * s.to_column));
            column += 1;
        }
    }
}

/// So many neighbouring columns.
///
/// # Safety
/// They are there.
#[inline(always)]
unsafe fn chunk<const N: usize>(s: &AlongShape, from: *const f32, to: *mut f32) {
    let exclusive = s.variant == 1;
    let mut sums = [0.0f64; N];
    for step in 0..s.along {
        let i = if s.backwards == 1 { s.along - 1 - step } else { step };
        for (lane, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let with = *sum + f64::from(from.add(i * s.from_step + lane).read());
                let result = if exclusive { *sum } else { with };
                to.add(i * s.to_step + lane).write(result as f32);
                *sum = with;
            }
        }
    }
}
