//! A grid of specifications, and random ones.

use cnn_types::{Activation, InstructionSet};
use proptest::prelude::*;

use super::{MachineCode, check};
use crate::tile::{Init, Loop, Pixel, Product, TileSpec};

/// Bytes brought nearer: none, less than a line a turn of the loops, several lines a k-step.
const PREFETCHES: [u32; 4] = [0, 192, 8_000, 60_000];
const INITS: [Init; 3] = [Init::Zero, Init::Bias, Init::Output];

fn activations() -> Vec<Option<Activation>> {
    vec![
        None,
        Some(Activation::Relu),
        Some(Activation::Relu6),
        Some(Activation::Clip { min: -0.25, max: 0.5 }),
        Some(Activation::LeakyRelu { alpha: 0.01 }),
        Some(Activation::LeakyRelu { alpha: 1.5 }),
        Some(Activation::LeakyRelu { alpha: -0.5 }),
        Some(Activation::HARD_SIGMOID),
        Some(Activation::HardSwish),
    ]
}

/// Product, pixels and vectors of every tile shape tried.
fn shapes(isa: InstructionSet) -> Vec<(Product, usize, usize)> {
    let mut shapes: Vec<_> = (1..=14).map(|pixels| (Product::Lanewise, pixels, 1)).collect();
    for vectors in 1..=3 {
        shapes.extend((1..=6).map(|pixels| (Product::Broadcast, pixels, vectors)));
    }
    shapes.extend([(7, 1), (8, 1), (12, 1), (14, 1), (2, 4), (2, 5)].map(|(p, v)| (Product::Broadcast, p, v)));
    shapes.extend((4..=8).map(|vectors| (Product::Broadcast, 1, vectors)));
    if isa == InstructionSet::Avx512 {
        shapes.extend((3..=14).map(|pixels| (Product::Broadcast, pixels, 4)));
        shapes.extend([(2, 6), (7, 6), (8, 6), (9, 6), (2, 8), (6, 8)].map(|(p, v)| (Product::Broadcast, p, v)));
    }
    shapes.retain(|&(product, pixels, vectors)| {
        spec(isa, (product, pixels, vectors), &reductions()[0], Init::Zero, false)
            .validate()
            .is_ok()
    });
    shapes
}

/// Taps and loops: k-steps one by one, unrolled whole, unrolled in part, in a nest, backwards.
fn reductions() -> Vec<(Vec<i32>, Vec<Loop>)> {
    let step = |count, input_step| Loop { count, input_step };
    vec![
        (vec![0], vec![]),
        ((0..9).map(|t| t * 4).collect(), vec![step(1, 64)]),
        ((0..8).map(|t| t * 4).collect(), vec![step(17, 64)]),
        (vec![0], vec![step(147, 4)]),
        (
            vec![8, 0, -8],
            vec![step(3, -64), step(1, 4), step(2, 256), step(31, 16)],
        ),
        (
            (0..24).map(|t| (t / 8) * 32 + (t % 8) * 4).collect(),
            vec![step(2, 4096), step(3, 512)],
        ),
    ]
}

/// Tiles of 16-bit weights: every number of vectors, one block and several, short and long ones.
fn fixed_specs(isa: InstructionSet) -> Vec<TileSpec> {
    let activations = activations();
    let step = |count, input_step| Loop { count, input_step };
    let reductions = [
        (8, [step(5, 256), step(8, 32)]),
        (8, [step(1, 0), step(4, 32)]),
        (4, [step(3, 160), step(10, 16)]),
        (4, [step(2, -64), step(1, 4)]),
    ];
    let mut specs = Vec::new();
    for vectors in 1..=6 {
        for (taps, loops) in reductions {
            for init in INITS {
                for residual in [false, true] {
                    specs.push(TileSpec {
                        isa,
                        product: Product::Fixed,
                        vectors,
                        pixels: vec![Pixel {
                            input: 64,
                            output: -32,
                            residual: 16,
                        }],
                        output_vectors: (0..vectors as i32).map(|v| v * 128).collect(),
                        residual_vectors: (0..vectors as i32).filter(|_| residual).map(|v| v * 64).collect(),
                        loops: loops.to_vec(),
                        taps: (0..taps).map(|tap| tap * 4).collect(),
                        init,
                        residual,
                        activation: activations[specs.len() % activations.len()],
                        prefetch: 0,
                    });
                }
            }
        }
    }
    specs
}

/// All that machine code is for.
pub(in crate::tile) fn machine_specs(isa: InstructionSet) -> Vec<TileSpec> {
    specs(isa).into_iter().chain(fixed_specs(isa)).collect()
}

/// One tile. Pixels are scattered so that neighbours do not touch; the vectors of a single pixel are neighbours, as those
/// of a dense layer's units are.
fn spec(
    isa: InstructionSet,
    (product, pixels, vectors): (Product, usize, usize),
    (taps, loops): &(Vec<i32>, Vec<Loop>),
    init: Init,
    residual: bool,
) -> TileSpec {
    let pixel = |p: i32| Pixel {
        input: p * 36 + (p / 3) * 128 - 64,
        output: p * 40 + (p / 4) * 1000 - 32,
        residual: p * 32 - 16,
    };
    let apart = if pixels == 1 { 32 } else { 8192 };
    TileSpec {
        isa,
        product,
        vectors,
        pixels: (0..pixels as i32).map(pixel).collect(),
        output_vectors: (0..vectors as i32).map(|v| v * apart).collect(),
        residual_vectors: (0..vectors as i32).filter(|_| residual).map(|v| v * 1024).collect(),
        loops: loops.clone(),
        taps: taps.clone(),
        init,
        residual,
        activation: None,
        prefetch: 0,
    }
}

/// Every shape with every reduction, start and residual; the activations take turns (each shape meets them all).
pub(in crate::tile) fn specs(isa: InstructionSet) -> Vec<TileSpec> {
    let activations = activations();
    let mut specs = Vec::new();
    for shape in shapes(isa) {
        for reduction in reductions() {
            for init in INITS {
                for residual in [false, true] {
                    specs.push(TileSpec {
                        activation: activations[specs.len() % activations.len()],
                        prefetch: PREFETCHES[specs.len() % PREFETCHES.len()],
                        ..spec(isa, shape, &reduction, init, residual)
                    });
                }
            }
        }
    }
    specs
}

#[test]
fn machine_code_agrees_on_the_grid() {
    for isa in MachineCode::sets() {
        let specs = machine_specs(isa);
        assert!(specs.len() > 1_000);
        for (seed, spec) in specs.iter().enumerate() {
            check(spec, seed as u64, &mut MachineCode);
        }
    }
}

proptest! {
    #[test]
    fn machine_code_agrees_on_random_tiles(
        (isa, shape) in prop::sample::select(
            MachineCode::sets().into_iter().flat_map(|isa| shapes(isa).into_iter().map(move |shape| (isa, shape)))
                // There is nothing to select from on a machine without any of the sets.
                .chain([(InstructionSet::Portable, (Product::Broadcast, 1, 1))]).collect::<Vec<_>>()
        ),
        inputs in prop::collection::vec(-500i32..500, 28),
        taps in prop::collection::vec(-300i32..300, 1..20),
        loops in prop::collection::vec((1u32..6, -200i64..200), 0..5),
        init in prop::sample::select(INITS.to_vec()),
        activation in prop::sample::select(activations()),
        residual: bool,
        prefetch in 0u32..5000,
        seed: u64,
    ) {
        prop_assume!(isa != InstructionSet::Portable);
        let (product, pixels, vectors) = shape;
        let spec = TileSpec {
            isa,
            product,
            vectors,
            pixels: (0..pixels)
                .map(|p| Pixel { input: inputs[p] * 4, output: p as i32 * -64, residual: p as i32 * 8 })
                .collect(),
            output_vectors: (0..vectors as i32).map(|v| v * 32 - 4096 * (v % 2)).collect(),
            residual_vectors: if residual { vec![4; vectors] } else { Vec::new() },
            loops: loops.iter().map(|&(count, step)| Loop { count, input_step: step * 4 }).collect(),
            taps: taps.iter().map(|t| t * 4).collect(),
            init,
            residual,
            activation,
            prefetch,
        };
        // Two vectors of one pixel and of the next may meet: leave those out.
        let mut starts: Vec<i32> = spec
            .pixels
            .iter()
            .flat_map(|p| spec.output_vectors.iter().map(move |v| p.output + v))
            .collect();
        starts.sort_unstable();
        prop_assume!(starts.windows(2).all(|w| w[1] - w[0] >= 32));
        check(&spec, seed, &mut MachineCode);
    }
}
