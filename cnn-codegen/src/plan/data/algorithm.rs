//! How a convolution is carried out.

use cnn_runtime::kernels::winograd::Winograd;

/// How a convolution is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Multiply and add, as the formula says.
    Direct,
    /// Fewer multiplications on transformed tiles (Lavin & Gray, 2016).
    Winograd(Winograd),
}

impl Algorithm {
    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Direct => "direct",
            Algorithm::Winograd(Winograd::F2x3) => "Winograd F(2×2, 3×3)",
            Algorithm::Winograd(Winograd::F4x3) => "Winograd F(4×4, 3×3)",
            Algorithm::Winograd(Winograd::F4x5) => "Winograd F(4×4, 5×5)",
        }
    }
}
