//! Random networks: every back end and both stages against the interpreter on the graph as declared.

use std::collections::BTreeSet;

use cnn_ir::front::graph_from_toml;
use cnn_ir::graph::Graph;
use cnn_ir::op::Op;
use cnn_ir::passes::{Note, PASSES, optimise};
use cnn_ir::text;
use cnn_ir::validate::validate;
use cnn_runtime::weights::{Synthetic, synthetic_input};
use cnn_testing::distance::distance;
use cnn_testing::engines::{ENGINES, networks};
use cnn_testing::random;

/// How many networks. `SEEDS=first..last` runs others.
const COUNT: u64 = 2000;

fn seeds() -> std::ops::Range<u64> {
    let Ok(range) = std::env::var("SEEDS") else {
        return 0..COUNT;
    };
    let (first, last) = range.split_once("..").expect("SEEDS=first..last");
    first.parse().expect("a number")..last.parse().expect("a number")
}

fn inputs(graph: &Graph, batch: usize, seed: u64) -> Vec<Vec<f32>> {
    graph
        .declared_inputs()
        .map(|(node, input)| synthetic_input(&node.name, batch * input.shape.elements(), seed))
        .collect()
}

#[test]
fn back_ends_and_passes_agree_on_random_networks() {
    let mut failures = Vec::new();
    for seed in seeds() {
        let networks = networks(&random::model(seed));
        let weights = Synthetic { seed };
        let batch = [1, 3, 2][(seed % 3) as usize];
        let inputs = inputs(&networks[0].graph, batch, seed);
        let slices: Vec<_> = inputs.iter().map(Vec::as_slice).collect();
        let expected = (ENGINES[0].compile)(&networks[0], &weights, batch)(&slices);
        for network in &networks {
            for engine in ENGINES.iter().filter(|engine| seed % engine.every == 0) {
                let found = (engine.compile)(network, &weights, batch)(&slices);
                for (output, (expected, found)) in network.graph.outputs().iter().zip(expected.iter().zip(&found)) {
                    let distance = distance(expected, found);
                    if distance > engine.tolerance {
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

#[test]
fn the_text_form_of_random_networks_reads_back() {
    for seed in seeds() {
        for network in networks(&random::model(seed)) {
            let printed = text::print(&network.graph, Some(&network.shapes));
            let read = text::parse(&printed).unwrap_or_else(|errors| panic!("seed {seed}: {errors:#?}\n{printed}"));
            let shapes = validate(&read).expect("the same graph is as valid");
            assert_eq!(text::print(&read, Some(&shapes)), printed, "seed {seed}");
        }
    }
}

#[test]
fn after_all_passes_there_is_nothing_left_to_do() {
    for seed in seeds() {
        let [_, optimised] = networks(&random::model(seed));
        let mut again = optimised.graph.clone();
        for report in optimise(&mut again).expect("a valid graph") {
            let done = report.notes.iter().find(|note| matches!(note, Note::Applied { .. }));
            assert_eq!(done, None, "seed {seed}: {}", report.pass);
        }
    }
}

/// The generator is only worth its name while it makes everything.
#[test]
fn random_networks_have_every_operator_and_work_for_every_pass() {
    let mut operators = BTreeSet::new();
    let mut applied = BTreeSet::new();
    let mut refused = BTreeSet::new();
    let mut numbers = 0;
    for seed in 0..COUNT {
        // As declared: before anything is expanded.
        let (mut graph, _) = graph_from_toml(&random::model(seed)).expect("a network");
        operators.extend(graph.ids().map(|id| graph[id].op.name()));
        numbers += graph.len();
        for report in optimise(&mut graph).expect("a valid graph") {
            for note in report.notes {
                match note {
                    Note::Applied { .. } => applied.insert(report.pass),
                    Note::Refused { .. } => refused.insert(report.pass),
                };
            }
        }
    }
    let missing: Vec<_> = (Op::names().iter())
        .filter(|name| !operators.contains(*name) && !random::UNSTEADY.contains(name))
        .collect();
    assert!(missing.is_empty(), "no network has {missing:?}");
    assert_eq!(applied, PASSES.iter().map(|pass| pass.name()).collect());
    assert_eq!(
        refused.len(),
        PASSES.len() - 2,
        "only dead code and expansion are never refused: {refused:?}"
    );
    assert!(numbers > 8 * COUNT as usize, "{numbers} layers");
}
