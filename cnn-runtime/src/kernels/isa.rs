//! Which instructions the kernels may use.

use core::fmt;

/// An instruction set that this processor has: a value of it is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isa(Level);

/// The instruction sets kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Level {
    /// What every processor of the target architecture has.
    Baseline,
    /// x86-64 with AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Isa {
    /// AVX2 and FMA.
    ///
    /// # Safety
    /// The processor has them.
    #[cfg(target_arch = "x86_64")]
    pub const unsafe fn avx2() -> Self {
        Isa(Level::Avx2)
    }

    /// The best instruction set of this processor.
    #[cfg(feature = "std")]
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Isa(Level::Avx2);
        }
        Self::baseline()
    }

    /// What every processor of the target architecture has.
    pub const fn baseline() -> Self {
        Isa(Level::Baseline)
    }

    /// Every instruction set this processor has, the best first.
    #[cfg(feature = "std")]
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::detect(), Self::baseline()];
        all.dedup();
        all
    }

    /// `avx2` or `baseline`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Level::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
        }
    }

    pub(super) const fn level(self) -> Level {
        self.0
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
