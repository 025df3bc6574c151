//! How fast this machine reads memory, measured.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{AlignedBuffer, MemoryError, available_memory};
use crate::threads::ThreadPool;

/// What is assumed of the last-level cache where the system does not say.
const UNKNOWN_CACHE: u64 = 32 << 20;
/// Bounds of what is read in one pass: little beside the time it takes to start, and little beside a machine's memory.
const LEAST: u64 = 32 << 20;
const MOST: u64 = 512 << 20;
/// Tasks per thread, so that a late thread does not hold up the others.
const TASKS: usize = 4;

/// Bytes a second that the threads of a pool read together from memory, from a buffer much larger than the caches: the
/// best of at least three passes, or what `budget` allows.
///
/// # Errors
/// [`MemoryError`] if there is no room for the buffer.
pub fn read_bandwidth(pool: &ThreadPool, budget: Duration) -> Result<f64, MemoryError> {
    let cache = last_level_cache(Path::new("/sys/devices/system/cpu/cpu0/cache")).unwrap_or(UNKNOWN_CACHE);
    let bytes = cache.saturating_mul(4).clamp(LEAST, MOST).min(available_memory() / 4);
    let mut buffer = AlignedBuffer::zeroed_bytes(usize::try_from(bytes).unwrap_or(usize::MAX))?;
    // Untouched pages are all one page of zeros.
    buffer.floats_mut().fill(1.0);
    let tasks: Vec<&[f32]> = buffer
        .floats()
        .chunks(buffer.len().div_ceil(TASKS * pool.threads()).max(1))
        .collect();
    let begin = Instant::now();
    let (mut passes, mut least) = (0, Duration::MAX);
    while passes < 3 || begin.elapsed() < budget {
        let start = Instant::now();
        pool.run(tasks.len(), &|task| {
            black_box(sum(tasks[task]));
        });
        least = least.min(start.elapsed());
        passes += 1;
    }
    Ok(buffer.len_bytes() as f64 / least.as_secs_f64())
}

/// The sum, in as many independent vectors as it takes to wait for nothing but memory, and as few as registers hold.
fn sum(floats: &[f32]) -> f32 {
    let mut sums = [0.0; 32];
    for line in floats.as_chunks::<32>().0 {
        for (sum, float) in sums.iter_mut().zip(line) {
            *sum += float;
        }
    }
    sums.iter().sum()
}

/// Bytes of the largest cache that Linux lists under `folder`.
fn last_level_cache(folder: &Path) -> Option<u64> {
    let caches = std::fs::read_dir(folder).ok()?;
    let sizes = caches.filter_map(|cache| {
        let text = std::fs::read_to_string(cache.ok()?.path().join("size")).ok()?;
        let kib: u64 = text.trim().strip_suffix('K')?.parse().ok()?;
        kib.checked_mul(1024)
    });
    sizes.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_largest_cache_is_the_last() {
        let folder = tempfile::tempdir().unwrap();
        for (index, size) in ["32K\n", "32K\n", "512K\n", "32768K\n", "much"].into_iter().enumerate() {
            let cache = folder.path().join(format!("index{index}"));
            fs::create_dir(&cache).unwrap();
            fs::write(cache.join("size"), size).unwrap();
        }
        fs::write(folder.path().join("uevent"), "").unwrap();
        assert_eq!(last_level_cache(folder.path()), Some(32 << 20));
        assert_eq!(last_level_cache(&folder.path().join("none")), None);
    }

    #[test]
    fn memory_is_read_at_some_speed() {
        for threads in [1, 3] {
            let rate = read_bandwidth(&ThreadPool::new(threads).unwrap(), Duration::ZERO).unwrap();
            assert!(rate > 1e7 && rate < 1e13, "{rate} bytes a second");
        }
    }
}
