//! Convolutions as sweeps: which tile, in which order, over which weights.

use cnn_ir::op::{Conv, Sides};
use cnn_ir::shape::Shape;
use cnn_runtime::pack::{ChannelOrder, FilterSource, Panels, Recipe};

use super::cover::{Pitch, PixelGrid};
use super::layer::{Kernel, Layer, bytes};
use super::reduction::Reduction;
use super::tiling::Tiling;
use crate::isa::{Facts, facts};
use crate::plan::data::layout::{BLOCK, Strides};
use crate::plan::data::{Constants, Move, Repeat};
use crate::tile::{Product, SpecError};

/// Of the second-level cache, what one task should touch of its input. It must stay there for all panels, but each more
/// task is one more reading of all weights.
const BLOCK_SHARE: f64 = 7.0 / 8.0;

/// Whether a convolution has one filter for each channel, which sees only that channel.
pub(crate) fn is_depthwise(conv: &Conv, channels: usize) -> bool {
    conv.groups == channels && conv.filters == channels && channels > 1
}

/// The padding of a convolution over an input of that shape.
pub(crate) fn padding(conv: &Conv, input: Shape) -> Sides {
    match input {
        Shape::Map { height, width, .. } => {
            conv.padding
                .resolve(height, width, conv.kernel, conv.stride, conv.dilation)
        }
        Shape::Flat(_) => Sides::default(),
    }
}

/// How far a convolution's windows reach beyond its input: above and on the left as far as its padding, below and on
/// the right as far as the last window's last tap, `(outputs − 1)·stride + dilation·(kernel − 1) + 1 − padding − size`.
pub(crate) fn reach(conv: &Conv, input: Shape, output: Shape) -> Sides {
    let ([_, height, width], [_, rows, columns]) = (input.extent(), output.extent());
    let Sides { top, left, .. } = padding(conv, input);
    let end = |outputs: usize, stride: usize, dilation: usize, kernel: usize, before: usize, n: usize| {
        ((outputs - 1) * stride + dilation * (kernel - 1) + 1).saturating_sub(before + n)
    };
    let Conv {
        kernel,
        stride,
        dilation,
        ..
    } = conv;
    Sides {
        top,
        left,
        bottom: end(rows, stride.h, dilation.h, kernel.h, top, height),
        right: end(columns, stride.w, dilation.w, kernel.w, left, width),
    }
}

/// A convolution as a sweep. `start` are the row and column of the input at which the first output's first tap is: they
/// and all others are within the input or its halo.
pub(crate) fn conv(
    layer: &Layer<'_>,
    conv: &Conv,
    filters: FilterSource,
    start: [i64; 2],
    constants: &mut Constants,
) -> Result<Kernel, SpecError> {
    let windows = Windows::new(layer, conv, start);
    if is_depthwise(conv, layer.input.view.shape.channels()) {
        depthwise(layer, windows, filters, constants)
    } else {
        panels(layer, conv, windows, filters, constants)
    }
}

/// The pixels of a convolution, and where the taps of one are.
struct Windows {
    pixels: PixelGrid,
    /// Byte offset of the first output's first tap from the input's first element; negative where it is in the halo.
    corner: i64,
    /// Taps, and bytes from one to the next.
    rows: (usize, i64),
    columns: (usize, i64),
    /// Pixels of a task whose input, all channels, takes its share of the second-level cache.
    block_pixels: usize,
    /// `3×3`
    size: String,
}

impl Windows {
    fn new(layer: &Layer<'_>, conv: &Conv, start: [i64; 2]) -> Windows {
        let [channels, ..] = layer.input.view.shape.extent();
        let [_, height, width] = layer.output.view.shape.extent();
        let input = &layer.input.strides;
        let pitch = |s: &Strides, y: usize, x: usize| Pitch {
            row: bytes(s.row * y),
            pixel: bytes(s.pixel * x),
        };
        // Each output pixel reads as many input pixels for itself as a window steps over.
        let strides = conv.stride.h.saturating_mul(conv.stride.w);
        let pixel_bytes = (channels * size_of::<f32>()).saturating_mul(strides);
        let block_bytes = layer.options.caches.second as f64 * BLOCK_SHARE;
        Windows {
            pixels: PixelGrid {
                height,
                width,
                input: pitch(input, conv.stride.h, conv.stride.w),
                output: pitch(&layer.output.strides, 1, 1),
                residual: (layer.residual.as_ref()).map_or(Pitch::default(), |r| pitch(&r.strides, 1, 1)),
            },
            // Both strides are of one pixel: taps move by the dilation, outputs by the stride, from here on.
            corner: start[0] * bytes(input.row) + start[1] * bytes(input.pixel),
            rows: (conv.kernel.h, bytes(input.row * conv.dilation.h)),
            columns: (conv.kernel.w, bytes(input.pixel * conv.dilation.w)),
            block_pixels: (block_bytes as usize / pixel_bytes.max(1)).max(1),
            size: format!("{}×{}", conv.kernel.h, conv.kernel.w),
        }
    }
}

/// One filter a channel: panels are blocks of channels.
fn depthwise(
    layer: &Layer<'_>,
    windows: Windows,
    filters: FilterSource,
    constants: &mut Constants,
) -> Result<Kernel, SpecError> {
    let channels = layer.input.view.shape.channels();
    let most = facts(layer.options.isa).pixels(1);
    let name = format!("depthwise {}, tile {most}×{BLOCK}", windows.size);
    let corner = Move {
        input: windows.corner,
        ..Move::default()
    };
    let tiling = Tiling {
        pixels: windows.pixels,
        most,
        // One block of channels is all a task reads.
        block_pixels: windows.block_pixels * channels / BLOCK.min(channels),
        images: layer.options.batch,
        panels: Repeat {
            count: channels.div_ceil(BLOCK),
            // A panel's weights are a bias and a weight a tap for each channel of the block.
            step: layer.panel(1, bytes(layer.input.strides.block), BLOCK * (1 + filters.taps())),
        },
        panel_inputs: Vec::new(),
        product: Product::Lanewise,
        vectors: 1,
        passes: vec![(corner, Reduction::new(&[windows.rows, windows.columns]))],
        prefetch: false,
    };
    let why = "one filter a channel: eight channels lane by lane".into();
    layer.kernel(name, why, tiling, Recipe::Lanewise { filters }, constants)
}

/// Panels of filters over k-blocks of channels (GotoBLAS's order; Goto & van de Geijn, 2008).
fn panels(
    layer: &Layer<'_>,
    conv: &Conv,
    windows: Windows,
    filters: FilterSource,
    constants: &mut Constants,
) -> Result<Kernel, SpecError> {
    let Windows {
        pixels,
        corner,
        rows,
        columns,
        block_pixels,
        size,
    } = windows;
    let (facts, batch) = (facts(layer.options.isa), layer.options.batch);
    let channels = layer.input.view.shape.channels();
    let s = &layer.input.strides;
    let planar = !s.is_blocked() || s.pixel != BLOCK;
    let blocks = channels.div_ceil(BLOCK);
    let lanes = channels.min(BLOCK);
    let (vectors, firsts, seen) = panel_shape(facts, conv, channels, layer.room());
    // Channels of a k-block, whole blocks of a layout; so many k-blocks that the weights of one stay in the cache.
    let unit = if planar { 1 } else { BLOCK };
    let per_channel = filters.taps() * vectors * BLOCK * size_of::<f32>();
    let passes = (seen * per_channel)
        .div_ceil(facts.pass_bytes)
        .clamp(1, seen.div_ceil(unit));
    let k_block = seen.div_ceil(passes).next_multiple_of(unit);
    let k_blocks: Vec<usize> = (0..seen)
        .step_by(k_block)
        .map(|first| k_block.min(seen - first))
        .collect();
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
        k_blocks: k_blocks.clone(),
    };
    let streams = panels.k_block_offsets(&filters);
    let mut first = 0;
    let passes = k_blocks
        .iter()
        .zip(streams)
        .map(|(&channels, stream)| {
            let start = Move {
                input: corner + bytes(s.channel(first)),
                weights: bytes(stream),
                ..Move::default()
            };
            first += channels;
            // In the order of the packed stream: see `Panels`.
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
    let axis = Repeat {
        count: firsts.len(),
        step: layer.panel(vectors, 0, panels.panel_floats(&filters)),
    };
    let most = facts.pixels(vectors);
    let block_pixels = block_pixels.min(
        layer
            .options
            .shared_pixels(pixels.height * pixels.width, firsts.len() * batch),
    );
    let why = match (planar, conv.groups) {
        (true, _) if channels == 1 => "planar input of one channel, read in place".to_owned(),
        (true, _) => format!("planar input of {channels} channels, read in place"),
        (false, 1) if passes.len() == 1 => {
            format!("one pass over {k_block} channels: their weights stay in the L1 cache")
        }
        (false, 1) => format!(
            "{} passes of {k_block} channels: their weights stay in the L1 cache",
            passes.len()
        ),
        (false, groups) => format!(
            "{groups} groups: each panel sees {} of {blocks} blocks of channels",
            seen / BLOCK
        ),
    };
    let name = format!("direct {size}, tile {most}×{}", vectors * BLOCK);
    let tiling = Tiling {
        pixels,
        most,
        block_pixels,
        images: batch,
        panels: axis,
        panel_inputs,
        product: Product::Broadcast,
        vectors,
        passes,
        prefetch: true,
    };
    layer.kernel(name, why, tiling, Recipe::Panels { filters, panels }, constants)
}

/// Vectors of a panel whose last one still has room in the output, the first channel each panel sees, and how many channels each sees.
fn panel_shape(facts: &Facts, conv: &Conv, channels: usize, room: usize) -> (usize, Vec<usize>, usize) {
    let blocks = conv.filters.div_ceil(BLOCK);
    let seen = |vectors: usize| -> (Vec<usize>, usize) {
        if conv.groups == 1 {
            return (vec![0; blocks.div_ceil(vectors)], channels);
        }
        let (filters, group) = (conv.filters / conv.groups, channels / conv.groups);
        let ranges: Vec<(usize, usize)> = (0..blocks.div_ceil(vectors))
            .map(|panel| {
                // The groups of the panel's first and last filter, and so the channels that some filter of it sees.
                let first = panel * vectors * BLOCK;
                let last = (first + vectors * BLOCK).min(conv.filters) - 1;
                let end = (last / filters + 1) * group;
                (first / filters * group / BLOCK, end.div_ceil(BLOCK))
            })
            .collect();
        // All panels see as many, so that one nest serves them all; one at the end begins earlier instead, and its weights
        // for what it need not see are 0.
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
    let steps = channels / conv.groups * conv.kernel.h * conv.kernel.w;
    let candidates = facts
        .vectors(steps)
        .filter(|&vectors| blocks.next_multiple_of(vectors) <= room);
    let work = |vectors: usize| (blocks.next_multiple_of(vectors) * seen(vectors).1) as f64 / facts.share(vectors);
    let best = candidates.fold(
        1,
        |best, vectors| if work(vectors) < work(best) { vectors } else { best },
    );
    let (firsts, seen) = seen(best);
    (best, firsts, seen)
}
