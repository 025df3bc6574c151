//! Every command where memory is short, on models and arrays whose sizes were blown up: exit code 0, 1 or 2, never a panic
//! or an abort.
//!
//! A sample of them in every run; `cargo test --test cli limits -- --ignored` starts some thousands. The address space of
//! each is limited, and its time: a network that fits may be as slow as it is large.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{Folder, repository};

/// Bytes of address space: what small machines and containers have.
const SPACES: [u64; 5] = [400 << 20, 700 << 20, 1 << 30, 2 << 30, 6 << 30];
/// Seconds of the processor after which it is stopped.
const PATIENCE: u32 = 5;
const FACTORS: [u128; 6] = [10, 1000, 100_000, 1 << 24, 1 << 31, 1 << 62];

/// The commands; `{}` is the model, `{o}` a place to write to.
const COMMANDS: [&str; 9] = [
    "check {} --weights random",
    "summary {}",
    "dump {} --stage planned",
    "dump {} --stage rust",
    "run {} --weights random --input random --threads 2",
    "run {} --weights random --input random --backend interp",
    "bench {} --iterations 1 --profile --threads 1",
    "explain {} -o {o}",
    "emit {} --weights random -o {o}",
];

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|one| one == ending));
    paths.sort();
    assert!(!paths.is_empty(), "{folder}");
    paths
}

/// The text with one or some of its numbers outside of strings made larger.
fn blown_up(text: &str, random: &mut fastrand::Rng) -> String {
    let (mut blown, mut quoted, mut rest) = (String::new(), false, text);
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let follows_name = blown.ends_with(|last: char| last.is_ascii_alphanumeric() || "_.-+".contains(last));
        if digits > 0 && !quoted && !follows_name && random.u8(..3) == 0 {
            let factor = *random.choice(&FACTORS).unwrap();
            let number = rest[..digits].parse::<u128>().unwrap_or(1).max(1);
            blown += &number.saturating_mul(factor).min(i64::MAX as u128).to_string();
        } else if digits > 0 {
            blown += &rest[..digits];
        } else {
            quoted ^= first == '"';
            blown.push(first);
        }
        rest = &rest[digits.max(if digits > 0 { 0 } else { first.len_utf8() })..];
    }
    blown
}

/// How a limited run ended: by itself, or because its time was over.
fn run(arguments: &[&str], space: u64) -> bool {
    let limits = format!("ulimit -v {}; ulimit -t {PATIENCE}; exec \"$0\" \"$@\"", space >> 10);
    let output = Command::new("sh")
        .args(["-c", &limits, env!("CARGO_BIN_EXE_cnn")])
        .args(arguments)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0..=2) => true,
        // SIGXCPU, and SIGKILL a second later.
        None if matches!(output.status.signal(), Some(9 | 24)) => false,
        _ => panic!("{:?} with {space} bytes: {arguments:?}\n{:.2000}", output.status, told),
    }
}

/// Starts so many commands; most of them must end by themselves.
fn sweep(runs: usize, seed: u64) {
    let folder = Folder::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let models: Vec<_> = [files("tests/fixtures/ops", "toml"), files("examples/models", "toml")].concat();
    let imported: Vec<_> = [
        files("cnn-onnx/tests/models", "onnx"),
        files("cnn-onnx/tests/hostile", "onnx"),
    ]
    .concat();
    let inputs: Vec<_> = [
        files("tests/fixtures/pictures", "png"),
        files("tests/fixtures/pictures", "jpg"),
        files("tests/fixtures/pictures", "npy"),
    ]
    .concat();
    let mut stopped = 0;
    for number in 0..runs {
        let space = SPACES[random.usize(..SPACES.len())];
        let (model, out) = (folder.at("net.toml"), folder.at(&format!("out{number}")));
        let command = COMMANDS[random.usize(..COMMANDS.len())];
        let given = match number % 5 {
            0 => random.choice(&imported).unwrap().to_str().unwrap().to_owned(),
            1 => "lenet5".to_owned(),
            _ => {
                let text = fs::read_to_string(random.choice(&models).unwrap()).unwrap();
                folder.file("net.toml", blown_up(&text, &mut random));
                model
            }
        };
        let words = command.split(' ').map(|word| match word {
            "{}" => &*given,
            "{o}" => &*out,
            word => word,
        });
        let mut words: Vec<&str> = words.collect();
        let input = random.choice(&inputs).unwrap().to_str().unwrap();
        if given == "lenet5" {
            words = vec!["run", "lenet5", "--input", input, "--fit", "contain"];
        } else if number % 10 == 0 {
            words = vec!["import", &given, "-o", &out];
        }
        stopped += usize::from(!run(&words, space));
    }
    assert!(stopped * 4 < runs, "{stopped} of {runs} took more than {PATIENCE} s");
}

#[test]
fn a_sample_of_commands_ends_well_where_memory_is_short() {
    sweep(60, 1);
}

#[test]
#[ignore = "takes some minutes"]
fn all_commands_end_well_where_memory_is_short() {
    let seed = std::env::var("CNN_SWEEP_SEED").map_or(2, |seed| seed.parse().unwrap());
    sweep(3000, seed);
}
