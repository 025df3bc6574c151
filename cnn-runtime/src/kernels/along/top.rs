//! The few greatest or least elements along an axis, in order.
//!
//! A column's results are a heap of places while the axis is walked, the last in order at its root; then they are sorted,
//! and become elements if these are wanted. The heap needs no memory but the result's.

use super::AlongShape;
use crate::kernels::Isa;
use crate::kernels::task::{KernelFn, plain};

pub(in crate::kernels) fn top(isa: Isa) -> KernelFn {
    plain!(isa, top_row)
}

/// # Safety
/// As [`KernelFn`].
#[inline(always)]
unsafe fn top_row(s: &AlongShape, input: *const u8, _: *const u8, output: *mut u8, task: usize) {
    // SAFETY: the caller's promise; columns lie apart.
    unsafe {
        let (from, to) = s.row(input, output, task);
        for column in 0..s.columns {
            let heap = Heap {
                s,
                from: from.add(column * s.from_column),
                places: to.add(column * s.to_column).cast(),
            };
            heap.fill();
        }
    }
}

/// A column, and the places that are its results so far.
struct Heap<'a> {
    s: &'a AlongShape,
    from: *const f32,
    places: *mut u32,
}

impl Heap<'_> {
    /// # Safety
    /// The column is there.
    unsafe fn fill(&self) {
        let (s, k) = (self.s, self.s.results);
        // SAFETY: the caller's promise: places are below `results`, what they hold below `along`.
        unsafe {
            for i in 0..k {
                self.set(i, i as u32);
            }
            for root in (0..k / 2).rev() {
                self.sink(root, k);
            }
            for i in k as u32..s.along as u32 {
                if self.is_before(i, self.get(0)) {
                    self.set(0, i);
                    self.sink(0, k);
                }
            }
            for end in (1..k).rev() {
                let (root, last) = (self.get(0), self.get(end));
                self.set(0, last);
                self.set(end, root);
                self.sink(0, end);
            }
            for i in 0..k {
                let place = self.get(i);
                let result = if s.variant == 1 {
                    place as f32
                } else {
                    self.element(place)
                };
                self.places.add(i * s.to_step).cast::<f32>().write(result);
            }
        }
    }

    unsafe fn get(&self, i: usize) -> u32 {
        // SAFETY: as `fill` says.
        unsafe { self.places.add(i * self.s.to_step).read() }
    }

    unsafe fn set(&self, i: usize, place: u32) {
        // SAFETY: as `fill` says.
        unsafe { self.places.add(i * self.s.to_step).write(place) }
    }

    unsafe fn element(&self, place: u32) -> f32 {
        // SAFETY: as `fill` says.
        unsafe { self.from.add(place as usize * self.s.from_step).read() }
    }

    /// Whether the element at one place comes before that at another.
    unsafe fn is_before(&self, one: u32, other: u32) -> bool {
        // SAFETY: as `fill` says.
        let (a, b) = unsafe { (self.element(one), self.element(other)) };
        let greater = a > b || (a.is_nan() && !b.is_nan());
        let less = a < b || (b.is_nan() && !a.is_nan());
        let (first, second) = if self.s.backwards == 1 {
            (less, greater)
        } else {
            (greater, less)
        };
        first || (!second && one < other)
    }

    /// Moves what is at `root` of the heap of so many down to where it belongs.
    unsafe fn sink(&self, mut root: usize, count: usize) {
        // SAFETY: as `fill` says.
        unsafe {
            let place = self.get(root);
            while 2 * root + 1 < count {
                let mut child = 2 * root + 1;
                if child + 1 < count && self.is_before(self.get(child), self.get(child + 1)) {
                    child += 1;
                }
                if !self.is_before(place, self.get(child)) {
                    break;
                }
                self.set(root, self.get(child));
                root = child;
            }
            self.set(root, place);
        }
    }
}
