//! Known networks as code that `cnn!` emits: bit for bit what the JIT gives, and torchvision's answers, which
//! torchvision computed in f64 with the same made-up weights. Runs allocate nothing.

use std::path::{Path, PathBuf};

use cnn::rt::Arena;
use cnn::{Caches, InstructionSet, Model, Options, Weights, cnn, rt};

cnn! {
    network Crnn = "../../cnn-onnx/tests/models/crnn.onnx", weights = "../../cnn-onnx/tests/models/crnn.onnx";
    network Functions = "../../cnn-onnx/tests/models/functions.onnx", weights = "../../cnn-onnx/tests/models/functions.onnx";
    network Speech = "../../cnn-onnx/tests/models/speech.onnx", weights = "../../cnn-onnx/tests/models/speech.onnx";
    network LeNet5 = "../../examples/models/lenet5.toml";
    network Digits = "../../examples/models/lenet5.toml", weights = "../../assets/lenet5-mnist.safetensors";
    network GoogLeNet = "../../examples/models/googlenet_torchvision.toml";
    network Imported = "../../cnn-onnx/tests/models/residual.onnx", weights = "../../cnn-onnx/tests/models/residual.onnx";
    network MobileNetV2 = "../../examples/models/mobilenet_v2.toml";
    network ResNet18 = "../../examples/models/resnet18.toml";
}

/// The best instruction set that emitted code and this machine have.
fn best_emitted() -> Option<InstructionSet> {
    rt::Isa::new(InstructionSet::Avx2).map(rt::Isa::set)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the library's JIT gives.
fn compiled(model: &str, weights: &Weights, input: &[f32]) -> Vec<f32> {
    let model = Model::builtin(model).expect("a built-in model");
    let options = Options {
        threads: Some(1),
        caches: Caches::TYPICAL,
        isa: best_emitted(),
        ..Options::default()
    };
    let network = model.compile(weights, &options).expect("a network");
    let mut output = vec![f32::NAN; model.outputs()[0].shape.iter().product()];
    network
        .run_into(&[input], &mut [&mut output])
        .expect("arrays of the network's sizes");
    output
}

fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|float| float.to_bits()).collect()
}

/// Torchvision's answer.
fn expected(model: &str) -> Vec<f32> {
    let path = root().join(format!("tests/fixtures/zoo/{model}.npy"));
    let array = cnn::io::npy::read(&path).expect("an array");
    array.iter().copied().collect()
}

macro_rules! is_right {
    ($network:ident, $model:literal) => {{
        let weights = Weights::random(0);
        let elements = $network::INPUT_SHAPE.iter().product();
        let input = cnn::random_input("image", elements, 0);
        let network = $network::load(&weights)
            .expect("weights fit")
            .with_threads(2)
            .expect("threads");
        let mut output = [f32::NAN; $network::OUTPUT_SHAPE[0]];
        let mut run = || {
            network
                .run_slices(&[&input], &mut [&mut output])
                .expect("arrays of its sizes")
        };
        run();
        let counted = allocation_counter::measure(&mut run);
        assert_eq!(counted.count_total, 0, "{} allocates", $model);
        assert_eq!(bits(&output), bits(&compiled($model, &weights, &input)), "{}", $model);
        output
    }};
}

macro_rules! agrees_with_torchvision {
    ($network:ident, $model:literal) => {{
        let output = is_right!($network, $model);
        let expected = expected($model.trim_end_matches("_torchvision"));
        let largest = expected.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        assert_eq!(output.len(), expected.len());
        for (found, expected) in output.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-4 * largest,
                "{}: {found} for {expected}",
                $model
            );
        }
    }};
}

#[test]
fn lenet5() {
    is_right!(LeNet5, "lenet5");
}

#[test]
fn googlenet() {
    agrees_with_torchvision!(GoogLeNet, "googlenet_torchvision");
}

#[test]
fn mobilenet_v2() {
    agrees_with_torchvision!(MobileNetV2, "mobilenet_v2");
}

/// Its last layer has 16-bit weights.
#[test]
fn mobilenet_v2_without_avx2() {
    let weights = Weights::random(0);
    let input = cnn::random_input("image", MobileNetV2::INPUT_SHAPE.iter().product(), 0);
    let run = |network: &MobileNetV2| {
        let mut output = [f32::NAN; MobileNetV2::OUTPUT_SHAPE[0]];
        let arrays = network.run_slices(&[&input], &mut [&mut output]);
        arrays.expect("arrays of its sizes");
        output
    };
    let load = || MobileNetV2::load(&weights).expect("weights fit");
    let (fast, portable) = (run(&load()), run(&load().portable()));
    let largest = fast.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    // The same weights, with other roundings of sums.
    for (fast, portable) in fast.iter().zip(&portable) {
        assert!((fast - portable).abs() <= 5e-6 * largest, "{portable} for {fast}");
    }
}

#[test]
fn resnet18() {
    agrees_with_torchvision!(ResNet18, "resnet18");
}

#[test]
fn weights_in_the_program_are_those_of_the_file() {
    let weights = Weights::builtin("lenet5").expect("it has weights");
    let input = cnn::random_input("image", 1024, 3);
    let image = as_image(&input);
    let embedded = Digits::load().expect("memory");
    let output = embedded.run(image);
    assert_eq!(bits(&output), bits(&compiled("lenet5", &weights, &input)));
    let loaded = LeNet5::load(&weights).expect("weights fit");
    assert_eq!(bits(&output), bits(&loaded.run(image)));
}

#[test]
fn an_arena_of_the_callers_is_enough() {
    let network = Digits::load().expect("memory");
    let input = cnn::random_input("image", 1024, 4);
    let image = as_image(&input);
    let mut arena = Arena::boxed();
    let expected = network.run(image);
    let mut output = [0.0; 10];
    let counted = allocation_counter::measure(|| output = network.run_with(&mut arena, image));
    assert_eq!(counted.count_total, 0);
    assert_eq!(bits(&output), bits(&expected));
    assert_eq!(bits(&network.portable().run(image)).len(), 10);
}

/// Floats as the network's image, without a copy.
fn as_image(floats: &[f32]) -> &[[[f32; 32]; 32]; 1] {
    let (rows, _) = floats.as_chunks();
    let (maps, _) = rows.as_chunks();
    maps.first_chunk().expect("one channel")
}

/// The file's bits from the JIT and from what `cnn!` emits of it (`tests/cli` compares those of its import).
macro_rules! is_the_file {
    ($network:ident, $file:literal) => {{
        let path = root().join(concat!("cnn-onnx/tests/models/", $file));
        let model = Model::from_onnx_file(path, &Default::default()).expect("it can be imported");
        let weights = model.own_weights().expect("sound weights").expect("some");
        let options = Options {
            threads: Some(1),
            caches: Caches::TYPICAL,
            isa: best_emitted(),
            ..Options::default()
        };
        let network = model.compile(&weights, &options).expect("a network");
        let sizes =
            |ports: &[cnn::Port]| -> Vec<usize> { ports.iter().map(|port| port.shape.iter().product()).collect() };
        let inputs: Vec<Vec<f32>> = sizes(&model.inputs())
            .into_iter()
            .enumerate()
            .map(|(index, elements)| cnn::random_input(&format!("input {index}"), elements, 5))
            .collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let run = |run: &dyn Fn(&mut [&mut [f32]])| {
            let mut outputs: Vec<Vec<f32>> = sizes(&model.outputs()).into_iter().map(|n| vec![f32::NAN; n]).collect();
            run(&mut outputs.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
            outputs.iter().map(|output| bits(output)).collect::<Vec<_>>()
        };
        let compiled = run(&|outputs| network.run_into(&inputs, outputs).expect("arrays of its sizes"));
        let emitted = $network::load().expect("memory");
        let emitted = run(&|outputs| emitted.run_slices(&inputs, outputs).expect("arrays of its sizes"));
        assert_eq!(compiled, emitted);
    }};
}

#[test]
fn onnx_files_are_networks_with_weights() {
    is_the_file!(Imported, "residual.onnx");
    is_the_file!(Crnn, "crnn.onnx");
    is_the_file!(Functions, "functions.onnx");
    is_the_file!(Speech, "speech.onnx");
}
