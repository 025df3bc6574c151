//! What the checks of a specification refuse, and what it says of itself.

use super::reference::Random;
use crate::tile::{Init, Loop, Pixel, Product, SpecError, TileSpec, lower};
use cnn_types::{Activation, InstructionSet};

/// A 6×16 tile of a 3×3 convolution over 16 channels in blocks of eight, 10 pixels a row.
fn tile() -> TileSpec {
    TileSpec {
        isa: InstructionSet::Avx2,
        product: Product::Broadcast,
        vectors: 2,
        pixels: (0..6)
            .map(|p| Pixel {
                input: p * 32,
                output: p * 32,
                residual: p * 32,
            })
            .collect(),
        output_vectors: vec![0, 6400],
        residual_vectors: vec![],
        loops: vec![
            Loop {
                count: 2,
                input_step: 3200,
            },
            Loop {
                count: 3,
                input_step: 320,
            },
        ],
        taps: (0..24).map(|t| t * 4).collect(),
        init: Init::Bias,
        residual: false,
        activation: None,
        prefetch: 0,
    }
}

#[test]
fn says_what_it_touches() {
    let mut spec = tile();
    assert_eq!(spec.validate(), Ok(()));
    assert_eq!(spec.weight_floats(), 16 + 2 * 3 * 24 * 16);
    assert_eq!(spec.flops(), 2 * 6 * 16 * 144);
    assert_eq!(spec.input_bytes(), 0..(5 * 32 + 3200 + 640 + 23 * 4 + 4));
    assert_eq!(spec.output_bytes(), 0..(5 * 32 + 6400 + 32));
    assert_eq!(spec.residual_bytes(), 0..0);
    spec.loops[0].input_step = -3200;
    assert_eq!(spec.input_bytes(), -3200..(5 * 32 + 640 + 23 * 4 + 4));
}

#[test]
fn refuses_what_is_no_tile() {
    type Change = fn(&mut TileSpec);
    let cases: [(Change, SpecError); 17] = [
        (|s| s.pixels.clear(), SpecError::Empty("pixels")),
        (|s| s.vectors = 0, SpecError::Empty("vectors")),
        (|s| s.taps.clear(), SpecError::Empty("taps")),
        (|s| s.loops[1].count = 0, SpecError::Empty("iterations")),
        (
            |s| s.pixels.push(Pixel::default()),
            SpecError::Registers {
                pixels: 7,
                vectors: 2,
                needed: 17,
                registers: 16,
            },
        ),
        (|s| s.product = Product::Lanewise, SpecError::LanewiseVectors(2)),
        (|s| s.product = Product::Fixed, SpecError::Fixed { pixels: 6, loops: 2 }),
        (
            |s| s.output_vectors.truncate(1),
            SpecError::VectorOffsets {
                name: "output_vectors",
                found: 1,
                expected: 2,
            },
        ),
        (
            |s| s.residual = true,
            SpecError::VectorOffsets {
                name: "residual_vectors",
                found: 0,
                expected: 2,
            },
        ),
        (
            |s| {
                s.loops = vec![
                    Loop {
                        count: 2,
                        input_step: 4
                    };
                    6
                ]
            },
            SpecError::Loops(6),
        ),
        (|s| s.taps = vec![0; 2049], SpecError::Taps(2049)),
        (
            |s| s.loops[0].input_step = 1 << 40,
            SpecError::Offset("an input offset"),
        ),
        (
            |s| s.loops[0].input_step = i64::MIN,
            SpecError::Offset("an input offset"),
        ),
        (|s| s.pixels[0].output = i32::MAX, SpecError::Offset("an output offset")),
        (
            |s| {
                s.loops = vec![
                    Loop {
                        count: u32::MAX,
                        input_step: 0
                    };
                    3
                ]
            },
            SpecError::Offset("the weight stream"),
        ),
        (|s| s.prefetch = 100_000, SpecError::Offset("what is brought nearer")),
        (
            |s| {
                s.activation = Some(Activation::Clip {
                    min: f32::NAN,
                    max: 1.0,
                })
            },
            SpecError::Activation,
        ),
    ];
    for (change, error) in cases {
        let mut spec = tile();
        change(&mut spec);
        assert_eq!(spec.validate(), Err(error.clone()));
        assert_eq!(lower(&spec), Err(error.clone()));
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn never_panics_on_extremes() {
    let mut random = Random(1);
    let mut pick = |values: &[i64]| values[((random.next() + 1.0) * 100.0) as usize % values.len()];
    let offsets = [0, 1, -4, 1 << 28, i64::from(i32::MIN), i64::from(i32::MAX)];
    for _ in 0..2000 {
        let mut spec = tile();
        spec.pixels[0].input = pick(&offsets) as i32;
        spec.pixels[3].output = pick(&offsets) as i32;
        spec.output_vectors[1] = pick(&offsets) as i32;
        spec.taps[5] = pick(&offsets) as i32;
        spec.loops[0].input_step = pick(&[0, i64::MAX, i64::MIN, 1 << 30, -8]);
        spec.loops[1].count = pick(&[1, 2, 3, i64::from(u32::MAX), 7]) as u32;
        assert_eq!(lower(&spec).is_ok(), spec.validate().is_ok());
    }
}
