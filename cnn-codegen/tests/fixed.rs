//! Dense layers with 16-bit weights: where they are used, how far they are from the interpreter's answers, and that
//! weights which they do not hold keep all of their bits.

use cnn_codegen::compile::{self, Executable, Options};
use cnn_codegen::jit::{self, JitError};
use cnn_codegen::plan::{self, Accuracy, InstructionSet, Plan, PlanOptions, Work};
use cnn_codegen::tile::Product;
use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::Caches;
use cnn_runtime::weights::{MapSource, Synthetic, WeightSource, synthetic_input};
use cnn_testing::distance::distance;
use cnn_testing::engines::{ENGINES, Network, networks};

/// Numbers of inputs that are blocks of 64, 40 and 36 weights, and one that has no blocks; numbers of units that fill
/// panels, and that do not.
const TOML: &str = r#"
    inputs.image = [1, 32, 40]
    layer = [
        { name = "flat", op = "flatten" },
        { name = "d1", op = "dense", units = 1000, activation = "relu" },
        { name = "d2", op = "dense", units = 252, bias = false, activation = "tanh" },
        { name = "d3", op = "dense", units = 331, activation = "hard_swish" },
        { name = "d4", op = "dense", units = 64 },
    ]
"#;

/// A machine whose caches hold no layer's weights.
const OPTIONS: PlanOptions = PlanOptions {
    batch: 1,
    isa: InstructionSet::Avx2,
    accuracy: Accuracy::Fast,
    threads: 1,
    caches: Caches {
        second: 1 << 10,
        last: 1 << 10,
    },
    force: None,
};

fn build(network: &Network, options: &PlanOptions) -> Plan {
    plan::build(&network.graph, &network.shapes, options).expect("a plan")
}

/// Names of the layers with 16-bit weights.
fn fixed(plan: &Plan) -> Vec<&str> {
    let is_fixed = |work: &Work| match work {
        Work::Sweep(sweep) => sweep.nest.specs.iter().any(|spec| spec.product == Product::Fixed),
        _ => false,
    };
    let steps = plan.steps.iter().filter(|step| is_fixed(&step.work));
    steps.map(|step| step.layer.as_str()).collect()
}

fn run(network: &Network, options: &PlanOptions) -> Vec<f32> {
    let plan = build(network, options);
    let image = synthetic_input("image", plan.inputs[0].shape.elements(), 0);
    let mut output = vec![f32::NAN; plan.outputs[0].shape.elements()];
    let executable = jit::compile(&plan, &Synthetic { seed: 0 }, options.threads).expect("code");
    executable.run(&[&image], &mut [&mut output]).expect("inputs that fit");
    output
}

#[test]
fn only_weights_from_memory_have_16_bits() {
    let [_, network] = networks(TOML);
    assert_eq!(fixed(&build(&network, &OPTIONS)), ["d1", "d2", "d3"]);
    let caches = Caches::TYPICAL;
    assert!(fixed(&build(&network, &PlanOptions { caches, ..OPTIONS })).is_empty());
    let accuracy = Accuracy::Exact;
    assert!(fixed(&build(&network, &PlanOptions { accuracy, ..OPTIONS })).is_empty());
    let isa = InstructionSet::Portable;
    assert!(fixed(&build(&network, &PlanOptions { isa, ..OPTIONS })).is_empty());
    // Several images share what is read: then multiplying takes the time.
    assert!(fixed(&build(&network, &PlanOptions { batch: 3, ..OPTIONS })).is_empty());
}

#[test]
fn sixteen_bits_keep_four_digits() {
    if Isa::detect().set() == InstructionSet::Portable {
        return;
    }
    let [_, network] = networks(TOML);
    let image = synthetic_input("image", 1280, 0);
    let expected = (ENGINES[0].compile)(&network, &Synthetic { seed: 0 }, 1)(&[&image]);
    let found = run(&network, &OPTIONS);
    let error = distance(&expected[0], &found);
    assert!((1e-7..5e-5).contains(&error), "{error:.1e} of the largest element off");
    let accuracy = Accuracy::Exact;
    let exact = distance(&expected[0], &run(&network, &PlanOptions { accuracy, ..OPTIONS }));
    assert!(exact < error, "{exact:.1e} without, {error:.1e} with 16-bit weights");
    for threads in [2, 3] {
        assert_eq!(
            found,
            run(&network, &PlanOptions { threads, ..OPTIONS }),
            "{threads} threads"
        );
    }
}

/// A layer of 1000 units with 1280 inputs.
const LAYER: &str = r#"
    inputs.image = [1280]
    layer = [{ name = "d", op = "dense", units = 1000, bias = false }]
"#;

/// Compiles the layer as everybody does, for each instruction set, and compares with the interpreter, for an image that
/// is 0 where `large` meets it; gives whether 16 bits were used.
fn check_tail(large: f32, is_large: fn(usize) -> bool, size: f32) -> Vec<bool> {
    let [_, network] = networks(LAYER);
    let mut weights = Synthetic { seed: 1 }
        .tensor("d.weight", &[1000, 1280])
        .expect("weights")
        .into_owned();
    for (i, weight) in weights.iter_mut().enumerate() {
        *weight = if is_large(i) { large } else { *weight * size };
    }
    let mut image = synthetic_input("image", 1280, 0);
    for (i, pixel) in image.iter_mut().enumerate() {
        if large.is_finite() && (0..1000).any(|row| is_large(row * 1280 + i)) {
            *pixel = 0.0;
        }
    }
    let mut source = MapSource::new();
    source.insert("d.weight", &[1000, 1280], weights).expect("a tensor");
    let expected = (ENGINES[0].compile)(&network, &source, 1)(&[&image]);
    let sets = Isa::available()
        .into_iter()
        .map(Isa::set)
        .filter(|&isa| isa != InstructionSet::Portable);
    sets.map(|isa| {
        let options = Options {
            isa: Some(isa),
            caches: OPTIONS.caches,
            threads: Some(1),
            ..Options::default()
        };
        let (executable, _) = compile::compile(&network.graph, &source, &options).expect("code");
        let Executable::Jit(code) = executable else {
            panic!("machine code")
        };
        let mut output = vec![f32::NAN; 1000];
        code.run(&[&image], &mut [&mut output]).expect("an input that fits");
        // What is not finite is compared as it is, the rest as a share of the largest.
        let finite = |all: &[f32]| {
            all.iter()
                .map(|x| if x.is_finite() { *x } else { 0.0 })
                .collect::<Vec<_>>()
        };
        for (expected, found) in expected[0].iter().zip(&output) {
            let same = expected.is_finite() && found.is_finite() || expected.to_bits() == found.to_bits();
            assert!(
                same || expected.is_nan() && found.is_nan(),
                "{isa}, {large:e}: {found} for {expected}"
            );
        }
        let error = distance(&finite(&expected[0]), &finite(&output));
        assert!(
            error < 1e-4,
            "{isa}, weights of {large:e}, others of {size:e}: {error:.1e} off"
        );
        !fixed(code.plan()).is_empty()
    })
    .collect()
}

#[test]
fn weights_that_sixteen_bits_do_not_hold_keep_all() {
    let one_a_block = |i: usize| i % 64 == 17;
    let one_a_row = |i: usize| i % 1280 == 100;
    let one = |i: usize| i == 500 * 1280 + 3;
    for large in [1e3, 1e6, -1e30, f32::INFINITY, f32::NEG_INFINITY] {
        for is_large in [one_a_block, one_a_row, one] {
            let fixed = check_tail(large, is_large, 1.0);
            assert!(!fixed.contains(&true), "{large:e}");
        }
    }
    assert!(!check_tail(0.0, |_| false, 1e-38).contains(&true), "subnormal weights");
    for size in [1e-30, 1.0, 1e30] {
        assert!(
            !check_tail(0.0, |_| false, size).contains(&false),
            "weights of like size {size:e}"
        );
    }
}

#[test]
fn a_plan_of_sixteen_bits_refuses_other_weights() {
    if Isa::detect().set() == InstructionSet::Portable {
        return;
    }
    let [_, network] = networks(LAYER);
    let mut weights = vec![1.0; 1_280_000];
    weights[7] = f32::INFINITY;
    let mut source = MapSource::new();
    source.insert("d.weight", &[1000, 1280], weights).expect("a tensor");
    match jit::compile(&build(&network, &OPTIONS), &source, 1) {
        Err(JitError::Pack(error)) => {
            assert!(error.is_coarse());
            assert!(error.to_string().contains("`d.weight`: 16 bits do not hold"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}
