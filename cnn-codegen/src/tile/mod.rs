//! Tile kernels: the innermost loops of convolutions and matrix products, from a specification to machine code,
//! assembler text.
//!
//! # What a tile is
//!
//! Nearly all time of a convolutional network goes into sums of products. A *tile* is as many of those sums as the
//! registers hold at once: a few output pixels × a few vectors of eight filters, each sum in its own lane from the
//! first product to the last. One *k-step* takes one input channel at one position of the window: it broadcasts the
//! pixel's input float and multiplies it with the eight filters' weights, for every pixel and vector of the tile. With
//! 6 pixels × 16 filters a k-step is 6 broadcasts, 2 loads and 12 fused multiply–adds on eight lanes: the loads fit
//! beside the multiplications, so the multipliers never wait.
//!
//! A [`TileSpec`] says where the pixels lie (byte offsets, so a tile may turn from the end of one row to the start of
//! the next), which displacements the k-steps add (`taps` within `loops`), what the sums start from and what happens
//! to them before they are stored. The same specification covers convolutions over planar or channel-blocked inputs,
//! 1×1 convolutions, matrix products, matrix–vector products (one pixel, many vectors), Winograd's products, and, with
//! [`Product::Lanewise`], depthwise convolutions.
//!
//! # The weight stream
//!
//! Weights are packed once, at load, in the order the kernel reads them: bias, then k-step by k-step 8·`vectors`
//! floats. The kernel never computes a weight address; it walks one pointer forward, which the hardware prefetcher
//! follows best. A fifth pointer, `ahead`, is where the tile brings weights nearer that later tiles will read. Large
//! dense layers have weights of 16 bits in blocks with a scale each ([`Product::Fixed`]). Whoever packs weights and whoever builds the specification must agree on the order of loops and taps.
//!
//! # Registers
//!
//! The five pointers stay in their argument registers, loop counters take the other
//! scratch registers, nothing is saved or spilled. Of sixteen vector registers the sums come first, then one weight
//! vector each, the rest takes broadcasts in turn. A single pixel uses each weight once, so weights are memory operands
//! there; so are a lanewise tile's inputs. The epilogue holds the activation's constants in registers the main loop is
//! done with. Sums too few to hide a multiply–add's latency (four cycles, two starts a cycle) are split into several
//! partial sums over alternating k-steps: 3 × 16 went from three quarters to 99 % of the peak.
//!
//! # What measurements decided
//!
//! `cargo run --release -p cnn-codegen --example tile_peak` repeats them. On a Zen 3 core (peak 103.7 GFLOP/s):
//!
//! - Exact machine code instead of intrinsics: compilers spill or merge loads at their whim, 43–100 % of peak for the
//!   same source. Here, data in the first-level cache: 6 × 16, 5 × 16, 4 × 16, 3 × 16 and 2 × 40 reach 99.5–99.9 %,
//!   4 × 24 98–99 %, 12 × 8 90 % and single pixels 65–82 %, which their loads allow.
//! - Every other k-step walks through the pixels backwards: 96.7 → 99.7 % for 6 × 16, 97.9 → 99.9 % for 5 × 16. Three
//!   vectors gain from walking back through the vectors too; two lose (4 × 16: 91 %).
//! - Short code. Bodies of up to a dozen k-steps are unrolled, longer ones only if the taps say so: 144 unrolled steps
//!   of 6 × 16 fell to 80 % in a real layer, 1×1 256→64 from 95 to 82 % at 48. Pointers are moved so that most
//!   displacements take one byte: 1–7 %. Loop heads are aligned, which made no difference here.
//! - Whole layers, driven by a plain loop nest: 3×3 64→64 at 56² 98 %, 128→128 at 28² 97 %, 1×1 64→256 at 56² 97 %,
//!   7×7/2 3→64 99 %, 3×3 3→64 at 224² 95 %, 3×3 512→512 at 7² 85 % (its weights come from the third-level cache).
//!
//! # The files
//!
//! `spec` what is to be computed · `nest` its loops · `lower` from it to `inst`, the instruction list (`epilogue` for
//! its epilogue, `fixed` for 16-bit weights) · `encode` the list as bytes · `text` the list as assembler lines, for dumps and for `naked_asm!` ·
//! `executable` bytes as a function · `peak` the machine's roof. Machines without AVX2 and FMA get loop code instead: [`crate::loops`].

#[cfg(feature = "jit")]
mod encode;
mod epilogue;
#[cfg(all(feature = "jit", target_arch = "x86_64"))]
mod executable;
mod fixed;
mod inst;
mod lower;
pub(crate) mod nest;
#[cfg(all(feature = "jit", target_arch = "x86_64"))]
mod peak;
mod spec;
mod text;

#[cfg(all(test, feature = "jit", target_arch = "x86_64"))]
mod tests;

#[cfg(feature = "jit")]
pub use encode::{EncodeError, encode};
#[cfg(all(feature = "jit", target_arch = "x86_64"))]
pub use executable::{Executable, ExecutableError, Kernel};
pub use inst::{Code, Counter, HEAD_ALIGNMENT, Inst, Memory, Operand, Pointer, Vector};
pub use lower::{Schedule, lower, lower_with};
#[cfg(all(feature = "jit", target_arch = "x86_64"))]
pub use peak::Peak;
pub use spec::{Init, LANES, Loop, MAX_LOOPS, MAX_TAPS, Pixel, Product, SpecError, TileSpec};
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
