//! Owns emitted code: a module's memory is freed when nobody can call into it any more.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use cranelift_jit::JITModule;

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
// SAFETY: shared access only looks addresses up; code is finalized through unique access.
unsafe impl Sync for CodeMemory {}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        // SAFETY: the only pointers into the code are an `Executable`'s, which owns this module and runs nothing while it
        // is dropped; the module is not used afterwards.
        unsafe { ManuallyDrop::take(&mut self.0).free_memory() }
    }
}
