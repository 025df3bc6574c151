//! Networks of very many layers: every stage from the graph to verified loop code takes time in proportion to them.

use std::fmt::Write;
use std::time::{Duration, Instant};

use cnn_codegen::loops::Program;
use cnn_codegen::plan::{self, PlanOptions};
use cnn_ir::front::graph_from_toml;
use cnn_ir::passes::optimise;
use cnn_ir::validate::validate;

const LAYERS: usize = 100_000;
/// Far more than any machine needs, far less than anything quadratic takes: that was 150 seconds on the machine where
/// this is about 10.
const BOUND: Duration = Duration::from_secs(60);

/// Runs of layers that end in place, are concatenated, are added to what is long past.
fn declaration(layers: usize) -> String {
    let mut text = String::from("[inputs]\nimage = [8, 2, 2]\n");
    let mut layer = |name: String, rest: &str| {
        let _ = write!(text, "\n[[layer]]\nname = \"{name}\"\n{rest}\n");
    };
    layer("old_0".into(), "op = \"tanh\"");
    for block in 1..=layers / 10 {
        for (part, op) in ["tanh", "sigmoid", "hard_swish", "tanh", "relu"].iter().enumerate() {
            layer(format!("e{block}_{part}"), &format!("op = \"{op}\""));
        }
        layer(
            format!("c{block}"),
            "op = \"conv\"\nfilters = 8\nkernel = 3\npadding = 1",
        );
        layer(
            format!("w{block}"),
            &format!("op = \"concat\"\nfrom = [\"c{block}\", \"old_{}\"]", block - 1),
        );
        layer(format!("f{block}"), "op = \"conv\"\nfilters = 8\nkernel = 1");
        layer(
            format!("a{block}"),
            &format!("op = \"add\"\nfrom = [\"f{block}\", \"c{block}\"]"),
        );
        layer(
            format!("old_{block}"),
            "op = \"avg_pool\"\nsize = 3\nstride = 1\npadding = 1",
        );
    }
    text
}

#[test]
fn a_hundred_thousand_layers_are_planned_and_verified() {
    let started = Instant::now();
    let mut last = started;
    let mut told = String::new();
    let mut done = |stage: &str| {
        let _ = write!(told, "{stage} {:.2} s, ", last.elapsed().as_secs_f64());
        last = Instant::now();
        assert!(started.elapsed() < BOUND, "{told}");
    };
    let text = declaration(LAYERS);
    let (mut graph, _) = graph_from_toml(&text).expect("a valid declaration");
    done("declaration → graph");
    let layers = graph.len();
    assert!(layers > LAYERS);
    optimise(&mut graph).expect("a valid graph");
    done("passes");
    let shapes = validate(&graph).expect("a valid graph");
    let plan = plan::build(&graph, &shapes, &PlanOptions::default()).expect("a plan");
    done("graph → plan");
    assert!(plan.steps.len() >= LAYERS / 2);
    assert_eq!(plan::verify(&plan), Ok(()));
    done("verification");
    let program = Program::new(&plan).expect("a sound plan");
    done("plan → loop code");
    assert_eq!(program.steps.len(), plan.steps.len());
}
