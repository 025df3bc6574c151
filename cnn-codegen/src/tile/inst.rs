//! The instruction list between a specification and its code: a dozen forms over named registers.

use cnn_types::Operation;

/// A 256-bit vector register, 0–15.
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
    /// Eight floats in memory, of any alignment.
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
    /// Eight floats from memory.
    Load {
        /// Destination.
        dst: Vector,
        /// Source.
        src: Memory,
    },
    /// Eight floats to memory.
    Store {
        /// Destination.
        dst: Memory,
        /// Source.
        src: Vector,
    },
    /// One float from memory in all lanes.
    Broadcast {
        /// Destination.
        dst: Vector,
        /// Source: four bytes.
        src: Memory,
    },
    /// Eight 16-bit integers from memory as floats.
    LoadFixed {
        /// Destination.
        dst: Vector,
        /// Source: sixteen bytes.
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
