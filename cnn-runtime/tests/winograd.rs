//! Winograd's transforms around naive products, against naive convolution in f64.

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::winograd::{InputShape, InputTransform, OutputShape, OutputTransform, Winograd};
use cnn_runtime::weights::synthetic_input;
use cnn_types::Activation;

const LANES: usize = 8;
/// What no computation gives: marks memory that must not be written, or not be read.
const POISON: f32 = f32::from_bits(0x7fc0_dead);

/// One convolution.
#[derive(Clone, Copy, Debug)]
struct Case {
    variant: Winograd,
    rows: usize,
    columns: usize,
    pad: usize,
    /// Whether the padding is stored as zeros.
    halo: bool,
    in_blocks: usize,
    out_blocks: usize,
    /// Tiles a call.
    run: usize,
    bias: bool,
    residual: bool,
    activation: Option<Activation>,
}

/// A blocked map with unequal strides and poison around and between its pixels.
struct Map {
    data: Vec<f32>,
    origin: usize,
    row_stride: usize,
    block_stride: usize,
}

impl Map {
    fn new(blocks: usize, rows: usize, columns: usize) -> Self {
        let row_stride = (columns + 1) * LANES;
        let block_stride = rows * row_stride + 24;
        let origin = 40;
        Map {
            data: vec![POISON; origin + blocks * block_stride + 40],
            origin,
            row_stride,
            block_stride,
        }
    }

    fn at(&self, channel: usize, row: usize, column: usize) -> usize {
        let block = self.origin + channel / LANES * self.block_stride;
        block + row * self.row_stride + column * LANES + channel % LANES
    }
}

/// All outputs in f64, before the activation: `[channel][row][column]`, and their root mean square.
struct Exact {
    sums: Vec<f64>,
    rms: f64,
}

fn run(case: Case, isa: Isa) {
    let Case {
        variant,
        rows,
        columns,
        pad,
        ..
    } = case;
    let (m, r, a) = (variant.outputs(), variant.taps(), variant.pixels());
    let (ic, oc) = (case.in_blocks * LANES, case.out_blocks * LANES);
    let (out_rows, out_columns) = (rows + 2 * pad + 1 - r, columns + 2 * pad + 1 - r);
    let x = synthetic_input("x", ic * rows * columns, 1);
    let weights: Vec<f32> = synthetic_input("w", oc * ic * r * r, 2)
        .into_iter()
        .map(|w| w * (6.0 / (ic * r * r) as f32).sqrt())
        .collect();
    let bias = synthetic_input("bias", oc, 3);
    let residual = synthetic_input("residual", oc * out_rows * out_columns, 4);

    // Blocked copies.
    let halo = if case.halo { pad } else { 0 };
    let (stored_rows, stored_columns) = (rows + 2 * halo, columns + 2 * halo);
    let mut source = Map::new(case.in_blocks, stored_rows, stored_columns);
    for c in 0..ic {
        for i in 0..stored_rows {
            for j in 0..stored_columns {
                let (i0, j0) = (i.wrapping_sub(halo), j.wrapping_sub(halo));
                let at = source.at(c, i, j);
                source.data[at] = if i0 < rows && j0 < columns {
                    x[(c * rows + i0) * columns + j0]
                } else {
                    0.0
                };
            }
        }
    }
    let mut target = Map::new(case.out_blocks, out_rows, out_columns);
    let mut added = Map::new(case.out_blocks, out_rows, out_columns);
    for c in 0..oc {
        for i in 0..out_rows {
            for j in 0..out_columns {
                let at = added.at(c, i, j);
                added.data[at] = residual[(c * out_rows + i) * out_columns + j];
            }
        }
    }

    let mut u = vec![0.0; oc * ic * a * a];
    for (filter, transformed) in weights.chunks(r * r).zip(u.chunks_mut(a * a)) {
        variant.transform_filter(filter, transformed);
    }

    let (down, across) = (out_rows.div_ceil(m), out_columns.div_ceil(m));
    let mut first_tile = 0;
    while first_tile < down * across {
        let tiles = case.run.min(down * across - first_tile);
        // V[ξ][block][tile][8], and products in panels of 16 channels, with guards.
        let v_block = tiles * LANES + 8;
        let v_xi = case.in_blocks * v_block + 16;
        let mut v = vec![POISON; a * a * v_xi];
        let p_tile = 2 * LANES;
        let p_block = tiles * p_tile;
        let p_xi = case.out_blocks * p_block;
        let mut products = vec![POISON; a * a * p_xi];
        let input = InputTransform {
            src: source.data[source.origin..].as_ptr(),
            dst: v.as_mut_ptr(),
            first_tile,
            tiles,
            shape: InputShape {
                row_stride: source.row_stride,
                src_block_stride: source.block_stride,
                rows: stored_rows,
                columns: stored_columns,
                pad_top: pad - halo,
                pad_left: pad - halo,
                tiles_across: across,
                blocks: case.in_blocks,
                xi_stride: v_xi,
                dst_block_stride: v_block,
                tile_stride: LANES,
            },
        };
        // SAFETY: `isa` proves the instructions; the maps and buffers are as described.
        unsafe { variant.input_symbol(isa)(&raw const input) };
        for (i, value) in v.iter().enumerate() {
            let inside = i % v_xi < case.in_blocks * v_block && i % v_xi % v_block < tiles * LANES;
            assert_eq!(value.to_bits() != POISON.to_bits(), inside, "{case:?}: V at {i}");
        }
        for xi in 0..a * a {
            for t in 0..tiles {
                for o in 0..oc {
                    let mut sum = 0.0f32;
                    for c in 0..ic {
                        let pixel = v[xi * v_xi + c / LANES * v_block + t * LANES + c % LANES];
                        sum = u[(o * ic + c) * a * a + xi].mul_add(pixel, sum);
                    }
                    products[xi * p_xi + o / LANES * p_block + t * p_tile + o % LANES] = sum;
                }
            }
        }
        let output = OutputTransform {
            src: products.as_ptr(),
            dst: target.data[target.origin..].as_mut_ptr(),
            bias: if case.bias { bias.as_ptr() } else { std::ptr::null() },
            residual: if case.residual {
                added.data[added.origin..].as_ptr()
            } else {
                std::ptr::null()
            },
            activation: case.activation.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            first_tile,
            tiles,
            shape: OutputShape {
                xi_stride: p_xi,
                src_block_stride: p_block,
                tile_stride: p_tile,
                row_stride: target.row_stride,
                dst_block_stride: target.block_stride,
                rows: out_rows,
                columns: out_columns,
                tiles_across: across,
                blocks: case.out_blocks,
                residual_row_stride: added.row_stride,
                residual_block_stride: added.block_stride,
            },
        };
        // SAFETY: `isa` proves the instructions; the maps and buffers are as described.
        unsafe { variant.output_symbol(isa)(&raw const output) };
        first_tile += tiles;
    }

    let exact = exact(case, &x, &weights, &bias, &residual);
    let tolerance = if variant == Winograd::F2x3 { 2e-5 } else { 2e-4 };
    let mut written = vec![false; target.data.len()];
    for c in 0..oc {
        for i in 0..out_rows {
            for j in 0..out_columns {
                let at = target.at(c, i, j);
                written[at] = true;
                let sum = exact.sums[(c * out_rows + i) * out_columns + j];
                let want = match case.activation {
                    None => sum,
                    Some(Activation::Relu) => sum.max(0.0),
                    Some(Activation::Relu6) => sum.clamp(0.0, 6.0),
                    Some(Activation::Clip { min, max }) => sum.clamp(f64::from(min), f64::from(max)),
                    Some(Activation::LeakyRelu { alpha }) if sum < 0.0 => sum * f64::from(alpha),
                    Some(Activation::LeakyRelu { .. }) => sum,
                    Some(Activation::HardSwish) => sum * (sum + 3.0).clamp(0.0, 6.0) / 6.0,
                    Some(other) => panic!("no reference for {other:?}"),
                };
                let error = (f64::from(target.data[at]) - want).abs() / exact.rms;
                assert!(
                    error <= tolerance,
                    "{isa} {case:?}: ({c}, {i}, {j}): {} is not {want}",
                    target.data[at]
                );
            }
        }
    }
    for (value, written) in target.data.iter().zip(written) {
        assert!(
            written || value.to_bits() == POISON.to_bits(),
            "{isa} {case:?}: wrote outside"
        );
    }
}

fn exact(case: Case, x: &[f32], weights: &[f32], bias: &[f32], residual: &[f32]) -> Exact {
    let Case {
        variant,
        rows,
        columns,
        pad,
        ..
    } = case;
    let r = variant.taps();
    let (ic, oc) = (case.in_blocks * LANES, case.out_blocks * LANES);
    let (out_rows, out_columns) = (rows + 2 * pad + 1 - r, columns + 2 * pad + 1 - r);
    let mut sums = Vec::new();
    let mut squares = 0.0;
    for o in 0..oc {
        for i in 0..out_rows {
            for j in 0..out_columns {
                let mut sum = 0.0;
                for c in 0..ic {
                    for (tap, &weight) in weights[(o * ic + c) * r * r..][..r * r].iter().enumerate() {
                        let (row, column) = ((i + tap / r).wrapping_sub(pad), (j + tap % r).wrapping_sub(pad));
                        if row < rows && column < columns {
                            sum += f64::from(weight) * f64::from(x[(c * rows + row) * columns + column]);
                        }
                    }
                }
                squares += sum * sum;
                if case.bias {
                    sum += f64::from(bias[o]);
                }
                if case.residual {
                    sum += f64::from(residual[sums.len()]);
                }
                sums.push(sum);
            }
        }
    }
    Exact {
        rms: (squares / sums.len() as f64).sqrt(),
        sums,
    }
}

const PLAIN: Case = Case {
    variant: Winograd::F2x3,
    rows: 9,
    columns: 11,
    pad: 1,
    halo: false,
    in_blocks: 1,
    out_blocks: 1,
    run: 1000,
    bias: false,
    residual: false,
    activation: None,
};

#[test]
fn every_size_around_a_few_tiles() {
    for isa in Isa::available() {
        for variant in Winograd::ALL {
            for rows in [5, 6, 7, 8, 9, 12, 13] {
                for columns in [5, 8, 10, 11, 16] {
                    for pad in 0..=variant.taps() / 2 {
                        for halo in [false, true] {
                            run(
                                Case {
                                    variant,
                                    rows,
                                    columns,
                                    pad,
                                    halo,
                                    ..PLAIN
                                },
                                isa,
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn runs_of_tiles_and_blocks_of_channels() {
    for isa in Isa::available() {
        for variant in Winograd::ALL {
            for run_length in [1, 2, 3, 5, 7] {
                run(
                    Case {
                        variant,
                        in_blocks: 3,
                        out_blocks: 2,
                        run: run_length,
                        halo: true,
                        ..PLAIN
                    },
                    isa,
                );
            }
        }
    }
}

#[test]
fn epilogues() {
    let activations = [
        None,
        Some(Activation::Relu),
        Some(Activation::Relu6),
        Some(Activation::Clip { min: -0.5, max: 0.25 }),
        Some(Activation::LeakyRelu { alpha: 0.1 }),
        Some(Activation::HardSwish),
    ];
    for isa in Isa::available() {
        for variant in Winograd::ALL {
            for activation in activations {
                for (bias, residual) in [(true, false), (false, true), (true, true)] {
                    run(
                        Case {
                            variant,
                            activation,
                            bias,
                            residual,
                            out_blocks: 2,
                            run: 4,
                            ..PLAIN
                        },
                        isa,
                    );
                }
            }
        }
    }
}

#[test]
fn many_channels_stay_accurate() {
    for isa in Isa::available() {
        for variant in Winograd::ALL {
            run(
                Case {
                    variant,
                    in_blocks: 16,
                    rows: 8,
                    columns: 8,
                    pad: variant.taps() / 2,
                    ..PLAIN
                },
                isa,
            );
        }
    }
}
