//! The portable lowering through Cranelift's JIT, with and without fused multiply–adds.

use cranelift_codegen::ir::{AbiParam, UserFuncName};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};

use super::{Buffers, Runner, check, convolution, grid};
use crate::tile::{TileSpec, build_clif};

/// Compiles each specification in a module of its own.
struct Portable {
    use_fma: bool,
}

impl Portable {
    fn module(&self) -> JITModule {
        let mut flags = settings::builder();
        flags.set("opt_level", "none").unwrap();
        let isa = cranelift_native::builder()
            .unwrap()
            .finish(settings::Flags::new(flags))
            .unwrap();
        JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()))
    }
}

impl Runner for Portable {
    fn run(&mut self, spec: &TileSpec, b: &mut Buffers) {
        let mut module = self.module();
        let mut context = module.make_context();
        let pointer = AbiParam::new(module.target_config().pointer_type());
        context.func.signature.params.extend([pointer; 4]);
        let id = module
            .declare_function("tile", Linkage::Local, &context.func.signature)
            .unwrap();
        context.func.name = UserFuncName::user(0, id.as_u32());
        let mut functions = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut context.func, &mut functions);
        build_clif(spec, &mut builder, self.use_fma).unwrap();
        builder.finalize(module.target_config());
        module.define_function(id, &mut context).unwrap();
        module.finalize_definitions().unwrap();
        let code = module.get_finalized_function(id);
        // SAFETY: the function was declared with four pointers in the platform's convention; the buffers were sized
        // by the ranges the specification says it touches; the module outlives the call.
        unsafe {
            let kernel: extern "C" fn(*const f32, *const f32, *mut f32, *const f32) = std::mem::transmute(code);
            kernel(
                b.input.as_ptr().add(b.input_offset),
                b.weights.as_ptr(),
                b.output.as_mut_ptr().add(b.output_offset),
                b.residual.as_ptr().add(b.residual_offset),
            );
            module.free_memory();
        }
    }
}

/// Both forms where the machine has the instruction, else the plain one.
fn runners() -> Vec<Portable> {
    let fma = cfg!(target_arch = "aarch64") || crate::tile::supported();
    [false, true]
        .into_iter()
        .filter(|&use_fma| fma || !use_fma)
        .map(|use_fma| Portable { use_fma })
        .collect()
}

#[test]
fn agrees_on_the_grid() {
    for mut runner in runners() {
        // Coprime to the grid's periods, so that every shape, reduction, start and activation occurs.
        for (seed, spec) in grid::specs().iter().enumerate().step_by(7) {
            check(spec, seed as u64, &mut runner);
        }
    }
}

#[test]
fn whole_convolutions() {
    for mut runner in runners() {
        convolution::whole_convolutions_on(&mut runner, &[(6, 2), (1, 6)], &[7]);
    }
}
