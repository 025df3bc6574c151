//! A compiled network at run time: its steps, what they are called with, and how they run one after the other.
//!
//! Nothing here allocates or needs an operating system.

use core::ops::Deref;
use core::ptr;

/// A step's function: does tasks `first..end`.
///
/// To call one, `operands` must be as many addresses as the step has, each of memory as large and, where it is
/// written, as exclusively the step's as the network's plan says; `scratch` must be memory for this thread alone if the
/// step needs any; and the processor must have the instructions that it was compiled for.
pub type StepFn = unsafe extern "C" fn(operands: *const *mut u8, first: usize, end: usize, scratch: *mut u8);

/// Where one of a step's operands is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// So many bytes into the arena.
    Arena(usize),
    /// So many bytes into the block of constants.
    Constant(usize),
    /// The user's array for that input.
    Input(usize),
    /// The user's array for that output.
    Output(usize),
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub struct Call<B = &'static [Base]> {
    /// Which of the network's functions does it.
    pub function: usize,
    /// What the function is called with.
    pub operands: B,
    /// Independent tasks.
    pub tasks: usize,
    /// Whether it needs scratch memory.
    pub scratch: bool,
    /// Whether there is so much to do that threads should share it.
    pub divide: bool,
}

/// A network's steps in order, and their functions.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a, B = &'static [Base]> {
    /// The functions.
    pub functions: &'a [StepFn],
    /// The steps.
    pub calls: &'a [Call<B>],
}

/// The memory that steps work on.
#[derive(Debug)]
pub struct Bases<'a, 'b> {
    /// The start of the arena.
    pub arena: *mut u8,
    /// The start of the constants.
    pub constants: *const u8,
    /// The user's inputs.
    pub inputs: &'a [&'a [f32]],
    /// The user's outputs.
    pub outputs: &'a mut [&'b mut [f32]],
}

impl Bases<'_, '_> {
    /// The address of an operand; null for an input or output that is not there.
    pub fn address(&mut self, base: Base) -> *mut u8 {
        match base {
            Base::Arena(offset) => self.arena.wrapping_add(offset),
            Base::Constant(offset) => self.constants.cast_mut().wrapping_add(offset),
            Base::Input(input) => {
                let input = self.inputs.get(input);
                input.map_or(ptr::null_mut(), |input| input.as_ptr().cast_mut().cast())
            }
            Base::Output(output) => {
                let output = self.outputs.get_mut(output);
                // Without a reference to the elements: an operand of the same step may be the same output.
                output.map_or(ptr::null_mut(), |output| (&raw mut **output).cast())
            }
        }
    }
}

impl<B: Deref<Target = [Base]>> Steps<'_, B> {
    /// Runs all steps on this thread.
    ///
    /// # Safety
    /// The functions may be called as [`StepFn`] says with memory from `bases` and `scratch`; `pointers` has room for
    /// the operands of any step.
    pub unsafe fn run(&self, mut bases: Bases<'_, '_>, scratch: *mut u8, pointers: &mut [*mut u8]) {
        for call in self.calls {
            for (pointer, &base) in pointers.iter_mut().zip(call.operands.iter()) {
                *pointer = bases.address(base);
            }
            // SAFETY: the caller's promise.
            unsafe { self.functions[call.function](pointers.as_ptr(), 0, call.tasks, scratch) }
        }
    }
}
