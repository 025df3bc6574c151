//! Results do not depend on the number of threads, to the bit: a network with every kind of step, large enough to be
//! divided, models of the zoo and random ones, on one, two and three threads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cnn_codegen::jit;
use cnn_codegen::plan::{self, Accuracy, Algorithm, InstructionSet, Plan, PlanOptions, Work};
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::weights::{Synthetic, synthetic_input};
use cnn_testing::engines::{Network, networks};
use cnn_testing::random;

/// Every operator that has steps of its own, on maps that are worth dividing.
const EVERYTHING: &str = include_str!("threads/everything.toml");

/// Of the small random networks, how many.
const RANDOM: u64 = 60;

/// Batches, and numbers of threads compared with one.
const BATCHES: [usize; 2] = [1, 3];
const THREADS: [usize; 2] = [2, 3];

fn build(network: &Network, options: &PlanOptions) -> Plan {
    plan::build(&network.graph, &network.shapes, options).expect("a plan")
}

/// The bits of all outputs, and the kinds of steps they came from.
fn run(network: &Network, options: &PlanOptions) -> (Vec<Vec<u32>>, BTreeSet<&'static str>) {
    let plan = build(network, options);
    let executable = jit::compile(&plan, &Synthetic { seed: 3 }, options.threads).expect("code");
    let inputs: Vec<_> = plan
        .inputs
        .iter()
        .map(|port| synthetic_input(&port.name, plan.batch * port.shape.elements(), 3))
        .collect();
    let mut outputs: Vec<_> = plan
        .outputs
        .iter()
        .map(|port| vec![f32::NAN; plan.batch * port.shape.elements()])
        .collect();
    let inputs: Vec<_> = inputs.iter().map(Vec::as_slice).collect();
    let mut slices: Vec<_> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    executable.run(&inputs, &mut slices).expect("inputs that fit");
    let bits = |output: &Vec<f32>| output.iter().map(|x| x.to_bits()).collect();
    (
        outputs.iter().map(bits).collect(),
        plan.steps.iter().map(|step| kind(&step.work)).collect(),
    )
}

fn kind(work: &Work) -> &'static str {
    match work {
        Work::Sweep(_) => "sweep",
        Work::Winograd(_) => "winograd",
        Work::Copy(_) => "copy",
        Work::ClearHalo(_) => "clear halo",
        Work::Elementwise(_) => "elementwise",
        Work::Pool(_) => "pool",
        Work::GlobalPool { .. } => "global pool",
        Work::AdaptiveAvgPool { .. } => "adaptive pool",
        Work::Softmax { .. } => "softmax",
        Work::Lrn { .. } => "lrn",
        Work::Gather(_) => "gather",
        Work::Interpolate(_) => "interpolate",
        Work::Matmul { .. } => "matmul",
        Work::Recurrent(_) => "recurrent",
        Work::Integer(_) => "integers",
        Work::Along(_) => "along",
        Work::Reduce { .. } => "reduction",
    }
}

/// Compares with one thread, and gives the kinds of steps that ran. Not all outputs are zeros.
#[track_caller]
fn check(name: &str, network: &Network, options: &PlanOptions) -> BTreeSet<&'static str> {
    let (kinds, is_zero) = compare(name, network, options);
    assert!(!is_zero, "{name} gives zeros");
    kinds
}

/// Compares with one thread, and gives the kinds of steps that ran and whether all outputs are zeros.
#[track_caller]
fn compare(name: &str, network: &Network, options: &PlanOptions) -> (BTreeSet<&'static str>, bool) {
    let mut kinds = BTreeSet::new();
    let mut is_zero = true;
    for batch in BATCHES {
        let with = |threads| PlanOptions {
            batch,
            threads,
            ..options.clone()
        };
        let (alone, steps) = run(network, &with(1));
        kinds.extend(steps);
        is_zero &= alone.iter().flatten().all(|&bits| f32::from_bits(bits) == 0.0);
        for threads in THREADS {
            let (together, _) = run(network, &with(threads));
            let different = alone
                .iter()
                .zip(&together)
                .map(|(a, b)| a.iter().zip(b).filter(|(a, b)| a != b).count());
            let different: Vec<_> = different.collect();
            assert!(
                different.iter().all(|&count| count == 0),
                "{name}, batch {batch}, {threads} threads, {options:?}: {different:?} elements of the outputs differ"
            );
        }
    }
    (kinds, is_zero)
}

#[test]
fn every_kind_of_step_gives_the_same_bits() {
    let exact = PlanOptions {
        accuracy: Accuracy::Exact,
        ..PlanOptions::default()
    };
    let forced = |variant| PlanOptions {
        force: Some(Algorithm::Winograd(variant)),
        ..PlanOptions::default()
    };
    let portable = PlanOptions {
        isa: InstructionSet::Portable,
        ..PlanOptions::default()
    };
    let choices = [
        PlanOptions::default(),
        exact,
        forced(Winograd::F2x3),
        forced(Winograd::F4x3),
        forced(Winograd::F4x5),
        portable,
    ];
    let [raw, optimised] = networks(EVERYTHING);
    let mut kinds = check("everything, raw", &raw, &PlanOptions::default());
    for options in choices {
        kinds.extend(check("everything, optimised", &optimised, &options));
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>().join(", "),
        "adaptive pool, clear halo, copy, elementwise, gather, global pool, interpolate, lrn, matmul, pool, recurrent, \
         reduction, softmax, sweep, winograd"
    );
}

#[test]
fn models_of_the_zoo_give_the_same_bits() {
    for model in ["lenet5", "squeezenet1_1", "mobilenet_v2", "googlenet", "resnet18"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/models/{model}.toml"));
        let toml = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let [_, optimised] = networks(&toml);
        check(model, &optimised, &PlanOptions::default());
    }
}

#[test]
fn random_networks_give_the_same_bits() {
    let mut zeros = 0;
    for seed in 0..RANDOM {
        let [_, optimised] = networks(&random::model(seed));
        let (_, is_zero) = compare(&format!("seed {seed}"), &optimised, &PlanOptions::default());
        zeros += u64::from(is_zero);
    }
    // A network may end in a ReLU of what is negative everywhere.
    assert!(zeros < RANDOM / 10, "{zeros} networks give zeros");
}
