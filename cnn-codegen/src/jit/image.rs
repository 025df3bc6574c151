//! The code of a plan as one piece that runs wherever it is placed: functions, the constants they read, and a table of the
//! addresses that only the process knows.
//!
//! What functions refer to within the image they reach relative to themselves, so nothing but the table is filled in when
//! it is placed: in memory of its own, or in the pages of a file, which processes share.

use cnn_ir::op::Activation;
use cranelift_codegen::binemit::Reloc;

use super::JitError;
use super::compiler::{Compiled, Reference};

/// Alignment of constants.
const ALIGNMENT: usize = 16;
/// The table begins at a page: those before it are not written to.
const PAGE: usize = 4096;
/// Bytes of an address.
pub(super) const ADDRESS: usize = size_of::<u64>();

/// Code that runs wherever it is placed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    /// Functions, constants, and the table, which is all 0.
    pub(super) bytes: Vec<u8>,
    /// Where each function begins: kernels, then those of steps.
    pub(super) functions: Vec<usize>,
    /// Where the table begins.
    pub(super) table: usize,
    /// What the addresses of the table are.
    pub(super) slots: Vec<Slot>,
}

/// What stands at one place of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Slot {
    /// The address of a function of the runtime.
    Runtime(&'static str),
    /// The address of an activation.
    Activation(Activation),
}

impl Image {
    /// Lays functions one after the other and lets them refer to each other.
    pub(super) fn new(compiled: &[Compiled]) -> Result<Image, JitError> {
        let mut bytes = Vec::new();
        let mut place = |code: &[u8], alignment: usize| {
            let start = bytes.len().next_multiple_of(alignment);
            bytes.resize(start, 0);
            bytes.extend_from_slice(code);
            start
        };
        let functions: Vec<_> = compiled
            .iter()
            .map(|one| place(&one.code, one.alignment.max(1)))
            .collect();
        let constants: Vec<Vec<_>> = compiled
            .iter()
            .map(|one| one.kept.bytes.iter().map(|bytes| place(bytes, ALIGNMENT)).collect())
            .collect();
        let table = place(&[], PAGE);
        let mut slots: Vec<Slot> = Vec::new();
        for (index, one) in compiled.iter().enumerate() {
            for relocation in &one.relocations {
                let mut address = |slot: Slot| {
                    let known = slots.iter().position(|other| *other == slot);
                    let number = known.unwrap_or_else(|| {
                        slots.push(slot);
                        slots.len() - 1
                    });
                    table + number * ADDRESS
                };
                let target = match relocation.target {
                    Reference::Function(function) => functions[function],
                    Reference::Constant(constant) => constants[index][constant],
                    Reference::Runtime(name) => address(Slot::Runtime(name)),
                    Reference::Activation(activation) => address(Slot::Activation(one.kept.activations[activation])),
                };
                let at = functions[index] + relocation.offset;
                relocate(&mut bytes, relocation.kind, at, target as i64 + relocation.addend)?;
            }
        }
        bytes.resize(table + slots.len() * ADDRESS, 0);
        Ok(Image {
            bytes,
            functions,
            table,
            slots,
        })
    }
}

/// Lets the instruction at `at` refer to `target`; both are offsets from a page.
fn relocate(bytes: &mut [u8], kind: Reloc, at: usize, target: i64) -> Result<(), JitError> {
    let refused = || JitError::Target(format!("code cannot refer to what is {target} bytes on with a {kind}"));
    let word = bytes.get_mut(at..at + 4).ok_or_else(refused)?;
    let instruction = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
    let distance = target - at as i64;
    let pages = (target >> 12) - (at as i64 >> 12);
    let changed = match kind {
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 => i32::try_from(distance).map_err(|_| refused())?.cast_unsigned(),
        Reloc::Arm64Call if (-(1 << 27)..1 << 27).contains(&distance) => {
            instruction | (((distance >> 2) as u32) & 0x03ff_ffff)
        }
        Reloc::Aarch64AdrPrelPgHi21 if (-(1 << 20)..1 << 20).contains(&pages) => {
            let pages = pages as u32;
            instruction | (pages & 3) << 29 | (pages & 0x1f_fffc) << 3
        }
        Reloc::Aarch64AddAbsLo12Nc => instruction | (target as u32 & 0xfff) << 10,
        _ => return Err(refused()),
    };
    word.copy_from_slice(&changed.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instruction that refers to `target` from `at`.
    fn referring(kind: Reloc, instruction: u32, at: usize, target: i64) -> Result<u32, JitError> {
        let mut bytes = vec![0; at + 4];
        bytes[at..].copy_from_slice(&instruction.to_le_bytes());
        relocate(&mut bytes, kind, at, target)?;
        Ok(u32::from_le_bytes(bytes[at..].try_into().unwrap()))
    }

    #[test]
    fn instructions_refer_to_targets_before_and_behind_them() {
        let x86 = |at, target| referring(Reloc::X86CallPCRel4, 0, at, target).unwrap();
        assert_eq!((x86(8, 24), x86(24, 8).cast_signed()), (16, -16));
        // `bl` counts words: one on, one back.
        let bl = |at, target| referring(Reloc::Arm64Call, 0x9400_0000, at, target).unwrap();
        assert_eq!((bl(8, 12), bl(8, 4)), (0x9400_0001, 0x97ff_ffff));
        // `adrp x0` of the page after, and `add x0, x0, #0x24`.
        let adrp = referring(Reloc::Aarch64AdrPrelPgHi21, 0x9000_0000, 0xff8, 0x1024).unwrap();
        assert_eq!(adrp, 0xb000_0000);
        let add = referring(Reloc::Aarch64AddAbsLo12Nc, 0x9100_0000, 0xffc, 0x1024).unwrap();
        assert_eq!(add, 0x9100_9000);
        let far = referring(Reloc::X86CallPCRel4, 0, 0, 1 << 31);
        assert!(matches!(far, Err(JitError::Target(_))));
        assert!(referring(Reloc::Abs8, 0, 0, 0).is_err());
    }
}
