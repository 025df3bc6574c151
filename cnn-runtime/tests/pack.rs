//! Packed constants against their definition, element by element and bit by bit, on one thread and on several.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::pack::{ChannelOrder, FilterSource, FixedPanels, Norm, Panels, Recipe, Transposed, WinogradFilters};
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::{Synthetic, WeightError, WeightSource};

const SOURCE: Synthetic = Synthetic { seed: 5 };
const EPSILON: f64 = 1e-5;

static POOLS: LazyLock<[ThreadPool; 2]> = LazyLock::new(|| [1, 3].map(|threads| ThreadPool::new(threads).unwrap()));

/// Filters of a shape; with `norm` there is a bias too, so that both fold.
fn filters(shape: &[usize], norm: bool) -> FilterSource {
    FilterSource {
        weight: "layer.weight".into(),
        shape: shape.to_vec(),
        bias: norm.then(|| "layer.bias".into()),
        norm: norm.then(|| Norm {
            prefix: "norm".into(),
            epsilon: EPSILON,
        }),
        transposed: None,
    }
}

/// Weights and biases with the batch norm folded in.
fn folded(filters: &FilterSource) -> (Vec<f32>, Vec<f32>) {
    let (count, row) = (filters.count(), filters.channels() * filters.taps());
    let mut weights = SOURCE.tensor(&filters.weight, &filters.shape).unwrap().into_owned();
    let Some(norm) = &filters.norm else {
        return (weights, vec![0.0; count]);
    };
    let part = |name: &str| SOURCE.tensor(name, &[count]).unwrap().into_owned();
    let [gamma, beta, mean, variance]: [Vec<f32>; 4] = norm
        .tensors()
        .iter()
        .map(|name| part(name))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let mut bias = part("layer.bias");
    for filter in 0..count {
        let scale = f64::from(gamma[filter]) / (f64::from(variance[filter]) + EPSILON).sqrt();
        let shift = f64::from(beta[filter]) - f64::from(mean[filter]) * scale;
        bias[filter] = (f64::from(bias[filter]) * scale + shift) as f32;
        for weight in &mut weights[filter * row..][..row] {
            *weight = (f64::from(*weight) * scale) as f32;
        }
    }
    (weights, bias)
}

/// Packs on each pool and compares bits; only a zero may have either sign.
fn check(recipe: &Recipe, expected: &[f32]) {
    assert_eq!(recipe.floats(), expected.len());
    for pool in &*POOLS {
        let mut out = vec![0.0; recipe.floats()];
        recipe.pack(&SOURCE, &mut out, pool).unwrap();
        for (i, (found, expected)) in out.iter().zip(expected).enumerate() {
            assert!(
                found.to_bits() == expected.to_bits() || (*found == 0.0 && *expected == 0.0),
                "element {i} of {recipe:?} on {} threads: {found}, not {expected}",
                pool.threads()
            );
        }
    }
}

/// The definition: `[panel][k-block]( [bias] [k-step] )[8 · vectors]`.
fn check_panels(filters: FilterSource, panels: Panels) {
    let (weights, biases) = folded(&filters);
    let (count, channels, taps) = (filters.count(), filters.channels(), filters.taps());
    let width = 8 * panels.vectors;
    let mut expected = Vec::new();
    for (panel, &first_channel) in panels.first_channels.iter().enumerate() {
        let owned = |filter: usize| Some(filter).filter(|&filter| filter < count);
        let lanes: Vec<_> = (panel * width..(panel + 1) * width).map(owned).collect();
        expected.extend(lanes.iter().map(|filter| filter.map_or(0.0, |filter| biases[filter])));
        let mut step = |channel: usize, tap: usize| {
            expected.extend(lanes.iter().map(|filter| {
                let of = |filter: usize| {
                    let own = channel.checked_sub(filter / (count / panels.groups) * channels)?;
                    (own < channels).then(|| weights[(filter * channels + own) * taps + tap])
                };
                filter.and_then(of).unwrap_or(0.0)
            }));
        };
        let mut first = first_channel;
        for &k_block in &panels.k_blocks {
            match panels.order {
                ChannelOrder::Planar => {
                    for channel in first..first + k_block {
                        (0..taps).for_each(|tap| step(channel, tap));
                    }
                }
                ChannelOrder::Blocked { lanes } => {
                    for block in (first..first + k_block).step_by(8) {
                        for tap in 0..taps {
                            (block..block + lanes).for_each(|channel| step(channel, tap));
                        }
                    }
                }
            }
            first += k_block;
        }
    }
    check(&Recipe::Panels { filters, panels }, &expected);
}

/// The definition: `[panel]( [bias] [block]( [scale] [k-step] ) )[8 · vectors]`, weights as 16-bit integers.
fn check_fixed(filters: FilterSource, panels: FixedPanels) {
    let (weights, biases) = folded(&filters);
    let (count, row) = (filters.count(), filters.channels() * filters.taps());
    let width = 8 * panels.vectors;
    let mut expected = Vec::new();
    for panel in 0..count.div_ceil(width) {
        let lanes: Vec<usize> = (panel * width..(panel + 1) * width).collect();
        let weight = |filter: usize, k: usize| if filter < count { weights[filter * row + k] } else { 0.0 };
        expected.extend(lanes.iter().map(|&filter| biases.get(filter).copied().unwrap_or(0.0)));
        for first in (0..row).step_by(panels.block) {
            let block = first..first + panels.block;
            let most = |&filter: &usize| block.clone().map(|k| weight(filter, k).abs()).fold(0.0, f32::max);
            let scales: Vec<f32> = lanes.iter().map(most).map(|most| most / 32767.0).collect();
            expected.extend(&scales);
            for k in block.clone() {
                let integers = lanes.iter().zip(&scales).map(|(&filter, &scale)| {
                    let quotient = if scale > 0.0 { weight(filter, k) / scale } else { 0.0 };
                    let integer = quotient.round_ties_even() as i16;
                    let error = f64::from(weight(filter, k)) - f64::from(scale) * f64::from(integer);
                    assert!(error.abs() <= f64::from(scale) * 0.502);
                    u32::from(integer as u16)
                });
                let integers: Vec<u32> = integers.collect();
                expected.extend(integers.chunks(2).map(|pair| f32::from_bits(pair[0] | pair[1] << 16)));
            }
        }
    }
    check(&Recipe::Fixed { filters, panels }, &expected);
}

#[test]
fn fixed_panels_of_any_size() {
    // Shape, vectors, block; the last are longer than what is gathered at a time.
    let cases = [
        ([8, 32], 1, 32),
        ([10, 36], 2, 36),
        ([1000, 80], 5, 40),
        ([33, 4096], 4, 64),
        ([50, 9216], 6, 64),
    ];
    for (shape, vectors, block) in cases {
        for norm in [false, true] {
            check_fixed(filters(&shape, norm), FixedPanels { vectors, block });
        }
    }
}

#[test]
fn panels_of_any_size_walk_all_channels() {
    let blocked = ChannelOrder::Blocked { lanes: 8 };
    // Shape, vectors of a panel, order, k-blocks.
    let cases: [(&[usize], usize, ChannelOrder, &[usize]); 10] = [
        (&[64, 3, 7, 7], 2, ChannelOrder::Planar, &[3]),
        (&[13, 5, 3, 2], 1, ChannelOrder::Planar, &[2, 2, 1]),
        (&[3, 1, 1, 1], 2, ChannelOrder::Planar, &[1]),
        (&[10, 3, 3, 3], 2, ChannelOrder::Blocked { lanes: 3 }, &[3]),
        (&[40, 21, 3, 3], 3, blocked, &[8, 8, 8]),
        (&[33, 16, 1, 1], 2, blocked, &[16]),
        (&[48, 11, 2, 3], 2, blocked, &[8, 3]),
        // Large enough to be shared, longer than what is written at a time.
        (&[100, 1037], 8, ChannelOrder::Planar, &[1037]),
        (&[128, 4096], 5, ChannelOrder::Planar, &[4096]),
        (&[72, 264, 3, 3], 2, blocked, &[128, 128, 8]),
    ];
    for (shape, vectors, order, k_blocks) in cases {
        for norm in [false, true] {
            let panels = Panels {
                vectors,
                groups: 1,
                order,
                first_channels: vec![0; shape[0].div_ceil(8 * vectors)],
                k_blocks: k_blocks.to_vec(),
            };
            check_panels(filters(shape, norm), panels);
        }
    }
}

#[test]
fn panels_of_groups_have_zeros_between_them() {
    /// Shape, groups, vectors, each panel's first channel, k-blocks of the channels that it sees.
    type Case<'a> = (&'a [usize], usize, usize, &'a [usize], &'a [usize]);
    let cases: [Case<'_>; 6] = [
        (&[32, 16, 3, 3], 2, 2, &[0, 16], &[16]),
        (&[8, 4, 1, 1], 4, 1, &[0], &[16]),
        // A panel of two groups and a half, another of the rest.
        (&[30, 3, 3, 3], 5, 2, &[0, 0], &[8, 8]),
        // Of its group a panel sees the end or the beginning only.
        (&[48, 24, 2, 2], 2, 3, &[0, 16], &[32]),
        (&[48, 24, 2, 2], 2, 3, &[16, 32], &[8, 8]),
        (
            &[256, 40, 3, 3],
            4,
            2,
            &[0, 0, 0, 0, 40, 40, 40, 40, 80, 80, 80, 80, 120, 120, 120, 120],
            &[40],
        ),
    ];
    for (shape, groups, vectors, first_channels, k_blocks) in cases {
        for norm in [false, true] {
            let panels = Panels {
                vectors,
                groups,
                order: ChannelOrder::Blocked { lanes: 8 },
                first_channels: first_channels.to_vec(),
                k_blocks: k_blocks.to_vec(),
            };
            check_panels(filters(shape, norm), panels);
        }
    }
}

#[test]
fn winograd_filters_are_those_of_the_transform_bit_for_bit() {
    for variant in Winograd::ALL {
        let (r, products) = (variant.taps(), variant.products());
        // Filters, channels, vectors, parts.
        for (count, channels, vectors, parts) in [(16, 8, 2, 1), (21, 13, 1, 3), (64, 3, 2, 2), (32, 40, 4, 1)] {
            for norm in [false, true] {
                let filters = filters(&[count, channels, r, r], norm);
                let (weights, biases) = folded(&filters);
                let (width, depth) = (8 * vectors, channels.next_multiple_of(8));
                let padded = count.next_multiple_of(8);
                let panels = padded / width / parts;
                let mut expected = vec![0.0; padded + products * padded * depth];
                expected[..count].copy_from_slice(&biases);
                let mut tile = vec![0.0; products];
                for (index, filter) in weights.chunks_exact(r * r).enumerate() {
                    let (filter_index, channel) = (index / channels, index % channels);
                    let (panel, lane) = (filter_index / width, filter_index % width);
                    variant.transform_filter(filter, &mut tile);
                    for (position, &value) in tile.iter().enumerate() {
                        let slice = (panel / panels * products + position) * panels + panel % panels;
                        expected[padded + (slice * depth + channel) * width + lane] = value;
                    }
                }
                let transformed = WinogradFilters {
                    variant,
                    vectors,
                    parts,
                };
                check(&Recipe::Winograd { filters, transformed }, &expected);
            }
        }
    }
}

#[test]
fn lanewise_filters_are_interleaved() {
    for (channels, taps) in [(8, [3, 3]), (13, [1, 1]), (2048, [5, 3]), (1, [2, 4])] {
        for norm in [false, true] {
            let filters = filters(&[channels, 1, taps[0], taps[1]], norm);
            let (weights, biases) = folded(&filters);
            let taps = filters.taps();
            let mut expected = Vec::new();
            for block in 0..channels.div_ceil(8) {
                let lanes = || block * 8..block * 8 + 8;
                expected.extend(lanes().map(|channel| biases.get(channel).copied().unwrap_or(0.0)));
                for tap in 0..taps {
                    expected.extend(lanes().map(|channel| weights.get(channel * taps + tap).copied().unwrap_or(0.0)));
                }
            }
            check(&Recipe::Lanewise { filters }, &expected);
        }
    }
}

/// Of a kernel of 3 × 4 taps those of rows 2 and 0, with a row of zeros between, and of columns 3 and 1.
#[test]
fn transposed_filters_are_taken_from_their_channels() {
    let [rows, columns] = [vec![Some(2), None, Some(0)], vec![Some(3), Some(1)]];
    for (count, channels, groups) in [(11, 5, 1), (12, 1, 12)] {
        let filters = FilterSource {
            transposed: Some(Transposed {
                kernel: [3, 4],
                groups,
                rows: rows.clone(),
                columns: columns.clone(),
            }),
            ..filters(&[count, channels, 3, 2], false)
        };
        let members = count / groups;
        let tensor = SOURCE
            .tensor("layer.weight", &[channels * groups, members, 3, 4])
            .unwrap();
        let weight = |filter: usize, channel: usize, row: usize, column: usize| {
            if filter >= count {
                return 0.0;
            }
            let channel = filter / members * channels + channel;
            let tap = |row, column| tensor[((channel * members + filter % members) * 3 + row) * 4 + column];
            rows[row].map_or(0.0, |row| tap(row, columns[column].unwrap()))
        };
        // Two blocks of filters, each its bias, then channels, rows and columns.
        let mut expected = Vec::new();
        for block in [0, 8] {
            expected.extend([0.0; 8]);
            for channel in 0..channels {
                for row in 0..3 {
                    for column in 0..2 {
                        expected.extend((block..block + 8).map(|filter| weight(filter, channel, row, column)));
                    }
                }
            }
        }
        let recipe = match groups {
            1 => Recipe::Panels {
                filters,
                panels: Panels {
                    vectors: 1,
                    groups,
                    order: ChannelOrder::Planar,
                    first_channels: vec![0; 2],
                    k_blocks: vec![channels],
                },
            },
            _ => Recipe::Lanewise { filters },
        };
        check(&recipe, &expected);
    }
}

#[test]
fn a_missing_tensor_is_an_error() {
    let mut filters = filters(&[8, 8, 1, 1], false);
    filters.weight = "layer.unknown".into();
    let recipe = Recipe::Lanewise { filters };
    let mut out = vec![0.0; recipe.floats()];
    assert!(recipe.pack(&SOURCE, &mut out, &POOLS[1]).is_err());
}

/// Counts elements that were read and not given back.
#[derive(Default)]
struct Counting {
    held: AtomicUsize,
    most: AtomicUsize,
}

impl WeightSource for Counting {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        let held = self.held.fetch_add(range.len(), Ordering::Relaxed) + range.len();
        self.most.fetch_max(held, Ordering::Relaxed);
        SOURCE.slice(name, shape, range)
    }

    fn release(&self, _name: &str, range: Range<usize>) {
        if range.end < usize::MAX {
            self.held.fetch_sub(range.len(), Ordering::Relaxed);
        }
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn describe(&self) -> String {
        "counted".into()
    }
}

#[test]
fn large_weights_are_read_in_pieces_that_are_given_back() {
    let panels = |filters: FilterSource, vectors: usize, order: ChannelOrder| {
        let panels = Panels {
            vectors,
            groups: 1,
            order,
            first_channels: vec![0; filters.count().div_ceil(8 * vectors)],
            k_blocks: vec![filters.channels()],
        };
        Recipe::Panels { filters, panels }
    };
    let transformed = WinogradFilters {
        variant: Winograd::F4x3,
        vectors: 2,
        parts: 1,
    };
    // Filters of a panel, weights of a filter.
    let cases = [
        (panels(filters(&[600, 4096], false), 8, ChannelOrder::Planar), 64, 4096),
        (
            panels(filters(&[128, 256, 3, 3], false), 2, ChannelOrder::Blocked { lanes: 8 }),
            16,
            256 * 9,
        ),
        (
            Recipe::Winograd {
                filters: filters(&[128, 256, 3, 3], false),
                transformed,
            },
            16,
            256 * 9,
        ),
    ];
    for (recipe, width, row) in cases {
        for pool in &*POOLS {
            let source = Counting::default();
            let mut out = vec![0.0; recipe.floats()];
            recipe.pack(&source, &mut out, pool).unwrap();
            let (most, threads) = (source.most.into_inner(), pool.threads());
            assert!(
                most <= threads * width * row,
                "{recipe} on {threads} threads: {most} elements at once"
            );
            assert_eq!(source.held.into_inner(), 0, "{recipe} on {threads} threads");
        }
    }
}
