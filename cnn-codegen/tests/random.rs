//! Random networks: every back end and both stages against the interpreter on the graph as declared.

mod engines;
mod generator;

use cnn_ir::op::Op;
use cnn_runtime::weights::{Synthetic, synthetic_input};
use engines::{ENGINES, Network, distance, networks};

/// How many networks. `SEEDS=first..last` runs others.
const COUNT: u64 = 2000;
/// Of the largest element.
const TOLERANCE: f64 = 1e-4;

fn seeds() -> std::ops::Range<u64> {
    let Ok(range) = std::env::var("SEEDS") else {
        return 0..COUNT;
    };
    let (first, last) = range.split_once("..").expect("SEEDS=first..last");
    first.parse().expect("a number")..last.parse().expect("a number")
}

fn inputs(network: &Network, batch: usize, seed: u64) -> Vec<Vec<f32>> {
    let graph = &network.graph;
    graph
        .inputs()
        .iter()
        .map(|&id| match &graph[id].op {
            Op::Input(input) => synthetic_input(&graph[id].name, batch * input.shape.elements(), seed),
            op => unreachable!("{op:?} as an input"),
        })
        .collect()
}

#[test]
fn back_ends_and_passes_agree_on_random_networks() {
    let mut failures = Vec::new();
    for seed in seeds() {
        let toml = generator::model(seed);
        let networks = networks(&toml);
        let weights = Synthetic { seed };
        let batch = 1 + (seed % 2) as usize;
        let inputs = inputs(&networks[0], batch, seed);
        let slices: Vec<_> = inputs.iter().map(Vec::as_slice).collect();
        let expected = (ENGINES[0].compile)(&networks[0], &weights, batch)(&slices);
        for network in &networks {
            for engine in ENGINES {
                let found = (engine.compile)(network, &weights, batch)(&slices);
                for (output, (expected, found)) in network.graph.outputs().iter().zip(expected.iter().zip(&found)) {
                    let distance = distance(expected, found);
                    if distance > TOLERANCE {
                        failures.push(format!(
                            "seed {seed}, {}, {}: `{}` is {distance:.1e} of the largest element off",
                            engine.name, network.stage, output.name
                        ));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
