//! Random convolutional networks with as many channels as real ones have, and odd sizes: every back end and every
//! algorithm a convolution can get, against the interpreter.

use std::fmt::Write;

use cnn_runtime::weights::{Synthetic, synthetic_input};
use cnn_testing::distance::distance;
use cnn_testing::engines::{ENGINES, networks};
use fastrand::Rng;

const COUNT: u64 = 60;

/// Three or four convolutions, some grouped, strided, depthwise or residual, with activations between.
fn model(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let pick = |rng: &mut Rng, from: &[usize]| from[rng.usize(..from.len())];
    let mut channels = pick(&mut rng, &[3, 16, 24, 33, 40, 64]);
    let size = [
        pick(&mut rng, &[7, 9, 13, 14, 17, 21]),
        pick(&mut rng, &[7, 8, 11, 15, 19, 23]),
    ];
    let mut toml = format!("[inputs]\nimage = [{channels}, {}, {}]\n", size[0], size[1]);
    let mut last = "image".to_owned();
    for layer in 0..rng.usize(3..5) {
        let kernel = pick(&mut rng, &[1, 3, 3, 3, 5]);
        let activation = ["relu", "relu6", "silu", "tanh", "hard_swish", "leaky_relu"][rng.usize(..6)];
        let depthwise = layer > 0 && rng.u8(..5) == 0;
        let residual = layer > 0 && !depthwise && rng.bool();
        let filters = if depthwise || residual {
            channels
        } else {
            pick(&mut rng, &[16, 20, 31, 48, 64, 72, 96, 128])
        };
        let groups = match () {
            () if depthwise => channels,
            () if channels % 4 == 0 && filters % 4 == 0 && rng.u8(..5) == 0 => 4,
            () => 1,
        };
        let stride = if residual || rng.u8(..4) > 0 { 1 } else { 2 };
        let _ = write!(
            toml,
            "\n[[layer]]\nname = \"c{layer}\"\nop = \"conv\"\nfilters = {filters}\nkernel = {kernel}\npadding = \"same\"\n\
             stride = {stride}\ngroups = {groups}\n"
        );
        if residual {
            let _ = write!(
                toml,
                "\n[[layer]]\nname = \"r{layer}\"\nop = \"add\"\nfrom = [\"c{layer}\", \"{last}\"]\n\
                 activation = \"{activation}\"\n"
            );
            last = format!("r{layer}");
        } else {
            let _ = writeln!(toml, "activation = \"{activation}\"");
            last = format!("c{layer}");
        }
        channels = filters;
    }
    toml
}

/// DenseNet's blocks: what one concatenation joins, and a batch norm then changes, later ones join again.
const DENSE: &str = r#"
    inputs.image = [16, 9, 11]
    layer = [
        { name = "n1", op = "batch_norm", activation = "relu" },
        { name = "c0", op = "conv", filters = 16, kernel = 1 },
        { name = "c1", op = "conv", filters = 8, kernel = 3, padding = 1 },
        { name = "j1", op = "concat", from = ["c0", "c1"] },
        { name = "n2", op = "batch_norm", activation = "relu" },
        { name = "c2", op = "conv", filters = 8, kernel = 3, padding = 1 },
        { name = "j2", op = "concat", from = ["c0", "c1", "c2"] },
        { name = "n3", op = "batch_norm", activation = "relu" },
        { name = "c3", op = "conv", filters = 8, kernel = 3, padding = 1 },
        { name = "j3", op = "concat", from = ["j2", "c3"] },
        { name = "n4", op = "batch_norm", activation = "relu" },
    ]
"#;

/// What is wrong with an engine's answers for a model with weights of this seed.
fn failures(toml: &str, seed: u64) -> Vec<String> {
    let batch = 1 + (seed % 3) as usize;
    let networks = networks(toml);
    let graph = &networks[0].graph;
    let (_, input) = graph.declared_inputs().next().expect("an input");
    let image = synthetic_input("image", batch * input.shape.elements(), seed);
    let weights = Synthetic { seed };
    let expected = (ENGINES[0].compile)(&networks[0], &weights, batch)(&[&image]);
    let mut failures = Vec::new();
    for engine in &ENGINES[1..] {
        let found = (engine.compile)(&networks[1], &weights, batch)(&[&image]);
        let distance = distance(&expected[0], &found[0]);
        if distance > engine.tolerance {
            failures.push(format!(
                "seed {seed}, {}: {distance:.1e} of the largest element off",
                engine.name
            ));
        }
    }
    failures
}

#[test]
fn wide_networks_agree_on_every_engine() {
    let failures: Vec<_> = (0..COUNT).flat_map(|seed| failures(&model(seed), seed)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_joined_again_is_not_written_over() {
    let failures = failures(DENSE, 1);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
