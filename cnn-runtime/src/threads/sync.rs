//! Locks, atomics and threads: the standard library's, or with `--cfg loom` those of a model checker, which tries the
//! orders in which threads may run and what each may see of the others' memory.

use std::io;

#[cfg(all(test, loom))]
pub(super) use loom::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, fence},
    sync::{Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
};
pub(super) use std::sync::PoisonError;
#[cfg(not(all(test, loom)))]
pub(super) use std::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, fence},
    sync::{Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
};

#[cfg(all(test, loom))]
use loom::thread::Builder;
#[cfg(not(all(test, loom)))]
use std::thread::Builder;

/// Starts a thread.
pub(super) fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name).spawn(work)
}

/// One short pause of a thread that waits; whether it has waited as long as it ever should, which in a model, where
/// there is no time, it has at once.
pub(super) fn pause() -> bool {
    #[cfg(all(test, loom))]
    loom::thread::yield_now();
    #[cfg(not(all(test, loom)))]
    std::hint::spin_loop();
    cfg!(all(test, loom))
}
