//! Parking idle workers, and waking them without a lost wake-up.

use super::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, PoisonError, fence};

/// Where idle workers sleep.
#[derive(Debug, Default)]
pub(super) struct Sleep {
    /// Workers parked or about to; read without the lock by `wake`.
    sleepers: AtomicUsize,
    /// Counts the wakes.
    generation: Mutex<u64>,
    bell: Condvar,
}

impl Sleep {
    /// Parks the calling worker until the next [`Sleep::wake`], unless `ready` holds.
    pub(super) fn park(&self, ready: impl Fn() -> bool) {
        let mut generation = self.lock();
        // Announced before `ready` looks, as others change what it looks at before they look for
        // sleepers: if a fence stands between both there too, one side sees the other.
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if ready() {
            self.sleepers.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        let mine = *generation;
        while *generation == mine {
            generation = self.bell.wait(generation).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes every parked worker; one load if there is none.
    pub(super) fn wake(&self) {
        if self.sleepers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut generation = self.lock();
        *generation = generation.wrapping_add(1);
        // Those woken no longer count, so that the next job does not ring again.
        self.sleepers.store(0, Ordering::SeqCst);
        drop(generation);
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // Nothing panics under the lock.
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
