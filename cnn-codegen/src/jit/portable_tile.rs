//! A portable tile alone, for its tests.

use cnn_runtime::kernels::Isa;
use cnn_runtime::threads::ThreadPool;

use super::JitError;
use super::code_memory::CodeMemory;
use super::functions::Functions;
use super::targets::Targets;
use crate::loops::Program;
use crate::plan::InstructionSet;
use crate::tile::TileSpec;

/// Finished code of one portable tile.
pub(crate) struct PortableTile {
    code: *const u8,
    _memory: CodeMemory,
}

impl PortableTile {
    pub(crate) fn new(spec: &TileSpec, use_fma: bool) -> Result<PortableTile, JitError> {
        let mut targets = Targets::of_this_machine()?;
        targets.use_fma = use_fma;
        let functions = Functions::new(targets, InstructionSet::Portable, false);
        let program = Program {
            kernels: vec![spec.clone()],
            functions: Vec::new(),
            steps: Vec::new(),
        };
        let (image, _) = functions.compile(&program, &ThreadPool::new(1)?)?;
        let memory = CodeMemory::new(&image, Isa::PORTABLE)?;
        Ok(PortableTile {
            code: memory.function(image.functions[0]),
            _memory: memory,
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
