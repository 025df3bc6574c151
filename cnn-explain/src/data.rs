//! What the page is told, as it is written: JSON whose numbers stand in a block of bytes beside it.
//!
//! `page/src/data.ts` describes the same to the front end.

use serde::Serialize;

use crate::arithmetic::{Arithmetic, Integers};
use crate::course::Course;
use crate::planned::Planned;
use crate::steps::{FusedNode, Step};
use crate::store::Stored;

/// A network, explained.
#[derive(Debug, Serialize)]
pub struct Data {
    /// The program that made it.
    pub generator: String,
    /// The network's name.
    pub name: String,
    /// What it is, in a line; empty if nobody says.
    pub about: String,
    /// Its text.
    pub source: Source,
    /// Where its weights come from.
    pub weights: Origin,
    /// What its inputs were given.
    pub input: Origin,
    /// The classes' names; empty if unknown.
    pub labels: Vec<String>,
    /// The layers as declared, operands first.
    pub layers: Vec<Layer>,
    /// The outputs.
    pub outputs: Vec<Output>,
    /// Sums over all layers.
    pub totals: Totals,
    /// Whether only parts of the numbers are here, because all would be too many.
    pub reduced: bool,
    /// How it is compiled.
    pub compiler: Option<Compiler>,
    /// Another network to hold it against.
    pub beside: Option<Box<Outline>>,
    /// The course.
    pub course: Option<Course>,
}

/// A network's text.
#[derive(Debug, Serialize)]
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// Where numbers come from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// `own`, `file`, `random`, `card` (drawn by the program), `drawn` (by the reader) or `none`.
    pub kind: &'static str,
    /// A file's name, a seed …
    pub text: String,
}

impl Origin {
    /// An origin of that kind.
    pub fn new(kind: &'static str, text: &str) -> Origin {
        Origin {
            kind,
            text: text.to_owned(),
        }
    }
}

/// An output: its name, and the layer that computes it.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The name for the user.
    pub name: String,
    /// The layer's position.
    pub layer: usize,
}

/// Sums over all layers.
#[derive(Debug, Serialize)]
pub struct Totals {
    /// Learnt numbers, each tensor once.
    pub parameters: u64,
    /// Multiplications for one image.
    pub multiplications: u64,
    /// Bytes of all values of one image.
    pub value_bytes: u64,
    /// Bytes of all tensors of weights.
    pub weight_bytes: u64,
}

/// A layer's shapes and costs: a line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// Its name.
    pub name: String,
    /// Its operator, and the activation fused into it.
    pub op: String,
    /// The positions of its operands.
    pub operands: Vec<usize>,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How that comes about; empty if there is nothing to say.
    pub formula: String,
    /// Learnt numbers.
    pub parameters: u64,
    /// Multiplications.
    pub multiplications: u64,
    /// These as a product.
    pub product: String,
    /// Bytes of its value.
    pub bytes: u64,
}

/// A layer.
#[derive(Debug, Serialize)]
pub struct Layer {
    /// Shapes and costs.
    #[serde(flatten)]
    pub cost: Cost,
    /// The word of its operator alone.
    pub word: &'static str,
    /// Its keys that differ from their defaults.
    pub keys: Vec<(String, String)>,
    /// The blocks it is in, outermost first.
    pub path: Vec<String>,
    /// First and last line in the source, from 1; `None` if it stands nowhere.
    pub lines: Option<[usize; 2]>,
    /// How a cell comes about.
    pub arithmetic: Arithmetic,
    /// What its elements stand for, if they are 8-bit integers.
    pub integers: Option<Integers>,
    /// Its weights.
    pub weights: Vec<Tensor>,
    /// Its result.
    pub value: Stored,
    /// What an LSTM remembers after each step.
    pub memory: Option<Stored>,
}

/// A tensor of weights.
#[derive(Debug, Serialize)]
pub struct Tensor {
    /// `weight`, `bias` …
    pub role: String,
    /// Its full name.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its numbers, with the dimensions after the second joined.
    pub value: Stored,
}

/// How a network is compiled.
#[derive(Debug, Serialize)]
pub struct Compiler {
    /// What each pass did.
    pub steps: Vec<Step>,
    /// The graph after all passes.
    pub fused: Vec<FusedNode>,
    /// The plan, with times and code.
    pub planned: Planned,
}

/// A network's table alone.
#[derive(Debug, Serialize)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Its layers.
    pub layers: Vec<Cost>,
    /// The blocks that each is in, outermost first.
    pub paths: Vec<Vec<String>>,
    /// Their sums.
    pub totals: Totals,
}
