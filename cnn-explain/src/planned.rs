//! The plan as the page shows it: steps with kernels and reasons, buffers over time, code.

use cnn_codegen::jit::Listed;
use cnn_codegen::loops::Program;
use cnn_codegen::plan::{self, Plan, Storage};
use serde::Serialize;

use crate::code_text::Code;
use crate::{ExplainError, Machine};

/// A plan with its code and times.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// What it is compiled for.
    pub target: String,
    /// Bytes of the arena.
    pub arena: usize,
    /// What no arena could be smaller than.
    pub bound: usize,
    /// Bytes of packed weights.
    pub constants: usize,
    /// What the machine can do at most: floating-point operations a second, bytes a second.
    pub roofs: Option<[f64; 2]>,
    /// Threads that shared the measured runs.
    pub threads: usize,
    /// What is done, in order.
    pub steps: Vec<PlannedStep>,
    /// The memory for values.
    pub buffers: Vec<Buffer>,
    /// The code.
    pub code: Vec<Code>,
}

/// A step of a plan.
#[derive(Debug, Serialize)]
pub struct PlannedStep {
    /// The layer it belongs to.
    pub layer: String,
    /// That layer's operator.
    pub op: &'static str,
    /// The kernel.
    pub kernel: String,
    /// Why this one.
    pub why: String,
    /// Multiplications for one image.
    pub multiplications: u64,
    /// Bytes it moves if no cache holds anything.
    pub bytes: u64,
    /// Buffers it reads.
    pub reads: Vec<usize>,
    /// The buffer it writes.
    pub writes: usize,
    /// How its constants are made.
    pub recipes: Vec<String>,
    /// Its function, by position in the code.
    pub code: usize,
    /// Its tasks, which are independent of each other.
    pub tasks: usize,
    /// How long it took, in milliseconds; `None` if nobody measured.
    pub ms: Option<f64>,
}

/// Memory for a value.
#[derive(Debug, Serialize)]
pub struct Buffer {
    /// The layer whose value it holds.
    pub name: String,
    /// That value's shape.
    pub shape: Vec<usize>,
    /// Its layout, in words.
    pub layout: String,
    /// Its size.
    pub bytes: usize,
    /// Where in the arena it begins; `None` for the user's arrays.
    pub offset: Option<usize>,
    /// First and last step that uses it; `None` if none does.
    pub life: Option<[usize; 2]>,
}

/// The plan's data. `listing` has the kernels first and then the functions, as the compiler made them.
pub(crate) fn planned(plan: &Plan, listing: &[Listed], machine: &Machine) -> Result<Planned, ExplainError> {
    let program = Program::new(plan).map_err(ExplainError::Plan)?;
    let kernels = listing.len().saturating_sub(program.functions.len());
    let code = listing.iter().enumerate().map(|(index, listed)| {
        let function = index
            .checked_sub(kernels)
            .and_then(|index| program.functions.get(index));
        Code::new(listed, function.map(|(_, function)| function))
    });
    let mut lives: Vec<Option<[usize; 2]>> = vec![None; plan.buffers.len()];
    let mut steps = Vec::with_capacity(plan.steps.len());
    for (index, step) in plan.steps.iter().enumerate() {
        let reads: Vec<usize> = step.work.reads().iter().map(|buffer| buffer.0).collect();
        let writes = step.work.writes().0;
        for &buffer in reads.iter().chain([&writes]) {
            let [first, _] = lives[buffer].unwrap_or([index; 2]);
            lives[buffer] = Some([first, index]);
        }
        let recipes = step.work.constants().into_iter();
        steps.push(PlannedStep {
            layer: step.layer.clone(),
            op: step.op,
            kernel: step.kernel.clone(),
            why: step.why.clone(),
            multiplications: step.multiplications,
            bytes: step.bytes,
            reads,
            writes,
            recipes: recipes
                .map(|constant| plan.constants[constant.0].recipe.to_string())
                .collect(),
            code: kernels + program.steps[index].function,
            tasks: program.steps[index].tasks,
            ms: machine.times.get(index).map(|time| time.as_secs_f64() * 1e3),
        });
    }
    let json = plan::to_json(plan);
    let layout = |index: usize| json["buffers"][index]["layout"].as_str().unwrap_or_default().to_owned();
    let buffers = plan.buffers.iter().enumerate().map(|(index, buffer)| Buffer {
        name: buffer.name.clone(),
        shape: buffer.shape.dims(),
        layout: layout(index),
        bytes: buffer.bytes,
        offset: match buffer.storage {
            Storage::Arena(offset) => Some(offset),
            Storage::Input(_) | Storage::Output(_) => None,
        },
        life: lives[index],
    });
    Ok(Planned {
        target: machine.target.clone(),
        arena: plan.arena_bytes,
        bound: plan.lower_bound_bytes,
        constants: plan.constant_bytes,
        roofs: machine.roofs,
        threads: plan.threads,
        buffers: buffers.collect(),
        code: code.collect(),
        steps,
    })
}
