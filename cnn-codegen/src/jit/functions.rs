//! The functions of one image: tile kernels, step functions, and the runtime's that they call.

use std::sync::{Mutex, PoisonError};

use cnn_runtime::kernels::Isa;
use cnn_runtime::threads::ThreadPool;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, Signature, Type};
use cranelift_codegen::isa::CallConv;

use super::JitError;
use super::compiler::{Compiled, Compiler, Contexts, Declared, Source};
use super::image::Image;
use super::listing::Listed;
use super::runtime::runtime_functions;
use super::targets::Targets;
use crate::isa::facts;
use crate::loops::Program;
use crate::plan::InstructionSet;
use crate::tile;

/// What code is made with.
pub(super) struct Functions {
    targets: Targets,
    tile_isa: InstructionSet,
    /// Whether texts of code are kept for a dump.
    keep_text: bool,
}

impl Functions {
    /// Tiles are of `tile_isa`.
    pub(super) fn new(targets: Targets, tile_isa: InstructionSet, keep_text: bool) -> Functions {
        Functions {
            targets,
            tile_isa,
            keep_text,
        }
    }

    fn signature(&self, parameters: &[Type]) -> Signature {
        let mut signature = Signature::new(self.targets.careful.default_call_conv());
        let parameters = parameters.iter().map(|&parameter| AbiParam::new(parameter));
        signature.params.extend(parameters);
        signature
    }

    /// Compiles tile kernels and the loop code that calls them, on all threads of the pool: an image of the kernels and
    /// functions in order, which does not depend on the number of threads; and their texts, if they are kept.
    pub(super) fn compile(&self, program: &Program, pool: &ThreadPool) -> Result<(Image, Vec<Listed>), JitError> {
        let signature = self.signature(&[I64; 4]);
        let mut kernel_signature = self.signature(&[I64; 5]);
        if facts(self.tile_isa).machine_code {
            kernel_signature.call_conv = CallConv::SystemV;
        }
        let kernels = program.kernels.iter().enumerate().map(|(index, spec)| Declared {
            name: format!("tile_{index}_{}x{}", spec.pixels.len(), spec.vectors * tile::LANES),
            signature: kernel_signature.clone(),
        });
        let functions = program.functions.iter().map(|(name, _)| Declared {
            name: name.clone(),
            signature: signature.clone(),
        });
        let declared: Vec<_> = kernels.chain(functions).collect();
        // Only their names and parameters are asked for.
        let runtime = runtime_functions(Isa::PORTABLE);
        let runtime = runtime
            .iter()
            .map(|function| (function.name, self.signature(function.parameters)));
        let runtime: Vec<_> = runtime.collect();
        let sources = program.kernels.iter().map(Source::Kernel);
        let sources: Vec<_> = sources
            .chain(program.functions.iter().map(|(_, function)| Source::Loops(function)))
            .collect();
        let compiler = Compiler {
            targets: &self.targets,
            keep_text: self.keep_text,
            functions: &declared,
            runtime: &runtime,
        };
        let compiled = compile_all(&compiler, &sources, pool);
        let mut compiled = compiled.into_iter().collect::<Result<Vec<_>, _>>()?;
        let listing = compiled.iter_mut().filter_map(|one| one.listed.take()).collect();
        Ok((Image::new(&compiled)?, listing))
    }
}

/// The machine code of each source.
fn compile_all(compiler: &Compiler<'_>, sources: &[Source<'_>], pool: &ThreadPool) -> Vec<Result<Compiled, JitError>> {
    let results: Mutex<Vec<Option<Result<Compiled, JitError>>>> = Mutex::new(sources.iter().map(|_| None).collect());
    let idle = Mutex::new(Vec::<Box<Contexts>>::new());
    pool.run(sources.len(), &|task| {
        // Functions take longer than kernels: they come first.
        let index = sources.len() - 1 - task;
        let contexts = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut contexts = contexts.unwrap_or_else(Contexts::new);
        let compiled = compiler.compile(index, &sources[index], &mut contexts);
        idle.lock().unwrap_or_else(PoisonError::into_inner).push(contexts);
        results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(compiled);
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().flatten().collect()
}
