//! Memory of a known size: a caller's arena, weights in the program.

/// Aligned as emitted code wants it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Aligned<T: ?Sized>(pub T);

/// The memory that one run of a network takes; the network's `ARENA_BYTES` says how much.
///
/// ```
/// use cnn_runtime::emitted::Arena;
///
/// let arena = Arena::<1024>::new();
/// assert_eq!(size_of_val(&arena), 1024);
/// ```
#[derive(Clone, Debug)]
pub struct Arena<const BYTES: usize>(Aligned<[u8; BYTES]>);

impl<const BYTES: usize> Arena<BYTES> {
    /// Zeros.
    pub const fn new() -> Self {
        Arena(Aligned([0; BYTES]))
    }

    /// Zeros on the heap: what is too large for the stack.
    #[cfg(feature = "std")]
    pub fn boxed() -> std::boxed::Box<Self> {
        // SAFETY: bytes of zeros are a valid arena.
        unsafe { std::boxed::Box::<Self>::new_zeroed().assume_init() }
    }

    /// The first byte.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.0.as_mut_ptr()
    }
}

impl<const BYTES: usize> Default for Arena<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}
