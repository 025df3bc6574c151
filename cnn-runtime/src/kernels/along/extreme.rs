//! The place of the greatest or least element along an axis.

use super::{AlongShape, CHUNK};
use crate::kernels::Isa;
use crate::kernels::task::{KernelFn, plain};

pub(in crate::kernels) fn extreme(isa: Isa) -> KernelFn {
    plain!(isa, extreme_row)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn extreme_row(s: &AlongShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (from, to) = s.row(input, output, task);
        let mut column = 0;
        // Columns apart would be fetched again for each element along the axis.
        if s.from_column == 1 {
            while column + CHUNK <= s.columns {
                chunk::<CHUNK>(s, from.add(column), to.add(column * s.to_column));
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
    // A NaN keeps its place whatever its sign.
    let sign = if s.backwards == 1 { -1.0f32 } else { 1.0 };
    let last = s.variant == 1;
    let mut best = [0.0f32; N];
    let mut place = [0u32; N];
    for (lane, best) in best.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *best = sign * unsafe { from.add(lane).read() };
    }
    for i in 1..s.along {
        // SAFETY: the caller's promise.
        let row = unsafe { from.add(i * s.from_step) };
        for lane in 0..N {
            // SAFETY: the caller's promise.
            let x = sign * unsafe { row.add(lane).read() };
            let wins = (x > best[lane]) | (x.is_nan() & !best[lane].is_nan());
            let ties = last & ((x == best[lane]) | (x.is_nan() & best[lane].is_nan()));
            let wins = wins | ties;
            best[lane] = if wins { x } else { best[lane] };
            place[lane] = if wins { i as u32 } else { place[lane] };
        }
    }
    for (lane, &place) in place.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { to.add(lane * s.to_column).write(place as f32) };
    }
}
