//! What the functions of an emitted C library check and hold.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use super::Arena;

/// An array or arena that a caller gave by its address.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    begin: usize,
    bytes: usize,
    align: usize,
}

impl Place {
    /// `count` values of type `T` from an address on.
    pub fn of<T>(pointer: *const T, count: usize) -> Place {
        Place {
            begin: pointer.addr(),
            bytes: count.saturating_mul(size_of::<T>()),
            align: align_of::<T>(),
        }
    }

    fn is_valid(&self) -> bool {
        self.begin != 0 && self.begin.is_multiple_of(self.align) && self.begin.checked_add(self.bytes).is_some()
    }

    fn overlaps(&self, other: &Place) -> bool {
        self.begin < other.begin + other.bytes && other.begin < self.begin + self.bytes
    }

    /// Whether all of these are addresses, and what is written shares no memory with anything else.
    pub fn are_usable(written: &[Place], read: &[Place]) -> bool {
        let valid = written.iter().chain(read).all(Place::is_valid);
        valid
            && written.iter().enumerate().all(|(index, place)| {
                let others = written[..index].iter().chain(read);
                !others.into_iter().any(|other| place.overlaps(other))
            })
    }
}

/// An arena that one thread at a time may use.
#[derive(Debug)]
pub struct SharedArena<const BYTES: usize> {
    taken: AtomicBool,
    arena: UnsafeCell<Arena<BYTES>>,
}

// SAFETY: the arena belongs to the thread that changed `taken` to true.
unsafe impl<const BYTES: usize> Sync for SharedArena<BYTES> {}

impl<const BYTES: usize> SharedArena<BYTES> {
    /// Zeros, and nobody's.
    pub const fn new() -> Self {
        SharedArena {
            taken: AtomicBool::new(false),
            arena: UnsafeCell::new(Arena::new()),
        }
    }

    /// What `run` gives, which may use the arena until it returns; `None` if another thread has it.
    pub fn with<T>(&self, run: impl FnOnce(*mut Arena<BYTES>) -> T) -> Option<T> {
        if self.taken.swap(true, Ordering::Acquire) {
            return None;
        }
        let result = run(self.arena.get());
        self.taken.store(false, Ordering::Release);
        Some(result)
    }
}

impl<const BYTES: usize> Default for SharedArena<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_shares_no_memory() {
        let floats = [0f32; 8];
        let place = |from: usize, count: usize| Place::of(&raw const floats[from], count);
        assert!(Place::are_usable(&[place(4, 4)], &[place(0, 4), place(2, 2)]));
        assert!(!Place::are_usable(&[place(3, 4)], &[place(0, 4)]));
        assert!(!Place::are_usable(&[place(0, 4), place(3, 4)], &[]));
        assert!(!Place::are_usable(&[], &[Place::of::<f32>(core::ptr::null(), 1)]));
        let odd = floats.as_ptr().wrapping_byte_add(1);
        assert!(!Place::are_usable(&[], &[Place::of(odd, 1)]));
        assert!(!Place::are_usable(&[], &[Place::of(floats.as_ptr(), usize::MAX)]));
    }

    #[test]
    fn an_arena_is_one_callers_at_a_time() {
        let arena = SharedArena::<64>::new();
        assert_eq!(arena.with(|_| arena.with(|_| 1)), Some(None));
        assert_eq!(arena.with(|_| 2), Some(2));
    }
}
