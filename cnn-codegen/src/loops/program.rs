//! All functions of a plan.

use cnn_runtime::steps::{Base, Call};

use super::along;
use super::code::{AddressExpr, Function, Int, IntExpr};
use super::copy;
use super::elementwise;
use super::integer;
use super::interner::Interner;
use super::reduce;
use super::step::{Builder, Step};
use super::writer::Writer;
use crate::plan::layout::{BLOCK, Layout};
use crate::plan::{self, BufferId, ConstantId, Plan, PlanFault, Storage, Work};
use crate::tile::TileSpec;

/// A plan as code.
#[derive(Clone, Debug)]
pub struct Program {
    /// The tile kernels.
    pub kernels: Vec<TileSpec>,
    /// The functions of steps, by name; no two are the same code.
    pub functions: Vec<(String, Function)>,
    /// The steps of the plan in order.
    pub steps: Vec<StepCode>,
}

/// How a step is carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCode {
    /// Which of the program's functions does it.
    pub function: usize,
    /// What the function's operands are.
    pub operands: Vec<Operand>,
    /// Into how many independent tasks it can be divided.
    pub tasks: usize,
}

/// What a step's function finds at one of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A buffer.
    Buffer(BufferId),
    /// A constant.
    Constant(ConstantId),
}

impl Program {
    /// Plan → functions. Checks the plan first: code trusts it.
    ///
    /// # Errors
    /// What is wrong with the plan.
    pub fn new(plan: &Plan) -> Result<Program, Vec<PlanFault>> {
        plan::verify(plan)?;
        let (mut kernels, mut functions, mut names) = (Interner::new(), Interner::new(), Vec::new());
        let mut steps = Vec::with_capacity(plan.steps.len());
        for (index, step) in plan.steps.iter().enumerate() {
            let operands = operands(&step.work);
            let code = function(plan, &step.work, operands.len(), &mut kernels);
            let function = functions.number(&code);
            if function == names.len() {
                names.push(format!("step_{index}_{}", step.op));
            }
            steps.push(StepCode {
                function,
                operands,
                tasks: tasks(plan, &step.work),
            });
        }
        Ok(Program {
            kernels: kernels.into_list(),
            functions: names.into_iter().zip(functions.into_list()).collect(),
            steps,
        })
    }

    /// The steps as the runtime calls them.
    pub fn calls(&self, plan: &Plan) -> Vec<Call<Vec<Base>>> {
        let call = |(step, code): (&plan::Step, &StepCode)| Call {
            function: code.function,
            operands: code.operands.iter().map(|&operand| base(plan, operand)).collect(),
            tasks: code.tasks,
            scratch: step.work.scratch_bytes() > 0,
            divide: is_worth_dividing(plan, step),
        };
        plan.steps.iter().zip(&self.steps).map(call).collect()
    }

    /// The most operands of a step.
    pub fn most_operands(&self) -> usize {
        self.steps.iter().map(|step| step.operands.len()).max().unwrap_or(0)
    }
}

/// Work below which a step is not divided: waking another core's cache costs more.
const DIVIDE_MULTIPLICATIONS: u64 = 100_000;
const DIVIDE_BYTES: usize = 64 << 10;

fn is_worth_dividing(plan: &Plan, step: &plan::Step) -> bool {
    let multiplications = step.multiplications.saturating_mul(plan.batch as u64);
    multiplications >= DIVIDE_MULTIPLICATIONS || plan.buffers[step.work.writes().0].bytes >= DIVIDE_BYTES
}

fn base(plan: &Plan, operand: Operand) -> Base {
    match operand {
        Operand::Constant(constant) => Base::Constant(plan.constants[constant.0].offset),
        Operand::Buffer(buffer) => match plan.buffers[buffer.0].storage {
            Storage::Arena(offset) => Base::Arena(offset),
            Storage::Input(input) => Base::Input(input),
            Storage::Output(output) => Base::Output(output),
        },
    }
}

/// The operands of a step's function, in the order its nest expects.
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

/// Independent tasks of a step.
fn tasks(plan: &Plan, work: &Work) -> usize {
    let blocks = |view: &plan::View| plan.batch * view.shape.channels().div_ceil(BLOCK);
    match work {
        Work::Sweep(sweep) => sweep.nest.tasks(),
        Work::Winograd(work) => work.tasks(plan.batch),
        Work::Copy(copy) => copy::tasks(plan, copy),
        Work::ClearHalo(buffer) if plan.buffers[buffer.0].element.quantisation().is_some() => plan.batch,
        Work::ClearHalo(buffer) => {
            let buffer = &plan.buffers[buffer.0];
            let channels = buffer.shape.channels();
            let blocked = matches!(buffer.layout, Layout::Blocked { .. });
            plan.batch * if blocked { channels.div_ceil(BLOCK) } else { channels }
        }
        Work::Integer(work) => integer::tasks(plan, work),
        Work::Along(work) => along::tasks(plan, work),
        Work::Elementwise(elementwise) => elementwise::tasks(plan, elementwise),
        Work::Pool(pool) => blocks(&pool.output),
        Work::GlobalPool { output, .. } | Work::AdaptiveAvgPool { output, .. } => blocks(output),
        Work::Gather(gather) => blocks(&gather.to),
        Work::Interpolate(interpolate) => blocks(&interpolate.output),
        Work::Matmul { output, .. } => {
            let [channels, rows, _] = output.shape.extent();
            plan.batch * channels * rows
        }
        Work::Recurrent(work) => work.tasks(plan.batch),
        Work::Reduce { output, .. } => reduce::tasks(plan.batch, *output),
        Work::Softmax { axis: 0, .. } => plan.batch,
        Work::Softmax { output, .. } => blocks(output),
        Work::Lrn { output, .. } => plan.batch * output.shape.extent()[1],
    }
}

/// The function of a step: the body of one task.
fn function(plan: &Plan, work: &Work, operands: usize, kernels: &mut Interner<TileSpec>) -> Function {
    let mut e = Writer::new(Step {
        plan,
        kernels,
        operands: Vec::new(),
        scratch: None,
    });
    e.operands = (0..operands)
        .map(|operand| e.address(AddressExpr::Operand(operand)))
        .collect();
    if work.scratch_bytes() > 0 {
        e.scratch = Some(e.address(AddressExpr::Scratch));
    }
    let (first, end) = (e.int_expr(IntExpr::First), e.int_expr(IntExpr::End));
    e.range(first, end, |e, task| task_body(e, work, task));
    e.finish(operands)
}

fn task_body(e: &mut Builder<'_>, work: &Work, task: Int) {
    match work {
        Work::Sweep(sweep) => e.sweep(sweep, task),
        Work::Winograd(work) => e.winograd(work, task),
        Work::Copy(copy) => e.copy(copy, task),
        Work::ClearHalo(buffer) => match e.plan.buffers[buffer.0].element.quantisation() {
            Some(of) => e.fill_halo(*buffer, of.zero_point, task),
            None => e.clear_halo(*buffer, task),
        },
        Work::Integer(work) => e.integers(work, task),
        Work::Along(work) => e.along(work, task),
        Work::Elementwise(elementwise) => e.elementwise(elementwise, task),
        Work::Pool(pool) => e.pool(pool, task),
        Work::GlobalPool { input, output, kind } => e.global_pool(*input, *output, *kind, task),
        Work::AdaptiveAvgPool { input, output } => e.adaptive_avg_pool(*input, *output, task),
        Work::Softmax {
            input,
            output,
            axis,
            log,
        } => match axis {
            0 => e.softmax(*input, *output, *log, task),
            _ => e.softmax_along(*input, *output, *axis, *log, task),
        },
        Work::Lrn { input, output, lrn } => e.lrn(*input, *output, *lrn, task),
        Work::Gather(gather) => e.gather(gather, task),
        Work::Interpolate(interpolate) => e.interpolate(interpolate, task),
        Work::Matmul { left, right, output } => e.matmul(*left, *right, *output, task),
        Work::Recurrent(work) => e.recurrent(work, task),
        Work::Reduce {
            input,
            output,
            kind,
            axes,
        } => e.reduce_axes(*input, *output, *kind, *axes, task),
    }
}
