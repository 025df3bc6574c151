//! Kernels that do one task of a step: [`Kernel`] is which, with all numbers that are known when code is made, and
//! [`Kernel::symbol`] the function that does it.

use super::along::{self, AlongShape, TakeShape};
use super::integer::{
    self, AddShape, ConvShape, CopyShape, DepthwiseShape, DequantizeShape, FillShape, PoolShape, QuantizeShape,
};
use super::{Field, Isa};

/// The type of all kernels' functions: the kernel's shape; input, second operand or constant, output; the task.
///
/// To call one, the processor must have the instruction set it was asked for with, the shape must be the kernel's own, and
/// what the shape says of the task must be readable and writable, the output apart from all else.
pub type KernelFn =
    unsafe extern "C" fn(shape: *const u8, input: *const u8, other: *const u8, output: *mut u8, task: usize);

macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident($shape:ident) = $word:literal, $function:path;)*) => {
        /// A kernel and what is known of its work.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Kernel {
            $($(#[$doc])* $name($shape),)*
        }

        impl Kernel {
            /// The names of all kernels.
            pub const NAMES: &'static [&'static str] = &[$($word),*];

            /// Its name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Kernel::$name(_) => $word,)*
                }
            }

            /// The names of its variant and its shape in Rust.
            pub fn rust_names(&self) -> [&'static str; 2] {
                match self {
                    $(Kernel::$name(_) => [stringify!($name), stringify!($shape)],)*
                }
            }

            /// Shows each field of its shape, in the order of memory.
            pub fn fields(&self, show: &mut dyn FnMut(Field)) {
                match self {
                    $(Kernel::$name(shape) => shape.fields().into_iter().for_each(show),)*
                }
            }

            /// Shows the name of each kernel's shape, and its fields with where they begin.
            pub fn layouts(show: &mut dyn FnMut(&'static str, &'static [(&'static str, usize)])) {
                $(show(stringify!($shape), $shape::LAYOUT);)*
            }

            /// Where its shape is.
            pub fn shape(&self) -> *const u8 {
                match self {
                    $(Kernel::$name(shape) => core::ptr::from_ref(shape).cast(),)*
                }
            }

            /// Does one task of it.
            ///
            /// # Safety
            /// As [`KernelFn`].
            pub unsafe fn run(&self, isa: Isa, input: *const u8, other: *const u8, output: *mut u8, task: usize) {
                match self {
                    $(Kernel::$name(shape) => {
                        let function = $function(isa);
                        // SAFETY: the caller's promise; the shape is this kernel's.
                        unsafe { function(core::ptr::from_ref(shape).cast(), input, other, output, task) }
                    })*
                }
            }

            /// The function of the kernel of that name.
            pub fn symbol(name: &str, isa: Isa) -> Option<KernelFn> {
                match name {
                    $($word => Some($function(isa)),)*
                    _ => None,
                }
            }
        }
    };
}

kernels! {
    /// Floats to integers: a row.
    Quantize(QuantizeShape) = "integer_quantize", integer::convert::quantize;
    /// Integers to floats: a row.
    Dequantize(DequantizeShape) = "integer_dequantize", integer::convert::dequantize;
    /// Some channels of a row.
    Copy(CopyShape) = "integer_copy", integer::convert::copy;
    /// A border of one integer around an image.
    Fill(FillShape) = "integer_fill", integer::convert::fill;
    /// A convolution of one group: rows and panels of filters.
    Conv(ConvShape) = "integer_conv", integer::conv::conv;
    /// A convolution of one channel a group: a row.
    Depthwise(DepthwiseShape) = "integer_depthwise", integer::depthwise::depthwise;
    /// A sum: a row.
    Add(AddShape) = "integer_add", integer::elementwise::add;
    /// The greatest or least of windows: a row.
    Pool(PoolShape) = "integer_pool", integer::pool::pool;
    /// Where along an axis the greatest or least elements are: a row.
    Extreme(AlongShape) = "along_extreme", along::extreme::extreme;
    /// The few greatest or least elements along an axis: a row.
    Top(AlongShape) = "along_top", along::top::top;
    /// Running sums along an axis: a row.
    RunningSum(AlongShape) = "along_sum", along::sum::sum;
    /// Elements at computed places along an axis: a row.
    Take(TakeShape) = "along_take", along::take::take;
}

/// A function that is compiled for each instruction set, over plain code.
macro_rules! plain {
    ($isa:expr, $kernel:ident) => {{
        plain!(@enabled "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", avx512, $kernel);
        plain!(@enabled "avx2,fma", avx2, $kernel);

        unsafe extern "C" fn portable(shape: *const u8, input: *const u8, other: *const u8, output: *mut u8, task: usize) {
            // SAFETY: the caller's promise.
            unsafe { $kernel(&*shape.cast(), input, other, output, task) }
        }

        match $isa.set() {
            #[cfg(target_arch = "x86_64")]
            ::cnn_types::InstructionSet::Avx512 => avx512,
            #[cfg(target_arch = "x86_64")]
            ::cnn_types::InstructionSet::Avx2 => avx2,
            _ => portable,
        }
    }};
    (@enabled $features:literal, $set:ident, $kernel:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe extern "C" fn $set(shape: *const u8, input: *const u8, other: *const u8, output: *mut u8, task: usize) {
            // SAFETY: the caller's promise.
            unsafe { $kernel(&*shape.cast(), input, other, output, task) }
        }
    };
}

pub(super) use plain;
