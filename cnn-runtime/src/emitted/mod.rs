//! What code that `cnn!` emits calls: vectors, portable tiles, arenas, networks.
//!
//! Emitted code is a compiler's output: it is `unsafe` where it follows addresses, and relies on its plan having been
//! verified when it was made.

mod arena;
#[cfg(feature = "std")]
mod declared;
mod foreign;
#[cfg(feature = "std")]
mod lengths;
#[cfg(feature = "std")]
mod network;
mod tile;
mod vector;

pub use arena::{Aligned, Arena};
#[cfg(feature = "ndarray")]
pub use declared::ShapeError;
#[cfg(feature = "std")]
pub use declared::{Declared, zeros};
pub use foreign::{Place, SharedArena};
#[cfg(feature = "std")]
pub use lengths::LengthError;
#[cfg(feature = "std")]
pub use network::{Definition, LoadError, Network};
pub use tile::{Product, Tile, tile};
pub use vector::F32x8;

pub use cnn_types::{Activation, InstructionSet, Quantisation};

#[cfg(feature = "std")]
pub use crate::executor::RunSize;
pub use crate::kernels::Isa;
pub use crate::kernels::activation::RowFunction;
pub use crate::kernels::along::{AlongShape, TakeShape};
pub use crate::kernels::integer::{
    AddShape, ConvShape, CopyShape, DepthwiseShape, DequantizeShape, FillShape, PoolShape, QuantizeShape,
};
pub use crate::kernels::lrn::{LrnRow, lrn_symbol};
pub use crate::kernels::softmax::softmax_symbol;
pub use crate::kernels::task::Kernel;
pub use crate::kernels::winograd::{InputShape, InputTransform, OutputShape, OutputTransform, Winograd};
#[cfg(feature = "std")]
pub use crate::pack::{
    ChannelOrder, FilterSource, FixedPanels, Integers, Norm, PackError, Panels, Recipe, Transposed, WinogradFilters,
};
pub use crate::steps::{Base, Bases, Call, StepFn, Steps};
#[cfg(feature = "std")]
pub use crate::weights::{WeightError, WeightSource};

/// What step functions are compiled for: a type for each instruction set, because functions can depend on types.
pub trait Instructions {
    /// The set.
    const SET: InstructionSet;
}

/// The instructions of every processor.
#[derive(Debug)]
pub struct Portable;

/// AVX2 and FMA.
#[derive(Debug)]
pub struct Avx2;

impl Instructions for Portable {
    const SET: InstructionSet = InstructionSet::Portable;
}

impl Instructions for Avx2 {
    const SET: InstructionSet = InstructionSet::Avx2;
}

/// The functions of the best instruction set that this processor has, of sets in that order. Without an operating system,
/// which alone can tell, those of every processor, which come last.
pub fn best(functions: &'static [(InstructionSet, &'static [StepFn])]) -> &'static [StepFn] {
    #[cfg(feature = "std")]
    let found = functions.iter().find(|(set, _)| Isa::new(*set).is_some());
    #[cfg(not(feature = "std"))]
    let found = functions.last();
    found.map_or(&[], |(_, functions)| *functions)
}

/// The instruction set of step functions.
///
/// # Safety
/// The processor has it.
#[inline(always)]
pub unsafe fn isa<S: Instructions>() -> Isa {
    // SAFETY: the caller's promise.
    unsafe { Isa::assume(S::SET) }
}

/// A step's n-th operand.
///
/// # Safety
/// There are more than `index` operands.
#[inline(always)]
pub unsafe fn operand(operands: *const *mut u8, index: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { operands.add(index).read() }
}

/// A float, which need not be aligned.
///
/// # Safety
/// Four readable bytes.
#[inline(always)]
pub unsafe fn load(at: *const u8) -> f32 {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<f32>().read_unaligned() }
}

/// Writes a float, which need not be aligned.
///
/// # Safety
/// Four writable bytes.
#[inline(always)]
pub unsafe fn store(value: f32, at: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<f32>().write_unaligned(value) }
}
