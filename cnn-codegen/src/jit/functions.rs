//! The functions of one module: step functions, tile kernels and the runtime's.

use std::collections::HashMap;

use cnn_runtime::kernels::activation::activation_symbols;
use cnn_runtime::kernels::lrn::LrnRow;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::kernels::{Isa, lrn, softmax};
use cranelift_codegen::ir::types::{F32, I64};
use cranelift_codegen::ir::{AbiParam, FuncRef, Function, Signature, UserFuncName};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};

use super::JitError;
use super::code_memory::CodeMemory;
use super::translate::{Callees, Parameters, translate};
use crate::loops;
use crate::plan::TileIsa;
use crate::tile::{self, TileSpec};

/// Constants that code refers to by address: they live as long as the code.
#[derive(Default)]
pub(super) struct Kept {
    tables: Vec<Box<[i64]>>,
    rows: Vec<Box<[LrnRow]>>,
}

/// A module under construction.
pub(super) struct Functions {
    pub(super) module: CodeMemory,
    kernels: usize,
    runtime: HashMap<&'static str, FuncId>,
    tile_isa: TileIsa,
    /// Whether multiply–adds may be fused.
    pub(super) use_fma: bool,
    contexts: FunctionBuilderContext,
    kept: Kept,
    /// Names and sizes of kernels, in the order they were made.
    pub(super) listing: Vec<Listed>,
    /// Whether texts of code are kept for a dump.
    pub(super) keep_text: bool,
}

/// A compiled function as a dump shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Cranelift IR; empty for tile kernels in own machine code.
    pub clif: String,
    /// Machine code, one instruction a line.
    pub asm: String,
}

/// The code generator for this machine.
///
/// Without the optimiser: it would spill the accumulators of portable tiles, gains the loop nests nothing that can be
/// measured, and takes half as long again.
fn target() -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    let settings = [
        ("opt_level", "none"),
        // Plans are verified and the emitter is tested with the verifier on; see `verifier` below.
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
        ("is_pic", "false"),
        ("unwind_info", "false"),
    ];
    for (name, value) in settings {
        flags
            .set(name, value)
            .map_err(|error| JitError::Target(error.to_string()))?;
    }
    // The host's instruction set: without its `fma` flag multiply–adds would become library calls.
    cranelift_native::builder()
        .map_err(|error| JitError::Target(error.to_owned()))?
        .finish(settings::Flags::new(flags))
        .map_err(|error| JitError::Target(error.to_string()))
}

/// The runtime's functions by name, with their addresses.
fn symbols(isa: Isa) -> Vec<(&'static str, *const u8)> {
    let mut symbols: Vec<_> = activation_symbols(isa)
        .into_iter()
        .map(|(kind, function)| (kind.name(), function as *const u8))
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
    pub(super) fn new(tile_isa: TileIsa, keep_text: bool) -> Result<Functions, JitError> {
        let mut builder = JITBuilder::with_isa(target()?, default_libcall_names());
        let isa = match tile_isa {
            TileIsa::Avx2Fma => Isa::detect(),
            TileIsa::Portable => Isa::baseline(),
        };
        builder.symbols(symbols(isa));
        Ok(Functions {
            module: CodeMemory::new(JITModule::new(builder)),
            kernels: 0,
            use_fma: has_fma(),
            runtime: HashMap::new(),
            tile_isa,
            contexts: FunctionBuilderContext::new(),
            kept: Kept::default(),
            listing: Vec::new(),
            keep_text,
        })
    }

    /// Keeps a table as long as the code, and tells its address.
    pub(super) fn keep(&mut self, table: Box<[i64]>) -> i64 {
        let address = table.as_ptr() as i64;
        self.kept.tables.push(table);
        address
    }

    /// Keeps the parameters of a normalisation as long as the code, and tells their address.
    pub(super) fn keep_row(&mut self, row: LrnRow) -> i64 {
        let row: Box<[LrnRow]> = Box::new([row]);
        let address = row.as_ptr() as i64;
        self.kept.rows.push(row);
        address
    }

    /// The finished module and what its code refers to.
    pub(super) fn into_parts(self) -> (CodeMemory, Kept) {
        (self.module, self.kept)
    }

    fn signature(&self, params: &[cranelift_codegen::ir::Type]) -> Signature {
        let mut signature = self.module.make_signature();
        signature
            .params
            .extend(params.iter().map(|&param| AbiParam::new(param)));
        signature
    }

    /// A runtime function, to be called from `caller`.
    pub(super) fn runtime(&mut self, name: &'static str, caller: &mut Function) -> Result<FuncRef, JitError> {
        let id = match self.runtime.get(name) {
            Some(&id) => id,
            None => {
                let params: &[_] = match name {
                    "softmax" | "log_softmax" | "lrn" => &[I64; 3],
                    _ if name.starts_with("winograd") => &[I64],
                    _ => &[I64, I64, I64, F32, F32],
                };
                let signature = self.signature(params);
                let id = self.module.declare_function(name, Linkage::Import, &signature)?;
                self.runtime.insert(name, id);
                id
            }
        };
        Ok(self.module.declare_func_in_func(id, caller))
    }

    /// Compiles the kernel of a tile.
    pub(super) fn kernel(&mut self, spec: &TileSpec) -> Result<FuncId, JitError> {
        let name = format!(
            "tile_{}_{}x{}",
            self.kernels,
            spec.pixels.len(),
            spec.vectors * tile::LANES
        );
        self.kernels += 1;
        match self.tile_isa {
            TileIsa::Avx2Fma => {
                let mut signature = self.signature(&[I64; 4]);
                signature.call_conv = CallConv::SystemV;
                let id = self.module.declare_function(&name, Linkage::Local, &signature)?;
                let instructions = tile::lower(spec).map_err(tile::TileError::from)?;
                let code = tile::encode(&instructions).map_err(tile::TileError::from)?;
                self.module.define_function_bytes(id, 32, &code, &[])?;
                if self.keep_text {
                    self.listing.push(Listed {
                        name,
                        clif: String::new(),
                        asm: tile::text(&instructions).join("\n"),
                    });
                }
                Ok(id)
            }
            TileIsa::Portable => {
                let function = loops::portable_tile(spec).map_err(tile::TileError::from)?;
                self.function(name, &function, Parameters::Tile, &[])
            }
        }
    }

    /// Compiles loop code that calls these kernels.
    pub(super) fn function(
        &mut self,
        name: String,
        function: &loops::Function,
        parameters: Parameters,
        kernels: &[FuncId],
    ) -> Result<FuncId, JitError> {
        let signature = self.signature(&[I64; 4]);
        let id = self.module.declare_function(&name, Linkage::Local, &signature)?;
        let mut context = self.module.make_context();
        context.func = Function::with_name_signature(UserFuncName::user(0, id.as_u32()), signature);
        context.set_disasm(self.keep_text);
        let mut contexts = std::mem::take(&mut self.contexts);
        let mut builder = FunctionBuilder::new(&mut context.func, &mut contexts);
        let callees = Callees {
            functions: self,
            kernels,
        };
        translate(function, parameters, &mut builder, callees)?;
        builder.finalize(self.module.target_config());
        self.contexts = contexts;
        let clif = self.keep_text.then(|| context.func.display().to_string());
        self.module.define_function(id, &mut context)?;
        if let Some(clif) = clif {
            let asm = context.compiled_code().and_then(|code| code.vcode.clone());
            self.listing.push(Listed {
                name,
                clif,
                asm: asm.unwrap_or_default(),
            });
        }
        Ok(id)
    }
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
