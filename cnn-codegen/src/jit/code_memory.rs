//! Owns emitted code: a module's memory is freed when nobody can call into it any more.

use std::io;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider, JITModule};
use cranelift_module::{ModuleError, ModuleResult};
use memmap2::{Mmap, MmapMut};

/// A module that frees its code when it is dropped, as Cranelift's own does not.
pub(super) struct CodeMemory(ManuallyDrop<JITModule>);

impl CodeMemory {
    pub(super) fn new(module: JITModule) -> CodeMemory {
        CodeMemory(ManuallyDrop::new(module))
    }
}

impl Deref for CodeMemory {
    type Target = JITModule;

    fn deref(&self) -> &JITModule {
        &self.0
    }
}

impl DerefMut for CodeMemory {
    fn deref_mut(&mut self) -> &mut JITModule {
        &mut self.0
    }
}

// SAFETY: nothing in the module belongs to a thread; what it maps may be used from any.
unsafe impl Send for CodeMemory {}
// SAFETY: code is added and finalized through unique access; afterwards nothing reaches the module through a shared
// reference, it is only kept to be dropped.
unsafe impl Sync for CodeMemory {}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        // SAFETY: the only pointers into the code are an `Executable`'s, which owns this module and runs nothing while it
        // is dropped; the module is not used afterwards.
        unsafe { ManuallyDrop::take(&mut self.0).free_memory() }
    }
}

/// Bytes of a mapping that many functions share. What is not touched takes no memory.
const CHUNK: usize = 1 << 20;

/// Memory for code: few mappings, made executable at once.
///
/// Cranelift's own asks the system for each function, and for a barrier on all threads of the process that takes
/// milliseconds the first time. Neither is needed on x86-64: its instruction caches are coherent, and no thread has
/// been told of the code yet.
#[derive(Default)]
pub(super) struct Pages {
    writable: Vec<MmapMut>,
    /// Bytes of the last writable mapping that are taken.
    taken: usize,
    executable: Vec<Mmap>,
}

impl JITMemoryProvider for Pages {
    fn allocate(&mut self, size: usize, align: u64, _: JITMemoryKind) -> io::Result<*mut u8> {
        // Mappings begin at a page, which is aligned for any code.
        let mut start = self.taken.next_multiple_of(align as usize);
        if self.writable.last().is_none_or(|last| start + size > last.len()) {
            self.writable.push(MmapMut::map_anon(size.max(CHUNK))?);
            start = 0;
        }
        self.taken = start + size;
        let last = self.writable.last_mut().and_then(|last| last.get_mut(start..));
        last.map(|rest| rest.as_mut_ptr())
            .ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    unsafe fn free_memory(&mut self) {
        *self = Pages::default();
    }

    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        for pages in self.writable.drain(..) {
            let executable = pages.make_exec();
            self.executable
                .push(executable.map_err(|err| ModuleError::Allocation { err })?);
        }
        Ok(())
    }
}
