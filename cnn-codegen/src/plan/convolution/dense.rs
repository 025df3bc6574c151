//! Dense layers as sweeps: matrix–vector products for one image, matrix products for more.

use cnn_ir::op::Dense;
use cnn_runtime::pack::{ChannelOrder, FilterSource, FixedPanels, Panels, Recipe};

use super::cover::{Pitch, PixelGrid};
use super::layer::{Kernel, Layer, StridedView, bytes};
use super::reduction::Reduction;
use super::tiling::Tiling;
use crate::isa::facts;
use crate::plan::data::layout::BLOCK;
use crate::plan::data::{Constants, Move, Repeat};
use crate::plan::options::{Accuracy, PlanOptions};
use crate::tile::{Product, SpecError};

/// 16-bit weights of one filter that share a scale, at most and at least: few, so that a large weight makes few others
/// coarse, but not so few that scales weigh in.
const FIXED_BLOCK: usize = 64;
const LEAST_FIXED_BLOCK: usize = 32;

/// In which form a layer's weights are read.
struct Stream {
    vectors: usize,
    product: Product,
    reduction: Reduction,
    panel_floats: usize,
    recipe: Recipe,
    name: &'static str,
    why: String,
}

/// A dense layer: pixels are the images of a batch, panels its units.
pub(crate) fn dense(layer: &Layer<'_>, dense: &Dense, constants: &mut Constants) -> Result<Kernel, SpecError> {
    let options = layer.options;
    let inputs = layer.input.view.shape.elements();
    let filters = layer.filters(vec![dense.units, inputs], dense.bias, &dense.norm);
    let fixed = fixed_panels(options, &filters, inputs).filter(|_| layer.streams);
    let stream = match fixed {
        Some((panels, reduction)) => fixed_stream(panels, reduction, filters),
        None => float_stream(options, filters, inputs),
    };
    let (batch, vectors) = (options.batch, stream.vectors);
    let pitch = |view: &StridedView| Pitch {
        row: 0,
        pixel: bytes(view.strides.image),
    };
    let most = if batch == 1 {
        1
    } else {
        facts(options.isa).pixels(vectors)
    };
    let panels = dense.units.div_ceil(vectors * BLOCK);
    let tiling = Tiling {
        pixels: PixelGrid {
            height: 1,
            width: batch,
            input: pitch(&layer.input),
            output: pitch(&layer.output),
            residual: Pitch::default(),
        },
        most,
        block_pixels: options.shared_pixels(batch, panels),
        images: 1,
        panels: Repeat {
            count: panels,
            step: layer.panel(vectors, 0, stream.panel_floats),
        },
        panel_inputs: Vec::new(),
        product: stream.product,
        vectors,
        passes: vec![(Move::default(), stream.reduction)],
        prefetch: false,
    };
    let name = format!("{}, tile {most}×{}", stream.name, vectors * BLOCK);
    layer.kernel(name, stream.why, tiling, stream.recipe, constants)
}

/// Weights as they are.
fn float_stream(options: &PlanOptions, filters: FilterSource, inputs: usize) -> Stream {
    let blocks = filters.count().div_ceil(BLOCK);
    let (vectors, name) = if options.batch == 1 {
        (facts(options.isa).vectors_of_one_pixel(blocks), "matrix–vector")
    } else {
        (facts(options.isa).vectors_of_many(blocks, inputs), "matrix product")
    };
    let panels = Panels {
        vectors,
        groups: 1,
        order: ChannelOrder::Planar,
        first_channels: vec![0; blocks.div_ceil(vectors)],
        k_blocks: vec![inputs],
    };
    Stream {
        vectors,
        product: Product::Broadcast,
        reduction: Reduction::new(&[(inputs, bytes(1))]),
        panel_floats: panels.panel_floats(&filters),
        recipe: Recipe::Panels { filters, panels },
        name,
        why: "weights are read once, in one stream".into(),
    }
}

/// How a layer's weights become 16-bit numbers, if that is allowed and of use (packing refuses weights that they do not
/// hold): a product for one image, of weights that
/// not even the second-level cache holds.
fn fixed_panels(options: &PlanOptions, filters: &FilterSource, inputs: usize) -> Option<(FixedPanels, Reduction)> {
    let large = filters.count().saturating_mul(inputs) > options.caches.second / size_of::<f32>();
    if options.accuracy != Accuracy::Fast || options.batch > 1 || !large {
        return None;
    }
    let vectors = facts(options.isa).vectors_of_fixed(filters.count().div_ceil(BLOCK))?;
    let mut blocks = (LEAST_FIXED_BLOCK..=FIXED_BLOCK).rev();
    blocks.find_map(|block| Some((FixedPanels { vectors, block }, Reduction::fixed(inputs, block)?)))
}

/// Weights as 16-bit numbers.
fn fixed_stream(panels: FixedPanels, reduction: Reduction, filters: FilterSource) -> Stream {
    Stream {
        vectors: panels.vectors,
        product: Product::Fixed,
        reduction,
        panel_floats: panels.panel_floats(&filters),
        name: "matrix–vector, 16-bit weights",
        why: format!(
            "weights come from memory: half the bytes, one scale for {} weights",
            panels.block
        ),
        recipe: Recipe::Fixed { filters, panels },
    }
}
