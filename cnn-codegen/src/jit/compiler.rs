//! One function at a time: a tile or loop code → machine code that has no address yet.

use std::collections::HashMap;

use cnn_ir::op::Activation;
use cnn_runtime::kernels::lrn::LrnRow;
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExtFuncData, ExternalName, FuncRef, Function, UserExternalName, UserFuncName};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, ModuleDeclarations, ModuleError, ModuleReloc};

use super::JitError;
use super::listing::Listed;
use super::targets::Targets;
use super::translate::{Parameters, translate};
use crate::isa::facts;
use crate::loops;
use crate::tile::{self, TileSpec};

/// What all functions of a module are compiled with; threads share it.
pub(super) struct Compiler<'a> {
    pub(super) targets: &'a Targets,
    /// Whether multiply–adds may be fused.
    pub(super) use_fma: bool,
    /// Whether texts of code are kept for a dump.
    pub(super) keep_text: bool,
    /// All functions of the module.
    pub(super) declarations: &'a ModuleDeclarations,
    /// The tile kernels.
    pub(super) kernels: &'a [FuncId],
    /// The runtime's functions.
    pub(super) runtime: &'a HashMap<&'static str, FuncId>,
}

/// Working memory, kept from function to function.
pub(super) struct Contexts {
    builder: FunctionBuilderContext,
    context: Context,
}

impl Contexts {
    /// Not to be moved: it has 8 KiB.
    pub(super) fn new() -> Box<Contexts> {
        Box::new(Contexts {
            builder: FunctionBuilderContext::new(),
            context: Context::new(),
        })
    }
}

/// What a function is made of.
pub(super) enum Source<'a> {
    Kernel(&'a TileSpec),
    Loops(&'a loops::Function),
}

/// Constants that code refers to by address: they live as long as the code.
#[derive(Default)]
pub(super) struct Kept {
    tables: Vec<Box<[i64]>>,
    rows: Vec<Box<[LrnRow]>>,
    activations: Vec<Box<[Activation]>>,
}

/// A function's machine code.
pub(super) struct Compiled {
    pub(super) code: Vec<u8>,
    pub(super) alignment: u64,
    /// Where addresses of other functions go.
    pub(super) relocations: Vec<ModuleReloc>,
    pub(super) kept: Kept,
    pub(super) listed: Option<Listed>,
}

impl Kept {
    /// Keeps a table, and tells its address.
    pub(super) fn table(&mut self, table: &[i64]) -> i64 {
        let table: Box<[i64]> = table.into();
        let address = table.as_ptr() as i64;
        self.tables.push(table);
        address
    }

    /// Keeps an activation, and tells its address.
    pub(super) fn activation(&mut self, activation: Activation) -> i64 {
        let activation: Box<[Activation]> = Box::new([activation]);
        let address = activation.as_ptr() as i64;
        self.activations.push(activation);
        address
    }

    /// Keeps the parameters of a normalisation, and tells their address.
    pub(super) fn row(&mut self, row: LrnRow) -> i64 {
        let row: Box<[LrnRow]> = Box::new([row]);
        let address = row.as_ptr() as i64;
        self.rows.push(row);
        address
    }
}

impl Compiler<'_> {
    pub(super) fn compile(
        &self,
        id: FuncId,
        source: &Source<'_>,
        contexts: &mut Contexts,
    ) -> Result<Compiled, JitError> {
        match source {
            Source::Kernel(spec) if facts(spec.isa).machine_code => self.kernel(id, spec),
            Source::Kernel(spec) => {
                let function = loops::portable_tile(spec).map_err(tile::TileError::from)?;
                self.function(id, &function, Parameters::Tile, contexts)
            }
            Source::Loops(function) => self.function(id, function, Parameters::Step, contexts),
        }
    }

    fn name(&self, id: FuncId) -> String {
        self.declarations.get_function_decl(id).linkage_name(id).into_owned()
    }

    fn kernel(&self, id: FuncId, spec: &TileSpec) -> Result<Compiled, JitError> {
        let instructions = tile::lower(spec).map_err(tile::TileError::from)?;
        Ok(Compiled {
            code: tile::encode(&instructions).map_err(tile::TileError::from)?,
            alignment: tile::HEAD_ALIGNMENT as u64,
            relocations: Vec::new(),
            kept: Kept::default(),
            listed: self
                .keep_text
                .then(|| Listed::kernel(self.name(id), tile::text(&instructions).join("\n"))),
        })
    }

    fn function(
        &self,
        id: FuncId,
        function: &loops::Function,
        parameters: Parameters,
        Contexts { builder, context }: &mut Contexts,
    ) -> Result<Compiled, JitError> {
        let isa = self.targets.of(function);
        // Not a new one: what the last function took for itself is large enough for most.
        context.clear();
        context.func.name = UserFuncName::user(0, id.as_u32());
        context.func.signature = self.declarations.get_function_decl(id).signature.clone();
        context.set_disasm(self.keep_text);
        let mut kept = Kept::default();
        let mut builder = FunctionBuilder::new(&mut context.func, builder);
        translate(function, parameters, &mut builder, self, &mut kept);
        builder.finalize(isa.frontend_config());
        let clif = self.keep_text.then(|| context.func.display().to_string());
        let compiled = context
            .compile(isa, &mut ControlPlane::default())
            .map_err(ModuleError::from)?;
        let mut listed = clif.map(|clif| Listed::compiled(self.name(id), &clif, compiled));
        let (code, alignment) = (compiled.code_buffer().to_vec(), u64::from(compiled.buffer.alignment));
        let relocations = compiled.buffer.relocs().to_vec();
        let relocations: Vec<_> = relocations
            .iter()
            .map(|one| ModuleReloc::from_mach_reloc(one, &context.func, id))
            .collect();
        if let Some(listed) = &mut listed {
            listed.name_callees(&relocations, |id| self.name(id));
        }
        Ok(Compiled {
            code,
            alignment,
            relocations,
            kept,
            listed,
        })
    }

    /// A function of the module, to be called from `caller`.
    pub(super) fn callee(&self, id: FuncId, caller: &mut Function) -> FuncRef {
        let declaration = self.declarations.get_function_decl(id);
        let signature = caller.import_signature(declaration.signature.clone());
        let name = caller.declare_imported_user_function(UserExternalName {
            namespace: 0,
            index: id.as_u32(),
        });
        caller.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: declaration.linkage.is_final(),
            patchable: false,
        })
    }
}
