//! Dense layers with 16-bit weights: where they are used, and how far they are from the interpreter's answers.

use cnn_codegen::jit;
use cnn_codegen::plan::{self, Accuracy, InstructionSet, Plan, PlanOptions, Work};
use cnn_codegen::tile::Product;
use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::Caches;
use cnn_runtime::weights::{Synthetic, synthetic_input};
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
