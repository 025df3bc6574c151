//! Compiled code apart from where it lies: what a file holds of a network, made on one machine and loaded on others.

use std::fmt::Write;
use std::fs::File;
use std::io;
use std::sync::Arc;

use cnn_ir::op::Activation;
use cnn_runtime::executor::{Executor, RunSize};
use cnn_runtime::kernels::{Isa, layouts};
use cnn_runtime::memory::AlignedBuffer;
use cnn_runtime::steps::{Base, Call};
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::{MappedFile, WeightSource};
use memmap2::{MmapMut, MmapOptions};
use serde::{Deserialize, Serialize};

use super::code_memory::CodeMemory;
use super::executable::{Constants, Executable};
use super::functions::Functions;
use super::image::{ADDRESS, Slot};
use super::runtime::{runtime_functions, runtime_name};
use super::targets::Targets;
use super::{Code, JitError, machine};
use crate::loops::Program;
use crate::plan::Plan;

/// A compiled network as pieces that can be stored.
#[derive(Debug)]
pub struct Object {
    /// How the code is called and what it refers to: what [`Executable::load`] reads.
    pub linkage: Vec<u8>,
    /// Machine code, which runs wherever its first byte is at a page.
    pub code: Vec<u8>,
    /// The weights as the code reads them.
    pub constants: AlignedBuffer,
}

/// How code is called and what it refers to.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Linkage {
    /// Where the functions of steps begin.
    functions: Vec<usize>,
    /// Where the table of addresses begins.
    table: usize,
    /// What the addresses are.
    slots: Vec<StoredSlot>,
    /// The steps.
    calls: Vec<StoredCall>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum StoredSlot {
    Runtime(String),
    Activation(Activation),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct StoredCall {
    function: usize,
    operands: Vec<StoredBase>,
    tasks: usize,
    scratch: bool,
    divide: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum StoredBase {
    Arena(usize),
    Constant(usize),
    Input(usize),
    Output(usize),
}

impl Object {
    /// Compiles a plan for its instruction set, on whatever machine, and makes its constants.
    ///
    /// # Errors
    /// [`JitError`]
    pub fn new(plan: &Plan, weights: &dyn WeightSource, threads: usize) -> Result<Object, JitError> {
        let pool = ThreadPool::new(threads)?;
        let code = portable_code(plan, &pool)?;
        Ok(Object {
            linkage: linkage(plan, &code)?,
            code: code.image.bytes,
            constants: plan.pack(weights, &pool)?,
        })
    }
}

/// Machine code of a plan that depends on nothing but the plan: not on the machine that makes it.
fn portable_code(plan: &Plan, pool: &ThreadPool) -> Result<Code, JitError> {
    let program = Program::new(plan).map_err(JitError::Plan)?;
    let functions = Functions::new(Targets::of_set(plan.isa)?, plan.isa, false);
    let (image, listing) = functions.compile(&program, pool)?;
    Ok(Code {
        program,
        image,
        listing,
    })
}

fn linkage(plan: &Plan, code: &Code) -> Result<Vec<u8>, JitError> {
    let slot = |slot: &Slot| match slot {
        Slot::Runtime(name) => StoredSlot::Runtime((*name).to_owned()),
        Slot::Activation(activation) => StoredSlot::Activation(*activation),
    };
    let linkage = Linkage {
        functions: code.functions().to_vec(),
        table: code.image.table,
        slots: code.image.slots.iter().map(slot).collect(),
        calls: code.program.calls(plan).iter().map(StoredCall::from).collect(),
    };
    postcard::to_allocvec(&linkage).map_err(|error| JitError::Stored(error.to_string()))
}

/// What code and runtime agree about: the names of all that code calls, and where the runtime expects which number. Code that
/// was made with another text must not be run.
pub fn interface() -> String {
    let mut text = String::new();
    for function in runtime_functions(Isa::PORTABLE) {
        let _ = write!(text, "{}/{} ", function.name, function.parameters.len());
    }
    layouts(&mut |name, fields| {
        let _ = write!(text, "{name}{fields:?} ");
    });
    text
}

/// Code in a file, mapped as a copy: what is not written to stays the file's pages, which processes share.
#[derive(Debug)]
pub struct CodePages(MmapMut);

impl CodePages {
    /// Maps so many bytes of a file. Nothing is executed before [`Executable::load`].
    ///
    /// # Errors
    /// The system's.
    pub fn map(file: &File, offset: u64, bytes: usize) -> io::Result<CodePages> {
        // SAFETY: the pages are private to this value. Another process may still change those of the file that were not
        // written to: a file of code is trusted as a library is, and whoever changes one while it is in use changes code.
        let pages = unsafe { MmapOptions::new().offset(offset).len(bytes).map_copy(file) };
        Ok(CodePages(pages?))
    }
}

impl AsRef<[u8]> for CodePages {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Constants in a file: so many bytes into it, a multiple of 64.
#[derive(Clone, Debug)]
pub struct StoredConstants {
    /// The file.
    pub file: Arc<MappedFile>,
    /// Where they begin.
    pub offset: usize,
}

impl Executable {
    /// Makes code that was stored ready to run: an [`Object`]'s pieces and the plan it was made of.
    ///
    /// The code is trusted, as a library is: it must be what [`Object::new`] made of the plan. [`matches`](Self::matches)
    /// can be asked before.
    ///
    /// # Errors
    /// [`JitError::Stored`] if the pieces do not belong together, [`JitError::InstructionSet`] if this machine cannot run
    /// them.
    pub fn load(
        plan: Plan,
        linkage: &[u8],
        code: CodePages,
        constants: StoredConstants,
        threads: usize,
    ) -> Result<Executable, JitError> {
        let isa = machine(plan.isa)?;
        let wrong = |what: &str| JitError::Stored(what.to_owned());
        let linkage: Linkage = postcard::from_bytes(linkage).map_err(|error| wrong(&error.to_string()))?;
        let end = constants.offset.checked_add(plan.constant_bytes);
        if end.is_none_or(|end| end > constants.file.as_ref().as_ref().len()) || !constants.offset.is_multiple_of(64) {
            return Err(wrong("weights end after the file"));
        }
        let slots = linkage.slots.into_iter().map(|slot| match slot {
            StoredSlot::Runtime(name) => runtime_name(&name).map(Slot::Runtime),
            StoredSlot::Activation(activation) => Some(Slot::Activation(activation)),
        });
        let slots = slots.collect::<Option<Vec<_>>>();
        let slots = slots.ok_or_else(|| wrong("code calls functions that there are not"))?;
        let room = code.0.len().checked_sub(linkage.table).map(|bytes| bytes / ADDRESS);
        if room.is_none_or(|room| room < slots.len()) {
            return Err(wrong("the table of addresses ends after the code"));
        }
        if linkage.functions.iter().any(|&function| function >= linkage.table) {
            return Err(wrong("a function begins after the code"));
        }
        let calls: Vec<_> = linkage.calls.iter().map(Call::from).collect();
        let known = |call: &Call<Vec<Base>>| call.function < linkage.functions.len();
        if calls.len() != plan.steps.len() || !calls.iter().all(known) {
            return Err(wrong("steps call functions that there are not"));
        }
        let size = RunSize {
            arena_bytes: plan.arena_bytes,
            scratch_bytes: plan.scratch_bytes(),
            operands: calls.iter().map(|call| call.operands.len()).max().unwrap_or(0),
        };
        let memory = CodeMemory::finish(code.0, linkage.table, &slots, isa)?;
        let executor = Executor::new(size, ThreadPool::new(threads)?)?;
        Ok(Executable::assemble(
            plan,
            memory,
            &linkage.functions,
            calls,
            Arc::new(Constants::Stored(constants)),
            executor,
        ))
    }

    /// Whether stored pieces are what this version makes of a plan: compiles it anew and compares.
    ///
    /// # Errors
    /// [`JitError`]
    pub fn matches(plan: &Plan, linked: &[u8], code: &CodePages, threads: usize) -> Result<bool, JitError> {
        let made = portable_code(plan, &ThreadPool::new(threads)?)?;
        Ok(linkage(plan, &made)? == linked && made.image.bytes == code.as_ref())
    }
}

impl From<&Call<Vec<Base>>> for StoredCall {
    fn from(call: &Call<Vec<Base>>) -> StoredCall {
        let base = |base: &Base| match *base {
            Base::Arena(offset) => StoredBase::Arena(offset),
            Base::Constant(offset) => StoredBase::Constant(offset),
            Base::Input(input) => StoredBase::Input(input),
            Base::Output(output) => StoredBase::Output(output),
        };
        StoredCall {
            function: call.function,
            operands: call.operands.iter().map(base).collect(),
            tasks: call.tasks,
            scratch: call.scratch,
            divide: call.divide,
        }
    }
}

impl From<&StoredCall> for Call<Vec<Base>> {
    fn from(call: &StoredCall) -> Call<Vec<Base>> {
        let base = |base: &StoredBase| match *base {
            StoredBase::Arena(offset) => Base::Arena(offset),
            StoredBase::Constant(offset) => Base::Constant(offset),
            StoredBase::Input(input) => Base::Input(input),
            StoredBase::Output(output) => Base::Output(output),
        };
        Call {
            function: call.function,
            operands: call.operands.iter().map(base).collect(),
            tasks: call.tasks,
            scratch: call.scratch,
            divide: call.divide,
        }
    }
}
