//! The fixtures, whose expected outputs another system computed in f64, on every back end, before and after the
//! passes, with the file's batch and with a batch of three different images.

use cnn_runtime::weights::{SafetensorsFile, WeightSource};
use cnn_testing::distance::distance;
use cnn_testing::engines::{ENGINES, Engine, Network, networks};
use cnn_testing::fixtures;

/// How far a batch may be from its images one by one: the order of summation may depend on the batch.
const BATCH_TOLERANCE: f64 = 1e-5;

#[test]
fn every_fixture_has_the_expected_outputs() {
    let mut failures = Vec::new();
    for fixture in fixtures::all() {
        let (case, toml) = (&fixture.name, fixture.toml());
        let file = SafetensorsFile::open(&fixture.tensors).expect("a safetensors file");
        let limit = if case.starts_with("random_") { 1e-4 } else { 1e-5 };
        for network in networks(&toml) {
            for engine in ENGINES {
                for failure in compare(engine, &network, &file, engine.tolerance.min(limit)) {
                    failures.push(format!("{case}, {}, {}: {failure}", engine.name, network.stage));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is wrong with the outputs of one network on one back end.
fn compare(engine: &Engine, network: &Network, file: &SafetensorsFile, tolerance: f64) -> Vec<String> {
    let mut failures = Vec::new();
    let (graph, shapes) = (&network.graph, &network.shapes);
    let mut batch = 0;
    let mut inputs = Vec::new();
    for (node, input) in graph.declared_inputs() {
        let name = format!("input/{}", node.name);
        let (shape, _) = file.info(&name).unwrap_or_else(|| panic!("no {name}"));
        let shape = shape.to_vec();
        assert_eq!(shape[1..], input.shape.dims(), "{name}");
        batch = shape[0];
        inputs.push(file.tensor(&name, &shape).expect("an f32 tensor").into_owned());
    }
    let slices: Vec<_> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = (engine.compile)(network, file, batch)(&slices);
    assert_eq!(outputs.len(), graph.outputs().len());
    for (output, found) in graph.outputs().iter().zip(&outputs) {
        let name = format!("output/{}", output.name);
        let mut shape = vec![batch];
        shape.extend(shapes[output.node].dims());
        let expected = file.tensor(&name, &shape).unwrap_or_else(|error| panic!("{error}"));
        let distance = distance(&expected, found);
        if distance > tolerance {
            failures.push(format!("{name} is {distance:.1e} of the largest element off"));
        }
    }
    failures.extend(batch_of_three(engine, network, file, &inputs, batch));
    failures
}

/// The first image, the same backwards, and the same rotated by half, as one batch and one by one.
fn batch_of_three(
    engine: &Engine,
    network: &Network,
    file: &SafetensorsFile,
    inputs: &[Vec<f32>],
    batch: usize,
) -> Vec<String> {
    let images: [Vec<Vec<f32>>; 3] = std::array::from_fn(|variant| {
        let first = |input: &Vec<f32>| input[..input.len() / batch].to_vec();
        let mut image: Vec<_> = inputs.iter().map(first).collect();
        for values in &mut image {
            let half = values.len() / 2;
            match variant {
                1 => values.reverse(),
                2 => values.rotate_left(half),
                _ => {}
            }
        }
        image
    });
    let joined: Vec<Vec<f32>> = (0..inputs.len())
        .map(|input| images.iter().flat_map(|image| image[input].iter().copied()).collect())
        .collect();
    let slices: Vec<_> = joined.iter().map(Vec::as_slice).collect();
    let together = (engine.compile)(network, file, 3)(&slices);
    let alone = (engine.compile)(network, file, 1);
    let mut failures = Vec::new();
    for (i, image) in images.iter().enumerate() {
        let slices: Vec<_> = image.iter().map(Vec::as_slice).collect();
        for (output, single) in alone(&slices).iter().enumerate() {
            let found = &together[output][i * single.len()..][..single.len()];
            let distance = distance(single, found);
            if distance > BATCH_TOLERANCE {
                failures.push(format!(
                    "image {i} of a batch of 3, output {output}: {distance:.1e} off the single run"
                ));
            }
        }
    }
    failures
}
