//! The targets of cargo-fuzz on a stable toolchain: for each a bounded number of mutated files of the fixtures.
//!
//! `CNN_FUZZ=100000 cargo test --release --test fuzz -- --nocapture` takes more, `CNN_FUZZ_SEED` other ones. The input that
//! is being tried is always in `target/tmp/fuzz-TARGET`.

#![cfg(feature = "image")]

use std::path::Path;
use std::time::{Duration, Instant};

use cnn_fuzz_targets::{TARGETS, Target};

/// Files for each target where nothing is said.
const FILES: usize = 400;
/// No file that is larger is a seed.
const LONGEST: u64 = 1 << 16;
/// What one input may take, on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// What all may take altogether beside what was there before, in bytes.
const MEMORY: u64 = 1 << 30;

fn variable(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for (folder, ending) in target.seeds {
        let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|one| one == *ending));
        paths.retain(|path| path.metadata().is_ok_and(|data| data.len() <= LONGEST));
        paths.sort();
        seeds.extend(paths.iter().map(|path| std::fs::read(path).unwrap()));
    }
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    seeds
}

/// Numbers at which sizes go wrong, as text.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "255",
    "65536",
    "1048577",
    "2147483647",
    "4294967296",
    "4611686018427387904",
    "9223372036854775807",
    "18446744073709551615",
    "1e300",
    "nan",
];

fn mutate(rng: &mut fastrand::Rng, seeds: &[Vec<u8>], bytes: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..=6) {
        if bytes.is_empty() {
            bytes.push(rng.u8(..));
        }
        let at = rng.usize(..bytes.len());
        let end = (at + rng.usize(1..=32)).min(bytes.len());
        match rng.u8(..9) {
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'{']).unwrap(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                let times = 1 << rng.u8(..6);
                bytes.splice(at..at, part.repeat(times));
            }
            5 => {
                let other = rng.choice(seeds).unwrap();
                let from = rng.usize(..=other.len());
                let to = (from + rng.usize(..=64)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            // A number in a text.
            6 | 7 => {
                let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|more| at + more) else {
                    continue;
                };
                let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = rng.choice(&NUMBERS).unwrap();
                bytes.splice(start..start + digits, number.bytes());
            }
            // A number in bytes.
            _ => {
                let numbers: [u64; 6] = [u64::MAX, 1 << 63, 1 << 31, u32::MAX.into(), 1 << 40, 0];
                let number = *rng.choice(&numbers).unwrap();
                let width = *rng.choice(&[2, 4, 8]).unwrap();
                let slot = at..(at + width).min(bytes.len());
                let number = if rng.bool() {
                    number.to_le_bytes()
                } else {
                    number.to_be_bytes()
                };
                bytes[slot.clone()].copy_from_slice(&number[..slot.len()]);
            }
        }
    }
}

/// The most memory that this process ever held, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

#[test]
#[expect(clippy::print_stdout, reason = "the log of a long run")]
fn no_mutated_file_is_fatal() {
    let files = variable("CNN_FUZZ", FILES);
    let only = std::env::var("CNN_FUZZ_TARGET").ok();
    for target in TARGETS
        .iter()
        .filter(|target| only.as_deref().is_none_or(|only| only == target.name))
    {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
        let seeds = seeds(target);
        let mut rng = fastrand::Rng::with_seed(variable("CNN_FUZZ_SEED", 1) as u64);
        let (before, begin) = (peak(), Instant::now());
        let mut slowest = Duration::ZERO;
        for number in 0..files.max(seeds.len()) {
            let mut bytes = seeds[number % seeds.len()].clone();
            if number >= seeds.len() {
                mutate(&mut rng, &seeds, &mut bytes);
            }
            std::fs::write(&place, &bytes).unwrap();
            let start = Instant::now();
            (target.run)(&bytes);
            slowest = slowest.max(start.elapsed());
            assert!(slowest < PATIENCE, "{} takes {slowest:?}", place.display());
            let taken = peak().saturating_sub(before);
            assert!(taken < MEMORY, "{} takes {taken} bytes", place.display());
        }
        println!(
            "{:<12} {files} files in {:.1} s, the slowest {:.3} s, {} MiB more",
            target.name,
            begin.elapsed().as_secs_f64(),
            slowest.as_secs_f64(),
            (peak() - before) >> 20
        );
    }
}
