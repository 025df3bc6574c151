//! Owns placed code: memory that holds an image and can be executed as long as somebody may call into it.

use cnn_ir::op::Activation;
use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::MemoryError;
use memmap2::{Mmap, MmapMut};

use super::JitError;
use super::image::{ADDRESS, Image, Slot};
use super::runtime::runtime_functions;

/// An image in memory. Whoever calls a function of it keeps this as long.
pub(super) struct CodeMemory {
    pages: Mmap,
    /// What the image's table refers to.
    _activations: Box<[Activation]>,
}

impl CodeMemory {
    /// Places a copy of an image, which is for an instruction set that this machine has.
    pub(super) fn new(image: &Image, isa: Isa) -> Result<CodeMemory, JitError> {
        let refused = |_| MemoryError::Refused {
            bytes: image.bytes.len(),
        };
        let mut pages = MmapMut::map_anon(image.bytes.len().max(1)).map_err(refused)?;
        pages[..image.bytes.len()].copy_from_slice(&image.bytes);
        CodeMemory::finish(pages, image.table, &image.slots, isa)
    }

    /// Fills in the table of an image that is in memory, and lets it be executed.
    pub(super) fn finish(mut pages: MmapMut, table: usize, slots: &[Slot], isa: Isa) -> Result<CodeMemory, JitError> {
        let bytes = pages.len();
        let activations = activations(slots);
        let addresses = addresses(slots, &activations, isa)?;
        for (place, address) in pages[table..].chunks_exact_mut(ADDRESS).zip(addresses) {
            place.copy_from_slice(&address.to_ne_bytes());
        }
        let pages = pages.make_exec().map_err(|_| MemoryError::Refused { bytes })?;
        synchronise(&pages)?;
        Ok(CodeMemory {
            pages,
            _activations: activations,
        })
    }

    /// The function that begins so many bytes into the image.
    pub(super) fn function(&self, offset: usize) -> *const u8 {
        self.pages[offset..].as_ptr()
    }
}

/// The activations of a table, at addresses that stay.
fn activations(slots: &[Slot]) -> Box<[Activation]> {
    let activations = slots.iter().filter_map(|slot| match slot {
        Slot::Activation(activation) => Some(*activation),
        Slot::Runtime(_) => None,
    });
    activations.collect()
}

/// The addresses of a table.
fn addresses(slots: &[Slot], activations: &[Activation], isa: Isa) -> Result<Vec<u64>, JitError> {
    let functions = runtime_functions(isa);
    let mut activations = activations.iter();
    let address = |slot: &Slot| match slot {
        Slot::Runtime(name) => {
            let function = functions.iter().find(|function| function.name == *name);
            let missing = || JitError::Target(format!("the runtime has no function `{name}`"));
            function.map(|function| function.address.addr()).ok_or_else(missing)
        }
        Slot::Activation(_) => Ok(activations
            .next()
            .map_or(0, |activation| std::ptr::from_ref(activation).addr())),
    };
    let addresses = slots
        .iter()
        .map(address)
        .map(|address| address.map(|address| address as u64));
    addresses.collect()
}

/// Lets this machine's threads see new code. On x86-64 instruction caches are coherent, and no thread has been told of
/// the code yet.
#[cfg(target_arch = "x86_64")]
fn synchronise(_: &Mmap) -> Result<(), JitError> {
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
fn synchronise(pages: &Mmap) -> Result<(), JitError> {
    use wasmtime_internal_jit_icache_coherence::{clear_cache, pipeline_flush_mt};
    // SAFETY: the pages are mapped.
    let cleared = unsafe { clear_cache(pages.as_ptr().cast(), pages.len()) };
    let flushed = cleared.and_then(|()| pipeline_flush_mt());
    flushed.map_err(|error| JitError::Target(error.to_string()))
}
