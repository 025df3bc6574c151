//! Winograd convolutions: transformed tiles of the input times transformed filters, one product for each of the
//! a² positions of a tile, then the transform back (Lavin & Gray, 2016).

use cnn_ir::op::{Activation, Conv, Sides};
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::pack::{FilterSource, Recipe, WinogradFilters};
use cnn_types::InstructionSet;

use super::cover::{Pitch, PixelGrid};
use super::layer::{Kernel, Layer, bytes};
use super::prefetch::prefetch;
use super::reduction::Reduction;
use crate::isa::facts;
use crate::plan::data::layout::BLOCK;
use crate::plan::data::{Constants, Move, Nest, Repeat, WinogradWork, Work};
use crate::plan::options::PlanOptions;
use crate::tile::{Init, Product, SpecError, TileSpec};

/// Of the second-level cache, what one task's transformed tiles should take: they are written and read again at once.
const BLOCK_SHARE: f64 = 25.0 / 32.0;
/// Transformed filters that take this many second-level caches are read as seldom as possible.
const STREAM_CACHES: usize = 2;
/// Tiles of one task when filters are streamed.
const STREAM_TILES: usize = 48;
/// Pixels from which on a register tile is at the peak even if it is half full.
const LARGE_TILE: usize = 12;
/// Tiles of one task that is made of several images.
const IMAGES_TILES: usize = 64;
/// Keeps the a² planes of transformed tiles out of each other's cache sets.
const PLANE_PAD: usize = 16;

/// Images of one task: several if they are small and have to stream the same filters.
pub(crate) fn images(options: &PlanOptions, tiles: usize, filter_bytes: usize) -> usize {
    let fit = |images: &usize| options.batch.is_multiple_of(*images) && images.saturating_mul(tiles) <= IMAGES_TILES;
    let together = (1..=options.batch.min(IMAGES_TILES)).rev().find(fit);
    together.filter(|_| exceed_cache(options, filter_bytes)).unwrap_or(1)
}

/// Whether transformed filters are too large for the second-level cache: they are then read as seldom as possible.
fn exceed_cache(options: &PlanOptions, filter_bytes: usize) -> bool {
    filter_bytes > STREAM_CACHES * options.caches.second
}

/// A convolution by Winograd's algorithm. All views are blocked; `sides` is the padding.
pub(crate) fn conv(
    layer: &Layer<'_>,
    variant: Winograd,
    conv: &Conv,
    filters: FilterSource,
    sides: Sides,
    constants: &mut Constants,
) -> Result<Kernel, SpecError> {
    let options = layer.options;
    let [channels, ..] = layer.input.view.shape.extent();
    let [count, height, width] = layer.output.view.shape.extent();
    let (inputs, outputs) = (channels.div_ceil(BLOCK), count.div_ceil(BLOCK));
    let tiles = [width.div_ceil(variant.outputs()), height.div_ceil(variant.outputs())];
    let all = tiles[0] * tiles[1];
    let positions = variant.products();
    let facts = facts(options.isa);
    let vectors = facts.vectors_of_many(outputs, channels);
    let most = facts.pixels(vectors);
    // Small tiles that are not full wait for their multiply–adds, large ones do not.
    let (least, unit) = if most > LARGE_TILE { (most, 1) } else { (2 * most, most) };

    let filter_bytes = positions * inputs * outputs * BLOCK * BLOCK * size_of::<f32>();
    let tile_bytes = positions * (inputs + outputs) * BLOCK * size_of::<f32>();
    let images = images(options, all, filter_bytes);
    let wanted = if images > 1 {
        images * all
    } else if exceed_cache(options, filter_bytes) {
        STREAM_TILES
    } else {
        let block_bytes = options.caches.second as f64 * BLOCK_SHARE;
        (block_bytes as usize / tile_bytes).max(least)
    };
    // Near-equal tasks of whole kernels.
    let together = images * all;
    let tasks = together.div_ceil(wanted);
    let block = together.div_ceil(tasks).next_multiple_of(unit).min(together);
    let tasks = together.div_ceil(block) * (options.batch / images);
    let panels = outputs / vectors;
    // Few tasks are divided by filters too, as seldom as possible: each part transforms the input again.
    let parts = (1..=panels)
        .find(|parts| panels.is_multiple_of(*parts) && tasks * parts >= options.wanted_tasks())
        .unwrap_or(panels);
    let panels = panels / parts;
    let blocks = [inputs, outputs / parts];
    // Floats from a position's plane to the next: `[block of channels][tile][8]`, and the pad.
    let planes = blocks.map(|blocks| blocks * block * BLOCK + PLANE_PAD);

    let panel_floats = inputs * BLOCK * vectors * BLOCK;
    // For a task of whole size and for the last one, if it is smaller.
    let products: Vec<(usize, Nest)> = [block, together % block]
        .into_iter()
        .filter(|&tiles| tiles > 0)
        .map(|tiles| {
            let mut nest = product(
                options.isa,
                tiles,
                block,
                [most, vectors],
                [positions, panels, inputs],
                planes,
                panel_floats,
            );
            prefetch(&mut nest, 1, options);
            (tiles, nest)
        })
        .collect();
    let (activation, rest) = Activation::split(conv.activation);
    for spec in products.iter().flat_map(|(_, nest)| &nest.specs) {
        spec.validate()?;
    }
    let transformed = WinogradFilters {
        variant,
        vectors,
        parts,
    };
    let work = WinogradWork {
        variant,
        input: layer.input.view,
        output: layer.output.view,
        residual: layer.residual.map(|residual| residual.view),
        weights: constants.add(Recipe::Winograd { filters, transformed }),
        sides,
        activation,
        tiles,
        images,
        block,
        parts,
        blocks,
        planes,
        part_floats: positions * panels * panel_floats,
        products,
    };
    let (m, r) = (variant.outputs(), variant.taps());
    Ok(Kernel {
        name: format!("Winograd F({m}×{m}, {r}×{r}), tile {most}×{}", vectors * BLOCK),
        why: String::new(),
        work: Work::Winograd(Box::new(work)),
        multiplications: layer.multiplications,
        moved: layer.moved(),
        rest,
    })
}

/// The a² products of `tiles` tiles: `[tiles, channels] · [channels, filters]`.
fn product(
    isa: InstructionSet,
    tiles: usize,
    block: usize,
    [most, vectors]: [usize; 2],
    [positions, panels, inputs]: [usize; 3],
    planes: [usize; 2],
    panel_floats: usize,
) -> Nest {
    // From a block of channels to the next: all of a task's tiles.
    let block_bytes = bytes(block * BLOCK);
    let pitch = Pitch {
        row: 0,
        pixel: bytes(BLOCK),
    };
    let map = PixelGrid {
        height: 1,
        width: tiles,
        input: pitch,
        output: pitch,
        residual: Pitch::default(),
    };
    let output_vectors: Vec<i32> = (0..vectors as i32).map(|vector| vector * block_bytes as i32).collect();
    let (regions, shapes) = map.cover(most, &output_vectors, tiles);
    let reduction = Reduction::new(&[(inputs, block_bytes), (BLOCK, bytes(1))]);
    let specs = shapes
        .into_iter()
        .map(|pixels| TileSpec {
            isa,
            product: Product::Broadcast,
            vectors,
            pixels,
            output_vectors: output_vectors.clone(),
            residual_vectors: Vec::new(),
            loops: reduction.loops.clone(),
            taps: reduction.taps.clone(),
            init: Init::Zero,
            residual: false,
            activation: None,
            prefetch: 0,
        })
        .collect();
    let step = |input: usize, weights: usize, output: i64| Move {
        input: bytes(input),
        weights: bytes(weights),
        output,
        residual: 0,
        ahead: 0,
    };
    Nest {
        specs,
        images: Repeat {
            count: positions,
            step: step(planes[0], panels * panel_floats, bytes(planes[1])),
        },
        panels: Repeat {
            count: panels,
            step: step(0, panel_floats, vectors as i64 * block_bytes),
        },
        panel_inputs: Vec::new(),
        passes: vec![Move::default()],
        regions,
        finish: None,
    }
}
