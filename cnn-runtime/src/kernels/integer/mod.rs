//! Kernels of 8-bit integers. Maps are pixel by pixel: all channels of one, rounded up to a whole number of sixteen (or, of
//! up to four, to four), then those of the next.
//!
//! Each kernel does one task of a step. Results do not depend on the instruction set, to the bit.
//!
//! | module | what it owns |
//! |---|---|
//! | `convert` | between floats and integers; copies |
//! | `conv` | sums of products: convolutions of one group, dense layers |
//! | `vnni`, `avx2`, `sse2`, `portable` | the tiles of `conv` |
//! | `depthwise`, `depthwise_vnni`, `depthwise_avx2` | convolutions of one channel a group |
//! | `elementwise` | sums of two values |
//! | `pool` | the greatest or least of windows |
//! | `requantise` | what becomes of a complete sum |

#[cfg(target_arch = "x86_64")]
mod avx2;
pub(super) mod conv;
pub(super) mod convert;
pub(super) mod depthwise;
#[cfg(target_arch = "x86_64")]
mod depthwise_avx2;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod depthwise_vnni;
pub(super) mod elementwise;
pub(super) mod pool;
mod portable;
mod requantise;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod vnni;

pub use conv::ConvShape;
pub use convert::{CopyShape, DequantizeShape, FillShape, QuantizeShape};
pub use depthwise::DepthwiseShape;
pub use elementwise::AddShape;
pub use pool::PoolShape;

pub use super::task::{Kernel, KernelFn};

/// Filters of a panel of weights: two registers of sixteen 32-bit sums.
pub const PANEL: usize = 32;
/// Products of one instruction's lane: channels that stand together in the stream of weights.
pub const GROUP: usize = 4;

/// Bytes of a pixel of so many channels. Saturates.
pub const fn pitch(channels: usize) -> usize {
    match channels {
        0..=4 => 4,
        _ => match channels.checked_next_multiple_of(16) {
            Some(pitch) => pitch,
            None => usize::MAX,
        },
    }
}
