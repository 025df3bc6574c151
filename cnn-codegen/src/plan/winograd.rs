//! Winograd convolutions: transformed tiles of the input times transformed filters, one product for each of the
//! a² positions of a tile, then the transform back (Lavin & Gray, 2016).

use cnn_ir::op::{Activation, Conv, Sides};
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::pack::{FilterSource, Recipe, WinogradFilters};

use super::convolution::filter_source;
use super::layout::BLOCK;
use super::prefetch::prefetch;
use super::sweep::{Axis, Move, Nest};
use super::tiling::{Reduction, bytes};
use super::walk::{Map, Pitch};
use super::{ConstantId, PlanOptions, View};
use crate::tile::{Init, Product, TileSpec};

/// Of the second-level cache, what one item's transformed tiles should take: they are written and read again at once.
const BLOCK_SHARE: f64 = 25.0 / 32.0;
/// Transformed filters that take this many second-level caches are read as seldom as possible.
const STREAM_CACHES: usize = 2;
/// Tiles of one item when filters are streamed.
const STREAM_TILES: usize = 48;
/// Tiles of one item that is made of several images.
const IMAGES_TILES: usize = 64;
/// Keeps the a² planes of transformed tiles out of each other's cache sets.
const PLANE_PAD: usize = 16;

/// A convolution by Winograd's algorithm. An item is a block of tiles of one image, or all tiles of several, and a part
/// of the filters.
#[derive(Clone, Debug)]
pub struct WinogradWork {
    /// Which tiles.
    pub variant: Winograd,
    /// What is convolved.
    pub input: View,
    /// The result.
    pub output: View,
    /// What is added before the activation.
    pub residual: Option<View>,
    /// Bias of all filters, then the transformed filters `[part][ξ][panel][channel][8 · vectors]`.
    pub weights: ConstantId,
    /// Padding, which is not stored.
    pub sides: Sides,
    /// The activation.
    pub activation: Option<Activation>,
    /// Tiles in a row, and rows of tiles.
    pub tiles: [usize; 2],
    /// Images of one item: one, or a divisor of the batch.
    pub images: usize,
    /// Tiles of one item; of one image, the last item may have fewer.
    pub block: usize,
    /// Parts of the filters.
    pub parts: usize,
    /// Blocks of eight channels of the input, and of a part's filters.
    pub blocks: [usize; 2],
    /// Floats from one of the a² positions to the next, in the transformed input and in the products.
    pub planes: [usize; 2],
    /// Floats of one part's transformed filters.
    pub part_floats: usize,
    /// The products for a full item, and for the last if it has fewer tiles.
    pub products: Vec<(usize, Nest)>,
}

impl WinogradWork {
    /// Tiles of one image.
    pub fn all_tiles(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Blocks of tiles of one image, or of the images of an item.
    pub fn blocks(&self) -> usize {
        self.all_tiles().div_ceil(self.block)
    }

    /// Independent pieces of work of a batch.
    pub fn items(&self, batch: usize) -> usize {
        batch / self.images * self.blocks() * self.parts
    }

    /// Bytes that one item needs for itself: transformed tiles and products.
    pub fn scratch_bytes(&self) -> usize {
        self.variant.products() * (self.planes[0] + self.planes[1]) * size_of::<f32>()
    }

    /// Floats of bias in front of the transformed filters.
    pub fn bias_floats(&self) -> usize {
        self.parts * self.blocks[1] * BLOCK
    }
}

/// Images of one item: several if they are small and have to stream the same filters.
pub(super) fn images(options: &PlanOptions, tiles: usize, filter_bytes: usize) -> usize {
    let fit = |images: &usize| options.batch.is_multiple_of(*images) && images.saturating_mul(tiles) <= IMAGES_TILES;
    let together = (1..=options.batch.min(IMAGES_TILES)).rev().find(fit);
    together.filter(|_| exceed_cache(options, filter_bytes)).unwrap_or(1)
}

/// Whether transformed filters are too large for the second-level cache: they are then read as seldom as possible.
fn exceed_cache(options: &PlanOptions, filter_bytes: usize) -> bool {
    filter_bytes > STREAM_CACHES * options.caches.second
}

/// The plan of one convolution: the work, its weights, and an activation that is left to do.
pub(super) struct Planned {
    pub(super) work: WinogradWork,
    pub(super) recipe: Recipe,
    pub(super) rest: Option<Activation>,
    pub(super) kernel: String,
}

/// Plans a convolution. `residual` and views are blocked; `sides` is the padding.
#[expect(
    clippy::too_many_arguments,
    reason = "a convolution has that many parts, and they are used once"
)]
pub(super) fn plan(
    options: &PlanOptions,
    variant: Winograd,
    conv: &Conv,
    weights: &str,
    input: View,
    sides: Sides,
    output: View,
    residual: Option<View>,
) -> Planned {
    let [channels, ..] = input.shape.extent();
    let [filters, height, width] = output.shape.extent();
    let source: FilterSource = filter_source(conv, weights, channels);
    let (inputs, outputs) = (channels.div_ceil(BLOCK), filters.div_ceil(BLOCK));
    let tiles = [width.div_ceil(variant.outputs()), height.div_ceil(variant.outputs())];
    let all = tiles[0] * tiles[1];
    let positions = variant.products();
    let isa = options.isa;
    let vectors = isa.vectors_of_many(outputs);
    let most = isa.pixels(vectors);

    let filter_bytes = positions * inputs * outputs * BLOCK * BLOCK * size_of::<f32>();
    let tile_bytes = positions * (inputs + outputs) * BLOCK * size_of::<f32>();
    let images = images(options, all, filter_bytes);
    let wanted = if images > 1 {
        images * all
    } else if exceed_cache(options, filter_bytes) {
        STREAM_TILES
    } else {
        let block_bytes = options.caches.second as f64 * BLOCK_SHARE;
        (block_bytes as usize / tile_bytes).max(2 * most)
    };
    // Near-equal items of whole kernels.
    let together = images * all;
    let items = together.div_ceil(wanted);
    let block = together.div_ceil(items).next_multiple_of(most).min(together);
    let items = together.div_ceil(block) * (options.batch / images);
    let panels = outputs / vectors;
    // Few items are divided by filters too, as seldom as possible: each part transforms the input again.
    let parts = (1..=panels)
        .find(|parts| panels.is_multiple_of(*parts) && items * parts >= options.wanted_items())
        .unwrap_or(panels);
    let panels = panels / parts;
    let blocks = [inputs, outputs / parts];
    let planes = blocks.map(|blocks| blocks * block * BLOCK + PLANE_PAD);

    let panel_floats = inputs * BLOCK * vectors * BLOCK;
    let products = [block, together % block]
        .into_iter()
        .filter(|&tiles| tiles > 0)
        .map(|tiles| {
            let mut nest = product(
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
    let work = WinogradWork {
        variant,
        input,
        output,
        residual,
        weights: ConstantId(usize::MAX),
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
    let m = variant.outputs();
    Planned {
        work,
        recipe: Recipe::Winograd {
            filters: source,
            transformed: WinogradFilters {
                variant,
                vectors,
                parts,
            },
        },
        rest,
        kernel: format!(
            "Winograd F({m}×{m}, {0}×{0}), tile {most}×{1}",
            variant.taps(),
            vectors * BLOCK
        ),
    }
}

/// The a² products of `tiles` tiles: `[tiles, channels] · [channels, filters]`.
fn product(
    tiles: usize,
    block: usize,
    [most, vectors]: [usize; 2],
    [positions, panels, inputs]: [usize; 3],
    planes: [usize; 2],
    panel_floats: usize,
) -> Nest {
    // From a block of channels to the next: all of an item's tiles.
    let block_bytes = bytes(block * BLOCK);
    let pitch = Pitch {
        row: 0,
        pixel: bytes(BLOCK),
    };
    let map = Map {
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
        images: Axis {
            count: positions,
            step: step(planes[0], panels * panel_floats, bytes(planes[1])),
        },
        panels: Axis {
            count: panels,
            step: step(0, panel_floats, vectors as i64 * block_bytes),
        },
        panel_inputs: Vec::new(),
        passes: vec![Move::default()],
        regions,
        finish: None,
    }
}
