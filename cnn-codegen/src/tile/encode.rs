//! The instruction list as x86-64 machine code, through iced-x86's encoder.

use iced_x86::{Code, Encoder, IcedError, Instruction, MemoryOperand, Register};
use thiserror::Error;

use super::inst::{Arithmetic, Counter, HEAD_ALIGNMENT, Inst, Memory, Operand, Pointer, Vector};

/// An instruction list that is no code. The lowering never makes one.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The encoder refused an instruction.
    #[error("cannot encode: {0}")]
    Instruction(#[from] IcedError),
    /// A loop's end without its head.
    #[error("loop {0} has no head")]
    Head(u8),
}

/// The machine code of an instruction list: position independent, without relocations, to be placed at a multiple of
/// [`HEAD_ALIGNMENT`] bytes (anywhere else it is right but slower).
///
/// # Errors
/// [`EncodeError`], never for a list made by [`super::lower()`].
pub fn encode(insts: &[Inst]) -> Result<Vec<u8>, EncodeError> {
    let mut code = Assembly {
        encoder: Encoder::new(64),
        position: 0,
        bytes: Vec::new(),
        heads: [None; 16],
    };
    for &inst in insts {
        code.inst(inst)?;
    }
    code.flush();
    Ok(code.bytes)
}

struct Assembly {
    encoder: Encoder,
    position: u64,
    bytes: Vec<u8>,
    heads: [Option<u64>; 16],
}

impl Assembly {
    fn inst(&mut self, inst: Inst) -> Result<(), EncodeError> {
        match inst {
            Inst::Zero { dst } => {
                let x = xmm(dst);
                self.put(Instruction::with3(Code::VEX_Vxorps_xmm_xmm_xmmm128, x, x, x)?)
            }
            Inst::Splat { dst, bits } => {
                self.put(Instruction::with2(Code::Mov_r32_imm32, Register::EAX, bits)?)?;
                self.put(Instruction::with2(Code::VEX_Vmovd_xmm_rm32, xmm(dst), Register::EAX)?)?;
                self.put(Instruction::with2(Code::VEX_Vbroadcastss_ymm_xmm, ymm(dst), xmm(dst))?)
            }
            Inst::Load { dst, src } => self.put(Instruction::with2(
                Code::VEX_Vmovups_ymm_ymmm256,
                ymm(dst),
                memory(src),
            )?),
            Inst::Store { dst, src } => self.put(Instruction::with2(
                Code::VEX_Vmovups_ymmm256_ymm,
                memory(dst),
                ymm(src),
            )?),
            Inst::Broadcast { dst, src } => self.put(Instruction::with2(
                Code::VEX_Vbroadcastss_ymm_m32,
                ymm(dst),
                memory(src),
            )?),
            Inst::MultiplyAdd { acc, a, b } => self.three(Code::VEX_Vfmadd231ps_ymm_ymm_ymmm256, acc, a, b),
            Inst::Arithmetic { op, dst, a, b } => {
                let code = match op {
                    Arithmetic::Add => Code::VEX_Vaddps_ymm_ymm_ymmm256,
                    Arithmetic::Multiply => Code::VEX_Vmulps_ymm_ymm_ymmm256,
                    Arithmetic::Max => Code::VEX_Vmaxps_ymm_ymm_ymmm256,
                    Arithmetic::Min => Code::VEX_Vminps_ymm_ymm_ymmm256,
                };
                self.three(code, dst, a, b)
            }
            Inst::Count { counter, count } => {
                self.put(Instruction::with2(Code::Mov_r32_imm32, register(counter), count)?)
            }
            Inst::Head { counter, aligned } => {
                if aligned {
                    self.align();
                }
                if let Some(head) = self.heads.get_mut(usize::from(counter.0)) {
                    *head = Some(self.position);
                }
                Ok(())
            }
            Inst::Advance { pointer, bytes } => {
                let code = if i8::try_from(bytes).is_ok() {
                    Code::Add_rm64_imm8
                } else {
                    Code::Add_rm64_imm32
                };
                self.put(Instruction::with2(code, base(pointer), bytes)?)
            }
            Inst::Repeat { counter } => {
                self.put(Instruction::with1(Code::Dec_rm32, register(counter))?)?;
                let head = self.heads.get(usize::from(counter.0)).copied().flatten();
                let head = head.ok_or(EncodeError::Head(counter.0))?;
                // Heads stand before their ends, so the distance is known: two bytes if it fits, else six.
                let near = self.position + 2 - head <= 128;
                let code = if near { Code::Jne_rel8_64 } else { Code::Jne_rel32_64 };
                self.put(Instruction::with_branch(code, head)?)
            }
            Inst::Return => {
                self.put(Instruction::with(Code::VEX_Vzeroupper))?;
                self.put(Instruction::with(Code::Retnq))
            }
        }
    }

    fn three(&mut self, code: Code, dst: Vector, a: Vector, b: Operand) -> Result<(), EncodeError> {
        self.put(match b {
            Operand::Vector(b) => Instruction::with3(code, ymm(dst), ymm(a), ymm(b))?,
            Operand::Memory(m) => Instruction::with3(code, ymm(dst), ymm(a), memory(m))?,
        })
    }

    fn put(&mut self, instruction: Instruction) -> Result<(), EncodeError> {
        self.position += self.encoder.encode(&instruction, self.position)? as u64;
        Ok(())
    }

    fn align(&mut self) {
        self.flush();
        let mut rest = self.bytes.len().next_multiple_of(HEAD_ALIGNMENT) - self.bytes.len();
        while rest > 0 {
            let nop = NOPS[rest.min(NOPS.len()) - 1];
            self.bytes.extend_from_slice(nop);
            rest -= nop.len();
        }
        self.position = self.bytes.len() as u64;
    }

    /// Moves the encoder's bytes to our own, so that padding can follow them.
    fn flush(&mut self) {
        self.bytes.append(&mut self.encoder.take_buffer());
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

fn ymm(v: Vector) -> Register {
    Register::YMM0 + u32::from(v.0)
}

fn xmm(v: Vector) -> Register {
    Register::XMM0 + u32::from(v.0)
}

fn base(pointer: Pointer) -> Register {
    match pointer {
        Pointer::Input => Register::RDI,
        Pointer::Weights => Register::RSI,
        Pointer::Output => Register::RDX,
        Pointer::Residual => Register::RCX,
    }
}

fn register(counter: Counter) -> Register {
    match counter.0 {
        0 => Register::EAX,
        n => Register::R8D + u32::from(n - 1),
    }
}

fn memory(m: Memory) -> MemoryOperand {
    match m.displacement {
        0 => MemoryOperand::with_base(base(m.base)),
        d => MemoryOperand::with_base_displ(base(m.base), i64::from(d)),
    }
}
