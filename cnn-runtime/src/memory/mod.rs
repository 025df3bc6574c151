//! Memory for arenas and packed weights: zeroed, aligned, on huge pages where that pays.

mod available;
mod bandwidth;
mod caches;

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use memmap2::{MmapMut, MmapOptions};
use thiserror::Error;

pub use available::{allow, available_memory};
pub use bandwidth::read_bandwidth;
pub use caches::Caches;

/// The alignment of every buffer in bytes: a cache line, and a vector of any instruction set.
pub const CACHE_LINE: usize = 64;

/// Size and alignment of a huge page in bytes (x86-64 and AArch64 with 4 KiB base pages).
///
/// Buffers at least this large are aligned to it. A 4 KiB page per TLB entry would make a
/// convolution that strides over a few megabytes wait for page walks.
pub const HUGE_PAGE: usize = 2 << 20;

/// Bytes from which a buffer is a mapping, taken as a whole: page by page as it is written takes twice as long.
const MAPPED: usize = 128 << 10;

/// Memory could not be had.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MemoryError {
    /// The size in bytes exceeds the address space.
    #[error("a buffer of {elements} elements of {size} bytes exceeds the address space")]
    TooLarge {
        /// Number of elements asked for.
        elements: usize,
        /// Bytes per element.
        size: usize,
    },
    /// The system refused.
    #[error("cannot allocate {bytes} bytes")]
    Refused {
        /// Bytes asked for.
        bytes: usize,
    },
}

/// Who owns a buffer's memory.
#[derive(Debug)]
enum Backing {
    /// No bytes, a dangling pointer.
    Empty,
    /// The global allocator.
    Heap(Layout),
    /// An anonymous mapping, a little larger than the buffer.
    #[expect(dead_code, reason = "held for its Drop, which unmaps")]
    Map(MmapMut),
}

/// A zeroed buffer of f32 or bytes, aligned to 64 bytes, or to 2 MiB if it is as large.
///
/// The size is always a whole number of f32. Large buffers take physical memory only as they are
/// touched; on Linux they ask for huge pages.
///
/// ```
/// use cnn_runtime::memory::AlignedBuffer;
///
/// let mut arena = AlignedBuffer::zeroed(1000)?;
/// arena.floats_mut()[999] = 1.5;
/// assert_eq!(arena.floats().iter().sum::<f32>(), 1.5);
/// assert_eq!(arena.as_ptr().addr() % 64, 0);
/// # Ok::<(), cnn_runtime::memory::MemoryError>(())
/// ```
#[derive(Debug)]
pub struct AlignedBuffer {
    start: NonNull<f32>,
    floats: usize,
    backing: Backing,
}

// SAFETY: the buffer owns its memory alone, like a Box<[f32]>; the elements are plain numbers.
unsafe impl Send for AlignedBuffer {}
// SAFETY: shared references only read.
unsafe impl Sync for AlignedBuffer {}

impl AlignedBuffer {
    /// A buffer of `floats` f32, all 0.
    ///
    /// # Errors
    /// [`MemoryError`]; never aborts.
    pub fn zeroed(floats: usize) -> Result<Self, MemoryError> {
        let too_large = MemoryError::TooLarge {
            elements: floats,
            size: size_of::<f32>(),
        };
        let bytes = floats.checked_mul(size_of::<f32>()).ok_or(too_large)?;
        if bytes == 0 {
            return Ok(AlignedBuffer {
                start: NonNull::dangling(),
                floats: 0,
                backing: Backing::Empty,
            });
        }
        if bytes >= HUGE_PAGE {
            return Self::mapped(floats, bytes).map_err(|()| MemoryError::Refused { bytes });
        }
        if bytes >= MAPPED {
            let map = MmapOptions::new().len(bytes).populate().map_anon();
            let map = map.map_err(|_| MemoryError::Refused { bytes })?;
            return Ok(Self::within(map, 0, floats));
        }
        let layout = Layout::from_size_align(bytes, CACHE_LINE).map_err(|_| too_large)?;
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(layout) };
        match NonNull::new(start.cast()) {
            Some(start) => Ok(AlignedBuffer {
                start,
                floats,
                backing: Backing::Heap(layout),
            }),
            None => Err(MemoryError::Refused { bytes }),
        }
    }

    /// A buffer of at least `bytes` bytes, all 0, rounded up to whole f32.
    ///
    /// # Errors
    /// [`MemoryError`]; never aborts.
    pub fn zeroed_bytes(bytes: usize) -> Result<Self, MemoryError> {
        Self::zeroed(bytes.div_ceil(size_of::<f32>()))
    }

    /// A copy of `elements`.
    ///
    /// # Errors
    /// [`MemoryError`]; never aborts.
    pub fn copied(elements: &[f32]) -> Result<Self, MemoryError> {
        let mut buffer = Self::zeroed(elements.len())?;
        buffer.floats_mut().copy_from_slice(elements);
        Ok(buffer)
    }

    /// `floats` f32 (`bytes` bytes) in a fresh mapping that starts at a huge page.
    fn mapped(floats: usize, bytes: usize) -> Result<Self, ()> {
        // The tail is rounded up too, so that it lies on a huge page as well.
        let whole = bytes.checked_next_multiple_of(HUGE_PAGE).ok_or(())?;
        let total = whole.checked_add(HUGE_PAGE).ok_or(())?;
        if isize::try_from(total).is_err() {
            return Err(());
        }
        let map = MmapOptions::new().len(total).map_anon().map_err(drop)?;
        #[cfg(target_os = "linux")]
        {
            // Refused by kernels built without huge pages: slower, not wrong.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        let skipped = map.as_ptr().addr().next_multiple_of(HUGE_PAGE) - map.as_ptr().addr();
        // In bounds: `skipped < HUGE_PAGE` and the map is `whole + HUGE_PAGE` long.
        Ok(Self::within(map, skipped, floats))
    }

    /// `floats` f32 of a mapping, from byte `first` on.
    fn within(mut map: MmapMut, first: usize, floats: usize) -> Self {
        AlignedBuffer {
            start: NonNull::from(&mut map[first..first + floats * size_of::<f32>()]).cast(),
            floats,
            backing: Backing::Map(map),
        }
    }

    /// Number of f32.
    pub fn len(&self) -> usize {
        self.floats
    }

    /// Whether the buffer holds nothing.
    pub fn is_empty(&self) -> bool {
        self.floats == 0
    }

    /// Size in bytes.
    pub fn len_bytes(&self) -> usize {
        self.floats * size_of::<f32>()
    }

    /// The first element, for compiled code.
    pub fn as_ptr(&self) -> *const f32 {
        self.start.as_ptr()
    }

    /// The first element, for compiled code that writes.
    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.start.as_ptr()
    }

    /// The contents as f32.
    pub fn floats(&self) -> &[f32] {
        // SAFETY: `floats` initialised (zeroed) elements, aligned, owned by self.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.floats) }
    }

    /// The contents as f32, to be written.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `floats`, and self is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.floats) }
    }

    /// The contents as bytes.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.floats())
    }

    /// The contents as bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(self.floats_mut())
    }
}

impl Drop for AlignedBuffer {
    fn drop(&mut self) {
        if let Backing::Heap(layout) = self.backing {
            // SAFETY: `start` came from the global allocator with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_zeroed_aligned_and_writable_at_every_size() {
        let page = HUGE_PAGE / 4;
        for floats in [0, 1, 15, 16, 17, 1000, page - 1, page, page + 1, 3 * page + 5] {
            let mut buffer = AlignedBuffer::zeroed(floats).unwrap();
            assert_eq!(buffer.len(), floats);
            assert!(buffer.floats().iter().all(|&x| x.to_bits() == 0));
            let align = if floats >= page { HUGE_PAGE } else { CACHE_LINE };
            assert!(floats == 0 || buffer.as_ptr().addr().is_multiple_of(align));
            buffer.floats_mut().fill(1.0);
            buffer.bytes_mut().fill(0x3f);
            assert_eq!(buffer.bytes().len(), floats * 4);
            assert!(buffer.floats().iter().all(|&x| x == f32::from_bits(0x3f3f_3f3f)));
        }
    }

    #[test]
    fn refuses_what_no_machine_has() {
        assert!(matches!(
            AlignedBuffer::zeroed(usize::MAX),
            Err(MemoryError::TooLarge { .. })
        ));
        assert!(matches!(
            AlignedBuffer::zeroed(usize::MAX / 4),
            Err(MemoryError::Refused { .. })
        ));
        assert!(matches!(
            AlignedBuffer::zeroed(1 << 58),
            Err(MemoryError::Refused { .. })
        ));
    }

    #[test]
    fn copies() {
        assert_eq!(AlignedBuffer::copied(&[1.0, 2.0]).unwrap().floats(), [1.0, 2.0]);
        assert_eq!(AlignedBuffer::zeroed_bytes(5).unwrap().len_bytes(), 8);
    }
}
