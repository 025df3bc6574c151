//! Which instructions the kernels may use: the proof that this processor has them, and the one place that chooses
//! between functions compiled for different sets.

use core::fmt;

use cnn_types::InstructionSet;

/// An instruction set that this processor has: a value of it is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isa(InstructionSet);

impl Isa {
    /// What every processor of the target architecture has.
    pub const PORTABLE: Isa = Isa(InstructionSet::Portable);

    /// The proof, given by the caller.
    ///
    /// # Safety
    /// The processor has the instruction set.
    pub const unsafe fn assume(set: InstructionSet) -> Self {
        Isa(set)
    }

    /// The proof, if this processor has the instruction set.
    #[cfg(feature = "std")]
    pub fn new(set: InstructionSet) -> Option<Self> {
        let has_it = match set {
            InstructionSet::Portable => true,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && Self::new(InstructionSet::Avx2).is_some()
            }
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 | InstructionSet::Avx512 => false,
        };
        has_it.then_some(Isa(set))
    }

    /// Every instruction set this processor has, the best first.
    #[cfg(feature = "std")]
    pub fn available() -> Vec<Self> {
        InstructionSet::ALL.into_iter().filter_map(Self::new).collect()
    }

    /// The best instruction set of this processor.
    #[cfg(feature = "std")]
    pub fn detect() -> Self {
        Self::available().first().copied().unwrap_or(Self::PORTABLE)
    }

    /// Which it is.
    pub const fn set(self) -> InstructionSet {
        self.0
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The instance of a kernel for an instruction set: `kernel::<L, …>` over the set's vector type `L`, in a function that
/// enables its instructions. A new instruction set is two lines here.
///
/// The kernel is an inlined `unsafe fn`; what callers of an instance must promise, its type says.
macro_rules! instance {
    ($isa:expr, $kernel:ident, [$($generics:tt)*], [$($name:ident),*], ($($argument:ident: $type:ty),*)) => {{
        $crate::kernels::isa::instance!(@enabled "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", avx512,
            $crate::kernels::lanes::Avx2, $kernel, [$($generics)*], [$($name),*], ($($argument: $type),*));
        $crate::kernels::isa::instance!(@enabled "avx2,fma", avx2,
            $crate::kernels::lanes::Avx2, $kernel, [$($generics)*], [$($name),*], ($($argument: $type),*));

        unsafe extern "C" fn portable<$($generics)*>($($argument: $type),*) {
            // SAFETY: the caller's promise; `Portable` needs no instructions.
            unsafe { $kernel::<$crate::kernels::lanes::Portable $(, $name)*>($($argument),*) }
        }

        match $isa.set() {
            #[cfg(target_arch = "x86_64")]
            ::cnn_types::InstructionSet::Avx512 => avx512::<$($name),*>,
            #[cfg(target_arch = "x86_64")]
            ::cnn_types::InstructionSet::Avx2 => avx2::<$($name),*>,
            _ => portable::<$($name),*>,
        }
    }};
    (@enabled $features:literal, $set:ident, $lanes:ty, $kernel:ident, [$($generics:tt)*], [$($name:ident),*],
        ($($argument:ident: $type:ty),*)) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe extern "C" fn $set<$($generics)*>($($argument: $type),*) {
            // SAFETY: the caller's promise, and the enabled instructions are those of the vectors.
            unsafe { $kernel::<$lanes $(, $name)*>($($argument),*) }
        }
    };
}

pub(super) use instance;
