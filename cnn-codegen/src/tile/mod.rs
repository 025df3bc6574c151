//! Tile kernels: from a register tile's specification to machine code, assembler text or Cranelift IR.

mod activation;
#[cfg(feature = "jit")]
mod encode;
#[cfg(all(feature = "jit", target_arch = "x86_64"))]
mod executable;
mod inst;
mod lower;
mod spec;
mod text;

#[cfg(all(test, feature = "jit", target_arch = "x86_64"))]
mod tests;

#[cfg(feature = "jit")]
pub use encode::{EncodeError, encode};
#[cfg(all(feature = "jit", target_arch = "x86_64"))]
pub use executable::{Executable, ExecutableError, Kernel};
pub use inst::{Arithmetic, Counter, HEAD_ALIGNMENT, Inst, Memory, Operand, Pointer, Vector};
pub use lower::{Schedule, lower, lower_with};
pub use spec::{
    Init, LANES, Loop, MAX_LOOPS, MAX_TAPS, Pixel, Product, SpecError, TileActivation, TileSpec, VECTOR_REGISTERS,
};
pub use text::text;

/// Why a specification cannot be assembled.
#[cfg(feature = "jit")]
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// The specification is not valid.
    #[error("not a tile: {0}")]
    Spec(#[from] SpecError),
    /// The code cannot be encoded; never for what [`lower()`] makes.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// The machine code of a specification: [`lower()`] and [`encode()`] in one.
///
/// # Errors
/// [`TileError::Spec`] if the specification is not valid.
#[cfg(feature = "jit")]
pub fn assemble(spec: &TileSpec) -> Result<Vec<u8>, TileError> {
    Ok(encode(&lower(spec)?)?)
}

/// Whether this machine runs tile kernels: x86-64 with AVX2 and FMA.
pub fn supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}
