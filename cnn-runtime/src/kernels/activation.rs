//! Elementwise functions over rows of floats, and the table by which compiled code calls them.
//!
//! The errors of each function stand in `kernels/math/mod.rs`. NaN gives NaN (`sign` 0); at ±∞ the
//! functions are what PyTorch's formulas give, which may be NaN: `silu` of −∞ is −∞ · 0.

use cnn_types::Activation;

use super::Isa;
use super::isa::instance;
use super::lanes::{LANES, Lanes, Pair};
use super::math::{self, Function};

/// A function of every float of a row: an activation, or what softmax is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowFunction {
    /// An activation.
    Activation(Activation),
    /// exp(x).
    Exp,
    /// ln(x).
    Log,
}

/// The type of the functions compiled code calls: `dst[i] = f(src[i])` for `i < len`.
///
/// To call one, the processor must have the instruction set it was asked for with, `src` must be
/// readable and `dst` writable for `len` f32, and the two must be equal or not overlap.
pub type RowFn = unsafe extern "C" fn(src: *const f32, dst: *mut f32, len: usize, parameter0: f32, parameter1: f32);

impl From<Activation> for RowFunction {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Exp => Self::Exp,
            Activation::Log => Self::Log,
            activation => Self::Activation(activation),
        }
    }
}

impl RowFunction {
    /// Each, those with parameters once: compiled code finds their addresses under these names.
    pub const ALL: [Self; 31] = [
        Self::Exp,
        Self::Log,
        Self::Activation(Activation::Tanh),
        Self::Activation(Activation::Sigmoid),
        Self::Activation(Activation::Silu),
        Self::Activation(Activation::Gelu { tanh: false }),
        Self::Activation(Activation::Gelu { tanh: true }),
        Self::Activation(Activation::Softplus),
        Self::Activation(Activation::Elu { alpha: 1.0 }),
        Self::Activation(Activation::Selu),
        Self::Activation(Activation::HARD_SIGMOID),
        Self::Activation(Activation::HardSwish),
        Self::Activation(Activation::Relu),
        Self::Activation(Activation::Relu6),
        Self::Activation(Activation::LeakyRelu { alpha: 0.01 }),
        Self::Activation(Activation::Clip { min: -1.0, max: 1.0 }),
        Self::Activation(Activation::Mish),
        Self::Activation(Activation::Celu { alpha: 1.0 }),
        Self::Activation(Activation::Softsign),
        Self::Activation(Activation::ThresholdedRelu { alpha: 1.0 }),
        Self::Activation(Activation::Shrink { lambda: 0.5, bias: 0.0 }),
        Self::Activation(Activation::Affine { alpha: 1.0, beta: 0.0 }),
        Self::Activation(Activation::Sqrt),
        Self::Activation(Activation::Reciprocal),
        Self::Activation(Activation::Pow { exponent: 2.0 }),
        Self::Activation(Activation::Abs),
        Self::Activation(Activation::Sign),
        Self::Activation(Activation::Erf),
        Self::Activation(Activation::Floor),
        Self::Activation(Activation::Ceil),
        Self::Activation(Activation::Round),
    ];

    /// A name of its own; the same whatever its parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Activation(Activation::Gelu { tanh: true }) => "gelu_tanh",
            Self::Activation(activation) => activation.name(),
        }
    }

    /// What its code takes as parameters.
    pub fn parameters(self) -> [f32; 2] {
        match self {
            Self::Exp | Self::Log => [0.0; 2],
            Self::Activation(Activation::Elu { alpha }) => [alpha, 1.0],
            Self::Activation(Activation::Selu) => {
                let [scale, alpha] = Activation::SELU;
                [(scale * alpha) as f32, scale as f32]
            }
            // One over α, so that −α is as near as its product with it.
            Self::Activation(Activation::Celu { alpha }) => [alpha, 1.0 / alpha],
            // The first number above.
            Self::Activation(Activation::ThresholdedRelu { alpha }) => [alpha.next_up(), 0.0],
            Self::Activation(Activation::Pow { exponent }) => [exponent, math::parity(exponent)],
            Self::Activation(activation) => activation.parameters(),
        }
    }

    /// The function's address for compiled code.
    pub fn symbol(self, isa: Isa) -> RowFn {
        match self {
            Self::Exp => row::<math::Exp>(isa),
            Self::Log => row::<math::Log>(isa),
            Self::Activation(activation) => match activation {
                Activation::Tanh => row::<math::Tanh>(isa),
                Activation::Sigmoid => row::<math::Sigmoid>(isa),
                Activation::Silu => row::<math::Silu>(isa),
                Activation::Gelu { tanh: false } => row::<math::Gelu>(isa),
                Activation::Gelu { tanh: true } => row::<math::GeluTanh>(isa),
                Activation::Softplus => row::<math::Softplus>(isa),
                Activation::Elu { .. } | Activation::Selu => row::<math::Elu>(isa),
                Activation::HardSigmoid { .. } => row::<math::HardSigmoid>(isa),
                Activation::HardSwish => row::<math::HardSwish>(isa),
                Activation::Relu => row::<math::Relu>(isa),
                Activation::Relu6 => row::<math::Relu6>(isa),
                Activation::LeakyRelu { .. } => row::<math::LeakyRelu>(isa),
                Activation::Clip { .. } => row::<math::Clip>(isa),
                Activation::Mish => row::<math::Mish>(isa),
                Activation::Celu { .. } => row::<math::Celu>(isa),
                Activation::Softsign => row::<math::Softsign>(isa),
                Activation::ThresholdedRelu { .. } => row::<math::ThresholdedRelu>(isa),
                Activation::Shrink { .. } => row::<math::Shrink>(isa),
                Activation::Affine { .. } => row::<math::Affine>(isa),
                Activation::Exp => row::<math::Exp>(isa),
                Activation::Log => row::<math::Log>(isa),
                Activation::Sqrt => row::<math::Sqrt>(isa),
                Activation::Reciprocal => row::<math::Reciprocal>(isa),
                Activation::Pow { .. } => row::<math::Pow>(isa),
                Activation::Abs => row::<math::Abs>(isa),
                Activation::Sign => row::<math::Sign>(isa),
                Activation::Erf => row::<math::Erf>(isa),
                Activation::Floor => row::<math::Floor>(isa),
                Activation::Ceil => row::<math::Ceil>(isa),
                Activation::Round => row::<math::Round>(isa),
            },
        }
    }

    /// `dst[i] = f(src[i])`.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn apply(self, isa: Isa, src: &[f32], dst: &mut [f32]) {
        assert_eq!(src.len(), dst.len(), "slices of an elementwise function");
        let [p0, p1] = self.parameters();
        // SAFETY: `isa` proves the instructions; the slices have this length and are disjoint.
        unsafe { self.symbol(isa)(src.as_ptr(), dst.as_mut_ptr(), src.len(), p0, p1) }
    }

    /// `data[i] = f(data[i])`.
    pub fn apply_in_place(self, isa: Isa, data: &mut [f32]) {
        let [p0, p1] = self.parameters();
        let (start, len) = (data.as_mut_ptr(), data.len());
        // SAFETY: `isa` proves the instructions; source and destination are the same slice.
        unsafe { self.symbol(isa)(start, start, len, p0, p1) }
    }
}

/// The instance of `F` for `isa`.
fn row<F: Function>(isa: Isa) -> RowFn {
    instance!(isa, map, [F: Function], [F], (src: *const f32, dst: *mut f32, len: usize, p0: f32, p1: f32))
}

/// # Safety
/// As [`RowFn`], the instructions being those of `L`.
#[inline(always)]
unsafe fn map<L: Lanes, F: Function>(src: *const f32, dst: *mut f32, len: usize, p0: f32, p1: f32) {
    if len < L::WIDTH {
        // `L` is a vector of eight here, never a pair.
        let mut buffer = [0.0; LANES];
        // SAFETY: `len` f32 may be read and written, and the buffer holds eight. The buffer is
        // loaded before anything is written, so equal slices do no harm.
        unsafe {
            src.copy_to_nonoverlapping(buffer.as_mut_ptr(), len);
            let x = L::load(buffer.as_ptr());
            F::of(x, x.splat(p0), x.splat(p1)).store(buffer.as_mut_ptr());
            dst.copy_from_nonoverlapping(buffer.as_ptr(), len);
        }
        return;
    }
    // The last vector may overlap the one before. It is read before that is written, as the
    // slices may be the same.
    let tail = len - L::WIDTH;
    // SAFETY: `tail + WIDTH == len`.
    let last = unsafe { L::load(src.add(tail)) };
    let mut i = 0;
    while i + Pair::<L>::WIDTH <= tail {
        // SAFETY: the pair ends before `len`.
        unsafe {
            let x = Pair::<L>::load(src.add(i));
            F::of(x, x.splat(p0), x.splat(p1)).store(dst.add(i));
        }
        i += Pair::<L>::WIDTH;
    }
    let (p0, p1) = (last.splat(p0), last.splat(p1));
    while i < tail {
        // SAFETY: `i + WIDTH < len`.
        unsafe { F::of(L::load(src.add(i)), p0, p1).store(dst.add(i)) };
        i += L::WIDTH;
    }
    // SAFETY: as above.
    unsafe { F::of(last, p0, p1).store(dst.add(tail)) };
}
