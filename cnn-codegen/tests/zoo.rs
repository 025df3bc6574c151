//! The models of `examples/models`: they are valid, have their papers' numbers of parameters, and, compiled, give
//! torchvision's answers, which torchvision computed in f64 with the same made-up weights under its own names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cnn_codegen::jit;
use cnn_codegen::plan::{self, PlanOptions};
use cnn_ir::front::graph_from_toml;
use cnn_ir::graph::Graph;
use cnn_ir::passes::optimise;
use cnn_ir::validate::validate;
use cnn_runtime::weights::{Synthetic, synthetic_input};

/// Every model with its number of parameters.
const PARAMETERS: [(&str, u64); 12] = [
    ("alexnet", 60_965_224),
    ("alexnet_torchvision", 61_100_840),
    ("googlenet", 6_998_552),
    ("googlenet_torchvision", 6_624_904),
    ("inception_naive", 387_296),
    ("lenet5", 61_706),
    ("mobilenet_v2", 3_504_872),
    ("resnet18", 11_689_512),
    ("resnet34", 21_797_672),
    ("resnet50", 25_557_032),
    ("squeezenet1_1", 1_235_496),
    ("vgg16", 138_357_544),
];

/// How far an answer may be from torchvision's, in units of the largest.
const TOLERANCE: f64 = 1e-4;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn graph(model: &str) -> Graph {
    let path = root().join(format!("examples/models/{model}.toml"));
    let toml = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (graph, warnings) = graph_from_toml(&toml).unwrap_or_else(|errors| panic!("{model}: {errors:#?}"));
    assert_eq!(warnings, [], "{model}");
    graph
}

#[test]
fn every_model_has_its_number_of_parameters() {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("examples/models")).expect("the zoo") {
        let path = entry.expect("a readable folder").path();
        let model = path
            .file_stem()
            .expect("a file's name")
            .to_str()
            .expect("UTF-8")
            .to_owned();
        let graph = graph(&model);
        let shapes = validate(&graph).unwrap_or_else(|errors| panic!("{model}: {errors:#?}"));
        let costs = graph.ids().map(|id| graph[id].op.cost(&shapes.operands(&graph, id)));
        let parameters: u64 = costs.map(|cost| cost.parameters).sum();
        assert_eq!(graph.find("image"), graph.inputs().first().copied(), "{model}");
        found.insert(model, parameters);
    }
    let expected: BTreeMap<_, _> = PARAMETERS
        .map(|(model, parameters)| (model.to_owned(), parameters))
        .into();
    assert_eq!(found, expected);
}

/// What the optimised and compiled model answers to `random:0` with weights `random:0`.
fn answer(model: &str) -> Vec<f32> {
    let mut graph = graph(model);
    optimise(&mut graph).unwrap_or_else(|invalid| panic!("{model}: {invalid}"));
    let shapes = validate(&graph).unwrap_or_else(|errors| panic!("{model}: {errors:#?}"));
    let plan = plan::build(&graph, &shapes, &PlanOptions::default()).expect("a plan");
    let executable = jit::compile(&plan, &Synthetic { seed: 0 }, 1).expect("code");
    let image = synthetic_input("image", plan.inputs[0].shape.elements(), 0);
    let mut output = vec![f32::NAN; plan.outputs[0].shape.elements()];
    executable
        .run(&[&image], &mut [&mut output])
        .expect("an input that fits");
    output
}

/// The elements of a `.npy` file of f32 or f64.
fn npy(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{} is not .npy 1", path.display());
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (header, data) = (String::from_utf8_lossy(&bytes[10..end]), &bytes[end..]);
    assert!(header.contains("'fortran_order': False"), "{header}");
    if header.contains("'<f4'") {
        let (elements, []) = data.as_chunks() else {
            panic!("half an element")
        };
        elements.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect()
    } else {
        assert!(header.contains("'<f8'"), "{header}");
        let (elements, []) = data.as_chunks() else {
            panic!("half an element")
        };
        elements.iter().map(|&x| f64::from_le_bytes(x)).collect()
    }
}

#[track_caller]
fn assert_like_torchvision(model: &str, fixture: &str) {
    let expected = npy(&root().join(format!("tests/fixtures/zoo/{fixture}.npy")));
    let found = answer(model);
    assert_eq!((expected.len(), found.len()), (1000, 1000), "{model}");
    let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let distances = expected.iter().zip(&found).map(|(x, &y)| (x - f64::from(y)).abs());
    // Unlike `f64::max`, this keeps NaN.
    let greatest = distances.fold(0.0, |greatest: f64, x| if x <= greatest { greatest } else { x }) / largest;
    assert!(
        greatest <= TOLERANCE,
        "{model} is {greatest:.1e} of the largest answer off"
    );
}

#[test]
fn alexnet_answers_like_torchvision() {
    assert_like_torchvision("alexnet_torchvision", "alexnet");
}

#[test]
fn vgg16_answers_like_torchvision() {
    assert_like_torchvision("vgg16", "vgg16");
}

#[test]
fn resnet18_answers_like_torchvision() {
    assert_like_torchvision("resnet18", "resnet18");
}

#[test]
fn resnet34_answers_like_torchvision() {
    assert_like_torchvision("resnet34", "resnet34");
}

#[test]
fn resnet50_answers_like_torchvision() {
    assert_like_torchvision("resnet50", "resnet50");
}

#[test]
fn googlenet_answers_like_torchvision() {
    assert_like_torchvision("googlenet_torchvision", "googlenet");
}

#[test]
fn squeezenet_answers_like_torchvision() {
    assert_like_torchvision("squeezenet1_1", "squeezenet1_1");
}

#[test]
fn mobilenet_answers_like_torchvision() {
    assert_like_torchvision("mobilenet_v2", "mobilenet_v2");
}

#[test]
fn papers_that_end_in_a_softmax_give_probabilities() {
    for (model, classes) in [("lenet5", 10), ("googlenet", 1000), ("alexnet", 1000)] {
        let probabilities = answer(model);
        assert_eq!(probabilities.len(), classes, "{model}");
        let sum: f64 = probabilities.iter().map(|&p| f64::from(p)).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{model}: the probabilities' sum is {sum}");
        assert!(probabilities.iter().all(|p| (0.0..1.0).contains(p)), "{model}");
    }
}

#[test]
fn the_naive_module_hands_on_what_it_pools() {
    let maps = answer("inception_naive");
    assert_eq!(maps.len(), (64 + 128 + 32 + 192) * 28 * 28);
    assert!(maps.iter().all(|x| x.is_finite()));
}
