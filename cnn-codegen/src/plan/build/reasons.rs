//! Why a step is what it is, where there is no choice of kernels.

use super::super::data::Work;

/// The reason for a step's work, in a line.
pub(super) fn reason(work: &Work) -> &'static str {
    match work {
        // These are chosen, and say themselves why.
        Work::Sweep(_) | Work::Winograd(_) => "",
        Work::Copy(_) => "the elements are needed in another place or order",
        Work::ClearHalo(_) => "kernels read padding like pixels: it must be zeros",
        Work::Elementwise(_) => "no layer before it can carry it: one pass over memory",
        Work::Pool(_) | Work::AdaptiveAvgPool { .. } => "the one kernel for windows without weights",
        Work::GlobalPool { .. } | Work::Reduce { .. } => "the one kernel that goes along whole axes",
        Work::Softmax { .. } => "the greatest element is taken off first, so that no exponential overflows",
        Work::Lrn { .. } => "the one kernel for neighbours across channels",
        Work::Gather(_) => "elements lie where only a table of places says",
        Work::Interpolate(_) => "which rows and columns are mixed, and in which shares, is known beforehand",
        Work::Along(_) => "each element depends on others of its line: one walk along it",
        Work::Matmul { .. } => "both matrices are computed: there is nothing to pack beforehand",
        Work::Integer(_) => "8-bit integers: a quarter of the memory that floats take",
        Work::Recurrent(_) => "each step waits for the one before: only features are computed ahead",
    }
}
