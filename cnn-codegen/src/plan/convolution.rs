//! Convolutions as sweeps: which tile, in which order, over which weights.

use cnn_ir::op::{Conv, FoldedNorm};
use cnn_runtime::pack::{ChannelOrder, FilterSource, Norm, Panels, Recipe};

use super::isa::TileIsa;
use super::layout::{BLOCK, Strides};
use super::options::PlanOptions;
use super::prefetch::prefetch;
use super::sweep::{Axis, Move, Sweep};
use super::tiling::{Operand, Reduction, Target, Tiling, bytes};
use super::walk::{Map, Pitch};
use crate::tile::Product;

/// Bytes of weights that one pass over the pixels uses: they should stay in the first-level cache.
const PASS_BYTES: usize = 48 << 10;
/// Of the second-level cache, what one item should touch of its input. It must stay there for all panels, but each more
/// item is one more reading of all weights.
const BLOCK_SHARE: f64 = 7.0 / 8.0;

/// A sweep whose weights still need to be made into a constant of the plan.
pub(super) struct Planned {
    pub(super) sweep: Sweep,
    pub(super) recipe: Recipe,
    pub(super) kernel: String,
    pub(super) why: String,
}

/// Weight, bias and folded norm by name.
pub(super) fn filters(weights: &str, shape: Vec<usize>, bias: bool, norm: &Option<FoldedNorm>) -> FilterSource {
    FilterSource {
        weight: format!("{weights}.weight"),
        shape,
        bias: bias.then(|| format!("{weights}.bias")),
        norm: norm.as_ref().map(|norm| Norm {
            prefix: norm.weights.clone(),
            epsilon: norm.epsilon,
        }),
        transposed: None,
    }
}

/// A convolution's filters.
pub(super) fn filter_source(conv: &Conv, weights: &str, channels: usize) -> FilterSource {
    filters(weights, conv.weight_dims(channels).to_vec(), conv.bias, &conv.norm)
}

/// Whether a convolution has one filter for each channel, which sees only that channel.
pub(super) fn is_depthwise(conv: &Conv, channels: usize) -> bool {
    conv.groups == channels && conv.filters == channels && channels > 1
}

/// Plans a convolution. `start` are the row and column of the input at which the first output's first tap is: they and
/// all others are within the input or its halo.
pub(super) fn conv(
    options: &PlanOptions,
    conv: &Conv,
    source: FilterSource,
    input: &Operand,
    start: [i64; 2],
    target: &Target<'_>,
) -> Planned {
    let (isa, batch) = (options.isa, options.batch);
    let [channels, ..] = input.view.shape.extent();
    let [_, height, width] = target.output.view.shape.extent();
    let s = &input.strides;
    let pitch = |s: &Strides, y: usize, x: usize| Pitch {
        row: bytes(s.row * y),
        pixel: bytes(s.pixel * x),
    };
    let map = Map {
        height,
        width,
        input: pitch(s, conv.stride.h, conv.stride.w),
        output: pitch(&target.output.strides, 1, 1),
        residual: target.residual.map_or(Pitch::default(), |r| pitch(&r.strides, 1, 1)),
    };
    let rows = (conv.kernel.h, bytes(s.row * conv.dilation.h));
    let columns = (conv.kernel.w, bytes(s.pixel * conv.dilation.w));
    let corner = start[0] * bytes(s.row) + start[1] * bytes(s.pixel);
    let strides = conv.stride.h.saturating_mul(conv.stride.w);
    let pixel_bytes = (channels * size_of::<f32>()).saturating_mul(strides);
    let block_bytes = options.caches.second as f64 * BLOCK_SHARE;
    let block_pixels = (block_bytes as usize / pixel_bytes.max(1)).max(1);
    let size = format!("{}×{}", conv.kernel.h, conv.kernel.w);

    if is_depthwise(conv, channels) {
        let most = isa.pixels(1);
        let panel = target.panel(1, bytes(s.block), BLOCK * (1 + source.taps()));
        let panels = Axis {
            count: channels.div_ceil(BLOCK),
            step: panel,
        };
        // One block of channels is all an item reads.
        let tiling = Tiling {
            map,
            most,
            block_pixels: block_pixels * channels / BLOCK.min(channels),
            images: batch,
            panels,
            panel_inputs: Vec::new(),
            product: Product::Lanewise,
            vectors: 1,
            passes: vec![(
                Move {
                    input: corner,
                    ..Move::default()
                },
                Reduction::new(&[rows, columns]),
            )],
        };
        let sweep = target.sweep(input, tiling);
        return Planned {
            sweep,
            recipe: Recipe::Lanewise { filters: source },
            kernel: format!("depthwise {size}, tile {most}×8"),
            why: "one filter a channel: eight channels lane by lane".into(),
        };
    }

    let planar = !s.is_blocked() || s.pixel != BLOCK;
    let blocks = channels.div_ceil(BLOCK);
    let lanes = channels.min(BLOCK);
    let (vectors, firsts, seen) = panel_shape(isa, conv, channels, target.room());
    // Channels of each pass, whole blocks.
    let unit = if planar { 1 } else { BLOCK };
    let per_channel = source.taps() * vectors * BLOCK * size_of::<f32>();
    let passes = (seen * per_channel).div_ceil(PASS_BYTES).clamp(1, seen.div_ceil(unit));
    let chunk = seen.div_ceil(passes).next_multiple_of(unit);
    let chunks: Vec<usize> = (0..seen).step_by(chunk).map(|first| chunk.min(seen - first)).collect();
    let order = if planar {
        ChannelOrder::Planar
    } else {
        ChannelOrder::Blocked { lanes }
    };
    let panels = Panels {
        vectors,
        groups: conv.groups,
        order,
        first_channels: firsts.clone(),
        chunks: chunks.clone(),
    };
    let streams = panels.chunk_offsets(&source);
    let mut first = 0;
    let passes = chunks
        .iter()
        .zip(streams)
        .map(|(&channels, stream)| {
            let start = Move {
                input: corner + bytes(s.channel(first)),
                weights: bytes(stream),
                ..Move::default()
            };
            first += channels;
            let reduction = if planar {
                Reduction::new(&[(channels, bytes(s.lane)), rows, columns])
            } else {
                let blocks = (channels.div_ceil(BLOCK), bytes(s.block));
                Reduction::new(&[blocks, rows, columns, (lanes, bytes(s.lane))])
            };
            (start, reduction)
        })
        .collect::<Vec<_>>();
    let panel_inputs = if conv.groups == 1 {
        Vec::new()
    } else {
        firsts.iter().map(|&first| bytes(s.channel(first))).collect()
    };
    let axis = Axis {
        count: firsts.len(),
        step: target.panel(vectors, 0, panels.panel_floats(&source)),
    };
    let most = isa.pixels(vectors);
    let block_pixels = block_pixels.min(options.shared_pixels(height * width, firsts.len() * batch));
    let why = match (planar, conv.groups) {
        (true, _) => format!("planar input of {channels} channels, read in place"),
        (false, 1) => format!(
            "{} passes of {chunk} channels: their weights stay in the L1 cache",
            passes.len()
        ),
        (false, groups) => format!(
            "{groups} groups: each panel sees {} of {blocks} blocks of channels",
            seen / BLOCK
        ),
    };
    let tiling = Tiling {
        map,
        most,
        block_pixels,
        images: batch,
        panels: axis,
        panel_inputs,
        product: Product::Broadcast,
        vectors,
        passes,
    };
    let mut sweep = target.sweep(input, tiling);
    prefetch(&mut sweep.nest, options.threads, options);
    Planned {
        sweep,
        recipe: Recipe::Panels {
            filters: source,
            panels,
        },
        kernel: format!("direct {size}, tile {most}×{}", vectors * BLOCK),
        why,
    }
}

/// Vectors of a panel whose last one still has room in the output, the first channel each panel sees, and how many channels each sees.
fn panel_shape(isa: TileIsa, conv: &Conv, channels: usize, room: usize) -> (usize, Vec<usize>, usize) {
    let blocks = conv.filters.div_ceil(BLOCK);
    let seen = |vectors: usize| -> (Vec<usize>, usize) {
        if conv.groups == 1 {
            return (vec![0; blocks.div_ceil(vectors)], channels);
        }
        let (filters, group) = (conv.filters / conv.groups, channels / conv.groups);
        let ranges: Vec<(usize, usize)> = (0..blocks.div_ceil(vectors))
            .map(|panel| {
                let first = panel * vectors * BLOCK;
                let last = (first + vectors * BLOCK).min(conv.filters) - 1;
                let end = (last / filters + 1) * group;
                (first / filters * group / BLOCK, end.div_ceil(BLOCK))
            })
            .collect();
        let most = ranges.iter().map(|(first, end)| end - first).max().unwrap_or(1);
        let total = channels.div_ceil(BLOCK);
        (
            ranges
                .iter()
                .map(|&(first, _)| first.min(total - most) * BLOCK)
                .collect(),
            most * BLOCK,
        )
    };
    let candidates = isa
        .vectors()
        .iter()
        .filter(|&&vectors| blocks.next_multiple_of(vectors) <= room);
    let work = |vectors: usize| (blocks.next_multiple_of(vectors) * seen(vectors).1) as f64 / isa.share(vectors);
    let best = candidates.fold(
        1,
        |best, &vectors| if work(vectors) < work(best) { vectors } else { best },
    );
    let (firsts, seen) = seen(best);
    (best, firsts, seen)
}
