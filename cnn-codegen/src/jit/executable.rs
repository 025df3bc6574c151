//! Finished code with its constants, arenas and threads: the only place that calls emitted functions.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cnn_runtime::memory::{AlignedBuffer, MemoryError};
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::WeightSource;
use thiserror::Error;

use super::code_memory::CodeMemory;
use super::functions::Kept;
use super::{Code, JitError};
use crate::loops::{Operand, StepCode};
use crate::plan::{Place, Plan, Step};

/// A step's function: operands, first item, end, scratch.
type StepFn = unsafe extern "C" fn(*const *mut u8, usize, usize, *mut u8);

/// Work below which a step is not divided: waking another core's cache costs more.
const DIVIDE_MULTIPLICATIONS: u64 = 100_000;
const DIVIDE_BYTES: usize = 64 << 10;

/// Pieces per thread that a divided step is cut into, so that a late thread does not hold up the others.
const PIECES: usize = 4;

/// Where one of a step's pointers leads.
#[derive(Clone, Copy, Debug)]
enum Base {
    Arena(usize),
    Constant(usize),
    Input(usize),
    Output(usize),
}

/// A step, ready to be called.
struct Call {
    function: StepFn,
    bases: Vec<Base>,
    items: usize,
    pieces: usize,
    scratch: bool,
}

/// What one run needs for itself.
struct Memory {
    arena: AlignedBuffer,
    /// The operands of the step under way; has room for those of any step.
    pointers: Pointers,
    /// One for each thread, enough for any step; those that no thread is using.
    scratch: Mutex<Vec<AlignedBuffer>>,
}

impl Memory {
    /// For steps of at most so many operands.
    fn new(plan: &Plan, operands: usize, threads: usize) -> Result<Memory, MemoryError> {
        let scratch = (0..threads)
            .map(|_| AlignedBuffer::zeroed_bytes(plan.scratch_bytes()))
            .collect::<Result<_, _>>()?;
        Ok(Memory {
            arena: AlignedBuffer::zeroed_bytes(plan.arena_bytes)?,
            pointers: Pointers(Vec::with_capacity(operands)),
            scratch: Mutex::new(scratch),
        })
    }
}

/// A compiled network: code, constants and memory. May be run from several threads at once.
pub struct Executable {
    plan: Plan,
    calls: Vec<Call>,
    constants: AlignedBuffer,
    /// Memory that no run is using.
    memory: Mutex<Vec<Memory>>,
    pool: ThreadPool,
    _code: CodeMemory,
    _kept: Kept,
}

/// Why a run did not happen.
#[derive(Debug, Error)]
pub enum RunError {
    /// Not as many arrays as the network has inputs or outputs.
    #[error("the network has {expected} {what}, {found} were given")]
    Count {
        /// "inputs" or "outputs".
        what: &'static str,
        /// How many there are.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// An array of another size.
    #[error("{what} `{name}` needs {expected} elements, {found} were given")]
    Length {
        /// "input" or "output".
        what: &'static str,
        /// Its name.
        name: String,
        /// Elements of all images of the batch.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// No memory for another arena.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl Executable {
    pub(super) fn new(
        plan: Plan,
        code: Code,
        weights: &dyn WeightSource,
        threads: usize,
    ) -> Result<Executable, JitError> {
        let pool = ThreadPool::new(threads)?;
        let constants = pack(&plan, weights, &pool)?;
        let Code {
            functions,
            program,
            compiled,
        } = code;
        let call = |(step, code): (&Step, &StepCode)| {
            let address = functions.module.get_finalized_function(compiled[code.function]);
            Call {
                // SAFETY: the function was declared and emitted with this signature.
                function: unsafe { std::mem::transmute::<*const u8, StepFn>(address) },
                bases: code.operands.iter().map(|&operand| base(&plan, operand)).collect(),
                items: code.items,
                scratch: step.work.scratch_bytes() > 0,
                pieces: pieces(&plan, step, code.items, pool.threads()),
            }
        };
        let calls: Vec<Call> = plan.steps.iter().zip(&program.steps).map(call).collect();
        let operands = calls.iter().map(|call| call.bases.len()).max().unwrap_or(0);
        let memory = Mutex::new(vec![Memory::new(&plan, operands, pool.threads())?]);
        let (module, kept) = functions.into_parts();
        Ok(Executable {
            plan,
            calls,
            constants,
            memory,
            pool,
            _code: module,
            _kept: kept,
        })
    }

    /// The plan it carries out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Threads of one run.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Runs the network on one batch.
    ///
    /// `inputs` and `outputs` are the network's in order, each with the elements of all images of the batch: inputs
    /// in their declared layout, outputs `[N, C, H, W]` or `[N, n]`. Allocates nothing, unless more runs are under way
    /// at once than ever before.
    ///
    /// # Errors
    /// Arrays of the wrong number or size, or no memory for another arena.
    pub fn run(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) -> Result<(), RunError> {
        self.run_steps(inputs, outputs, |_, step| step())
    }

    /// Runs the network and measures each step of the plan.
    ///
    /// # Errors
    /// As [`Executable::run`].
    pub fn profile(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) -> Result<Vec<Duration>, RunError> {
        let mut times = vec![Duration::ZERO; self.calls.len()];
        self.run_steps(inputs, outputs, |index, step| {
            let start = Instant::now();
            step();
            times[index] = start.elapsed();
        })?;
        Ok(times)
    }

    fn run_steps(
        &self,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        mut around: impl FnMut(usize, &dyn Fn()),
    ) -> Result<(), RunError> {
        self.check(
            "inputs",
            "input",
            &self.plan.inputs,
            inputs.iter().map(|input| input.len()),
        )?;
        self.check(
            "outputs",
            "output",
            &self.plan.outputs,
            outputs.iter().map(|output| output.len()),
        )?;
        let mut memory = self.take_memory()?;
        if cfg!(debug_assertions) {
            // Whatever a step reads without having been written shows in the outputs.
            memory.arena.floats_mut().fill(f32::NAN);
        }
        let Memory {
            arena,
            pointers,
            scratch,
        } = &mut memory;
        let arena = arena.as_mut_ptr().cast::<u8>();
        self.pool.wake();
        for (index, call) in self.calls.iter().enumerate() {
            pointers.0.clear();
            pointers.0.extend(call.bases.iter().map(|&base| match base {
                Base::Arena(offset) => arena.wrapping_add(offset),
                Base::Constant(offset) => self.constants.as_ptr().cast::<u8>().cast_mut().wrapping_add(offset),
                Base::Input(input) => inputs[input].as_ptr().cast::<u8>().cast_mut(),
                Base::Output(output) => outputs[output].as_mut_ptr().cast::<u8>(),
            }));
            let (pointers, scratch) = (&*pointers, &*scratch);
            around(index, &|| self.call(call, pointers, scratch));
        }
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        Ok(())
    }

    fn call(&self, call: &Call, pointers: &Pointers, scratch: &Mutex<Vec<AlignedBuffer>>) {
        let idle = || scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = |piece: usize| {
            let first = piece * call.items / call.pieces;
            let end = (piece + 1) * call.items / call.pieces;
            let mut own = if call.scratch { idle().pop() } else { None };
            let start = own.as_mut().map_or(std::ptr::null_mut(), |own| own.as_mut_ptr().cast());
            // SAFETY: the plan was verified: with these operands a step stays within its buffers, whose sizes were
            // checked or allocated by the plan, and items write disjoint places. The arena belongs to this run alone;
            // inputs and constants are only read. There is scratch for every thread of the run, so that a step that
            // needs it has it.
            unsafe { (call.function)(pointers.0.as_ptr(), first, end, start) }
            if let Some(own) = own {
                idle().push(own);
            }
        };
        if call.pieces == 1 {
            piece(0)
        } else {
            self.pool.run(call.pieces, &piece)
        }
    }

    fn take_memory(&self) -> Result<Memory, MemoryError> {
        let idle = self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let operands = || self.calls.iter().map(|call| call.bases.len()).max().unwrap_or(0);
        idle.map_or_else(|| Memory::new(&self.plan, operands(), self.pool.threads()), Ok)
    }

    fn check(
        &self,
        plural: &'static str,
        singular: &'static str,
        ports: &[crate::plan::Port],
        lengths: impl ExactSizeIterator<Item = usize>,
    ) -> Result<(), RunError> {
        if lengths.len() != ports.len() {
            return Err(RunError::Count {
                what: plural,
                expected: ports.len(),
                found: lengths.len(),
            });
        }
        for (port, found) in ports.iter().zip(lengths) {
            let expected = self.plan.batch * port.shape.elements();
            if found != expected {
                return Err(RunError::Length {
                    what: singular,
                    name: port.name.clone(),
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Executable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executable")
            .field("plan", &self.plan.name)
            .field("steps", &self.calls.len())
            .finish()
    }
}

/// The operands of one call, which the threads of a step share.
struct Pointers(Vec<*mut u8>);

// SAFETY: between runs nothing looks at the pointers; a run fills them anew.
unsafe impl Send for Pointers {}
// SAFETY: the pointers are only handed to the step's function, whose items do not interfere.
unsafe impl Sync for Pointers {}

fn base(plan: &Plan, operand: Operand) -> Base {
    match operand {
        Operand::Constant(constant) => Base::Constant(plan.constants[constant.0].offset),
        Operand::Buffer(buffer) => match plan.buffers[buffer.0].place {
            Place::Arena(offset) => Base::Arena(offset),
            Place::Input(input) => Base::Input(input),
            Place::Output(output) => Base::Output(output),
        },
    }
}

fn pieces(plan: &Plan, step: &Step, items: usize, threads: usize) -> usize {
    let bytes = plan.buffers[step.work.writes().0].bytes;
    let large =
        step.multiplications.saturating_mul(plan.batch as u64) >= DIVIDE_MULTIPLICATIONS || bytes >= DIVIDE_BYTES;
    if threads > 1 && large {
        items.clamp(1, PIECES * threads)
    } else {
        1
    }
}

/// Carries out all recipes, each on all threads.
fn pack(plan: &Plan, weights: &dyn WeightSource, pool: &ThreadPool) -> Result<AlignedBuffer, JitError> {
    let mut block = AlignedBuffer::zeroed_bytes(plan.constant_bytes)?;
    let floats = block.floats_mut();
    for constant in &plan.constants {
        let first = constant.offset / size_of::<f32>();
        let out = &mut floats[first..first + constant.recipe.floats()];
        constant.recipe.pack(weights, out, pool)?;
    }
    Ok(block)
}
