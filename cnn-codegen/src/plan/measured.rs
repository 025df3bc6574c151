//! Which convolutions of a graph have a choice of algorithms, and what measuring these gave.
//!
//! Only data: [`crate::tune`] measures, and whoever calls it decides what is remembered.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cnn_ir::graph::Graph;
use cnn_ir::op::{Conv, Op, Pair, Sides};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;

use super::algorithm::{self, Algorithm};
use super::{PlanOptions, TileIsa};

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
    /// The signature of a convolution from `input` to `output`, in a plan for `options`.
    pub fn new(conv: &Conv, input: Shape, output: Shape, options: &PlanOptions) -> Signature {
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
            batch: options.batch,
            threads: options.threads,
            isa: options.isa,
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

/// A convolution that several algorithms can compute.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it is known by.
    pub signature: Signature,
    /// One of the graph's layers of this signature.
    pub conv: Conv,
    /// That layer's name.
    pub layer: String,
    /// One image of its input.
    pub input: Shape,
    /// One image of its output, and of its residual.
    pub output: Shape,
    /// The algorithms that `options` allow, at least two.
    pub algorithms: Vec<Algorithm>,
    /// What all layers of this signature are predicted to take together, in nanoseconds.
    pub predicted: f64,
}

/// The choices that a graph leaves for `options`, each signature once, the costliest first.
pub fn choices(graph: &Graph, shapes: &Shapes, options: &PlanOptions) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    let mut places: HashMap<Signature, usize> = HashMap::new();
    let streams = algorithm::streams(graph, shapes, options.caches);
    for id in graph.ids() {
        let Op::Conv(conv) = &graph[id].op else { continue };
        let (input, output) = (shapes[graph.operands(id)[0]], shapes[id]);
        let candidates = algorithm::allowed(conv, input, output, streams, options);
        if candidates.len() < 2 {
            continue;
        }
        let fastest = candidates.iter().map(|one| one.predicted).fold(f64::INFINITY, f64::min);
        let signature = Signature::new(conv, input, output, options);
        let place = *places.entry(signature.clone()).or_insert(choices.len());
        if let Some(known) = choices.get_mut(place) {
            known.predicted += fastest;
            continue;
        }
        choices.push(Choice {
            signature,
            conv: conv.clone(),
            layer: graph[id].name.clone(),
            input,
            output,
            algorithms: candidates.into_iter().map(|one| one.algorithm).collect(),
            predicted: fastest,
        });
    }
    choices.sort_by(|a, b| b.predicted.total_cmp(&a.predicted));
    choices
}

#[cfg(test)]
mod tests {
    use cnn_ir::front::graph_from_toml;
    use cnn_ir::validate::validate;

    use super::*;
    use crate::plan::Accuracy;

    const LAYERS: &str = r#"
        [inputs]
        image = [16, 20, 20]
        [[layer]]
        name = "a"
        op = "conv"
        filters = 16
        kernel = 3
        padding = 1
        [[layer]]
        name = "b"
        op = "conv"
        filters = 16
        kernel = 3
        padding = 1
        [[layer]]
        name = "pointwise"
        op = "conv"
        filters = 16
        kernel = 1
        [[layer]]
        name = "c"
        op = "conv"
        filters = 64
        kernel = 5
        padding = "same"
        activation = "relu"
    "#;

    #[test]
    fn each_signature_once_and_the_costliest_first() {
        let (graph, _) = graph_from_toml(LAYERS).unwrap();
        let shapes = validate(&graph).unwrap();
        let options = PlanOptions {
            isa: TileIsa::Avx2Fma,
            threads: 2,
            ..PlanOptions::default()
        };
        let found = choices(&graph, &shapes, &options);
        let names: Vec<_> = found.iter().map(|choice| choice.signature.to_string()).collect();
        assert_eq!(
            names,
            [
                "conv [16, 20, 20] → [64, 20, 20], kernel 5×5, padding 2 2 2 2, relu; batch 1, 2 threads, AVX2",
                "conv [16, 20, 20] → [16, 20, 20], kernel 3×3, padding 1 1 1 1; batch 1, 2 threads, AVX2",
            ]
        );
        assert_eq!(
            found.iter().map(|choice| choice.algorithms.len()).collect::<Vec<_>>(),
            [2, 3]
        );
        let exact = PlanOptions {
            accuracy: Accuracy::Exact,
            ..options
        };
        assert!(choices(&graph, &shapes, &exact).is_empty());
    }
}
