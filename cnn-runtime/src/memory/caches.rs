//! How large the processor's caches are.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// Sizes of a processor's caches, bytes: what decides how work is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caches {
    /// The second-level cache of one core.
    pub second: usize,
    /// The last-level cache, which cores share.
    pub last: usize,
}

impl Caches {
    /// Those of the machine that the compiler's constants were measured on, taken where nothing is known of a machine.
    pub const TYPICAL: Caches = Caches {
        second: 512 << 10,
        last: 32 << 20,
    };

    /// Those of this machine, as Linux tells them; [`TYPICAL`](Self::TYPICAL) elsewhere.
    pub fn of_this_machine() -> Caches {
        static CACHES: OnceLock<Caches> = OnceLock::new();
        *CACHES.get_or_init(|| Caches::read(Path::new("/sys/devices/system/cpu/cpu0/cache")))
    }

    /// Reads `index0`, `index1` … of a folder, each a cache with its `level`, `type` and `size`.
    fn read(folder: &Path) -> Caches {
        let caches = (0..8).filter_map(|index| {
            let cache = folder.join(format!("index{index}"));
            let word = |file: &str| fs::read_to_string(cache.join(file)).ok();
            let level: u32 = word("level")?.trim().parse().ok()?;
            let holds_data = word("type")?.trim() != "Instruction";
            let size = bytes(word("size")?.trim())?;
            holds_data.then_some((level, size))
        });
        let caches: Vec<(u32, usize)> = caches.collect();
        let second = caches.iter().find(|(level, _)| *level == 2).map(|(_, size)| *size);
        let last = caches.iter().max_by_key(|(level, _)| *level).map(|(_, size)| *size);
        match (second, last) {
            (Some(second), Some(last)) => Caches { second, last },
            _ => Caches::TYPICAL,
        }
    }
}

/// `512K`, `32M`
fn bytes(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    digits
        .parse::<usize>()
        .ok()?
        .checked_mul(1 << shift)
        .filter(|&size| size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_read_as_linux_tells_them() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Caches::read(folder.path()), Caches::TYPICAL);
        for (index, (level, kind, size)) in [
            ("1", "Data", "48K"),
            ("1", "Instruction", "32K"),
            ("2", "Unified", "1280K"),
            ("3", "Unified", "30M"),
        ]
        .iter()
        .enumerate()
        {
            let cache = folder.path().join(format!("index{index}"));
            fs::create_dir(&cache).unwrap();
            for (file, text) in [("level", level), ("type", kind), ("size", size)] {
                fs::write(cache.join(file), format!("{text}\n")).unwrap();
            }
        }
        let caches = Caches {
            second: 1280 << 10,
            last: 30 << 20,
        };
        assert_eq!(Caches::read(folder.path()), caches);
        fs::write(folder.path().join("index2/size"), "unknown").unwrap();
        assert_eq!(Caches::read(folder.path()), Caches::TYPICAL);
    }
}
