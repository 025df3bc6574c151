//! Tile kernels on executable pages of their own, for tests and measurements.

use cnn_runtime::kernels::Isa;
use cnn_types::InstructionSet;
use memmap2::{Mmap, MmapMut};
use thiserror::Error;

use super::{TileError, TileSpec, assemble};

/// Why a kernel cannot be made executable.
#[derive(Debug, Error)]
pub enum ExecutableError {
    /// There is no code to map.
    #[error(transparent)]
    Code(#[from] TileError),
    /// This machine cannot run it.
    #[error("the kernel needs a machine with {0}")]
    Machine(&'static str),
    /// The operating system gave no executable page.
    #[error("no executable memory: {0}")]
    Memory(#[from] std::io::Error),
}

/// The signature of every tile kernel: input, weights, output, residual, ahead.
pub type Kernel = unsafe extern "sysv64" fn(*const f32, *const f32, *mut f32, *const f32, *const f32);

/// One kernel on pages of its own.
#[derive(Debug)]
pub struct Executable {
    code: Mmap,
}

impl Executable {
    /// Assembles a specification and maps it.
    ///
    /// # Errors
    /// [`ExecutableError`].
    pub fn new(spec: &TileSpec) -> Result<Self, ExecutableError> {
        Self::from_code(&assemble(spec)?, spec.isa)
    }

    /// Maps code that [`super::encode()`] made.
    ///
    /// # Errors
    /// [`ExecutableError::Machine`] where the code would fault, [`ExecutableError::Memory`].
    pub fn from_code(code: &[u8], set: InstructionSet) -> Result<Self, ExecutableError> {
        if Isa::new(set).is_none() {
            return Err(ExecutableError::Machine(set.description()));
        }
        let mut pages = MmapMut::map_anon(code.len().max(1))?;
        pages[..code.len()].copy_from_slice(code);
        Ok(Self {
            code: pages.make_exec()?,
        })
    }

    /// The function. It lives as long as `self`.
    pub fn kernel(&self) -> Kernel {
        // SAFETY: the pages hold a whole function of this signature and are executable; calling it is the caller's matter.
        unsafe { std::mem::transmute::<*const u8, Kernel>(self.code.as_ptr()) }
    }
}
