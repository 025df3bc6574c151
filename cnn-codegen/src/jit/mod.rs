//! The JIT: a plan becomes machine code in memory.
//!
//! Each step is one function `fn(operands, first, end, scratch)` that does a range of the step's independent items, so that a
//! step can be divided between threads. Cranelift compiles the loop nests; what they spend their time in is either a
//! tile kernel (see [`crate::tile`]) or a function of the runtime for rows of elements. Steps that come out as the
//! same code share one function.
//!
//! | module | what it owns |
//! |---|---|
//! | `functions` | the module under construction: kernels, runtime functions, settings |
//! | `emit` | loops, addresses and vectors of eight floats |
//! | `sweep`, `winograd`, `copy`, `elementwise`, `pool`, `channels` | the loop nests |
//! | `code_memory` | the memory that code lives in |
//! | `executable` | finished code and its memory; the only place that calls it |

mod channels;
mod code_memory;
mod copy;
mod elementwise;
mod emit;
mod executable;
mod functions;
mod pool;
mod sweep;
mod winograd;

use std::collections::HashMap;

use cnn_runtime::memory::MemoryError;
use cnn_runtime::weights::{WeightError, WeightSource};
use cranelift_codegen::entity::EntityRef;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, InstBuilder, UserFuncName, Value};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module, ModuleError};
use thiserror::Error;

use crate::plan::layout::{BLOCK, Layout, extent};
use crate::plan::{self, BufferId, ConstantId, Plan, PlanFault, Step, TileIsa, Work};
use crate::tile::TileError;
use emit::{Emitter, FLOAT, memory};
pub use executable::{Executable, RunError};
use functions::Functions;
pub use functions::Listed;

/// Why a plan did not become code.
#[derive(Debug, Error)]
pub enum JitError {
    /// Cranelift has no code generator for this machine.
    #[error("no code can be generated for this machine: {0}")]
    Target(String),
    /// The plan is wrong: a mistake of the planner, not of the network.
    #[error("the plan is not sound, please report it: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Plan(Vec<PlanFault>),
    /// Cranelift refused a function.
    #[error("code generation failed: {0}")]
    Module(#[from] Box<ModuleError>),
    /// A tile kernel could not be made.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// Weights are missing, misshapen or damaged.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// There is not enough memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Worker threads could not be started.
    #[error("threads cannot be started: {0}")]
    Threads(#[from] std::io::Error),
}

impl From<ModuleError> for JitError {
    fn from(error: ModuleError) -> Self {
        JitError::Module(Box::new(error))
    }
}

/// What a step's function finds at one of its pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    Buffer(BufferId),
    Constant(ConstantId),
}

/// Compiles a plan and makes its constants.
///
/// `threads` run each step, 0 means all of the machine's; results do not depend on it.
///
/// # Errors
/// [`JitError`]
pub fn compile(plan: &Plan, weights: &dyn WeightSource, threads: usize) -> Result<Executable, JitError> {
    if plan.isa == TileIsa::Avx2Fma && !crate::tile::supported() {
        return Err(JitError::Target("the plan's tiles need AVX2 and FMA".into()));
    }
    let code = generate(plan, false)?;
    Executable::new(plan.clone(), code, weights, threads)
}

/// The code of a plan as texts, in the order it was made: kernels as they are first needed, and steps.
///
/// # Errors
/// [`JitError`]
pub fn listing(plan: &Plan) -> Result<Vec<Listed>, JitError> {
    Ok(generate(plan, true)?.functions.listing)
}

/// All functions of a plan.
struct Code {
    functions: Functions,
    /// The function of each step.
    steps: Vec<FuncId>,
}

/// Plan → functions. Checks the plan first: emitted code trusts it.
fn generate(plan: &Plan, keep_text: bool) -> Result<Code, JitError> {
    plan::verify(plan).map_err(JitError::Plan)?;
    let mut functions = Functions::new(plan.isa, keep_text)?;
    let mut contexts = FunctionBuilderContext::new();
    let mut known: HashMap<String, FuncId> = HashMap::new();
    let mut steps = Vec::with_capacity(plan.steps.len());
    for (index, step) in plan.steps.iter().enumerate() {
        let mut context = functions.module.make_context();
        context.func.signature.params.extend([AbiParam::new(I64); 4]);
        context.func.name = UserFuncName::user(0, 0);
        let builder = FunctionBuilder::new(&mut context.func, &mut contexts);
        let emitter = Emitter {
            builder,
            functions: &mut functions,
            plan,
            operands: Vec::new(),
            scratch: Value::new(0),
        };
        emit_step(emitter, step)?;
        // Steps that are the same code but for where their operands are.
        let text = context.func.display().to_string();
        let id = match known.get(&text) {
            Some(&id) => id,
            None => {
                let name = format!("step_{index}_{}", step.op);
                let id = functions
                    .module
                    .declare_function(&name, Linkage::Local, &context.func.signature)?;
                context.set_disasm(keep_text);
                functions.module.define_function(id, &mut context)?;
                if keep_text {
                    let asm = context
                        .compiled_code()
                        .and_then(|code| code.vcode.clone())
                        .unwrap_or_default();
                    functions.listing.push(Listed {
                        name,
                        clif: text.clone(),
                        asm,
                    });
                }
                known.insert(text, id);
                id
            }
        };
        steps.push(id);
    }
    functions.module.finalize_definitions()?;
    Ok(Code { functions, steps })
}

/// The pointers that a step's function gets, in the order its emitter expects.
fn operands(work: &Work) -> Vec<Operand> {
    let convolution = |input, weights, output, residual: Option<BufferId>| {
        let operands = [
            Operand::Buffer(input),
            Operand::Constant(weights),
            Operand::Buffer(output),
        ];
        operands.into_iter().chain(residual.map(Operand::Buffer)).collect()
    };
    if let Work::Sweep(sweep) = work {
        return convolution(sweep.input, sweep.weights, sweep.output, sweep.residual);
    }
    if let Work::Winograd(work) = work {
        let residual = work.residual.map(|view| view.buffer);
        return convolution(work.input.buffer, work.weights, work.output.buffer, residual);
    }
    let reads = work.reads().into_iter().map(Operand::Buffer);
    let constants = work.constants().into_iter().map(Operand::Constant);
    reads.chain([Operand::Buffer(work.writes())]).chain(constants).collect()
}

/// Independent items of a step.
fn items(plan: &Plan, work: &Work) -> usize {
    let blocks = |view: &plan::View| plan.batch * view.shape.channels().div_ceil(BLOCK);
    match work {
        Work::Sweep(sweep) => sweep.nest.items(),
        Work::Winograd(work) => plan.batch * work.items(),
        Work::Copy(copy) => copy::items(plan, copy),
        Work::ClearHalo(buffer) => {
            let buffer = &plan.buffers[buffer.0];
            let channels = buffer.shape.channels();
            let blocked = matches!(buffer.layout, Layout::Blocked { .. });
            plan.batch * if blocked { channels.div_ceil(BLOCK) } else { channels }
        }
        Work::Elementwise(elementwise) => elementwise::items(plan, elementwise),
        Work::Pool(pool) => blocks(&pool.output),
        Work::GlobalPool { output, .. } | Work::AdaptiveAvgPool { output, .. } | Work::Upsample { output, .. } => {
            blocks(output)
        }
        Work::Softmax { .. } => plan.batch,
        Work::Lrn { output, .. } => plan.batch * extent(output.shape)[1],
        Work::ChannelShuffle { output, .. } => plan.batch * output.shape.channels(),
    }
}

/// Emits `for item in first..end { body }`.
fn emit_step(mut e: Emitter<'_, '_>, step: &Step) -> Result<(), JitError> {
    let entry = e.builder.create_block();
    e.builder.append_block_params_for_function_params(entry);
    e.builder.switch_to_block(entry);
    e.builder.seal_block(entry);
    let [table, first, end, scratch] = [0, 1, 2, 3].map(|i| e.builder.block_params(entry)[i]);
    e.scratch = scratch;
    let pointer_bytes = 2 * FLOAT as i32;
    for index in 0..operands(&step.work).len() as i32 {
        let pointer = e.builder.ins().load(I64, memory(), table, index * pointer_bytes);
        e.operands.push(pointer);
    }
    let mut result = Ok(());
    e.range(first, end, |e, item| result = emit_item(e, &step.work, item));
    result?;
    e.builder.ins().return_(&[]);
    let config = e.functions.module.target_config();
    e.builder.finalize(config);
    Ok(())
}

fn emit_item(e: &mut Emitter<'_, '_>, work: &Work, item: Value) -> Result<(), JitError> {
    match work {
        Work::Sweep(sweep) => e.sweep(sweep, item)?,
        Work::Winograd(work) => e.winograd(work, item)?,
        Work::Copy(copy) => e.copy(copy, item),
        Work::ClearHalo(buffer) => e.clear_halo(*buffer, item),
        Work::Elementwise(elementwise) => e.elementwise(elementwise, item)?,
        Work::Pool(pool) => e.pool(pool, item),
        Work::GlobalPool { input, output, kind } => e.global_pool(*input, *output, *kind, item),
        Work::AdaptiveAvgPool { input, output } => e.adaptive_avg_pool(*input, *output, item),
        Work::Softmax { input, output, log } => e.softmax(*input, *output, *log, item)?,
        Work::Lrn { input, output, lrn } => e.lrn(*input, *output, *lrn, item)?,
        Work::Upsample {
            input,
            output,
            scale,
            mode,
        } => e.upsample(*input, *output, *scale, *mode, item),
        Work::ChannelShuffle { input, output, groups } => e.channel_shuffle(*input, *output, *groups, item),
    }
    Ok(())
}
