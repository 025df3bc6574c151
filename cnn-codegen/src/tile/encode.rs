//! The instruction list as x86-64 machine code (Intel's manual, volume 2: the VEX and EVEX prefixes, ModR/M, displacements).
//!
//! Encoded here because there are a dozen forms: an encoder of the whole instruction set sets up tables for thousands
//! before its first byte, which a small network's compile time would feel.

use cnn_types::Operation;
use thiserror::Error;

use super::inst::{Code, Counter, HEAD_ALIGNMENT, Inst, Memory, Operand, Pointer, Width};

/// An instruction list that is no code. The lowering never makes one.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// A loop's end without its head.
    #[error("loop {0} has no head")]
    Head(u8),
}

/// The machine code of an instruction list: position independent, without relocations, to be placed at a multiple of
/// [`HEAD_ALIGNMENT`] bytes (anywhere else it is right but slower).
///
/// # Errors
/// [`EncodeError`], never for a list made by [`super::lower()`].
pub fn encode(code: &Code) -> Result<Vec<u8>, EncodeError> {
    let mut assembly = Assembly {
        width: code.width,
        // An instruction of three operands has five or six bytes, and one more for a short displacement.
        bytes: Vec::with_capacity(7 * code.insts.len()),
        heads: [None; 16],
    };
    for &inst in &code.insts {
        assembly.inst(inst)?;
    }
    Ok(assembly.bytes)
}

/// What an instruction does to vectors: `pp`, `mmmmm` and the opcode of its VEX encoding, with `W` = 0.
#[derive(Clone, Copy)]
struct Opcode {
    prefix: u8,
    map: u8,
    code: u8,
}

/// Without a prefix, after `0F`.
const fn plain(code: u8) -> Opcode {
    Opcode {
        prefix: 0,
        map: 1,
        code,
    }
}

/// With the prefix `66`, after `0F 38`.
const fn extended(code: u8) -> Opcode {
    Opcode {
        prefix: 1,
        map: 2,
        code,
    }
}

/// With the prefix `66`, after `0F 3A`.
const fn immediate(code: u8) -> Opcode {
    Opcode {
        prefix: 1,
        map: 3,
        code,
    }
}

const VXORPS: Opcode = plain(0x57);
const VMOVUPS_LOAD: Opcode = plain(0x10);
const VMOVUPS_STORE: Opcode = plain(0x11);
const VBROADCASTSS: Opcode = extended(0x18);
const VFMADD231PS: Opcode = extended(0xb8);
const VPMOVSXWD: Opcode = extended(0x23);
const VCVTDQ2PS: Opcode = plain(0x5b);
const VMOVD: Opcode = Opcode {
    prefix: 1,
    map: 1,
    code: 0x6e,
};

const VINSERTF32X8: Opcode = immediate(0x1a);
const VEXTRACTF32X8: Opcode = immediate(0x1b);

/// Bits of a vector: `VEX.L`, `EVEX.L'L`.
#[derive(Clone, Copy, PartialEq)]
enum Length {
    Xmm = 0,
    Ymm = 1,
    Zmm = 2,
}

/// The operand that ModR/M gives a register or a place in memory.
#[derive(Clone, Copy)]
enum Rm {
    Register(u8),
    Memory(Memory),
}

impl From<Operand> for Rm {
    fn from(operand: Operand) -> Rm {
        match operand {
            Operand::Vector(v) => Rm::Register(v.0),
            Operand::Memory(m) => Rm::Memory(m),
        }
    }
}

struct Assembly {
    width: Width,
    bytes: Vec<u8>,
    /// Where each loop's head is.
    heads: [Option<usize>; 16],
}

impl Assembly {
    fn inst(&mut self, inst: Inst) -> Result<(), EncodeError> {
        let bytes = self.width.bytes();
        let whole = match self.width {
            Width::Ymm => Length::Ymm,
            Width::Zmm => Length::Zmm,
        };
        match inst {
            Inst::Zero { dst } => self.vector(VXORPS, Length::Xmm, dst.0, dst.0, Rm::Register(dst.0), 16),
            Inst::Splat { dst, bits } => {
                self.set(EAX, bits);
                self.vector(VMOVD, Length::Xmm, dst.0, 0, Rm::Register(EAX), 4);
                self.vector(VBROADCASTSS, whole, dst.0, 0, Rm::Register(dst.0), 4);
            }
            Inst::Load { dst, src } => self.vector(VMOVUPS_LOAD, whole, dst.0, 0, Rm::Memory(src), bytes),
            Inst::Store { dst, src } => self.vector(VMOVUPS_STORE, whole, src.0, 0, Rm::Memory(dst), bytes),
            Inst::LoadHalf { dst, src, upper: false } => {
                self.vector(VMOVUPS_LOAD, Length::Ymm, dst.0, 0, Rm::Memory(src), 32);
            }
            Inst::LoadHalf { dst, src, upper: true } => {
                self.vector(VINSERTF32X8, Length::Zmm, dst.0, dst.0, Rm::Memory(src), 32);
                self.bytes.push(1);
            }
            Inst::StoreHalf { dst, src, upper: false } => {
                self.vector(VMOVUPS_STORE, Length::Ymm, src.0, 0, Rm::Memory(dst), 32);
            }
            Inst::StoreHalf { dst, src, upper: true } => {
                self.vector(VEXTRACTF32X8, Length::Zmm, src.0, 0, Rm::Memory(dst), 32);
                self.bytes.push(1);
            }
            Inst::Broadcast { dst, src } => self.vector(VBROADCASTSS, whole, dst.0, 0, Rm::Memory(src), 4),
            Inst::LoadFixed { dst, src } => {
                self.vector(VPMOVSXWD, whole, dst.0, 0, Rm::Memory(src), bytes / 2);
                self.vector(VCVTDQ2PS, whole, dst.0, 0, Rm::Register(dst.0), bytes);
            }
            Inst::Prefetch { src } => {
                // prefetcht1 m8
                if base(src.base) >= 8 {
                    self.bytes.push(0x41);
                }
                self.bytes.extend([0x0f, 0x18]);
                self.memory(2, src, 1);
            }
            Inst::MultiplyAdd { acc, a, b } => self.vector(VFMADD231PS, whole, acc.0, a.0, b.into(), bytes),
            Inst::Arithmetic { op, dst, a, b } => {
                let opcode = plain(match op {
                    Operation::Add => 0x58,
                    Operation::Multiply => 0x59,
                    Operation::Max => 0x5f,
                    Operation::Min => 0x5d,
                });
                self.vector(opcode, whole, dst.0, a.0, b.into(), bytes);
            }
            Inst::Count { counter, count } => self.set(register(counter), count),
            Inst::Head { counter, aligned } => {
                if aligned {
                    self.align();
                }
                if let Some(head) = self.heads.get_mut(usize::from(counter.0)) {
                    *head = Some(self.bytes.len());
                }
            }
            Inst::Advance { pointer, bytes } => {
                // add r64, imm8 or imm32
                let prefix = 0x48 | base(pointer) >> 3;
                let operand = 0xc0 | base(pointer) & 7;
                match i8::try_from(bytes) {
                    Ok(short) => self.bytes.extend([prefix, 0x83, operand, short as u8]),
                    Err(_) => {
                        self.bytes.extend([prefix, 0x81, operand]);
                        self.bytes.extend(bytes.to_le_bytes());
                    }
                }
            }
            Inst::Repeat { counter } => {
                // dec r32
                let register = register(counter);
                self.extend_register(register);
                self.bytes.extend([0xff, 0xc8 | register & 7]);
                let head = self.heads.get(usize::from(counter.0)).copied().flatten();
                let head = head.ok_or(EncodeError::Head(counter.0))?;
                // jne; heads stand before their ends, so the distance is known: two bytes if it fits, else six.
                let back = (self.bytes.len() - head) as i32;
                match i8::try_from(-(back + 2)) {
                    Ok(short) => self.bytes.extend([0x75, short as u8]),
                    Err(_) => {
                        self.bytes.extend([0x0f, 0x85]);
                        self.bytes.extend((-(back + 6)).to_le_bytes());
                    }
                }
            }
            // vzeroupper; ret
            Inst::Return => self.bytes.extend([0xc5, 0xf8, 0x77, 0xc3]),
        }
        Ok(())
    }

    /// An instruction on vectors: `reg` is its destination (a store's source), `second` its first source, 0 if it has
    /// only one; in memory it is on `bytes` bytes.
    fn vector(&mut self, opcode: Opcode, length: Length, reg: u8, second: u8, rm: Rm, bytes: i32) {
        match self.width {
            Width::Ymm => self.vex(opcode, length, reg, second, rm),
            Width::Zmm => self.evex(opcode, length, reg, second, rm, bytes),
        }
    }

    /// In the four-byte prefix that names 32 registers and up to 512 bits. A short displacement counts units of `bytes`.
    fn evex(&mut self, opcode: Opcode, length: Length, reg: u8, second: u8, rm: Rm, bytes: i32) {
        // Bits of register numbers are stored inverted: 0 where they are set.
        let clear = |number: u8, bit: u8| (number >> bit & 1) ^ 1;
        let (x, b) = match rm {
            Rm::Register(register) => (clear(register, 4), clear(register, 3)),
            Rm::Memory(memory) => (1, clear(base(memory.base), 3)),
        };
        self.bytes.extend([
            0x62,
            clear(reg, 3) << 7 | x << 6 | b << 5 | clear(reg, 4) << 4 | opcode.map,
            (second & 15 ^ 15) << 3 | 1 << 2 | opcode.prefix,
            (length as u8) << 5 | clear(second, 4) << 3,
            opcode.code,
        ]);
        match rm {
            Rm::Register(register) => self.bytes.push(0xc0 | (reg & 7) << 3 | register & 7),
            Rm::Memory(memory) => self.memory(reg & 7, memory, bytes),
        }
    }

    /// In the prefix of two or three bytes.
    fn vex(&mut self, opcode: Opcode, length: Length, reg: u8, second: u8, rm: Rm) {
        let high = |register: u8| register >> 3;
        let b = match rm {
            Rm::Register(register) => high(register),
            Rm::Memory(memory) => high(base(memory.base)),
        };
        // Registers' high bits and `vvvv` are stored inverted.
        let last = (second ^ 15) << 3 | (length as u8) << 2 | opcode.prefix;
        if b == 0 && opcode.map == 1 {
            self.bytes.extend([0xc5, (high(reg) ^ 1) << 7 | last]);
        } else {
            let first = (high(reg) ^ 1) << 7 | 1 << 6 | (b ^ 1) << 5 | opcode.map;
            self.bytes.extend([0xc4, first, last]);
        }
        self.bytes.push(opcode.code);
        match rm {
            Rm::Register(register) => self.bytes.push(0xc0 | (reg & 7) << 3 | register & 7),
            Rm::Memory(memory) => self.memory(reg & 7, memory, 1),
        }
    }

    /// ModR/M and displacement of a place in memory; a displacement of one byte counts `unit`s.
    fn memory(
        &mut self,
        reg: u8,
        Memory {
            base: pointer,
            displacement,
        }: Memory,
        unit: i32,
    ) {
        let at = reg << 3 | base(pointer) & 7;
        let short = if displacement % unit == 0 {
            displacement / unit
        } else {
            i32::MAX
        };
        match (displacement, i8::try_from(short)) {
            (0, _) => self.bytes.push(at),
            (_, Ok(short)) => self.bytes.extend([0x40 | at, short as u8]),
            (_, Err(_)) => {
                self.bytes.push(0x80 | at);
                self.bytes.extend(displacement.to_le_bytes());
            }
        }
    }

    /// `mov r32, imm32`
    fn set(&mut self, register: u8, value: u32) {
        self.extend_register(register);
        self.bytes.push(0xb8 | register & 7);
        self.bytes.extend(value.to_le_bytes());
    }

    /// The prefix that an instruction on one 32-bit register needs for `r8d` and above.
    fn extend_register(&mut self, register: u8) {
        if register >= 8 {
            self.bytes.push(0x41);
        }
    }

    fn align(&mut self) {
        let mut rest = self.bytes.len().next_multiple_of(HEAD_ALIGNMENT) - self.bytes.len();
        while rest > 0 {
            let nop = NOPS[rest.min(NOPS.len()) - 1];
            self.bytes.extend_from_slice(nop);
            rest -= nop.len();
        }
    }
}

/// The recommended no-operations of one to nine bytes (Intel's manual, volume 2, NOP).
const NOPS: [&[u8]; 9] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// The number of `eax`.
const EAX: u8 = 0;

/// A pointer's register. None has the low bits of `rsp` or `rbp`, which addresses encode otherwise.
fn base(pointer: Pointer) -> u8 {
    match pointer {
        Pointer::Input => 7,
        Pointer::Weights => 6,
        Pointer::Output => 2,
        Pointer::Residual => 1,
        Pointer::Ahead => 8,
    }
}

/// A counter's register: `eax`, then `r9d` and on.
fn register(counter: Counter) -> u8 {
    match counter.0 {
        0 => EAX,
        n => 8 + n,
    }
}
