//! Convolutions of 8-bit integers on every instruction set that the machine has, over shapes that fill tiles, panels and
//! groups and that do not, against plain loops: the same integers.

use cnn_runtime::kernels::Isa;
use cnn_runtime::kernels::integer::{ConvShape, DepthwiseShape, GROUP, Kernel, PANEL, pitch};

/// SplitMix64 (Steele, Lea & Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// A map of bytes with a constant, and what becomes of it.
struct Case {
    kernel: Kernel,
    tasks: usize,
    input: Vec<u8>,
    constant: Vec<u8>,
    output: usize,
    expected: Vec<(usize, u8)>,
}

/// `round(sum · factor)`, ties to the even integer, plus the zero point, cut off.
fn integer(sum: i32, factor: f32, [least, greatest, zero]: [usize; 3]) -> u8 {
    let scaled = f64::from(sum as f32 * factor).round_ties_even() + zero as f64;
    scaled.clamp(least as f64, greatest as f64) as u8
}

fn bytes<T: Copy>(values: &[T], one: impl Fn(T) -> Vec<u8>) -> Vec<u8> {
    values.iter().flat_map(|&value| one(value)).collect()
}

#[expect(
    clippy::many_single_char_names,
    reason = "sizes of a convolution, as the field writes them"
)]
fn conv(random: &mut Random, c: usize, f: usize, k: usize, stride: usize, rows: usize, columns: usize) -> Case {
    let (h, w) = ((rows - 1) * stride + k, (columns - 1) * stride + k);
    let (pixel, to_pixel, groups, panels) = (pitch(c), pitch(f), c.div_ceil(GROUP), f.div_ceil(PANEL));
    let input: Vec<u8> = (0..h * w * pixel).map(|_| random.next() as u8).collect();
    let weights: Vec<i8> = (0..f * c * k * k).map(|_| random.next() as i8).collect();
    let biases: Vec<i32> = (0..panels * PANEL)
        .map(|_| random.below(200_000) as i32 - 100_000)
        .collect();
    // Now and then so large that a scaled sum is beyond 32 bits.
    let spread = match random.below(4) {
        0 => 3.0e4,
        _ => 1.0 / (128.0 * (c * k * k) as f32),
    };
    let factors: Vec<f32> = (0..panels * PANEL)
        .map(|_| spread * (1 + random.below(40)) as f32 / 8.0)
        .collect();
    let mut packed = vec![0i8; panels * k * k * groups * PANEL * GROUP];
    for (i, &weight) in weights.iter().enumerate() {
        let (filter, channel, tap) = (i / (c * k * k), i / (k * k) % c, i % (k * k));
        let group = (filter / PANEL * k * k + tap) * groups + channel / GROUP;
        packed[(group * PANEL + filter % PANEL) * GROUP + channel % GROUP] = weight;
    }
    let cut = [random.below(40), 255 - random.below(40), random.below(256)];
    let mut expected = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            for filter in 0..f {
                let mut sum = biases[filter];
                for (channel, ky, kx) in (0..c * k * k).map(|i| (i / (k * k), i / k % k, i % k)) {
                    let q = input[((row * stride + ky) * w + column * stride + kx) * pixel + channel];
                    sum += i32::from(q) * i32::from(weights[((filter * c + channel) * k + ky) * k + kx]);
                }
                let at = (row * columns + column) * to_pixel + filter;
                expected.push((at, integer(sum, factors[filter], cut)));
            }
        }
    }
    let shape = ConvShape {
        rows,
        columns,
        row_block: 1 + random.below(rows),
        panels,
        panel_block: 1 + random.below(panels),
        written: to_pixel,
        from_origin: 0,
        from_image: input.len(),
        from_row: stride * w * pixel,
        from_pixel: stride * pixel,
        kernel_rows: k,
        kernel_columns: k,
        tap_row: w * pixel,
        tap_pixel: pixel,
        groups,
        to_origin: 0,
        to_image: rows * columns * to_pixel,
        to_row: columns * to_pixel,
        to_pixel,
        least: cut[0],
        greatest: cut[1],
        zero_point: cut[2],
    };
    let constant = [
        bytes(&biases, |bias| bias.to_le_bytes().to_vec()),
        bytes(&factors, |factor| factor.to_le_bytes().to_vec()),
        bytes(&packed, |weight| vec![weight as u8]),
    ];
    Case {
        tasks: shape.tasks(),
        kernel: Kernel::Conv(shape),
        input,
        constant: constant.concat(),
        output: rows * columns * to_pixel,
        expected,
    }
}

fn depthwise(random: &mut Random, c: usize, k: usize, stride: usize, rows: usize, columns: usize) -> Case {
    const CHANNELS: usize = DepthwiseShape::CHANNELS;
    let (h, w) = ((rows - 1) * stride + k, (columns - 1) * stride + k);
    let (pixel, blocks) = (pitch(c), c.div_ceil(CHANNELS));
    let input: Vec<u8> = (0..h * w * pixel).map(|_| random.next() as u8).collect();
    let weights: Vec<i8> = (0..c * k * k).map(|_| random.next() as i8).collect();
    let biases: Vec<i32> = (0..blocks * CHANNELS)
        .map(|_| random.below(20_000) as i32 - 10_000)
        .collect();
    let factors: Vec<f32> = (0..blocks * CHANNELS)
        .map(|_| (1 + random.below(40)) as f32 / 4096.0)
        .collect();
    let mut packed = vec![0i16; blocks * k * k * CHANNELS];
    for (i, &weight) in weights.iter().enumerate() {
        let (channel, tap) = (i / (k * k), i % (k * k));
        packed[(channel / CHANNELS * k * k + tap) * CHANNELS + channel % CHANNELS] = weight.into();
    }
    let cut = [random.below(40), 255 - random.below(40), random.below(256)];
    let mut expected = Vec::new();
    for (row, column, channel) in (0..rows * columns * c).map(|i| (i / (columns * c), i / c % columns, i % c)) {
        let mut sum = biases[channel];
        for (ky, kx) in (0..k * k).map(|i| (i / k, i % k)) {
            let q = input[((row * stride + ky) * w + column * stride + kx) * pixel + channel];
            sum += i32::from(q) * i32::from(weights[(channel * k + ky) * k + kx]);
        }
        let at = (row * columns + column) * pixel + channel;
        expected.push((at, integer(sum, factors[channel], cut)));
    }
    let shape = DepthwiseShape {
        rows,
        columns,
        blocks,
        bytes: pixel,
        from_origin: 0,
        from_image: input.len(),
        from_row: stride * w * pixel,
        from_pixel: stride * pixel,
        kernel_rows: k,
        kernel_columns: k,
        tap_row: w * pixel,
        tap_pixel: pixel,
        to_origin: 0,
        to_image: rows * columns * pixel,
        to_row: columns * pixel,
        to_pixel: pixel,
        least: cut[0],
        greatest: cut[1],
        zero_point: cut[2],
    };
    let constant = [
        bytes(&biases, |bias| bias.to_le_bytes().to_vec()),
        bytes(&factors, |factor| factor.to_le_bytes().to_vec()),
        bytes(&packed, |weight| weight.to_le_bytes().to_vec()),
    ];
    Case {
        kernel: Kernel::Depthwise(shape),
        tasks: rows,
        input,
        constant: constant.concat(),
        output: rows * columns * pixel,
        expected,
    }
}

/// Runs all tasks; what is not a result's byte must be as it was, or within the padding of a pixel.
fn check(case: &Case) {
    // Floats and integers of 32 bits are read where they are aligned.
    let mut constant = vec![0u32; case.constant.len().div_ceil(4)];
    for (word, four) in constant.iter_mut().zip(case.constant.chunks(4)) {
        let mut whole = [0; 4];
        whole[..four.len()].copy_from_slice(four);
        *word = u32::from_le_bytes(whole);
    }
    for isa in Isa::available() {
        let mut output = vec![0xA5u8; case.output + 1];
        for task in 0..case.tasks {
            let (input, other, to) = (case.input.as_ptr(), constant.as_ptr().cast(), output.as_mut_ptr());
            // SAFETY: the shape says how large the three are; `isa` proves the instructions.
            unsafe { case.kernel.run(isa, input, other, to, task) };
        }
        assert_eq!(
            output[case.output], 0xA5,
            "{isa}: a byte after the last pixel is written"
        );
        for &(at, expected) in &case.expected {
            assert_eq!(output[at], expected, "{isa}, {:?}, byte {at}", case.kernel);
        }
    }
}

#[test]
fn convolutions_give_the_integers_of_plain_loops() {
    let mut random = Random(7);
    for (c, f) in [(1, 1), (3, 16), (4, 5), (5, 17), (16, 32), (17, 33), (64, 70)] {
        for (k, stride) in [(1, 1), (1, 2), (3, 1), (3, 2)] {
            let (rows, columns) = (1 + random.below(5), 1 + random.below(17));
            check(&conv(&mut random, c, f, k, stride, rows, columns));
        }
    }
}

#[test]
fn depthwise_convolutions_give_the_integers_of_plain_loops() {
    let mut random = Random(8);
    for c in [2, 4, 5, 16, 17, 40, 64, 100, 150] {
        for (k, stride) in [
            (1, 1),
            (2, 1),
            (3, 1),
            (3, 2),
            (4, 1),
            (5, 1),
            (5, 2),
            (7, 1),
            (8, 1),
            (9, 1),
        ] {
            let (rows, columns) = (1 + random.below(3), 1 + random.below(9));
            check(&depthwise(&mut random, c, k, stride, rows, columns));
        }
    }
}

#[test]
fn sums_are_exact_where_they_are_largest() {
    // 255 · ±128 in every product: what instructions that saturate would lose.
    let mut random = Random(9);
    for weight in [-128i8, 127] {
        let mut case = conv(&mut random, 64, 32, 3, 1, 2, 13);
        case.input.fill(255);
        let first = 2 * PANEL * 4;
        case.constant[first..].fill(weight as u8);
        let Kernel::Conv(shape) = case.kernel else { continue };
        let word = |at: usize| [0, 1, 2, 3].map(|i| case.constant[4 * at + i]);
        for (at, expected) in &mut case.expected {
            let filter = *at % shape.to_pixel;
            let (bias, factor) = (
                i32::from_le_bytes(word(filter)),
                f32::from_le_bytes(word(PANEL + filter)),
            );
            let sum = bias + 64 * 9 * 255 * i32::from(weight);
            *expected = integer(sum, factor, [shape.least, shape.greatest, shape.zero_point]);
        }
        check(&case);
    }
}
