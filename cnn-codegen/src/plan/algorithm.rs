//! Which algorithm a convolution gets: predicted times of all candidates, from measured rates.
//!
//! Rates are of one core of the machine the prototype and this project were measured on (see `docs/performance.md`);
//! only their ratios matter.

use std::fmt::Write;

use cnn_ir::op::{Conv, Pair};
use cnn_ir::shape::Shape;
use cnn_runtime::kernels::winograd::Winograd;

use super::layout::{BLOCK, extent};
use super::{Accuracy, PlanOptions, TileIsa};

/// How a convolution is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Multiply and add, as the formula says.
    Direct,
    /// Fewer multiplications on transformed tiles (Lavin & Gray, 2016).
    Winograd(Winograd),
}

/// Floating-point operations a nanosecond of direct tiles, and of the products between Winograd's transforms.
const DIRECT_RATE: f64 = 90.0;
const PRODUCT_RATE: f64 = 82.0;
/// Bytes a nanosecond of weights that do not stay in a cache.
const STREAM_RATE: f64 = 20.0;
/// Transformed weights beyond this stream from memory for every image.
const STREAM_BYTES: f64 = 12e6;

/// A candidate and its predicted time.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    algorithm: Algorithm,
    nanoseconds: f64,
}

/// Nanoseconds of both transforms for one tile of one block of channels: input, output.
fn transforms(variant: Winograd) -> (f64, f64) {
    match variant {
        Winograd::F2x3 => (10.0, 14.0),
        Winograd::F4x3 => (37.0, 33.0),
        Winograd::F4x5 => (96.0, 64.0),
    }
}

fn streamed(bytes: f64) -> f64 {
    if bytes > STREAM_BYTES { bytes / STREAM_RATE } else { 0.0 }
}

fn direct(conv: &Conv, channels: usize, [filters, height, width]: [usize; 3]) -> f64 {
    let taps = conv.kernel.h * conv.kernel.w;
    let weights = filters.next_multiple_of(BLOCK) * channels / conv.groups * taps;
    let operations = 2.0 * weights as f64 * (height * width) as f64;
    (operations / DIRECT_RATE).max(streamed(4.0 * weights as f64))
}

fn winograd(variant: Winograd, channels: usize, [filters, height, width]: [usize; 3]) -> f64 {
    let tiles = (height.div_ceil(variant.outputs()) * width.div_ceil(variant.outputs())) as f64;
    let (inputs, outputs) = (channels.next_multiple_of(BLOCK), filters.next_multiple_of(BLOCK));
    let weights = (variant.products() * inputs * outputs) as f64;
    let (before, after) = transforms(variant);
    let transforms = tiles * (before * (inputs / BLOCK) as f64 + after * (outputs / BLOCK) as f64);
    (2.0 * weights * tiles / PRODUCT_RATE).max(streamed(4.0 * weights)) + transforms
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

/// The algorithm for a convolution, and the reasons.
pub(super) fn choose(conv: &Conv, input: Shape, output: Shape, options: &PlanOptions) -> (Algorithm, String) {
    let channels = input.channels();
    let mut candidates = vec![Candidate {
        algorithm: Algorithm::Direct,
        nanoseconds: direct(conv, channels, extent(output)),
    }];
    for variant in Winograd::ALL
        .into_iter()
        .filter(|&variant| fits(conv, variant, channels))
    {
        candidates.push(Candidate {
            algorithm: Algorithm::Winograd(variant),
            nanoseconds: winograd(variant, channels, extent(output)),
        });
    }
    let allowed = |candidate: &&Candidate| match (options.accuracy, options.isa) {
        (Accuracy::Exact, _) => candidate.algorithm == Algorithm::Direct,
        // The rates of portable tiles differ, but not their order.
        (Accuracy::Fast, TileIsa::Avx2Fma | TileIsa::Portable) => true,
    };
    let forced = |candidate: &&Candidate| Some(candidate.algorithm) == options.force;
    let fastest = candidates
        .iter()
        .filter(allowed)
        .min_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds));
    let chosen = candidates
        .iter()
        .find(forced)
        .or(fastest)
        .map_or(Algorithm::Direct, |chosen| chosen.algorithm);
    let mut why = String::new();
    if candidates.len() > 1 {
        why.push_str("predicted");
        for candidate in &candidates {
            let _ = write!(
                why,
                " {} {:.0} µs,",
                candidate.algorithm.name(),
                candidate.nanoseconds / 1000.0
            );
        }
        why.pop();
        if options.accuracy == Accuracy::Exact {
            why.push_str("; exact results were asked for");
        }
    }
    (chosen, why)
}

impl Algorithm {
    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Direct => "direct",
            Algorithm::Winograd(Winograd::F2x3) => "Winograd F(2×2, 3×3)",
            Algorithm::Winograd(Winograd::F4x3) => "Winograd F(4×4, 3×3)",
            Algorithm::Winograd(Winograd::F4x5) => "Winograd F(4×4, 5×5)",
        }
    }
}
