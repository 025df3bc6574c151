//! How much memory this process may still take.

use std::path::{Path, PathBuf};

/// What is assumed where the system cannot be asked: enough for any network of the zoo.
const UNKNOWN: u64 = 4 << 30;

/// Bytes this process can still take without swapping: what Linux calls available, or less where
/// a control group (a container) or the process's own bound (`ulimit -v`) allows less. On other systems, 4 GiB.
pub fn available_memory() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| mem_available(&text))
        .unwrap_or(UNKNOWN);
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bounds = [
        control_group_headroom(&groups, Path::new("/sys/fs/cgroup")),
        address_space_headroom(&limits, &status),
    ];
    bounds.into_iter().flatten().fold(machine, u64::min)
}

/// What the process's bound on addresses leaves, from `/proc/self/limits` and `/proc/self/status`; `None` without one.
fn address_space_headroom(limits: &str, status: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    // "unlimited" is not a number.
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let used = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    Some(limit.saturating_sub(used.unwrap_or(0).saturating_mul(1024)))
}

/// Bytes about which the system is not asked: the answer takes longer than most that needs so little.
const UNASKED: u128 = 4 << 20;

/// Whether `needed` bytes may be taken: held against `limit`, without one against [`available_memory`].
///
/// # Errors
/// The bound that they exceed.
pub fn allow(needed: u128, limit: Option<u64>) -> Result<(), u64> {
    if limit.is_none() && needed <= UNASKED {
        return Ok(());
    }
    let limit = limit.unwrap_or_else(available_memory);
    if needed <= u128::from(limit) {
        Ok(())
    } else {
        Err(limit)
    }
}

/// `MemAvailable` of `/proc/meminfo` in bytes.
fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Limit minus usage of the tightest control group among those `groups` (`/proc/self/cgroup`)
/// names and their parents, below `root`. `None` if none of them has a limit.
fn control_group_headroom(groups: &str, root: &Path) -> Option<u64> {
    groups
        .lines()
        .filter_map(|line| {
            // "hierarchy:controllers:path"; version 2 has no controllers.
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            let path = path.trim_start_matches('/');
            if controllers.is_empty() {
                headroom(root, path, ["memory.max", "memory.current"])
            } else if controllers.split(',').any(|name| name == "memory") {
                let names = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
                headroom(&root.join("memory"), path, names)
            } else {
                None
            }
        })
        .min()
}

/// The least limit minus usage from `root/path` up to `root`.
fn headroom(root: &Path, path: &str, [limit, usage]: [&str; 2]) -> Option<u64> {
    let number = |folder: &Path, file: &str| -> Option<u64> {
        // "max" (no limit) is not a number.
        std::fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    };
    // Inside a container the path may be the host's and absent here: the root then holds the
    // container's own limit.
    let folder: PathBuf = root.join(path);
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| {
            let limit = number(folder, limit)?;
            Some(limit.saturating_sub(number(folder, usage).unwrap_or(0)))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn reads_meminfo() {
        let text = "MemTotal:       24684092 kB\nMemAvailable:   1000 kB\n";
        assert_eq!(mem_available(text), Some(1_024_000));
        assert_eq!(mem_available("MemTotal: 1 kB\n"), None);
        assert_eq!(mem_available("MemAvailable: lots kB\n"), None);
    }

    #[test]
    fn reads_the_bound_on_addresses() {
        let limits = "Max file size             unlimited            unlimited            bytes\n\
                      Max address space         409600000            unlimited            bytes\n";
        let status = "VmPeak:\t    9000 kB\nVmSize:\t    1000 kB\n";
        assert_eq!(address_space_headroom(limits, status), Some(409_600_000 - 1_024_000));
        assert_eq!(address_space_headroom(limits, ""), Some(409_600_000));
        assert_eq!(
            address_space_headroom(&limits.replace("409600000", "unlimited"), status),
            None
        );
    }

    #[test]
    fn takes_the_tightest_group_of_either_version() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        fs::write(root.path().join("a/memory.max"), "5000\n").unwrap();
        fs::write(root.path().join("a/memory.current"), "1000\n").unwrap();
        let old = root.path().join("memory");
        fs::create_dir_all(&old).unwrap();
        fs::write(old.join("memory.limit_in_bytes"), "4500\n").unwrap();
        fs::write(old.join("memory.usage_in_bytes"), "4600\n").unwrap();

        let headroom = |groups| control_group_headroom(groups, root.path());
        assert_eq!(headroom("0::/a/b\n"), Some(4000));
        assert_eq!(headroom("0::/elsewhere\n"), None);
        assert_eq!(headroom("7:cpu,memory:/gone\n0::/a/b\n"), Some(0));
        assert_eq!(headroom(""), None);
    }

    #[test]
    fn this_machine_has_some() {
        assert!(available_memory() > 1 << 20);
    }
}
