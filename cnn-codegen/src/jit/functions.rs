//! The functions of one module: step functions, tile kernels and the runtime's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::kernels::{Isa, lrn, softmax};
use cnn_runtime::threads::ThreadPool;
use cranelift_codegen::ir::types::{F32, I64};
use cranelift_codegen::ir::{AbiParam, Signature, Type};
use cranelift_codegen::isa::CallConv;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};

use super::JitError;
use super::code_memory::{CodeMemory, Pages};
use super::compiler::{Compiled, Compiler, Contexts, Kept, Source};
use super::listing::Listed;
use super::targets::Targets;
use crate::isa::facts;
use crate::loops;
use crate::plan::InstructionSet;
use crate::tile::{self, TileSpec};

/// A module under construction.
pub(super) struct Functions {
    pub(super) module: CodeMemory,
    targets: Targets,
    runtime: HashMap<&'static str, FuncId>,
    tile_isa: InstructionSet,
    /// Whether multiply–adds may be fused.
    pub(super) use_fma: bool,
    kept: Vec<Kept>,
    /// Names and sizes of kernels, in the order they were made.
    pub(super) listing: Vec<Listed>,
    /// Whether texts of code are kept for a dump.
    keep_text: bool,
}

/// The runtime's functions by name, with their addresses.
fn symbols(isa: Isa) -> Vec<(&'static str, *const u8)> {
    let mut symbols: Vec<_> = RowFunction::ALL
        .into_iter()
        .map(|function| (function.name(), function.symbol(isa) as *const u8))
        .collect();
    symbols.push(("softmax", softmax::softmax_symbol(isa, false) as *const u8));
    symbols.push(("log_softmax", softmax::softmax_symbol(isa, true) as *const u8));
    symbols.push(("lrn", lrn::lrn_symbol(isa) as *const u8));
    for variant in Winograd::ALL {
        let (input, output) = transforms(variant);
        symbols.push((input, variant.input_symbol(isa) as *const u8));
        symbols.push((output, variant.output_symbol(isa) as *const u8));
    }
    symbols
}

/// Names of the runtime's transforms: of the input, of the output.
pub(super) fn transforms(variant: Winograd) -> (&'static str, &'static str) {
    match variant {
        Winograd::F2x3 => ("winograd_f2x3_input", "winograd_f2x3_output"),
        Winograd::F4x3 => ("winograd_f4x3_input", "winograd_f4x3_output"),
        Winograd::F4x5 => ("winograd_f4x5_input", "winograd_f4x5_output"),
    }
}

impl Functions {
    pub(super) fn new(tile_isa: InstructionSet, keep_text: bool) -> Result<Functions, JitError> {
        let targets = Targets::of_this_machine()?;
        let mut builder = JITBuilder::with_isa(Arc::clone(&targets.careful), default_libcall_names());
        // Code for another machine is only listed.
        let isa = Isa::new(tile_isa).unwrap_or(Isa::PORTABLE);
        let symbols = symbols(isa);
        builder.symbols(symbols.iter().copied());
        if cfg!(target_arch = "x86_64") {
            builder.memory_provider(Box::new(Pages::default()));
        }
        let mut functions = Functions {
            module: CodeMemory::new(JITModule::new(builder)),
            targets,
            runtime: HashMap::new(),
            use_fma: has_fma(),
            tile_isa,
            kept: Vec::new(),
            listing: Vec::new(),
            keep_text,
        };
        for (name, _) in symbols {
            let params: &[_] = match name {
                "softmax" | "log_softmax" | "lrn" => &[I64; 3],
                _ if name.starts_with("winograd") => &[I64],
                _ => &[I64, I64, I64, F32, F32],
            };
            let signature = functions.signature(params);
            let id = functions.module.declare_function(name, Linkage::Import, &signature)?;
            functions.runtime.insert(name, id);
        }
        Ok(functions)
    }

    /// The finished module and what its code refers to.
    pub(super) fn into_parts(self) -> (CodeMemory, Vec<Kept>) {
        (self.module, self.kept)
    }

    fn signature(&self, params: &[Type]) -> Signature {
        let mut signature = self.module.make_signature();
        signature
            .params
            .extend(params.iter().map(|&param| AbiParam::new(param)));
        signature
    }

    /// Compiles tile kernels and the loop code that calls them, on all threads of the pool, and gives the kernels and
    /// functions in order. Their code does not depend on the number of threads.
    pub(super) fn compile(
        &mut self,
        kernels: &[TileSpec],
        functions: &[(String, loops::Function)],
        pool: &ThreadPool,
    ) -> Result<[Vec<FuncId>; 2], JitError> {
        let signature = self.signature(&[I64; 4]);
        let mut kernel_signature = self.signature(&[I64; 5]);
        if facts(self.tile_isa).machine_code {
            kernel_signature.call_conv = CallConv::SystemV;
        }
        let mut declare = |name: &str, signature: &Signature| {
            let id = self.module.declare_function(name, Linkage::Local, signature);
            id.map_err(JitError::from)
        };
        let mut kernel_ids = Vec::with_capacity(kernels.len());
        for (index, spec) in kernels.iter().enumerate() {
            let name = format!("tile_{index}_{}x{}", spec.pixels.len(), spec.vectors * tile::LANES);
            kernel_ids.push(declare(&name, &kernel_signature)?);
        }
        let function_ids = functions.iter().map(|(name, _)| declare(name, &signature));
        let function_ids = function_ids.collect::<Result<Vec<_>, _>>()?;
        let sources = kernels.iter().map(Source::Kernel);
        let sources = sources.chain(functions.iter().map(|(_, function)| Source::Loops(function)));
        let tasks: Vec<_> = kernel_ids.iter().chain(&function_ids).copied().zip(sources).collect();
        let compiler = Compiler {
            targets: &self.targets,
            use_fma: self.use_fma,
            keep_text: self.keep_text,
            declarations: self.module.declarations(),
            kernels: &kernel_ids,
            runtime: &self.runtime,
        };
        for ((id, _), compiled) in tasks.iter().zip(compile_all(&compiler, &tasks, pool)) {
            let compiled = compiled?;
            self.module
                .define_function_bytes(*id, compiled.alignment, &compiled.code, &compiled.relocations)?;
            self.kept.push(compiled.kept);
            self.listing.extend(compiled.listed);
        }
        self.module.finalize_definitions()?;
        Ok([kernel_ids, function_ids])
    }
}

/// The machine code of each task.
fn compile_all(
    compiler: &Compiler<'_>,
    tasks: &[(FuncId, Source<'_>)],
    pool: &ThreadPool,
) -> Vec<Result<Compiled, JitError>> {
    let results: Mutex<Vec<Option<Result<Compiled, JitError>>>> = Mutex::new(tasks.iter().map(|_| None).collect());
    let idle = Mutex::new(Vec::<Box<Contexts>>::new());
    pool.run(tasks.len(), &|chunk| {
        // Functions take longer than kernels: they come first.
        let index = tasks.len() - 1 - chunk;
        let (id, source) = &tasks[index];
        let contexts = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut contexts = contexts.unwrap_or_else(Contexts::new);
        let compiled = compiler.compile(*id, source, &mut contexts);
        idle.lock().unwrap_or_else(PoisonError::into_inner).push(contexts);
        results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(compiled);
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().flatten().collect()
}

/// Whether Cranelift may emit fused multiply–adds.
fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        cfg!(target_arch = "aarch64")
    }
}
