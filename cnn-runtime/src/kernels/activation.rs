//! Elementwise functions over slices, and the table by which compiled code calls them.
//!
//! The errors of each function stand in `kernels/math/mod.rs`. NaN gives NaN; at ±∞ the functions
//! give their limits.

use super::Isa;
use super::isa::Level;
#[cfg(target_arch = "x86_64")]
use super::lanes::Avx2;
use super::lanes::{LANES, Lanes, Pair, Portable};
use super::math::{self, Function};

/// An elementwise function. Parameters it does not name are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ActivationKind {
    /// exp(x).
    Exp,
    /// ln(x).
    Log,
    /// tanh(x).
    Tanh,
    /// 1 / (1 + exp(−x)).
    Sigmoid,
    /// x · sigmoid(x).
    Silu,
    /// x · Φ(x), exactly (not the tanh approximation).
    Gelu,
    /// x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))).
    GeluTanh,
    /// ln(1 + exp(x)).
    Softplus,
    /// `parameters[1]` · x where x > 0, `parameters[0]` · (exp(x) − 1) elsewhere: ELU with the slope 1, and SELU.
    Elu,
    /// min(max(`parameters[0]` · x + `parameters[1]`, 0), 1).
    HardSigmoid,
    /// x · min(max(x + 3, 0), 6) / 6.
    HardSwish,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x where x ≥ 0, `parameters[0]` · x elsewhere.
    LeakyRelu,
    /// min(max(x, `parameters[0]`), `parameters[1]`).
    Clip,
}

/// The type of the functions compiled code calls: `dst[i] = f(src[i])` for `i < len`.
///
/// To call one, the processor must have the instruction set it was asked for with, `src` must be
/// readable and `dst` writable for `len` f32, and the two must be equal or not overlap.
pub type ActivationFn =
    unsafe extern "C" fn(src: *const f32, dst: *mut f32, len: usize, parameter0: f32, parameter1: f32);

impl ActivationKind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Exp,
        Self::Log,
        Self::Tanh,
        Self::Sigmoid,
        Self::Silu,
        Self::Gelu,
        Self::GeluTanh,
        Self::Softplus,
        Self::Elu,
        Self::HardSigmoid,
        Self::HardSwish,
        Self::Relu,
        Self::Relu6,
        Self::LeakyRelu,
        Self::Clip,
    ];

    /// The name in model files, where it has one: `leaky_relu`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Softplus => "softplus",
            Self::Elu => "elu",
            Self::HardSigmoid => "hard_sigmoid",
            Self::HardSwish => "hard_swish",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::LeakyRelu => "leaky_relu",
            Self::Clip => "clip",
        }
    }

    /// The function's address for compiled code.
    pub fn symbol(self, isa: Isa) -> ActivationFn {
        match self {
            Self::Exp => instance::<math::Exp>(isa),
            Self::Log => instance::<math::Log>(isa),
            Self::Tanh => instance::<math::Tanh>(isa),
            Self::Sigmoid => instance::<math::Sigmoid>(isa),
            Self::Silu => instance::<math::Silu>(isa),
            Self::Gelu => instance::<math::Gelu>(isa),
            Self::GeluTanh => instance::<math::GeluTanh>(isa),
            Self::Softplus => instance::<math::Softplus>(isa),
            Self::Elu => instance::<math::Elu>(isa),
            Self::HardSigmoid => instance::<math::HardSigmoid>(isa),
            Self::HardSwish => instance::<math::HardSwish>(isa),
            Self::Relu => instance::<math::Relu>(isa),
            Self::Relu6 => instance::<math::Relu6>(isa),
            Self::LeakyRelu => instance::<math::LeakyRelu>(isa),
            Self::Clip => instance::<math::Clip>(isa),
        }
    }

    /// `dst[i] = f(src[i])`.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn apply(self, isa: Isa, parameters: [f32; 2], src: &[f32], dst: &mut [f32]) {
        assert_eq!(src.len(), dst.len(), "slices of an elementwise function");
        let [p0, p1] = parameters;
        // SAFETY: `isa` proves the instructions; the slices have this length and are disjoint.
        unsafe { self.symbol(isa)(src.as_ptr(), dst.as_mut_ptr(), src.len(), p0, p1) }
    }

    /// `data[i] = f(data[i])`.
    pub fn apply_in_place(self, isa: Isa, parameters: [f32; 2], data: &mut [f32]) {
        let [p0, p1] = parameters;
        let (start, len) = (data.as_mut_ptr(), data.len());
        // SAFETY: `isa` proves the instructions; source and destination are the same slice.
        unsafe { self.symbol(isa)(start, start, len, p0, p1) }
    }
}

/// Every function with its address, for an instruction set.
pub fn activation_symbols(isa: Isa) -> [(ActivationKind, ActivationFn); 15] {
    ActivationKind::ALL.map(|kind| (kind, kind.symbol(isa)))
}

/// The instance of `F` for `isa`.
fn instance<F: Function>(isa: Isa) -> ActivationFn {
    match isa.level() {
        Level::Baseline => baseline::<F>,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => avx2::<F>,
    }
}

/// # Safety
/// As [`ActivationFn`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe extern "C" fn avx2<F: Function>(src: *const f32, dst: *mut f32, len: usize, p0: f32, p1: f32) {
    // SAFETY: the caller's promise, and the enabled instructions are those of `Avx2`.
    unsafe { map::<Avx2, F>(src, dst, len, p0, p1) }
}

/// # Safety
/// As [`ActivationFn`].
unsafe extern "C" fn baseline<F: Function>(src: *const f32, dst: *mut f32, len: usize, p0: f32, p1: f32) {
    // SAFETY: the caller's promise; `Portable` needs no instructions.
    unsafe { map::<Portable, F>(src, dst, len, p0, p1) }
}

/// # Safety
/// As [`ActivationFn`], the instructions being those of `L`.
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
