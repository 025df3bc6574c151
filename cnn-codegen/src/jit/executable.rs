//! Finished code with its constants: the only place that runs emitted functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cnn_runtime::executor::{Executor, RunSize};
use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::{AlignedBuffer, MemoryError};
use cnn_runtime::steps::{Base, Call, StepFn, Steps};
use cnn_runtime::threads::ThreadPool;
use thiserror::Error;

use super::code_memory::CodeMemory;
use super::object::StoredConstants;
use super::{Code, JitError};
use crate::plan::Plan;

/// A compiled network: code, constants and memory. May be run from several threads at once.
pub struct Executable {
    plan: Plan,
    functions: Vec<StepFn>,
    calls: Vec<Call<Vec<Base>>>,
    constants: Arc<Constants>,
    executor: Executor,
    _code: CodeMemory,
}

/// Where constants are.
pub(super) enum Constants {
    /// In memory of their own.
    Own(AlignedBuffer),
    /// In a file's pages.
    Stored(StoredConstants),
}

impl Constants {
    fn as_ptr(&self) -> *const u8 {
        match self {
            Constants::Own(buffer) => buffer.as_ptr().cast(),
            Constants::Stored(StoredConstants { file, offset }) => file.as_ref().as_ref()[*offset..].as_ptr(),
        }
    }
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
    /// Places code of a plan, for an instruction set that this machine has.
    pub(super) fn new(
        plan: Plan,
        code: &Code,
        isa: Isa,
        constants: Arc<Constants>,
        pool: ThreadPool,
    ) -> Result<Executable, JitError> {
        let calls = code.program.calls(&plan);
        let size = RunSize {
            arena_bytes: plan.arena_bytes,
            scratch_bytes: plan.scratch_bytes(),
            operands: code.program.most_operands(),
        };
        let memory = CodeMemory::new(&code.image, isa)?;
        let executor = Executor::new(size, pool)?;
        Ok(Executable::assemble(
            plan,
            memory,
            code.functions(),
            calls,
            constants,
            executor,
        ))
    }

    /// What was placed, with all that a run needs. `functions` begin so many bytes into the memory.
    pub(super) fn assemble(
        plan: Plan,
        memory: CodeMemory,
        functions: &[usize],
        calls: Vec<Call<Vec<Base>>>,
        constants: Arc<Constants>,
        executor: Executor,
    ) -> Executable {
        let functions = functions.iter().map(|&offset| {
            // SAFETY: the function was declared and emitted with this signature.
            unsafe { std::mem::transmute::<*const u8, StepFn>(memory.function(offset)) }
        });
        Executable {
            functions: functions.collect(),
            plan,
            calls,
            constants,
            executor,
            _code: memory,
        }
    }

    /// Its constants, if those of a plan are the same, made of the same weights: whoever asks knows that they are.
    pub(super) fn constants_for(&self, plan: &Plan) -> Option<Arc<Constants>> {
        let same = self.plan.constants == plan.constants && self.plan.constant_bytes == plan.constant_bytes;
        same.then(|| Arc::clone(&self.constants))
    }

    /// The plan it carries out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Threads of one run.
    pub fn threads(&self) -> usize {
        self.executor.threads()
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
        around: impl FnMut(usize, &dyn Fn()),
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
        let steps = Steps {
            functions: &self.functions,
            calls: &self.calls,
        };
        // SAFETY: the plan was verified: with these operands a step stays within its buffers, whose sizes were checked
        // above or allocated by the plan, and tasks write disjoint places. Inputs and constants are only read.
        unsafe {
            self.executor
                .run(steps, self.constants.as_ptr(), inputs, outputs, around)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use cnn_ir::front::graph_from_toml;
    use cnn_runtime::weights::Synthetic;

    use super::*;
    use crate::compile::{Options, compile, compile_beside};

    const NETWORK: &str =
        "[inputs]\nx = [8, SIZE, SIZE]\n[[layer]]\nname = 'c'\nop = 'conv'\nfilters = 16\nkernel = 1\n";

    #[test]
    fn networks_of_the_same_weights_share_constants() {
        let graph = |size: &str| {
            let text = NETWORK.replace("SIZE", size);
            graph_from_toml(&text).expect("a valid declaration").0
        };
        let options = |batch: usize| Options {
            batch,
            threads: Some(1),
            ..Options::default()
        };
        let weights = Synthetic { seed: 1 };
        let (first, _) = compile(&graph("8"), &weights, &options(1)).expect("code");
        let constants = |network: &crate::compile::Executable| Arc::clone(&network.code().expect("code").constants);
        for (size, batch) in [("8", 2), ("9", 1), ("16", 3)] {
            let (other, _) = compile_beside(&[&first], &graph(size), &weights, &options(batch)).expect("code");
            let plans = [&first, &other].map(|network| &network.code().expect("code").plan().constants);
            let shared = Arc::ptr_eq(&constants(&first), &constants(&other));
            assert_eq!(shared, plans[0] == plans[1], "{size} {batch}");
            assert!(
                shared,
                "a 1×1 convolution packs its weights alike at every size: {size} {batch}"
            );
        }
        let more = graph_from_toml(&NETWORK.replace("SIZE", "8").replace("16", "32"))
            .expect("a valid declaration")
            .0;
        let (other, _) = compile_beside(&[&first], &more, &weights, &options(1)).expect("code");
        assert!(!Arc::ptr_eq(&constants(&first), &constants(&other)));
    }
}
