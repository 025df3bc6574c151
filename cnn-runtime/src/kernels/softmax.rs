//! Softmax and log-softmax of one contiguous row, stable: the maximum is subtracted first.
//!
//! A row with NaN or +∞, or of nothing but −∞, gives NaN everywhere, as in PyTorch.

use super::Isa;
use super::isa::instance;
use super::lanes::{LANES, Lanes};
use super::math::{Function, Log, exp_of_negative};

/// The type of the functions compiled code calls: `dst = softmax(src)`, or its logarithm.
///
/// To call one, the processor must have the instruction set it was asked for with, `src` must be
/// readable and `dst` writable for `len` f32, and the two must be equal or not overlap.
pub type SoftmaxFn = unsafe extern "C" fn(src: *const f32, dst: *mut f32, len: usize);

/// The address of softmax, or of log-softmax, for compiled code.
pub fn softmax_symbol(isa: Isa, logarithm: bool) -> SoftmaxFn {
    if logarithm {
        instance_of::<true>(isa)
    } else {
        instance_of::<false>(isa)
    }
}

fn instance_of<const LOG: bool>(isa: Isa) -> SoftmaxFn {
    instance!(isa, row, [const LOG: bool], [LOG], (src: *const f32, dst: *mut f32, len: usize))
}

/// Replaces `row` by exp(xᵢ) / Σ exp(xⱼ); relative error below 1e-6.
pub fn softmax(isa: Isa, row: &mut [f32]) {
    let start = row.as_mut_ptr();
    // SAFETY: `isa` proves the instructions; source and destination are the same slice.
    unsafe { softmax_symbol(isa, false)(start, start, row.len()) }
}

/// Replaces `row` by xᵢ − ln Σ exp(xⱼ); error below 1e-6 of the greatest |xᵢ − max x|, or of 1.
pub fn log_softmax(isa: Isa, row: &mut [f32]) {
    let start = row.as_mut_ptr();
    // SAFETY: `isa` proves the instructions; source and destination are the same slice.
    unsafe { softmax_symbol(isa, true)(start, start, row.len()) }
}

/// Reads the vector at `i`, with −∞ behind the end.
///
/// # Safety
/// `src` may be read for `len` f32, `i < len`, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn load<L: Lanes>(src: *const f32, len: usize, i: usize) -> L {
    // SAFETY: the vector lies within `len`, or else is read in part.
    unsafe {
        if i + LANES <= len {
            return L::load(src.add(i));
        }
        let mut buffer = [f32::NEG_INFINITY; LANES];
        src.add(i).copy_to_nonoverlapping(buffer.as_mut_ptr(), len - i);
        L::load(buffer.as_ptr())
    }
}

/// Writes the part of `vector` at `i` that lies before the end.
///
/// # Safety
/// `dst` may be written for `len` f32, and `i < len`.
#[inline(always)]
unsafe fn store<L: Lanes>(vector: L, dst: *mut f32, len: usize, i: usize) {
    // SAFETY: the vector lies within `len`, or else is written in part.
    unsafe {
        if i + LANES <= len {
            return vector.store(dst.add(i));
        }
        let buffer = lanes(vector);
        dst.add(i).copy_from_nonoverlapping(buffer.as_ptr(), len - i);
    }
}

/// The elements of a vector.
#[inline(always)]
fn lanes<L: Lanes>(vector: L) -> [f32; LANES] {
    let mut buffer = [0.0; LANES];
    // SAFETY: the buffer holds eight.
    unsafe { vector.store(buffer.as_mut_ptr()) };
    buffer
}

/// # Safety
/// As [`SoftmaxFn`], the instructions being those of `L`.
#[inline(always)]
unsafe fn row<L: Lanes, const LOG: bool>(src: *const f32, dst: *mut f32, len: usize) {
    if len == 0 {
        return;
    }
    // SAFETY: `0 < len`.
    let first: L = unsafe { load(src, len, 0) };
    let mut most = first;
    let mut i = LANES;
    while i < len {
        // SAFETY: `i < len`.
        most = most.at_least(unsafe { load(src, len, i) });
        i += LANES;
    }
    let most = first.splat(lanes(most).into_iter().fold(f32::NEG_INFINITY, f32::max));

    let mut sums = first.splat(0.0);
    let mut i = 0;
    while i < len {
        // SAFETY: `i < len`.
        let x: L = unsafe { load(src, len, i) };
        let e = exp_of_negative(x.sub(most));
        sums = sums.add(e);
        if !LOG {
            // SAFETY: `i < len`; this vector is not read again.
            unsafe { store(e, dst, len, i) };
        }
        i += LANES;
    }
    let sum: f32 = lanes(sums).into_iter().sum();

    let log = Log::of(first.splat(sum), first, first);
    let inverse = first.splat(1.0 / sum);
    let mut i = 0;
    while i < len {
        // SAFETY: `i < len`. For the softmax, `dst` holds the exponentials by now.
        unsafe {
            if LOG {
                let x: L = load(src, len, i);
                store(x.sub(most).sub(log), dst, len, i);
            } else {
                let e: L = load(dst, len, i);
                store(e.mul(inverse), dst, len, i);
            }
        }
        i += LANES;
    }
}
