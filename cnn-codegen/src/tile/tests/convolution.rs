//! Whole convolutions, tile by tile, in the layouts a plan uses, against the definition over plain NCHW arrays.

use super::reference::Random;
use super::{Buffers, MachineCode, Runner};
use crate::tile::{Init, LANES, Loop, Pixel, Product, TileSpec};
use cnn_types::{Activation, InstructionSet};

/// One convolution; sizes in elements, padding already in the input's height and width.
#[derive(Clone, Copy, Debug)]
struct Convolution {
    isa: InstructionSet,
    channels: usize,
    filters: usize,
    height: usize,
    width: usize,
    kernel: (usize, usize),
    stride: (usize, usize),
    dilation: (usize, usize),
    depthwise: bool,
    /// Input in channel blocks of eight, else planar.
    blocked: bool,
}

impl Convolution {
    fn output(&self) -> (usize, usize) {
        let size = |n, k, s, d| (n - d * (k - 1) - 1) / s + 1;
        (
            size(self.height, self.kernel.0, self.stride.0, self.dilation.0),
            size(self.width, self.kernel.1, self.stride.1, self.dilation.1),
        )
    }

    /// Floats from one input column, row and channel (block) to the next.
    fn strides(&self) -> (usize, usize, usize) {
        let column = if self.blocked { LANES } else { 1 };
        (column, self.width * column, self.height * self.width * column)
    }

    /// The tile of output pixels `first..first + pixels`, counted row by row: it crosses rows.
    fn tile(&self, first: usize, pixels: usize, vectors: usize) -> TileSpec {
        let (rows, columns) = self.output();
        let (column, row, plane) = self.strides();
        let bytes = |floats: usize| (floats * 4) as i32;
        let pixel = |p: usize| Pixel {
            input: bytes(p / columns * self.stride.0 * row + p % columns * self.stride.1 * column),
            output: bytes(p * LANES),
            residual: bytes(p * LANES),
        };
        let lanes = if self.blocked && !self.depthwise { LANES } else { 1 };
        let taps = (0..self.kernel.1)
            .flat_map(|x| (0..lanes).map(move |c| x * self.dilation.1 * column + c))
            .map(bytes)
            .collect();
        let mut loops = vec![Loop {
            count: self.kernel.0 as u32,
            input_step: (self.dilation.0 * row * 4) as i64,
        }];
        if !self.depthwise {
            let count = if self.blocked {
                self.channels / LANES
            } else {
                self.channels
            } as u32;
            loops.insert(
                0,
                Loop {
                    count,
                    input_step: (plane * 4) as i64,
                },
            );
        }
        TileSpec {
            isa: self.isa,
            product: if self.depthwise {
                Product::Lanewise
            } else {
                Product::Broadcast
            },
            vectors,
            pixels: (first..first + pixels).map(pixel).collect(),
            output_vectors: (0..vectors).map(|v| bytes(v * rows * columns * LANES)).collect(),
            residual_vectors: (0..vectors).map(|v| bytes(v * rows * columns * LANES)).collect(),
            loops,
            taps,
            init: Init::Bias,
            residual: true,
            activation: Some(Activation::Relu),
            prefetch: 0,
        }
    }

    fn check(&self, runner: &mut impl Runner, most: usize, vectors: usize) {
        let mut random = Random(most as u64);
        let (rows, columns) = self.output();
        let per_filter = if self.depthwise { 1 } else { self.channels };
        let taps = self.kernel.0 * self.kernel.1;
        let input = random.vec(self.channels * self.height * self.width);
        let weights = random.vec(self.filters * per_filter * taps);
        let bias = random.vec(self.filters);
        let residual = random.vec(self.filters * rows * columns);

        let panel = vectors * LANES;
        let (column, row, plane) = self.strides();
        let mut blocks = vec![0.0; input.len()];
        for (i, &value) in input.iter().enumerate() {
            let (c, y, x) = (
                i / (self.height * self.width),
                i / self.width % self.height,
                i % self.width,
            );
            let (block, lane) = if self.blocked { (c / LANES, c % LANES) } else { (c, 0) };
            blocks[block * plane + y * row + x * column + lane] = value;
        }
        let block_output = |f: usize, p: usize| (f / LANES * rows * columns + p) * LANES + f % LANES;
        let mut output = vec![f32::NAN; self.filters * rows * columns];
        let mut residual_blocks = vec![0.0; residual.len()];
        for f in 0..self.filters {
            for p in 0..rows * columns {
                residual_blocks[block_output(f, p)] = residual[f * rows * columns + p];
            }
        }
        for first_filter in (0..self.filters).step_by(panel) {
            let filters = first_filter..first_filter + panel;
            let mut stream: Vec<f32> = filters.clone().map(|f| bias[f]).collect();
            let lanes = if self.blocked && !self.depthwise { LANES } else { 1 };
            for block in 0..per_filter / lanes {
                for tap in 0..taps {
                    for lane in 0..lanes {
                        let c = block * lanes + lane;
                        stream.extend(filters.clone().map(|f| weights[(f * per_filter + c) * taps + tap]));
                    }
                }
            }
            let output_floats = first_filter * rows * columns;
            let input_floats = if self.depthwise {
                first_filter / LANES * plane
            } else {
                0
            };
            for first in (0..rows * columns).step_by(most) {
                let spec = self.tile(first, most.min(rows * columns - first), vectors);
                assert_eq!(spec.weight_floats(), stream.len());
                let mut buffers = Buffers {
                    input: std::mem::take(&mut blocks),
                    input_offset: input_floats,
                    weights: std::mem::take(&mut stream),
                    output: std::mem::take(&mut output),
                    output_offset: output_floats,
                    residual: std::mem::take(&mut residual_blocks),
                    residual_offset: output_floats,
                };
                runner.run(&spec, &mut buffers);
                (blocks, stream, output, residual_blocks) =
                    (buffers.input, buffers.weights, buffers.output, buffers.residual);
            }
        }

        for f in 0..self.filters {
            for p in 0..rows * columns {
                let (y, x) = (p / columns * self.stride.0, p % columns * self.stride.1);
                let mut sum = f64::from(bias[f]) + f64::from(residual[f * rows * columns + p]);
                for c in 0..per_filter {
                    for tap in 0..taps {
                        let (ky, kx) = (tap / self.kernel.1, tap % self.kernel.1);
                        let channel = if self.depthwise { f } else { c };
                        let at =
                            (channel * self.height + y + ky * self.dilation.0) * self.width + x + kx * self.dilation.1;
                        sum += f64::from(input[at]) * f64::from(weights[(f * per_filter + c) * taps + tap]);
                    }
                }
                let found = f64::from(output[block_output(f, p)]);
                assert!(
                    (found - sum.max(0.0)).abs() < 1e-4,
                    "filter {f} pixel {p}: {found}, not {sum}: {self:?}"
                );
            }
        }
    }
}

/// Convolutions of several kinds with tiles of (pixels, vectors), and depthwise ones with tiles of so many pixels.
pub(super) fn whole_convolutions_on(
    isa: InstructionSet,
    runner: &mut impl Runner,
    tiles: &[(usize, usize)],
    lanewise: &[usize],
) {
    let base = Convolution {
        isa,
        channels: 16,
        filters: 48,
        height: 9,
        width: 11,
        kernel: (3, 3),
        stride: (1, 1),
        dilation: (1, 1),
        depthwise: false,
        blocked: true,
    };
    let dense = [
        base,
        Convolution {
            kernel: (1, 1),
            channels: 64,
            ..base
        },
        Convolution {
            stride: (2, 2),
            kernel: (3, 5),
            ..base
        },
        Convolution {
            dilation: (2, 3),
            stride: (2, 1),
            ..base
        },
        Convolution {
            channels: 3,
            blocked: false,
            kernel: (7, 7),
            stride: (2, 2),
            ..base
        },
        Convolution {
            channels: 1,
            blocked: false,
            dilation: (1, 2),
            ..base
        },
    ];
    for c in dense {
        for &(pixels, vectors) in tiles {
            c.check(runner, pixels, vectors);
        }
    }
    let base = Convolution {
        depthwise: true,
        channels: 48,
        ..base
    };
    let depthwise = [
        base,
        Convolution {
            stride: (2, 2),
            kernel: (5, 5),
            ..base
        },
        Convolution {
            dilation: (2, 2),
            ..base
        },
    ];
    for c in depthwise {
        for &pixels in lanewise {
            c.check(runner, pixels, 1);
        }
    }
}

#[test]
fn whole_convolutions() {
    for isa in MachineCode::sets() {
        let tiles = [(6, 2), (5, 2), (4, 3), (12, 1), (1, 6), (3, 1)];
        whole_convolutions_on(isa, &mut MachineCode, &tiles, &[1, 4, 7, 14]);
    }
    if MachineCode::sets().contains(&InstructionSet::Avx512) {
        whole_convolutions_on(InstructionSet::Avx512, &mut MachineCode, &[(9, 6), (8, 6), (2, 6)], &[]);
    }
}
