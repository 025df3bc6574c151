//! One function at a time: a tile or loop code → machine code that has no address yet.

use cnn_ir::op::Activation;
use cnn_runtime::kernels::task::Kernel;
use cnn_runtime::kernels::{Field, Number};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, Function, GlobalValue, GlobalValueData, Signature, UserExternalName,
    UserFuncName,
};
use cranelift_codegen::{Context, FinalizedMachReloc, FinalizedRelocTarget};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::JitError;
use super::listing::Listed;
use super::targets::Targets;
use super::translate::{Parameters, translate};
use crate::isa::facts;
use crate::loops;
use crate::tile::{self, TileSpec};

/// What all functions of an image are compiled with; threads share it.
pub(super) struct Compiler<'a> {
    pub(super) targets: &'a Targets,
    /// Whether texts of code are kept for a dump.
    pub(super) keep_text: bool,
    /// All functions of the image: the tile kernels, then those of steps.
    pub(super) functions: &'a [Declared],
    /// The runtime's functions.
    pub(super) runtime: &'a [(&'static str, Signature)],
}

/// A function of the image.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) signature: Signature,
}

/// What code refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A function of the image.
    Function(usize),
    /// A constant of the function's own.
    Constant(usize),
    /// The place of the address of a function of the runtime.
    Runtime(&'static str),
    /// The place of the address of an activation of the function's own.
    Activation(usize),
}

/// What a reference is called in Cranelift's IR: a number each in so many namespaces.
const FUNCTION: u32 = 0;
const CONSTANT: u32 = 1;
const RUNTIME: u32 = 2;
const ACTIVATION: u32 = 3;

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

/// What a function refers to besides other functions.
#[derive(Default)]
pub(super) struct Kept {
    /// Constants that stand behind the code.
    pub(super) bytes: Vec<Vec<u8>>,
    pub(super) activations: Vec<Activation>,
}

/// A function's machine code.
pub(super) struct Compiled {
    pub(super) code: Vec<u8>,
    pub(super) alignment: usize,
    /// Where it refers to what.
    pub(super) relocations: Vec<Relocation>,
    pub(super) kept: Kept,
    pub(super) listed: Option<Listed>,
}

/// An instruction that refers to something.
pub(super) struct Relocation {
    /// Where in the function.
    pub(super) offset: usize,
    /// In which way.
    pub(super) kind: Reloc,
    pub(super) target: Reference,
    pub(super) addend: i64,
}

impl Kept {
    /// Keeps a table, and tells its number.
    pub(super) fn table(&mut self, table: &[i64]) -> usize {
        self.constant(table.iter().flat_map(|number| number.to_ne_bytes()).collect())
    }

    /// Keeps a struct of numbers, and tells its number.
    pub(super) fn fields(&mut self, fields: impl IntoIterator<Item = Field>) -> usize {
        let mut bytes = Vec::new();
        for field in fields {
            let (count, float);
            let value: &[u8] = match field.value {
                Number::Count(number) => {
                    count = number.to_ne_bytes();
                    &count
                }
                Number::Float(number) => {
                    float = number.to_ne_bytes();
                    &float
                }
            };
            bytes.resize(field.offset, 0);
            bytes.extend_from_slice(value);
        }
        // Its size is a multiple of its alignment.
        bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0);
        self.constant(bytes)
    }

    /// Keeps the shape of a kernel, and tells its number.
    pub(super) fn kernel(&mut self, kernel: &Kernel) -> usize {
        let mut fields = Vec::new();
        kernel.fields(&mut |field| fields.push(field));
        self.fields(fields)
    }

    /// Keeps an activation, and tells its number.
    pub(super) fn activation(&mut self, activation: Activation) -> usize {
        self.activations.push(activation);
        self.activations.len() - 1
    }

    fn constant(&mut self, bytes: Vec<u8>) -> usize {
        self.bytes.push(bytes);
        self.bytes.len() - 1
    }
}

impl Compiler<'_> {
    /// The machine code of the function of that number.
    pub(super) fn compile(
        &self,
        number: usize,
        source: &Source<'_>,
        contexts: &mut Contexts,
    ) -> Result<Compiled, JitError> {
        match source {
            Source::Kernel(spec) if facts(spec.isa).machine_code => self.kernel(number, spec),
            Source::Kernel(spec) => {
                let function = loops::portable_tile(spec).map_err(tile::TileError::from)?;
                self.function(number, &function, Parameters::Tile, contexts)
            }
            Source::Loops(function) => self.function(number, function, Parameters::Step, contexts),
        }
    }

    fn kernel(&self, number: usize, spec: &TileSpec) -> Result<Compiled, JitError> {
        let instructions = tile::lower(spec).map_err(tile::TileError::from)?;
        let listed = || {
            Listed::kernel(
                self.functions[number].name.clone(),
                tile::text(&instructions).join("\n"),
            )
        };
        Ok(Compiled {
            code: tile::encode(&instructions).map_err(tile::TileError::from)?,
            alignment: tile::HEAD_ALIGNMENT,
            relocations: Vec::new(),
            kept: Kept::default(),
            listed: self.keep_text.then(listed),
        })
    }

    fn function(
        &self,
        number: usize,
        function: &loops::Function,
        parameters: Parameters,
        Contexts { builder, context }: &mut Contexts,
    ) -> Result<Compiled, JitError> {
        let isa = self.targets.of(function);
        let Declared { name, signature } = &self.functions[number];
        // Not a new one: what the last function took for itself is large enough for most.
        context.clear();
        context.func.name = UserFuncName::user(FUNCTION, number as u32);
        context.func.signature = signature.clone();
        context.set_disasm(self.keep_text);
        let mut kept = Kept::default();
        let mut builder = FunctionBuilder::new(&mut context.func, builder);
        translate(function, parameters, &mut builder, self, &mut kept);
        builder.finalize(isa.frontend_config());
        let clif = self.keep_text.then(|| context.func.display().to_string());
        let compiled = context
            .compile(isa, &mut ControlPlane::default())
            .map_err(|refused| JitError::Function(format!("{name}: {}", refused.inner)))?;
        let mut listed = clif.map(|clif| Listed::compiled(name.clone(), &clif, compiled));
        let code = compiled.code_buffer().to_vec();
        let alignment = compiled.buffer.alignment.max(isa.function_alignment().preferred) as usize;
        let relocations = compiled.buffer.relocs().to_vec();
        let relocations = relocations.iter().map(|one| self.relocation(one, &context.func));
        let relocations = relocations.collect::<Result<Vec<_>, _>>()?;
        if let Some(listed) = &mut listed {
            listed.name_callees(&relocations, |function| self.functions[function].name.clone());
        }
        Ok(Compiled {
            code,
            alignment,
            relocations,
            kept,
            listed,
        })
    }

    fn relocation(&self, one: &FinalizedMachReloc, function: &Function) -> Result<Relocation, JitError> {
        let unknown = || JitError::Function(format!("code refers to {:?}", one.target));
        let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &one.target else {
            return Err(unknown());
        };
        let name = &function.params.user_named_funcs()[*name];
        let index = name.index as usize;
        let target = match name.namespace {
            FUNCTION => Reference::Function(index),
            CONSTANT => Reference::Constant(index),
            ACTIVATION => Reference::Activation(index),
            RUNTIME => Reference::Runtime(self.runtime.get(index).ok_or_else(unknown)?.0),
            _ => return Err(unknown()),
        };
        Ok(Relocation {
            offset: one.offset as usize,
            kind: one.kind,
            target,
            addend: one.addend,
        })
    }

    /// A function of the image, to be called from `caller`.
    pub(super) fn callee(&self, number: usize, caller: &mut Function) -> FuncRef {
        let signature = caller.import_signature(self.functions[number].signature.clone());
        let name = caller.declare_imported_user_function(UserExternalName {
            namespace: FUNCTION,
            index: number as u32,
        });
        caller.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        })
    }

    /// What `function` reads its own constant of that number as.
    pub(super) fn constant(&self, number: usize, function: &mut Function) -> GlobalValue {
        within(CONSTANT, number, function)
    }

    /// Where `function` finds the address of an activation of its own.
    pub(super) fn activation(&self, number: usize, function: &mut Function) -> GlobalValue {
        within(ACTIVATION, number, function)
    }

    /// Where `function` finds the address of a function of the runtime, and that function's parameters.
    pub(super) fn runtime(&self, name: &str, function: &mut Function) -> Option<(GlobalValue, Signature)> {
        let number = self.runtime.iter().position(|(other, _)| *other == name)?;
        Some((within(RUNTIME, number, function), self.runtime[number].1.clone()))
    }
}

/// A place within the image.
fn within(namespace: u32, number: usize, function: &mut Function) -> GlobalValue {
    let name = function.declare_imported_user_function(UserExternalName {
        namespace,
        index: number as u32,
    });
    function.create_global_value(GlobalValueData::Symbol {
        name: ExternalName::user(name),
        offset: 0.into(),
        colocated: true,
        tls: false,
    })
}
