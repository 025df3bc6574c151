//! An emitted network with its weights and threads.

use std::fmt;
use std::marker::PhantomData;

use cnn_types::InstructionSet;
use thiserror::Error;

use crate::executor::{Executor, RunSize};
use crate::memory::{AlignedBuffer, MemoryError};
use crate::pack::{PackError, Recipe, pack_constants};
use crate::steps::{Bases, Call, StepFn, Steps};
use crate::threads::ThreadPool;
use crate::weights::{WeightError, WeightSource};

/// What a network is made of: emitted code's tables.
#[derive(Debug)]
pub struct Definition {
    /// The functions for each instruction set, the best first, those for every processor last.
    pub functions: &'static [(InstructionSet, &'static [StepFn])],
    /// The steps.
    pub calls: &'static [Call],
    /// How much memory a run takes.
    pub size: RunSize,
    /// The constants and where they are in their block.
    pub recipes: fn() -> Vec<(usize, Recipe)>,
    /// Bytes of all constants.
    pub constant_bytes: usize,
    /// Threads that it was planned for.
    pub threads: usize,
}

/// Why a network could not be loaded.
///
/// `Debug` prints the message too: that is how `main` shows the error it returns.
#[derive(Error)]
pub enum LoadError {
    /// Weights do not fit, or there is not enough memory for them.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// There is not enough memory for a run.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Worker threads could not be started.
    #[error("threads cannot be started: {0}")]
    Threads(#[from] std::io::Error),
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// So that a file of weights and a network are loaded with `?` in one function.
impl From<WeightError> for LoadError {
    fn from(error: WeightError) -> LoadError {
        PackError::Weights(vec![error]).into()
    }
}

/// Where the constants are.
#[derive(Debug)]
enum Constants {
    Packed(AlignedBuffer),
    Embedded(&'static [u8]),
}

/// A network that is ready to run, from several threads at once if need be. It belongs to the type `Of`, so that it is
/// never taken for another's.
#[derive(Debug)]
pub struct Network<Of> {
    definition: &'static Definition,
    functions: &'static [StepFn],
    constants: Constants,
    executor: Executor,
    of: PhantomData<fn() -> Of>,
}

impl<Of> Network<Of> {
    /// Packs the weights. As many threads share a run as it was planned for; see [`Network::with_threads`].
    ///
    /// # Errors
    /// [`LoadError`]
    ///
    /// # Safety
    /// The definition is that of `Of`, of a verified plan.
    pub unsafe fn load(definition: &'static Definition, weights: &dyn WeightSource) -> Result<Network<Of>, LoadError> {
        let pool = ThreadPool::new(definition.threads)?;
        let recipes = (definition.recipes)();
        let recipes = recipes.iter().map(|(offset, recipe)| (*offset, recipe));
        let block = pack_constants(recipes, definition.constant_bytes, weights, &pool)?;
        Network::new(definition, Constants::Packed(block), pool)
    }

    /// With weights that are packed already.
    ///
    /// # Errors
    /// [`LoadError::Memory`]
    ///
    /// # Panics
    /// If these are not as many bytes as the definition says.
    ///
    /// # Safety
    /// The definition is that of `Of`, of a verified plan; the constants are aligned to 64 bytes.
    pub unsafe fn embedded(
        definition: &'static Definition,
        constants: &'static [u8],
    ) -> Result<Network<Of>, LoadError> {
        assert_eq!(constants.len(), definition.constant_bytes, "packed weights");
        Network::new(
            definition,
            Constants::Embedded(constants),
            ThreadPool::new(definition.threads)?,
        )
    }

    fn new(definition: &'static Definition, constants: Constants, pool: ThreadPool) -> Result<Network<Of>, LoadError> {
        Ok(Network {
            definition,
            functions: super::best(definition.functions),
            constants,
            executor: Executor::new(definition.size, pool)?,
            of: PhantomData,
        })
    }

    /// Shares each run between so many threads, the caller's included; 0 means one per core. Results stay the same to
    /// the bit.
    ///
    /// # Errors
    /// [`LoadError::Threads`], [`LoadError::Memory`]
    pub fn with_threads(mut self, threads: usize) -> Result<Network<Of>, LoadError> {
        self.executor = Executor::new(self.definition.size, ThreadPool::new(threads)?)?;
        Ok(self)
    }

    /// Without the instructions that only some processors have.
    #[must_use]
    pub fn portable(mut self) -> Network<Of> {
        self.functions = self
            .definition
            .functions
            .last()
            .map_or(&[], |(_, functions)| *functions);
        self
    }

    fn constants(&self) -> *const u8 {
        match &self.constants {
            Constants::Packed(buffer) => buffer.as_ptr().cast(),
            Constants::Embedded(bytes) => bytes.as_ptr(),
        }
    }

    fn steps(&self) -> Steps<'static> {
        Steps {
            functions: self.functions,
            calls: self.definition.calls,
        }
    }

    /// Runs the network. Allocates nothing, unless more runs are under way at once than ever before.
    ///
    /// # Safety
    /// The slices are the network's inputs and outputs, in order and of their sizes.
    ///
    /// # Panics
    /// If there is no memory for a run beside those under way.
    pub unsafe fn run(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        // SAFETY: the caller's promise; the functions are this processor's.
        let result = unsafe {
            self.executor
                .run(self.steps(), self.constants(), inputs, outputs, |_, step| step())
        };
        if let Err(error) = result {
            panic!("{error}");
        }
    }

    /// Runs the network on this thread, in memory of the caller's.
    ///
    /// # Safety
    /// As [`Network::run`]; `arena` is nobody else's meanwhile, of [`RunSize::arena_bytes`] and aligned to 64 bytes, and behind it, at the next
    /// multiple of 64, [`RunSize::scratch_bytes`]; `pointers` has room for the operands of any step.
    pub unsafe fn run_in(
        &self,
        arena: *mut u8,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        pointers: &mut [*mut u8],
    ) {
        let bases = Bases {
            arena,
            constants: self.constants(),
            inputs,
            outputs,
        };
        let scratch = arena.wrapping_add(self.definition.size.arena_bytes.next_multiple_of(64));
        // SAFETY: the caller's promise; the functions are this processor's.
        unsafe { self.steps().run(bases, scratch, pointers) }
    }
}
