//! Elements at computed places along an axis.

use super::TakeShape;
use crate::kernels::Isa;
use crate::kernels::task::{KernelFn, plain};

pub(in crate::kernels) fn take(isa: Isa) -> KernelFn {
    plain!(isa, take_row)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn take_row(s: &TakeShape, input: *const u8, other: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise: what is added stays within the operands and the result.
    unsafe {
        let (image, row) = (task / s.rows, task % s.rows);
        let from = input
            .cast::<f32>()
            .add(s.from_origin + image * s.from_image + row * s.from_row);
        let places = other
            .cast::<f32>()
            .add(s.places_origin + image * s.places_image + row * s.places_row);
        let to = output
            .cast::<f32>()
            .add(s.to_origin + image * s.to_image + row * s.to_row);
        for i in 0..s.results {
            let (places, to) = (places.add(i * s.places_step), to.add(i * s.to_step));
            if s.places_column == 0 {
                let place = place(places.read(), s.along);
                let from = place.map(|place| from.add(place * s.from_step));
                for column in 0..s.columns {
                    let x = from.map_or(f32::NAN, |from| from.add(column * s.from_column).read());
                    to.add(column * s.to_column).write(x);
                }
                continue;
            }
            for column in 0..s.columns {
                let place = place(places.add(column * s.places_column).read(), s.along);
                let x = place.map_or(f32::NAN, |place| {
                    from.add(place * s.from_step + column * s.from_column).read()
                });
                to.add(column * s.to_column).write(x);
            }
        }
    }
}

/// A place of `along`, perhaps counted from the end.
#[inline(always)]
fn place(number: f32, along: usize) -> Option<usize> {
    if number.is_nan() {
        return None;
    }
    // Beyond the integers, the greatest and least of them.
    let place = number as i64;
    let place = if place < 0 {
        place.saturating_add(along as i64)
    } else {
        place
    };
    usize::try_from(place).ok().filter(|&place| place < along)
}
