//! Measuring the algorithms of convolutions, and plans that follow what was measured.

use std::time::Duration;

use cnn_codegen::plan::{self, Algorithm, Measurements, PlanOptions, choices};
use cnn_codegen::tune::{Effort, TuneError, measure};
use cnn_ir::front::graph_from_toml;
use cnn_ir::passes::optimise;
use cnn_ir::validate::validate;
use cnn_runtime::kernels::winograd::Winograd;

/// A block with a residual sum, and a convolution that has no choice.
const BLOCK: &str = r#"
    [inputs]
    image = [8, 12, 10]
    [[layer]]
    name = "a"
    op = "conv"
    filters = 16
    kernel = 3
    padding = 1
    activation = "gelu"
    [[layer]]
    name = "b"
    op = "conv"
    filters = 16
    kernel = 3
    padding = 1
    [[layer]]
    name = "sum"
    op = "add"
    from = ["a", "b"]
    [[layer]]
    name = "relu"
    op = "relu"
    [[layer]]
    name = "pointwise"
    op = "conv"
    filters = 8
    kernel = 1
"#;

const EFFORT: Effort = Effort {
    time: Duration::ZERO,
    between: 1 << 16,
    memory: 1 << 30,
};

#[test]
fn every_algorithm_is_measured_and_the_fastest_taken() {
    let (mut graph, _) = graph_from_toml(BLOCK).unwrap();
    optimise(&mut graph).unwrap();
    let shapes = validate(&graph).unwrap();
    for threads in [1, 2] {
        let options = PlanOptions {
            batch: 2,
            threads,
            ..PlanOptions::default()
        };
        let choices = choices(&graph, &shapes, &options);
        assert_eq!(choices.len(), 2);
        assert_eq!(choices.iter().filter(|choice| choice.conv.residual).count(), 1);
        let all = choices.iter().map(|choice| {
            let times = measure(choice, &options, &EFFORT).unwrap();
            let measured: Vec<_> = times.iter().map(|(algorithm, _)| *algorithm).collect();
            let fitting = [Winograd::F2x3, Winograd::F4x3].map(Algorithm::Winograd);
            assert_eq!(measured, [&[Algorithm::Direct], &fitting[..]].concat());
            assert!(
                times.iter().all(|(_, time)| (1..60_000_000_000).contains(time)),
                "{times:?}"
            );
            (choice.signature.clone(), times)
        });
        let measured: Measurements = all.collect();
        let tuned = PlanOptions {
            measured: measured.clone(),
            ..options
        };
        let plan = plan::build(&graph, &shapes, &tuned).unwrap();
        for choice in &choices {
            let times = measured.get(&choice.signature).unwrap();
            let fastest = times.iter().min_by_key(|(_, time)| *time).unwrap().0;
            let mut steps = plan.steps.iter();
            // A layer's later steps are copies and passes over its result.
            let step = steps
                .find(|step| step.why.contains("measured") && step.layer == choice.layer)
                .unwrap();
            assert_eq!(
                step.kernel.starts_with("Winograd"),
                fastest != Algorithm::Direct,
                "{}: {}",
                step.kernel,
                step.why
            );
        }
    }
}

#[test]
fn memory_is_bounded() {
    let (graph, _) = graph_from_toml(BLOCK).unwrap();
    let shapes = validate(&graph).unwrap();
    let options = PlanOptions::default();
    let choice = &choices(&graph, &shapes, &options)[0];
    let effort = Effort {
        memory: 1 << 16,
        ..EFFORT
    };
    assert!(matches!(
        measure(choice, &options, &effort),
        Err(TuneError::Limit { .. })
    ));
}
