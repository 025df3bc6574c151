//! The instruction list as lines of Intel-syntax assembler, for dumps and for `naked_asm!`.

use cnn_types::Operation;

use super::inst::{Code, Counter, HEAD_ALIGNMENT, Inst, Memory, Operand, Pointer, Vector, Width};

/// The assembler lines of an instruction list, in Intel syntax, ready for `naked_asm!` of an `extern "sysv64"`
/// function. Labels are numeric (`2:` … `jne 2b`), so the same lines may occur often in one file. Lines of one
/// instruction each; labels and `.p2align` stand on their own.
pub fn text(code: &Code) -> Vec<String> {
    let names = Names(code.width);
    let mut lines = Vec::with_capacity(code.insts.len());
    for &inst in &code.insts {
        match inst {
            Inst::Zero { dst } => {
                let x = xmm(dst);
                lines.push(format!("vxorps {x}, {x}, {x}"));
            }
            Inst::Splat { dst, bits } => {
                lines.push(format!("mov eax, {bits:#010x}"));
                lines.push(format!("vmovd {}, eax", xmm(dst)));
                lines.push(format!("vbroadcastss {}, {}", names.whole(dst), xmm(dst)));
            }
            Inst::Load { dst, src } => lines.push(format!("vmovups {}, {}", names.whole(dst), names.place(src))),
            Inst::Store { dst, src } => lines.push(format!("vmovups {}, {}", names.place(dst), names.whole(src))),
            Inst::LoadHalf { dst, src, upper: false } => {
                lines.push(format!("vmovups ymm{}, ymmword ptr {}", dst.0, place(src)))
            }
            Inst::LoadHalf { dst, src, upper: true } => {
                lines.push(format!(
                    "vinsertf32x8 zmm{0}, zmm{0}, ymmword ptr {1}, 1",
                    dst.0,
                    place(src)
                ));
            }
            Inst::StoreHalf { dst, src, upper: false } => {
                lines.push(format!("vmovups ymmword ptr {}, ymm{}", place(dst), src.0))
            }
            Inst::StoreHalf { dst, src, upper: true } => {
                lines.push(format!("vextractf32x8 ymmword ptr {}, zmm{}, 1", place(dst), src.0));
            }
            Inst::Broadcast { dst, src } => {
                lines.push(format!("vbroadcastss {}, dword ptr {}", names.whole(dst), place(src)));
            }
            Inst::LoadFixed { dst, src } => {
                let half = names.half();
                lines.push(format!(
                    "vpmovsxwd {}, {half}mmword ptr {}",
                    names.whole(dst),
                    place(src)
                ));
                lines.push(format!("vcvtdq2ps {0}, {0}", names.whole(dst)));
            }
            Inst::Prefetch { src } => lines.push(format!("prefetcht1 byte ptr {}", place(src))),
            Inst::MultiplyAdd { acc, a, b } => lines.push(names.three("vfmadd231ps", acc, a, b)),
            Inst::Arithmetic { op, dst, a, b } => {
                let name = match op {
                    Operation::Add => "vaddps",
                    Operation::Multiply => "vmulps",
                    Operation::Max => "vmaxps",
                    Operation::Min => "vminps",
                };
                lines.push(names.three(name, dst, a, b));
            }
            Inst::Count { counter, count } => lines.push(format!("mov {}, {count}", register(counter))),
            Inst::Head { counter, aligned } => {
                if aligned {
                    lines.push(format!(".p2align {}", HEAD_ALIGNMENT.ilog2()));
                }
                lines.push(format!("{}:", label(counter)));
            }
            Inst::Advance { pointer, bytes } => lines.push(format!("add {}, {bytes}", base(pointer))),
            Inst::Repeat { counter } => {
                lines.push(format!("dec {}", register(counter)));
                lines.push(format!("jne {}b", label(counter)));
            }
            Inst::Return => {
                lines.push("vzeroupper".to_owned());
                lines.push("ret".to_owned());
            }
        }
    }
    lines
}

/// How registers and places in memory are called.
struct Names(Width);

impl Names {
    fn letter(&self) -> char {
        match self.0 {
            Width::Ymm => 'y',
            Width::Zmm => 'z',
        }
    }

    /// The letter of half a register.
    fn half(&self) -> char {
        match self.0 {
            Width::Ymm => 'x',
            Width::Zmm => 'y',
        }
    }

    fn whole(&self, v: Vector) -> String {
        format!("{}mm{}", self.letter(), v.0)
    }

    fn place(&self, m: Memory) -> String {
        format!("{}mmword ptr {}", self.letter(), place(m))
    }

    fn three(&self, name: &str, dst: Vector, a: Vector, b: Operand) -> String {
        let b = match b {
            Operand::Vector(b) => self.whole(b),
            Operand::Memory(m) => self.place(m),
        };
        format!("{name} {}, {}, {b}", self.whole(dst), self.whole(a))
    }
}

/// Labels made of the digits 0 and 1 alone would be read as binary numbers, so they start at 2.
fn label(counter: Counter) -> u8 {
    counter.0 + 2
}

fn xmm(v: Vector) -> String {
    format!("xmm{}", v.0)
}

fn base(pointer: Pointer) -> &'static str {
    match pointer {
        Pointer::Input => "rdi",
        Pointer::Weights => "rsi",
        Pointer::Output => "rdx",
        Pointer::Residual => "rcx",
        Pointer::Ahead => "r8",
    }
}

fn register(counter: Counter) -> &'static str {
    ["eax", "r9d", "r10d", "r11d"]
        .get(usize::from(counter.0))
        .copied()
        .unwrap_or("?")
}

fn place(m: Memory) -> String {
    match m.displacement {
        0 => format!("[{}]", base(m.base)),
        d if d < 0 => format!("[{} - {}]", base(m.base), d.unsigned_abs()),
        d => format!("[{} + {d}]", base(m.base)),
    }
}
