//! Fixtures, whose expected outputs another system computed in f64, and random networks, as code that `cnn!` emits:
//! on AVX2 and FMA bit for bit what the JIT gives, on the portable path the same numbers, with two threads, in an arena
//! of the caller's.

#![expect(
    deprecated,
    reason = "warnings about random networks: they hold layers that no output needs"
)]

use cnn::weights::{SafetensorsFile, Synthetic, WeightSource};
use cnn::{Backend, Caches, Model, Options, Weights, rt};
use cnn_testing::distance::distance;

/// A network that was declared in Rust.
struct Case {
    name: &'static str,
    path: &'static str,
    batch: usize,
    load: fn(&dyn WeightSource) -> Ways,
}

/// Inputs in, outputs out.
type Run = Box<dyn Fn(&[&[f32]], &mut [&mut [f32]]) -> Result<(), rt::LengthError>>;

/// A network loaded for each way of running it.
struct Ways {
    fast: Run,
    shared: Run,
    portable: Run,
}

macro_rules! fixture {
    ($name:literal, $path:literal, $network:ident) => {
        Case {
            name: $name,
            path: $path,
            batch: $network::BATCH,
            load: |weights| {
                let load = || $network::load(weights).expect("weights fit");
                let [fast, shared, portable] = [load(), load().with_threads(2).expect("threads"), load().portable()]
                    .map(|network| -> Run { Box::new(move |inputs, outputs| network.run_slices(inputs, outputs)) });
                Ways { fast, shared, portable }
            },
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/networks.rs"));

impl Case {
    fn model(&self) -> Model {
        Model::from_toml_file(self.path).expect("a valid model")
    }

    /// Arrays for the network's outputs, of NaNs.
    fn outputs(&self, model: &Model) -> Vec<Vec<f32>> {
        let ports = model.outputs();
        let elements = ports
            .iter()
            .map(|port| self.batch * port.shape.iter().product::<usize>());
        elements.map(|elements| vec![f32::NAN; elements]).collect()
    }

    fn run(&self, model: &Model, run: &Run, inputs: &[&[f32]]) -> Vec<Vec<f32>> {
        let mut outputs = self.outputs(model);
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        run(inputs, &mut slices).expect("arrays of the network's sizes");
        outputs
    }

    /// What the library computes.
    fn compiled(&self, model: &Model, backend: Backend, weights: &Weights, inputs: &[&[f32]]) -> Vec<Vec<f32>> {
        let options = Options {
            backend,
            batch: self.batch,
            threads: Some(1),
            caches: Caches::TYPICAL,
            // The best that emitted code has.
            isa: rt::Isa::new(rt::InstructionSet::Avx2).map(rt::Isa::set),
            ..Options::default()
        };
        let network = model.compile(weights, &options).expect("a network");
        let mut outputs = self.outputs(model);
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        network
            .run_into(inputs, &mut slices)
            .expect("arrays of the network's sizes");
        outputs
    }

    /// What differs between the ways of running the network, and from what is expected.
    fn failures(&self, weights: Weights, inputs: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f64) -> Vec<String> {
        let model = self.model();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let Ways { fast, shared, portable } = (self.load)(&weights);
        let fast = self.run(&model, &fast, &inputs);
        let mut failures = Vec::new();
        let mut require = |holds: bool, what: &str| {
            if !holds {
                failures.push(format!("{}: {what}", self.name));
            }
        };
        require(close(expected, &fast, tolerance), "not what is expected");
        require(
            close(expected, &self.run(&model, &portable, &inputs), tolerance),
            "portable: not what is expected",
        );
        require(
            same(&fast, &self.run(&model, &shared, &inputs)),
            "two threads give other bits",
        );
        let compiled = self.compiled(&model, Backend::Jit, &weights, &inputs);
        require(same(&fast, &compiled), "the JIT gives other bits");
        failures
    }
}

/// Whether all floats have the same bits, or are both NaN.
fn same(left: &[Vec<f32>], right: &[Vec<f32>]) -> bool {
    let [left, right] = [left, right].map(|arrays| arrays.concat());
    let pairs = left.iter().zip(&right);
    left.len() == right.len()
        && pairs
            .into_iter()
            .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

/// Whether each array is within `tolerance` of the largest expected element.
fn close(expected: &[Vec<f32>], found: &[Vec<f32>], tolerance: f64) -> bool {
    let mut pairs = expected.iter().zip(found);
    expected.len() == found.len() && pairs.all(|(expected, found)| distance(expected, found) <= tolerance)
}

#[test]
fn fixtures_have_the_expected_outputs() {
    assert_eq!(FIXTURES.len(), cnn_testing::fixtures::all().len());
    let mut failures = Vec::new();
    for case in FIXTURES {
        let file = std::path::Path::new(case.path).with_extension("safetensors");
        let file = SafetensorsFile::open(&file).expect("a safetensors file");
        let model = case.model();
        let tensor = |kind: &str, name: &str, shape: Vec<usize>| -> Vec<f32> {
            file.tensor(&format!("{kind}/{name}"), &shape)
                .expect("an array")
                .into_owned()
        };
        let ports = |kind: &str, ports: Vec<cnn::Port>| -> Vec<Vec<f32>> {
            ports
                .iter()
                .map(|port| tensor(kind, &port.name, port.batched(case.batch)))
                .collect()
        };
        let (inputs, expected) = (ports("input", model.inputs()), ports("output", model.outputs()));
        let weights =
            Weights::from_file(std::path::Path::new(case.path).with_extension("safetensors")).expect("weights");
        failures.extend(case.failures(weights, &inputs, &expected, 1e-4));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn random_networks_agree_with_the_interpreter() {
    let mut failures = Vec::new();
    for case in RANDOM {
        let seed = case.name.parse().expect("a seed");
        let model = case.model();
        let inputs: Vec<Vec<f32>> = (model.inputs().iter())
            .map(|port| cnn::random_input(&port.name, case.batch * port.shape.iter().product::<usize>(), seed))
            .collect();
        let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let expected = case.compiled(&model, Backend::Interp, &Weights::random(seed), &slices);
        failures.extend(case.failures(Weights::random(seed), &inputs, &expected, 1e-4));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn slices_of_another_size_are_refused() {
    let network = Random0::load(&Synthetic { seed: 0 }).expect("weights fit");
    let error = network.run_slices(&[], &mut []).expect_err("no inputs");
    assert!(error.to_string().starts_with("the network has "), "{error}");
}
