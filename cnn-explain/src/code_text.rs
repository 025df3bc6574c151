//! A function's code three times as text: loop code, Cranelift's IR, machine code, with which line came from which.

use std::collections::BTreeMap;

use cnn_codegen::jit::Listed;
use cnn_codegen::loops::Function;
use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
use serde::Serialize;

use crate::loops_text;

/// A function: a tile kernel, or the loops of a step.
#[derive(Debug, Serialize)]
pub struct Code {
    /// Its name.
    pub name: String,
    /// Loop code; empty for kernels.
    pub loops: Vec<String>,
    /// Cranelift's intermediate representation; empty for kernels in machine code of their own.
    pub clif: Text,
    /// Machine code.
    pub asm: Text,
}

/// A text whose lines came from others.
#[derive(Debug, Default, Serialize)]
pub struct Text {
    /// It.
    pub text: String,
    /// For each of its lines the line of the loop code it came from, from 1; 0 where it came from none. Empty if no line
    /// came from any.
    pub lines: Vec<u32>,
}

impl Code {
    /// A listed function. `loops` is the loop code it was compiled from; `None` for kernels.
    pub(crate) fn new(listed: &Listed, loops: Option<&Function>) -> Code {
        Code {
            name: listed.name.clone(),
            loops: loops.map(loops_text::text).unwrap_or_default(),
            clif: Text {
                text: listed.clif.clone(),
                lines: listed.clif_lines.clone(),
            },
            asm: assembly(listed),
        }
    }
}

/// The machine code: disassembled where it is Cranelift's for x86-64, else as the back end wrote it.
fn assembly(listed: &Listed) -> Text {
    if listed.code.is_empty() || !cfg!(target_arch = "x86_64") {
        return Text {
            text: listed.asm.clone(),
            lines: Vec::new(),
        };
    }
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_branch_leading_zeros(false);
    options.set_space_after_operand_separator(true);
    options.set_rip_relative_addresses(true);
    let mut decoder = Decoder::new(64, &listed.code, DecoderOptions::NONE);
    let mut text = Text::default();
    let mut instruction = Instruction::default();
    // Both stand in the order of the code, which is walked through once.
    let mut origins = listed.origins.iter().peekable();
    let callees: BTreeMap<u32, &str> = listed.callees.iter().map(|(at, name)| (*at, name.as_str())).collect();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let (start, end) = (instruction.ip32(), instruction.next_ip32());
        let mut line = format!("{start:4x}  ");
        formatter.format(&instruction, &mut line);
        // An address that is filled in when the code is placed.
        if let Some((_, callee)) = callees.range(start..end).next() {
            line.push_str("  ; ");
            line.push_str(callee);
        }
        line.push('\n');
        text.text.push_str(&line);
        while origins.next_if(|origin| origin.bytes.end <= start).is_some() {}
        let origin = origins.peek().filter(|origin| origin.bytes.contains(&start));
        text.lines.push(origin.map_or(0, |origin| origin.line));
    }
    text
}
