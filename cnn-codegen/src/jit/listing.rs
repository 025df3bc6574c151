//! What a dump shows of a function: its texts, and which line of them came from which line of the loop code.

use std::ops::Range;

use cranelift_codegen::CompiledCode;

use super::compiler::{Reference, Relocation};

/// A compiled function as a dump shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Cranelift IR; empty for tile kernels in own machine code.
    pub clif: String,
    /// For each line of that, the line of the loop code it came from: see [`Origin::line`]; 0 if it came from none.
    pub clif_lines: Vec<u32>,
    /// Machine code, one instruction a line.
    pub asm: String,
    /// Cranelift's machine code as bytes, with addresses of other functions not filled in; empty for tile kernels in own
    /// machine code.
    pub code: Vec<u8>,
    /// Which bytes came from which line of the loop code, in ascending order.
    pub origins: Vec<Origin>,
    /// The functions called: where in the code an address goes, and whose.
    pub callees: Vec<(u32, String)>,
}

/// Bytes of machine code that came from one line of loop code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Their offsets.
    pub bytes: Range<u32>,
    /// The line. The loop code is read with one instruction a line, from 1, where the end of a loop's or a condition's
    /// body has a line of its own.
    pub line: u32,
}

/// Columns before an instruction in Cranelift's text, where some instruction has a source location.
const MARGIN: usize = 36;
/// Columns before an instruction without.
const INDENT: usize = 4;

impl Listed {
    /// A tile kernel in own machine code.
    pub(super) fn kernel(name: String, asm: String) -> Listed {
        Listed {
            name,
            clif: String::new(),
            clif_lines: Vec::new(),
            asm,
            code: Vec::new(),
            origins: Vec::new(),
            callees: Vec::new(),
        }
    }

    /// A function that Cranelift compiled from `clif`, which is its text with source locations.
    pub(super) fn compiled(name: String, clif: &str, compiled: &CompiledCode) -> Listed {
        let (clif_lines, clif): (Vec<_>, Vec<_>) = clif.lines().map(unmarked).unzip();
        let origins = compiled.buffer.get_srclocs_sorted().iter();
        let origins = origins.filter(|one| !one.loc.is_default()).map(|one| Origin {
            bytes: one.start..one.end,
            line: one.loc.bits(),
        });
        Listed {
            name,
            clif: clif.concat(),
            clif_lines,
            asm: compiled.vcode.clone().unwrap_or_default(),
            code: compiled.code_buffer().to_vec(),
            origins: origins.collect(),
            callees: Vec::new(),
        }
    }

    /// Says what the code refers to: where its place goes, and what it is called.
    pub(super) fn name_callees(&mut self, relocations: &[Relocation], name: impl Fn(usize) -> String) {
        let callees = relocations.iter().filter_map(|one| {
            let name = match one.target {
                Reference::Function(function) => name(function),
                Reference::Runtime(name) => name.to_owned(),
                Reference::Constant(_) | Reference::Activation(_) => return None,
            };
            Some((one.offset as u32, name))
        });
        self.callees = callees.collect();
    }
}

/// A line of CLIF without its source location, as it is written where no instruction has one; and the location, or 0.
fn unmarked(line: &str) -> (u32, String) {
    let marked = line.strip_prefix('@').and_then(|line| line.split_once(' '));
    let marked = marked.and_then(|(digits, rest)| Some((u32::from_str_radix(digits, 16).ok()?, rest)));
    match marked {
        Some((number, rest)) => (number, format!("{:INDENT$}{}\n", "", rest.trim_start())),
        // Instructions and the heads of blocks are moved to the right, nothing else.
        None => {
            let line = line.strip_prefix(&" ".repeat(MARGIN - INDENT)).unwrap_or(line);
            (0, format!("{line}\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_off() {
        let line = format!("{:MARGIN$}v1 = iconst.i64 5", "@001f");
        assert_eq!(unmarked(&line), (31, "    v1 = iconst.i64 5\n".into()));
        let plain = format!("{:MARGIN$}return", "");
        assert_eq!(unmarked(&plain), (0, "    return\n".into()));
        let block = format!("{:1$}block1(v2: i64):", "", MARGIN - INDENT);
        assert_eq!(unmarked(&block), (0, "block1(v2: i64):\n".into()));
        assert_eq!(unmarked("    sig0 = (i64)"), (0, "    sig0 = (i64)\n".into()));
    }
}
