//! Sharing the parts of one constant between threads, each packed with the best instructions there are.

use std::sync::{Mutex, PoisonError};

#[cfg(target_arch = "x86_64")]
use super::instructions::Avx2;
use super::instructions::{Baseline, Instructions};
use crate::threads::ThreadPool;
use crate::weights::WeightError;

/// Bytes of a constant below which no other thread is asked for help: that would take longer.
const SHARE_BYTES: usize = 64 << 10;

/// How the parts of one constant are packed.
pub(super) trait PackPart<P>: Sync {
    /// Packs part `index`. To be marked `#[inline(always)]`, like what it calls in its loops, so that it is compiled
    /// for each instruction set.
    fn pack_part(&self, instructions: impl Instructions, index: usize, part: &mut P) -> Result<(), WeightError>;
}

/// Packs all parts of a constant of so many floats, on all threads if that is worth it.
pub(super) fn pack_parts<P: Send>(
    mut parts: Vec<P>,
    floats: usize,
    pool: &ThreadPool,
    job: &impl PackPart<P>,
) -> Result<(), WeightError> {
    if floats.saturating_mul(size_of::<f32>()) < SHARE_BYTES {
        let mut parts = parts.iter_mut().enumerate();
        return parts.try_for_each(|(index, part)| pack_part(job, index, part));
    }
    let parts: Vec<Mutex<P>> = parts.into_iter().map(Mutex::new).collect();
    let failure = Mutex::new(None);
    pool.run(parts.len(), &|index| {
        // Never contended: each index is run once.
        let mut part = parts[index].lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = pack_part(job, index, &mut part) {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    });
    let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
    failure.map_or(Ok(()), Err)
}

fn pack_part<P>(job: &impl PackPart<P>, index: usize, part: &mut P) -> Result<(), WeightError> {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        // SAFETY: the processor has the instructions.
        return unsafe { pack_part_avx2(job, avx2, index, part) };
    }
    job.pack_part(Baseline, index, part)
}

/// The same bits: without FMA every operation is the one that the baseline does.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn pack_part_avx2<P>(job: &impl PackPart<P>, avx2: Avx2, index: usize, part: &mut P) -> Result<(), WeightError> {
    job.pack_part(avx2, index, part)
}
