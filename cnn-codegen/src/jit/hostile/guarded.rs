//! Memory between pages that nobody may touch.

use std::ptr;

const PAGE: usize = 4096;

/// Memory with a page on each side that nobody may touch, flush with one of them.
pub(super) struct Guarded {
    mapping: *mut u8,
    length: usize,
    pub(super) start: *mut u8,
    bytes: usize,
}

impl Guarded {
    pub(super) fn new(bytes: usize, at_end: bool, fill: f32) -> Guarded {
        let inside = bytes.next_multiple_of(PAGE);
        let length = inside + 2 * PAGE;
        // SAFETY: a new mapping, whose inside is then made writable.
        let mapping = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let mapping = libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0).cast::<u8>();
            assert_ne!(mapping.cast(), libc::MAP_FAILED, "{length} bytes");
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            assert_eq!(libc::mprotect(mapping.add(PAGE).cast(), inside, protection), 0);
            mapping
        };
        let offset = PAGE + if at_end { inside - bytes } else { 0 };
        // SAFETY: within the mapping; all sizes are whole floats, so that both ends are aligned for them.
        let start = unsafe {
            let start = mapping.add(offset);
            std::slice::from_raw_parts_mut(start.cast::<f32>(), bytes / size_of::<f32>()).fill(fill);
            start
        };
        Guarded {
            mapping,
            length,
            start,
            bytes,
        }
    }

    /// What it holds.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: initialised by `new`, alive as long as this, and no step runs while it is looked at.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the whole mapping, which nobody uses any more.
        unsafe { libc::munmap(self.mapping.cast(), self.length) };
    }
}
