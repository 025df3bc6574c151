//! The machine's roofs: what its arithmetic and its memory can do at most, measured.

use std::time::Duration;

use cnn_runtime::memory::read_bandwidth;
use cnn_runtime::threads::ThreadPool;

use crate::Error;

/// How long each roof is measured, about.
const BUDGET: Duration = Duration::from_millis(50);

/// What a number of threads can do at most on this machine. A layer's time is at least its work over either.
#[derive(Clone, Copy, Debug)]
pub struct Roofs {
    /// Floating-point operations a second, of 256-bit fused multiply–adds; `None` where the machine has none.
    pub operations: Option<f64>,
    /// Bytes a second, read from memory.
    pub bytes: f64,
}

impl Roofs {
    /// Measures them, in about a fifth of a second.
    ///
    /// # Errors
    /// [`Error::Limit`] if threads or memory cannot be had.
    pub fn measure(threads: usize) -> Result<Roofs, Error> {
        let limit = |error: &dyn std::fmt::Display| Error::Limit(format!("cannot measure this machine: {error}"));
        let pool = ThreadPool::new(threads).map_err(|error| limit(&error))?;
        Ok(Roofs {
            operations: operations(&pool),
            bytes: read_bandwidth(&pool, BUDGET).map_err(|error| limit(&error))?,
        })
    }
}

#[cfg(target_arch = "x86_64")]
fn operations(pool: &ThreadPool) -> Option<f64> {
    let peak = cnn_codegen::tile::Peak::new().ok()?;
    Some(peak.rate(pool, BUDGET))
}

#[cfg(not(target_arch = "x86_64"))]
fn operations(_pool: &ThreadPool) -> Option<f64> {
    None
}
