//! Runs a compiled network's steps on threads, with arenas that are kept from run to run.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::memory::{AlignedBuffer, MemoryError};
use crate::steps::{Base, Bases, Call, StepFn, Steps};
use crate::threads::ThreadPool;

/// Ranges of tasks per thread that a divided step is cut into, so that a late thread does not hold up the others.
const RANGES: usize = 4;

/// How much memory a run needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunSize {
    /// Bytes of the arena.
    pub arena_bytes: usize,
    /// Bytes that each thread needs for itself.
    pub scratch_bytes: usize,
    /// The most operands of a step.
    pub operands: usize,
}

/// Threads, and memory for as many runs as have ever been under way at once.
#[derive(Debug)]
pub struct Executor {
    size: RunSize,
    pool: ThreadPool,
    /// Memory that no run is using.
    idle: Mutex<Vec<RunMemory>>,
}

/// What one run needs for itself.
#[derive(Debug)]
struct RunMemory {
    arena: AlignedBuffer,
    /// The operands of the step under way.
    pointers: Pointers,
    /// One for each thread, enough for any step; those that no thread is using.
    scratch: Mutex<Vec<AlignedBuffer>>,
}

impl RunMemory {
    fn new(size: RunSize, threads: usize) -> Result<RunMemory, MemoryError> {
        let scratch = (0..threads).map(|_| AlignedBuffer::zeroed_bytes(size.scratch_bytes));
        Ok(RunMemory {
            arena: AlignedBuffer::zeroed_bytes(size.arena_bytes)?,
            pointers: Pointers(Vec::with_capacity(size.operands)),
            scratch: Mutex::new(scratch.collect::<Result<_, _>>()?),
        })
    }
}

/// The operands of one call, which the threads of a step share.
#[derive(Debug)]
struct Pointers(Vec<*mut u8>);

// SAFETY: between runs nothing looks at the pointers; a run fills them anew.
unsafe impl Send for Pointers {}
// SAFETY: the pointers are only handed to the step's function, whose tasks do not interfere.
unsafe impl Sync for Pointers {}

impl Executor {
    /// Memory for one run at a time, more when it is needed.
    ///
    /// # Errors
    /// If there is not so much memory.
    pub fn new(size: RunSize, pool: ThreadPool) -> Result<Executor, MemoryError> {
        let memory = RunMemory::new(size, pool.threads())?;
        Ok(Executor {
            size,
            pool,
            idle: Mutex::new(vec![memory]),
        })
    }

    /// Threads of one run.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Runs all steps. `around` is called with the number of each and what carries it out.
    ///
    /// Allocates nothing, unless more runs are under way at once than ever before.
    ///
    /// # Safety
    /// The functions may be called, for any division of their tasks between threads, as
    /// [`StepFn`] says, with memory of [`RunSize`] as arena and scratch, `constants`, and the
    /// inputs and outputs.
    ///
    /// # Errors
    /// If there is no memory for another arena.
    pub unsafe fn run<B: Deref<Target = [Base]>>(
        &self,
        steps: Steps<'_, B>,
        constants: *const u8,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        mut around: impl FnMut(usize, &dyn Fn()),
    ) -> Result<(), MemoryError> {
        let idle = self.idle().and_then(|mut idle| idle.pop());
        let mut memory = idle.map_or_else(|| RunMemory::new(self.size, self.pool.threads()), Ok)?;
        if cfg!(debug_assertions) {
            // Whatever a step reads without having been written shows in the outputs.
            memory.arena.floats_mut().fill(f32::NAN);
        }
        let RunMemory {
            arena,
            pointers,
            scratch,
        } = &mut memory;
        let mut bases = Bases {
            arena: arena.as_mut_ptr().cast(),
            constants,
            inputs,
            outputs,
        };
        let threads = if self.pool.is_forked() { 1 } else { self.pool.threads() };
        if threads > 1 {
            self.pool.wake();
        }
        for (index, call) in steps.calls.iter().enumerate() {
            pointers.0.clear();
            pointers.0.extend(call.operands.iter().map(|&base| bases.address(base)));
            let (pointers, scratch) = (&*pointers, &*scratch);
            around(index, &|| {
                // SAFETY: the caller's promise; there is scratch for every thread of the run.
                unsafe { self.call(steps.functions[call.function], call, threads, pointers, scratch) }
            });
        }
        if let Some(mut idle) = self.idle() {
            idle.push(memory);
        }
        Ok(())
    }

    /// The memory that no run is using; `None` in a forked process where a thread that is not here was about to take some.
    fn idle(&self) -> Option<MutexGuard<'_, Vec<RunMemory>>> {
        match self.idle.try_lock() {
            Ok(idle) => Some(idle),
            Err(TryLockError::Poisoned(idle)) => Some(idle.into_inner()),
            Err(TryLockError::WouldBlock) if self.pool.is_forked() => None,
            Err(TryLockError::WouldBlock) => Some(self.idle.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// # Safety
    /// The step's function may be called with these operands and scratch.
    unsafe fn call<B>(
        &self,
        function: StepFn,
        call: &Call<B>,
        threads: usize,
        pointers: &Pointers,
        scratch: &Mutex<Vec<AlignedBuffer>>,
    ) {
        let tasks = call.tasks;
        let ranges = if threads > 1 && call.divide {
            tasks.clamp(1, RANGES * threads)
        } else {
            1
        };
        let needs_scratch = call.scratch;
        let idle = || scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let range = |range: usize| {
            let (first, end) = (range * tasks / ranges, (range + 1) * tasks / ranges);
            let mut own = if needs_scratch { idle().pop() } else { None };
            let start = own.as_mut().map_or(std::ptr::null_mut(), |own| own.as_mut_ptr().cast());
            // SAFETY: the caller's promise.
            unsafe { function(pointers.0.as_ptr(), first, end, start) }
            if let Some(own) = own {
                idle().push(own);
            }
        };
        if ranges == 1 {
            range(0);
        } else {
            self.pool.run(ranges, &range);
        }
    }
}
