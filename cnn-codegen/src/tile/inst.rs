//! The instruction list between a specification and its code: a dozen forms over named registers.

use cnn_types::Operation;

/// The vector registers of a kernel, and how instructions on them are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// AVX2: `ymm0`–`ymm15`.
    Ymm,
    /// AVX-512: `zmm0`–`zmm31`.
    Zmm,
}

impl Width {
    /// Blocks of eight floats in a register.
    pub const fn blocks(self) -> usize {
        match self {
            Width::Ymm => 1,
            Width::Zmm => 2,
        }
    }

    /// Bytes of a register.
    pub const fn bytes(self) -> i32 {
        32 * self.blocks() as i32
    }

    /// How many registers there are.
    pub const fn registers(self) -> usize {
        match self {
            Width::Ymm => 16,
            Width::Zmm => 32,
        }
    }
}

/// A kernel as instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The registers they are on.
    pub width: Width,
    /// One after the other.
    pub insts: Vec<Inst>,
}

/// A vector register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Vector(pub u8);

/// The kernel's five arguments, each in its System V register for the whole call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pointer {
    /// `rdi`.
    Input,
    /// `rsi`.
    Weights,
    /// `rdx`.
    Output,
    /// `rcx`.
    Residual,
    /// `r8`.
    Ahead,
}

/// A loop counter, 0 (innermost) to 3: `eax`, `r9d`–`r11d`. It also names the loop's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Counter(pub u8);

/// A place in memory: a pointer and a byte displacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The base register.
    pub base: Pointer,
    /// Bytes added to it.
    pub displacement: i32,
}

/// The last operand of an arithmetic instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A register.
    Vector(Vector),
    /// A register's floats in memory, of any alignment.
    Memory(Memory),
}

/// One instruction. [`super::encode()`] turns it into bytes, [`super::text()`] into assembler lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inst {
    /// All lanes zero.
    Zero {
        /// Destination.
        dst: Vector,
    },
    /// One constant in all lanes; takes `eax` on the way, so never inside a loop.
    Splat {
        /// Destination.
        dst: Vector,
        /// The float's bits.
        bits: u32,
    },
    /// A register's floats from memory.
    Load {
        /// Destination.
        dst: Vector,
        /// Source.
        src: Memory,
    },
    /// A register's floats to memory.
    Store {
        /// Destination.
        dst: Memory,
        /// Source.
        src: Vector,
    },
    /// The lower or upper eight floats of a register of sixteen, from memory; the lower ones clear the others.
    LoadHalf {
        /// Destination.
        dst: Vector,
        /// Source.
        src: Memory,
        /// Which half.
        upper: bool,
    },
    /// The lower or upper eight floats of a register of sixteen, to memory.
    StoreHalf {
        /// Destination.
        dst: Memory,
        /// Source.
        src: Vector,
        /// Which half.
        upper: bool,
    },
    /// One float from memory in all lanes.
    Broadcast {
        /// Destination.
        dst: Vector,
        /// Source: four bytes.
        src: Memory,
    },
    /// A 16-bit integer a lane, from memory, as floats.
    LoadFixed {
        /// Destination.
        dst: Vector,
        /// Source: half as many bytes as a register has.
        src: Memory,
    },
    /// Asks for a cache line to be brought into the second-level cache. Never faults, whatever the address.
    Prefetch {
        /// A byte of the line.
        src: Memory,
    },
    /// `acc += a · b`, rounded once.
    MultiplyAdd {
        /// Accumulator.
        acc: Vector,
        /// First factor.
        a: Vector,
        /// Second factor.
        b: Operand,
    },
    /// `dst = a ∘ b`.
    Arithmetic {
        /// The operation.
        op: Operation,
        /// Destination.
        dst: Vector,
        /// First operand.
        a: Vector,
        /// Second operand.
        b: Operand,
    },
    /// Sets a loop's counter.
    Count {
        /// The loop.
        counter: Counter,
        /// Iterations.
        count: u32,
    },
    /// The top of a loop.
    Head {
        /// The loop.
        counter: Counter,
        /// Whether it is padded to a fetch boundary of [`HEAD_ALIGNMENT`] bytes.
        aligned: bool,
    },
    /// Moves a pointer.
    Advance {
        /// The pointer.
        pointer: Pointer,
        /// Bytes.
        bytes: i32,
    },
    /// Counts down and jumps to the loop's head until zero.
    Repeat {
        /// The loop.
        counter: Counter,
    },
    /// Leaves the kernel with clean upper register halves.
    Return,
}

/// Alignment of loop heads, relative to the start of the kernel.
pub const HEAD_ALIGNMENT: usize = 32;
