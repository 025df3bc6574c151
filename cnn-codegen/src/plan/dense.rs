//! Dense layers as sweeps: matrix–vector products for one image, matrix products for more.

use cnn_ir::op::Dense;
use cnn_runtime::pack::{ChannelOrder, FilterSource, FixedPanels, Panels, Recipe};

use super::convolution::{Planned, filters};
use super::layout::BLOCK;
use super::sweep::{Axis, Move};
use super::tiling::{Operand, Reduction, Target, Tiling, bytes};
use super::walk::{Map, Pitch};
use super::{Accuracy, PlanOptions};
use crate::tile::{Loop, Product};

/// 16-bit weights of one filter that share a scale, at most and at least: few, so that a large weight makes few others
/// coarse, but not so few that scales weigh in.
const FIXED_BLOCK: usize = 64;
const LEAST_FIXED_BLOCK: usize = 32;
/// k-steps that a block's loop unrolls, the first that divide it.
const FIXED_UNROLL: [usize; 2] = [8, 4];

/// In which form a layer's weights are read.
struct Stream {
    vectors: usize,
    product: Product,
    reduction: Reduction,
    panel_floats: usize,
    recipe: Recipe,
    kernel: String,
    why: String,
}

/// Plans a dense layer: a matrix–vector product for one image, a matrix product for more. `streams` says whether the
/// network's weights come from memory.
pub(super) fn dense(
    options: &PlanOptions,
    streams: bool,
    dense: &Dense,
    weights: &str,
    input: &Operand,
    target: &Target<'_>,
) -> Planned {
    let inputs = input.view.shape.elements();
    let source = filters(weights, vec![dense.units, inputs], dense.bias, &dense.norm);
    let fixed = fixed_panels(options, &source, inputs).filter(|_| streams);
    let Stream {
        vectors,
        product,
        reduction,
        panel_floats,
        recipe,
        kernel,
        why,
    } = match fixed {
        Some((panels, unroll)) => fixed_stream(panels, unroll, source, inputs),
        None => float_stream(options, source, inputs),
    };
    let batch = options.batch;
    let pitch = |operand: &Operand| Pitch {
        row: 0,
        pixel: bytes(operand.strides.image),
    };
    let most = if batch == 1 { 1 } else { options.isa.pixels(vectors) };
    let panels = dense.units.div_ceil(vectors * BLOCK);
    let tiling = Tiling {
        map: Map {
            height: 1,
            width: batch,
            input: pitch(input),
            output: pitch(&target.output),
            residual: Pitch::default(),
        },
        most,
        block_pixels: options.shared_pixels(batch, panels),
        images: 1,
        panels: Axis {
            count: panels,
            step: target.panel(vectors, 0, panel_floats),
        },
        panel_inputs: Vec::new(),
        product,
        vectors,
        passes: vec![(Move::default(), reduction)],
    };
    Planned {
        sweep: target.sweep(input, tiling),
        recipe,
        kernel: format!("{kernel}, tile {most}×{}", vectors * BLOCK),
        why,
    }
}

/// Weights as they are.
fn float_stream(options: &PlanOptions, source: FilterSource, inputs: usize) -> Stream {
    let blocks = source.count().div_ceil(BLOCK);
    let (vectors, kernel) = if options.batch == 1 {
        (options.isa.vectors_of_one_pixel(blocks), "matrix–vector")
    } else {
        (options.isa.vectors_of_many(blocks), "matrix product")
    };
    let panels = Panels {
        vectors,
        groups: 1,
        order: ChannelOrder::Planar,
        first_channels: vec![0; blocks.div_ceil(vectors)],
        chunks: vec![inputs],
    };
    Stream {
        vectors,
        product: Product::Broadcast,
        reduction: Reduction::new(&[(inputs, bytes(1))]),
        panel_floats: panels.panel_floats(&source),
        recipe: Recipe::Panels {
            filters: source,
            panels,
        },
        kernel: kernel.into(),
        why: "weights are read once, in one stream".into(),
    }
}

/// How a layer's weights become 16-bit numbers, if that is allowed and of use: a product for one image, of weights that
/// not even the second-level cache holds. Also how many k-steps of a block are unrolled.
fn fixed_panels(options: &PlanOptions, source: &FilterSource, inputs: usize) -> Option<(FixedPanels, usize)> {
    let large = source.count().saturating_mul(inputs) > options.caches.second / size_of::<f32>();
    if options.accuracy == Accuracy::Exact || options.batch > 1 || !large {
        return None;
    }
    let vectors = options.isa.vectors_of_fixed(source.count().div_ceil(BLOCK))?;
    let blocks = (LEAST_FIXED_BLOCK..=FIXED_BLOCK).rev();
    let (block, unroll) = blocks.filter(|&block| inputs.is_multiple_of(block)).find_map(|block| {
        Some((
            block,
            FIXED_UNROLL.into_iter().find(|&steps| block.is_multiple_of(steps))?,
        ))
    })?;
    Some((FixedPanels { vectors, block }, unroll))
}

/// Weights as 16-bit numbers.
fn fixed_stream(panels: FixedPanels, unroll: usize, source: FilterSource, inputs: usize) -> Stream {
    let FixedPanels { vectors, block } = panels;
    let over = |count: usize, floats: usize| Loop {
        count: count as u32,
        input_step: bytes(floats),
    };
    Stream {
        vectors,
        product: Product::Fixed,
        reduction: Reduction {
            loops: vec![over(inputs / block, block), over(block / unroll, unroll)],
            taps: (0..unroll).map(|step| bytes(step) as i32).collect(),
        },
        panel_floats: panels.panel_floats(&source),
        recipe: Recipe::Fixed {
            filters: source,
            panels,
        },
        kernel: "matrix–vector, 16-bit weights".into(),
        why: format!("weights come from memory: half the bytes, one scale for {block} weights"),
    }
}
