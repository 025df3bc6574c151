//! Bytes and text say the same: the bytes, decoded and formatted by iced-x86, are the lines of the text.

use cnn_types::{Activation, InstructionSet};
use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, Mnemonic};

use super::{Buffers, MACHINE_CODE, MachineCode, Runner, check, grid};
use crate::tile::{HEAD_ALIGNMENT, Init, Loop, Pixel, Product, TileSpec, encode, lower, text};

/// One decoded instruction: its place, where it jumps to, and its text.
struct Decoded {
    at: u64,
    target: Option<u64>,
    line: String,
}

fn decode(bytes: &[u8]) -> Vec<Decoded> {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_memory_size_options(iced_x86::MemorySizeOptions::Always);
    let mut decoded = Vec::new();
    for instruction in Decoder::new(64, bytes, DecoderOptions::NONE).iter() {
        let instruction: Instruction = instruction;
        assert!(!instruction.is_invalid());
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        let target = instruction
            .is_jcc_short_or_near()
            .then(|| instruction.near_branch_target());
        if instruction.mnemonic() != Mnemonic::Nop {
            decoded.push(Decoded {
                at: instruction.ip(),
                target,
                line,
            });
        }
    }
    decoded
}

/// One spelling for numbers and spaces: decimal, no blanks, no sign before an addition.
fn normalise(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let digits = rest
            .strip_prefix("0x")
            .map(|hex| hex.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap());
        if let Some(hex) = digits {
            out += &(u64::from_str_radix(hex, 16).unwrap() as i64).to_string();
            rest = &rest[2 + hex.len()..];
        } else {
            if c != ' ' {
                out.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[test]
fn decoded_bytes_are_the_text() {
    for spec in MACHINE_CODE.into_iter().flat_map(grid::machine_specs) {
        let insts = lower(&spec).unwrap();
        let bytes = encode(&insts).unwrap();
        let mut decoded = decode(&bytes).into_iter();
        let mut labels = std::collections::HashMap::new();
        let (mut pending, mut aligned): (Vec<String>, bool) = (Vec::new(), false);
        for line in text(&insts) {
            if let Some(label) = line.strip_suffix(':') {
                pending.push(label.to_owned());
            } else if line.starts_with(".p2align") {
                aligned = true;
            } else {
                let found = decoded.next().unwrap();
                if std::mem::take(&mut aligned) {
                    assert_eq!(found.at % HEAD_ALIGNMENT as u64, 0);
                }
                for label in pending.drain(..) {
                    labels.insert(label, found.at);
                }
                match line.strip_prefix("jne ").and_then(|l| l.strip_suffix('b')) {
                    Some(label) => assert_eq!(found.target, labels.get(label).copied(), "{line}"),
                    None => assert_eq!(normalise(&found.line), normalise(&line)),
                }
            }
        }
        assert!(decoded.next().is_none());
    }
}

/// A tile with every instruction form: two loops, residual, accumulation, constants that do not all fit registers.
fn sample() -> TileSpec {
    TileSpec {
        isa: InstructionSet::Avx2,
        product: Product::Broadcast,
        vectors: 1,
        pixels: (0..14)
            .map(|p| Pixel {
                input: p * 32,
                output: p * 32,
                residual: p * 64,
            })
            .collect(),
        output_vectors: vec![0],
        residual_vectors: vec![32],
        loops: vec![
            Loop {
                count: 3,
                input_step: -120,
            },
            Loop {
                count: 53,
                input_step: 8,
            },
        ],
        taps: vec![0, 4, -4],
        init: Init::Output,
        residual: true,
        activation: Some(Activation::HardSwish),
        prefetch: 20_000,
    }
}

/// The sample's text as committed: rustc's assembler takes it here, as it takes the macro's.
#[unsafe(naked)]
unsafe extern "sysv64" fn sample_kernel(_: *const f32, _: *const f32, _: *mut f32, _: *const f32, _: *const f32) {
    std::arch::naked_asm!(include_str!("sample.s"))
}

struct Assembled;

impl Runner for Assembled {
    fn run(&mut self, _: &TileSpec, b: &mut Buffers) {
        // SAFETY: the buffers were sized for the sample.
        unsafe {
            sample_kernel(
                b.input.as_ptr().add(b.input_offset),
                b.weights.as_ptr(),
                b.output.as_mut_ptr().add(b.output_offset),
                b.residual.as_ptr().add(b.residual_offset),
                // Bringing nearer what is not there does nothing.
                std::ptr::null(),
            );
        }
    }
}

#[test]
fn rustc_assembles_the_text() {
    let spec = sample();
    let lines = text(&lower(&spec).unwrap()).join("\n");
    if lines != include_str!("sample.s").trim_end() {
        let new = std::env::temp_dir().join("sample.s");
        std::fs::write(&new, lines + "\n").unwrap();
        panic!("sample.s is out of date; the new text is in {}", new.display());
    }
    if MachineCode::sets().contains(&InstructionSet::Avx2) {
        check(&spec, 1, &mut Assembled);
    }
}
