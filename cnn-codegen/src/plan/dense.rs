//! Dense layers as sweeps: matrix–vector products for one image, matrix products for more.

use cnn_ir::op::Dense;
use cnn_runtime::pack::{ChannelOrder, Panels, Recipe};

use super::convolution::{Planned, filters};
use super::isa::TileIsa;
use super::layout::BLOCK;
use super::sweep::{Axis, Move};
use super::tiling::{Operand, Reduction, Target, Tiling, bytes};
use super::walk::{Map, Pitch};
use crate::tile::Product;

/// Plans a dense layer: a matrix–vector product for one image, a matrix product for more.
pub(super) fn dense(
    isa: TileIsa,
    batch: usize,
    dense: &Dense,
    weights: &str,
    input: &Operand,
    target: &Target<'_>,
) -> Planned {
    let inputs = input.view.shape.elements();
    let source = filters(weights, vec![dense.units, inputs], dense.bias, &dense.norm);
    let blocks = dense.units.div_ceil(BLOCK);
    let vectors = if batch == 1 {
        isa.vectors_of_one_pixel(blocks)
    } else {
        isa.vectors_of_many(blocks)
    };
    let count = blocks.div_ceil(vectors);
    let panels = Panels {
        vectors,
        groups: 1,
        order: ChannelOrder::Planar,
        first_channels: vec![0; count],
        chunks: vec![inputs],
    };
    let map = Map {
        height: 1,
        width: batch,
        input: Pitch {
            row: 0,
            pixel: bytes(input.strides.image),
        },
        output: Pitch {
            row: 0,
            pixel: bytes(target.output.strides.image),
        },
        residual: Pitch::default(),
    };
    let most = if batch == 1 { 1 } else { isa.pixels(vectors) };
    let tiling = Tiling {
        map,
        most,
        block_pixels: batch,
        images: 1,
        panels: Axis {
            count,
            step: target.panel(vectors, 0, panels.panel_floats(&source)),
        },
        panel_inputs: Vec::new(),
        product: Product::Broadcast,
        vectors,
        passes: vec![(Move::default(), Reduction::new(&[(inputs, bytes(1))]))],
    };
    let sweep = target.sweep(input, tiling);
    Planned {
        sweep,
        recipe: Recipe::Panels {
            filters: source,
            panels,
        },
        kernel: format!(
            "{}, tile {most}×{}",
            if batch == 1 {
                "matrix–vector"
            } else {
                "matrix product"
            },
            vectors * BLOCK
        ),
        why: "weights are read once, in one stream".into(),
    }
}
