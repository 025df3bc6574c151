//! Which algorithm a convolution gets: the one of the least predicted time.
//!
//! Predictions come from rates of one core of the machine that the prototype and this project were measured on (see
//! `docs/performance.md`); only their ratios matter.

use cnn_ir::graph::Graph;
use cnn_ir::op::{Conv, Pair};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::memory::Caches;

use super::winograd;
use crate::plan::data::Algorithm;
use crate::plan::data::layout::BLOCK;
use crate::plan::options::{Accuracy, PlanOptions};

/// Floating-point operations a nanosecond of direct tiles, and of the products between Winograd's transforms.
const DIRECT_RATE: f64 = 90.0;
const PRODUCT_RATE: f64 = 82.0;
/// Bytes a nanosecond of weights that come from memory.
const STREAM_RATE: f64 = 20.0;
/// Of the last-level cache, what a network's weights may take to be there still for the next image.
const STREAM_SHARE: f64 = 3.0 / 8.0;

/// A candidate and its predicted time in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) algorithm: Algorithm,
    pub(crate) predicted: f64,
}

/// Nanoseconds of both transforms for one tile of one block of channels: input, output.
fn transforms(variant: Winograd) -> (f64, f64) {
    match variant {
        Winograd::F2x3 => (10.0, 14.0),
        Winograd::F4x3 => (37.0, 33.0),
        Winograd::F4x5 => (96.0, 64.0),
    }
}

/// Whether a network's weights come from memory for each image: the last-level cache does not hold all of them.
pub(crate) fn streams(graph: &Graph, shapes: &Shapes, caches: Caches) -> bool {
    let tensors = |id| graph[id].op.weights("", &shapes.operands(graph, id));
    let parameters = graph.ids().flat_map(tensors).filter(|tensor| tensor.is_parameter());
    let floats: f64 = parameters.map(|tensor| tensor.elements() as f64).sum();
    size_of::<f32>() as f64 * floats > STREAM_SHARE * caches.last as f64
}

fn streamed(bytes: f64, streams: bool) -> f64 {
    if streams { bytes / STREAM_RATE } else { 0.0 }
}

fn direct(conv: &Conv, channels: usize, [filters, height, width]: [usize; 3], streams: bool) -> f64 {
    let taps = conv.kernel.h * conv.kernel.w;
    let weights = filters.next_multiple_of(BLOCK) * channels / conv.groups * taps;
    let operations = 2.0 * weights as f64 * (height * width) as f64;
    (operations / DIRECT_RATE).max(streamed(4.0 * weights as f64, streams))
}

fn transformed(
    variant: Winograd,
    channels: usize,
    [filters, height, width]: [usize; 3],
    streams: bool,
    options: &PlanOptions,
) -> f64 {
    let tiles = height.div_ceil(variant.outputs()) * width.div_ceil(variant.outputs());
    let (inputs, outputs) = (channels.next_multiple_of(BLOCK), filters.next_multiple_of(BLOCK));
    let weights = variant.products() * inputs * outputs;
    let images = winograd::images(options, tiles, size_of::<f32>() * weights) as f64;
    let (tiles, weights) = (tiles as f64, weights as f64);
    let (before, after) = transforms(variant);
    let transforms = tiles * (before * (inputs / BLOCK) as f64 + after * (outputs / BLOCK) as f64);
    (2.0 * weights * tiles / PRODUCT_RATE).max(streamed(4.0 * weights / images, streams)) + transforms
}

/// Whether Winograd's algorithm computes this convolution at all.
fn fits(conv: &Conv, variant: Winograd, channels: usize) -> bool {
    let once = Pair { h: 1, w: 1 };
    let kernel = Pair {
        h: variant.taps(),
        w: variant.taps(),
    };
    conv.kernel == kernel
        && conv.stride == once
        && conv.dilation == once
        && conv.groups == 1
        // Fewer channels than a block are half padding.
        && channels >= BLOCK
}

/// All algorithms that compute a convolution, the direct one first.
fn candidates(conv: &Conv, input: Shape, output: Shape, streams: bool, options: &PlanOptions) -> Vec<Candidate> {
    let channels = input.channels();
    let mut candidates = vec![Candidate {
        algorithm: Algorithm::Direct,
        predicted: direct(conv, channels, output.extent(), streams),
    }];
    for variant in Winograd::ALL
        .into_iter()
        .filter(|&variant| fits(conv, variant, channels))
    {
        candidates.push(Candidate {
            algorithm: Algorithm::Winograd(variant),
            predicted: transformed(variant, channels, output.extent(), streams, options),
        });
    }
    candidates
}

fn is_allowed(algorithm: Algorithm, options: &PlanOptions) -> bool {
    match options.accuracy {
        Accuracy::Exact => algorithm == Algorithm::Direct,
        // The rates of other instruction sets differ, but not their order.
        Accuracy::Fast | Accuracy::FullWeights => true,
    }
}

/// The algorithm that a convolution gets, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) algorithm: Algorithm,
    /// Empty where there is no choice.
    pub(crate) why: String,
}

/// Selects the algorithm for a convolution.
pub(crate) fn select(conv: &Conv, input: Shape, output: Shape, streams: bool, options: &PlanOptions) -> Selected {
    let candidates = candidates(conv, input, output, streams, options);
    if candidates.len() == 1 {
        return Selected {
            algorithm: Algorithm::Direct,
            why: String::new(),
        };
    }
    let allowed = candidates.iter().filter(|one| is_allowed(one.algorithm, options));
    let fastest = allowed
        .min_by(|a, b| a.predicted.total_cmp(&b.predicted))
        .map(|candidate| candidate.algorithm);
    let forced = options
        .force
        .filter(|&forced| candidates.iter().any(|candidate| candidate.algorithm == forced));
    let predicted = candidates
        .iter()
        .map(|one| format!("{} {:.0} µs", one.algorithm.name(), one.predicted / 1000.0));
    let mut why = format!("predicted {}", predicted.collect::<Vec<_>>().join(", "));
    if options.accuracy == Accuracy::Exact {
        why.push_str("; exact results were asked for");
    }
    Selected {
        algorithm: forced.or(fastest).unwrap_or(Algorithm::Direct),
        why,
    }
}

#[cfg(test)]
mod tests {
    use cnn_ir::op::Padding;

    use super::*;

    const INPUT: Shape = Shape::map(64, 56, 56);
    const DIRECT: Algorithm = Algorithm::Direct;
    const SMALL: Algorithm = Algorithm::Winograd(Winograd::F2x3);
    const LARGE: Algorithm = Algorithm::Winograd(Winograd::F4x3);

    fn layer() -> Conv {
        Conv {
            quantized: false,
            filters: 64,
            kernel: Pair { h: 3, w: 3 },
            stride: Pair::ONE,
            padding: Padding::Same,
            dilation: Pair::ONE,
            groups: 1,
            bias: true,
            activation: None,
            norm: None,
            residual: false,
        }
    }

    fn algorithm(options: &PlanOptions) -> Algorithm {
        select(&layer(), INPUT, INPUT, false, options).algorithm
    }

    #[test]
    fn the_fastest_by_prediction_unless_exactness_or_force_forbid() {
        let options = PlanOptions::default();
        let selected = select(&layer(), INPUT, INPUT, false, &options);
        assert_eq!(selected.algorithm, LARGE);
        assert!(selected.why.starts_with("predicted direct "), "{}", selected.why);
        let exact = PlanOptions {
            accuracy: Accuracy::Exact,
            ..options.clone()
        };
        assert_eq!(algorithm(&exact), DIRECT);
        let forced = PlanOptions {
            force: Some(SMALL),
            ..options
        };
        assert_eq!(algorithm(&forced), SMALL);
    }
}
