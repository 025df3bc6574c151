//! What measuring the algorithms of convolutions gave.
//!
//! Only data: [`crate::tune`] measures, and whoever calls it decides what is remembered.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cnn_ir::op::{Conv, Pair, Sides};
use cnn_ir::shape::Shape;

use super::data::Algorithm;
use super::isa::TileIsa;

/// All that a convolution's time depends on, other than the machine: convolutions of one signature are measured once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// One image of the input.
    input: Shape,
    /// One image of the output.
    output: Shape,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    groups: usize,
    padding: Sides,
    /// By name: a slope or a limit changes no time.
    activation: Option<&'static str>,
    residual: bool,
    batch: usize,
    threads: usize,
    isa: TileIsa,
}

impl Signature {
    /// The signature of a convolution from `input` to `output`, in a plan for so many images and threads and these tiles.
    pub fn new(conv: &Conv, input: Shape, output: Shape, batch: usize, threads: usize, isa: TileIsa) -> Signature {
        let padding = match input {
            Shape::Map { height, width, .. } => {
                conv.padding
                    .resolve(height, width, conv.kernel, conv.stride, conv.dilation)
            }
            Shape::Flat(_) => Sides::default(),
        };
        Signature {
            input,
            output,
            kernel: conv.kernel,
            stride: conv.stride,
            dilation: conv.dilation,
            groups: conv.groups,
            padding,
            activation: conv.activation.map(|activation| activation.name()),
            residual: conv.residual,
            batch,
            threads,
            isa,
        }
    }
}

/// `conv [64, 56, 56] → [64, 56, 56], kernel 3×3, padding 1 1 1 1, relu; batch 1, 2 threads, AVX2`: different for
/// different signatures.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pair = |pair: Pair| format!("{}×{}", pair.h, pair.w);
        write!(f, "conv {} → {}, kernel {}", self.input, self.output, pair(self.kernel))?;
        if self.stride != Pair::ONE {
            write!(f, ", stride {}", pair(self.stride))?;
        }
        if self.dilation != Pair::ONE {
            write!(f, ", dilation {}", pair(self.dilation))?;
        }
        if self.groups > 1 {
            write!(f, ", groups {}", self.groups)?;
        }
        let Sides {
            top,
            left,
            bottom,
            right,
        } = self.padding;
        write!(f, ", padding {top} {left} {bottom} {right}")?;
        if let Some(activation) = self.activation {
            write!(f, ", {activation}")?;
        }
        if self.residual {
            write!(f, ", residual")?;
        }
        let threads = match self.threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        let isa = match self.isa {
            TileIsa::Avx2Fma => "AVX2",
            TileIsa::Portable => "portable",
        };
        write!(f, "; batch {}, {threads}, {isa}", self.batch)
    }
}

/// What each of a convolution's algorithms takes on this machine: one run, in nanoseconds.
pub type Times = Vec<(Algorithm, u64)>;

/// The measured times of some convolutions. Cloning is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measurements(Option<Arc<HashMap<Signature, Times>>>);

impl Measurements {
    /// Nothing is measured.
    pub const NONE: Measurements = Measurements(None);

    /// What the algorithms of a convolution take, if they were measured.
    pub fn get(&self, signature: &Signature) -> Option<&[(Algorithm, u64)]> {
        self.0.as_ref()?.get(signature).map(Vec::as_slice)
    }
}

impl FromIterator<(Signature, Times)> for Measurements {
    fn from_iter<I: IntoIterator<Item = (Signature, Times)>>(times: I) -> Measurements {
        let times: HashMap<_, _> = times.into_iter().collect();
        if times.is_empty() {
            Measurements::NONE
        } else {
            Measurements(Some(Arc::new(times)))
        }
    }
}
