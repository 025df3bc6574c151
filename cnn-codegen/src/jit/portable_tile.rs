//! A portable tile alone, for its tests.

use cnn_runtime::threads::ThreadPool;

use super::JitError;
use super::code_memory::CodeMemory;
use super::functions::Functions;
use crate::plan::InstructionSet;
use crate::tile::TileSpec;

/// Finished code of one portable tile.
pub(crate) struct PortableTile {
    code: *const u8,
    _memory: CodeMemory,
}

impl PortableTile {
    pub(crate) fn new(spec: &TileSpec, use_fma: bool) -> Result<PortableTile, JitError> {
        let mut functions = Functions::new(InstructionSet::Portable, false)?;
        functions.use_fma = use_fma;
        let [kernels, _] = functions.compile(std::slice::from_ref(spec), &[], &ThreadPool::new(1)?)?;
        let code = functions.module.get_finalized_function(kernels[0]);
        Ok(PortableTile {
            code,
            _memory: functions.into_parts().0,
        })
    }

    /// Runs it.
    ///
    /// # Safety
    /// The pointers cover what the specification says it touches.
    pub(crate) unsafe fn run(&self, input: *const f32, weights: *const f32, output: *mut f32, residual: *const f32) {
        // SAFETY: a tile has five pointers in the platform's convention; the module outlives the call.
        unsafe {
            type Kernel = extern "C" fn(*const f32, *const f32, *mut f32, *const f32, *const f32);
            let kernel: Kernel = std::mem::transmute(self.code);
            kernel(input, weights, output, residual, weights);
        }
    }
}
