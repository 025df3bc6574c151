//! The words of loop code: values, expressions, instructions, functions.
//!
//! Values are defined once, by the instruction that names them; what loops change is a variable. There are addresses,
//! counts, floats, vectors of eight floats and conditions, each a type of its own, so that code that mixes them up
//! does not compile.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use cnn_ir::op::Activation;
use cnn_runtime::kernels::activation::RowFunction;
use cnn_runtime::kernels::lrn::LrnRow;
use cnn_runtime::kernels::task::Kernel;
use cnn_runtime::kernels::winograd::{InputShape, OutputShape, Winograd};

/// Floats of a vector: what eight channels of a pixel are.
pub const LANES: usize = 8;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);
    )*};
}

names! {
    /// An address.
    Address;
    /// A count or index.
    Int;
    /// A float.
    Float;
    /// Eight floats.
    Vector;
    /// A condition.
    Test;
    /// A float that loops can change.
    FloatVariable;
    /// Eight floats that loops can change.
    VectorVariable;
}

/// A count that may be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Count {
    /// Known.
    Constant(i64),
    /// Not known.
    Value(Int),
}

impl From<usize> for Count {
    fn from(count: usize) -> Count {
        Count::Constant(count as i64)
    }
}

impl From<Int> for Count {
    fn from(value: Int) -> Count {
        Count::Value(value)
    }
}

/// How an address comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressExpr {
    /// Of the function's n-th operand.
    Operand(usize),
    /// Of memory that the thread has for itself.
    Scratch,
    /// Of eight floats that this call of the function has for itself.
    Temporary,
    /// So many bytes further.
    Offset(Address, i64),
    /// `index` strides of so many bytes further.
    Index(Address, Int, i64),
}

/// How a count comes about. All are signed; only what is not negative is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntExpr {
    /// The first task that this call does.
    First,
    /// One behind the last task that this call does.
    End,
    /// It is known.
    Constant(i64),
    /// Of two others.
    Binary(IntOp, Int, Count),
    /// An element of the function's n-th table.
    Table(usize, Int),
}

/// Arithmetic of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntOp {
    /// `a + b`
    Add,
    /// `a − b`
    Subtract,
    /// `a · b`
    Multiply,
    /// `⌊a / b⌋`, neither negative.
    Divide,
    /// The lesser.
    Min,
    /// The greater.
    Max,
}

/// How a float comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatExpr {
    /// It is known: the bits of an `f32`, so that 0 and −0 are two.
    Constant(u32),
    /// From memory, so many bytes behind an address.
    Load(Address, i64),
    /// Of two others.
    Binary(FloatOp, Float, Float),
    /// A count as a float.
    FromInt(Int),
    /// A lane of a vector.
    Lane(Vector, usize),
    /// What a variable holds.
    Read(FloatVariable),
    /// The first where the condition holds, else the second.
    Select(Test, Float, Float),
}

/// Arithmetic of floats, as IEEE 754 rounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatOp {
    /// `a + b`
    Add,
    /// `a − b`
    Subtract,
    /// `a · b`
    Multiply,
    /// `a / b`
    Divide,
    /// The greater; `b` where either is NaN.
    Max,
    /// The lesser; `b` where either is NaN.
    Min,
}

/// How a vector comes about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VectorExpr {
    /// From memory, so many bytes behind an address, which need not be aligned.
    Load(Address, i64),
    /// One float in all lanes.
    Splat(Float),
    /// Lane by lane of two others.
    Binary(FloatOp, Vector, Vector),
    /// `a · b + sum`, rounded once where the machine can.
    MultiplyAdd(Vector, Vector, Vector),
    /// Lane by lane `then` where `left` and `right` compare so, else `otherwise`.
    Where {
        /// How they must compare.
        is: Comparison,
        /// Compared.
        left: Vector,
        /// With this.
        right: Vector,
        /// Where it holds.
        then: Vector,
        /// Where it does not.
        otherwise: Vector,
    },
    /// NaN in lanes where any of the vectors has one, else `otherwise`.
    NanOfAny(Vec<Vector>, Vector),
    /// Another value in one lane.
    WithLane(Vector, usize, Float),
    /// What a variable holds.
    Read(VectorVariable),
}

/// How two floats compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `a < b`
    Less,
    /// `a > b`
    Greater,
    /// Either is NaN.
    Unordered,
}

/// How a condition comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TestExpr {
    /// `0 ≤ a < b`
    Within(Int, Count),
    /// `a = b`
    Equal(Int, Count),
    /// Two floats compare so.
    Compare(Comparison, Float, Float),
    /// Either condition.
    Or(Test, Test),
}

/// A function of the runtime, called for a row of floats or a tile.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// An elementwise function.
    Row {
        /// Which.
        function: RowFunction,
        /// Read from here.
        from: Address,
        /// Written to here; may be the same place.
        to: Address,
        /// So many floats.
        floats: usize,
    },
    /// Softmax of a vector, or its logarithm.
    Softmax {
        /// Whether the logarithm.
        log: bool,
        /// Scores.
        from: Address,
        /// The result.
        to: Address,
        /// So many floats.
        floats: usize,
    },
    /// Local response normalisation of a row of pixels.
    Lrn {
        /// Its parameters.
        row: LrnRow,
        /// Read from here.
        from: Address,
        /// Written to here.
        to: Address,
    },
    /// A task of a step that a kernel does as a whole.
    Task {
        /// Which kernel, and all that is known of it.
        kernel: Kernel,
        /// What it works on.
        input: Address,
        /// A second operand, or the constant.
        other: Address,
        /// The result.
        output: Address,
        /// The task.
        task: Int,
    },
    /// Winograd's transform of a run of input tiles.
    WinogradInput {
        /// The kind.
        variant: Winograd,
        /// Where both lie.
        shape: InputShape,
        /// The map.
        from: Address,
        /// The transformed tiles.
        to: Address,
        /// The first tile.
        first_tile: Int,
        /// How many.
        tiles: Int,
    },
    /// Winograd's transform of a run of products to output tiles.
    WinogradOutput {
        /// The kind.
        variant: Winograd,
        /// Where both lie.
        shape: OutputShape,
        /// The products.
        from: Address,
        /// The map.
        to: Address,
        /// The bias of the first block.
        bias: Address,
        /// What is added, if anything.
        residual: Option<Address>,
        /// The activation.
        activation: Option<Activation>,
        /// The first tile.
        first_tile: Int,
        /// How many.
        tiles: Int,
    },
}

// LRN's parameters and scales, the only floats in it, come from the planner, which has no NaN for them.
impl Eq for Call {}

impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        match self {
            Call::Row { function, floats, .. } => (function, floats).hash(state),
            Call::Softmax { log, floats, .. } => (log, floats).hash(state),
            Call::Task { kernel, .. } => kernel.name().hash(state),
            Call::Lrn { row, .. } => (row.pixels, row.channels, row.down, row.up).hash(state),
            Call::WinogradInput { variant, .. } | Call::WinogradOutput { variant, .. } => variant.hash(state),
        }
    }
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Inst {
    /// Names an address.
    Address(Address, AddressExpr),
    /// Names a count.
    Int(Int, IntExpr),
    /// Names a float.
    Float(Float, FloatExpr),
    /// Names a vector.
    Vector(Vector, VectorExpr),
    /// Names a condition.
    Test(Test, TestExpr),
    /// A variable and its first value.
    DeclareFloat(FloatVariable, Float),
    /// A variable and its first value.
    DeclareVector(VectorVariable, Vector),
    /// A variable's next value.
    SetFloat(FloatVariable, Float),
    /// A variable's next value.
    SetVector(VectorVariable, Vector),
    /// Writes a float, so many bytes behind an address.
    StoreFloat(Float, Address, i64),
    /// Writes a vector, so many bytes behind an address, which need not be aligned.
    Store(Vector, Address, i64),
    /// `for index in first..end { body }`
    Range {
        /// The index.
        index: Int,
        /// Its first value.
        first: Count,
        /// One behind its last.
        end: Count,
        /// What is done.
        body: Vec<Inst>,
    },
    /// `if condition { body }`
    When {
        /// The condition.
        condition: Test,
        /// What is done.
        body: Vec<Inst>,
    },
    /// Calls a tile kernel: one of the program's.
    Tile {
        /// Which.
        kernel: usize,
        /// Its input.
        input: Address,
        /// Its weights.
        weights: Address,
        /// Its output.
        output: Address,
        /// Its residual.
        residual: Address,
        /// What it brings nearer.
        ahead: Address,
    },
    /// Calls the runtime.
    Call(Call),
}

/// A function of addresses, which does tasks `first..end` of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Function {
    /// How many operands it has.
    pub operands: usize,
    /// Its tables of constants.
    pub tables: Vec<Vec<i64>>,
    /// What it does.
    pub body: Vec<Inst>,
}
