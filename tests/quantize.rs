//! Every network of the corpus as one of 8-bit integers: what is written reads back, and computes nearly the same.

use std::fs;
use std::path::{Path, PathBuf};

use cnn::ir::op::Op;
use cnn::quantize::{Calibration, Method, QuantizeOptions, Quantized};
use cnn::{Backend, Error, Model, Options, Weights};
use ndarray::{ArrayD, IxDyn};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ops");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut models: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    models.sort();
    assert!(models.len() > 150);
    models
}

/// Made-up images, `batch` for each input.
fn images(model: &Model, batch: usize) -> Vec<ArrayD<f32>> {
    let array = |port: &cnn::Port| {
        let shape = port.batched(batch);
        let elements = cnn::random_input(&port.name, shape.iter().product(), 1);
        ArrayD::from_shape_vec(IxDyn(&shape), elements).unwrap()
    };
    model.inputs().iter().map(array).collect()
}

fn quantize(model: &Model, weights: &Weights, how: &QuantizeOptions) -> Result<Quantized, Error> {
    let options = Options {
        batch: 2,
        ..Options::default()
    };
    let arrays = images(model, 2);
    let data = Calibration {
        runs: 1,
        arrays: &|_| Ok((arrays.clone(), 2)),
    };
    model.quantize(weights, how, &options, &data, &mut |_, _, _| {})
}

#[test]
fn the_corpus_reads_back_and_computes_nearly_the_same() {
    let mut integers = 0;
    for path in fixtures() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let model = Model::from_toml_file(&path).unwrap();
        let weights = Weights::from_file(path.with_extension("safetensors")).unwrap();
        let quantized = match quantize(&model, &weights, &QuantizeOptions::default()) {
            Ok(quantized) => quantized,
            Err(Error::Option(why)) if why.contains("integers already") => continue,
            Err(Error::Limit(why)) if why.contains("no integers can stand for that") => continue,
            Err(error) => panic!("{name}: {error}"),
        };
        integers += quantized.layers().iter().filter(|layer| layer.floats.is_none()).count();
        let new = quantized
            .model()
            .unwrap_or_else(|error| panic!("{name}: {error}\n{}", quantized.text()));
        assert_eq!(new.name(), model.name());
        assert_eq!(new.inputs(), model.inputs(), "{name}");
        assert_eq!(new.outputs(), model.outputs(), "{name}");
        assert!(new.check_weights(&quantized.weights()).problems.is_empty(), "{name}");
        for &backend in Backend::ALL {
            let options = Options {
                backend,
                batch: 2,
                ..Options::default()
            };
            let arrays = images(&model, 2);
            let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
            let expected = model.compile(&weights, &options).unwrap().run(&views).unwrap();
            let network = new.compile(&quantized.weights(), &options);
            let found = network
                .unwrap_or_else(|error| panic!("{name}: {error}"))
                .run(&views)
                .unwrap();
            for ((expected, found), port) in expected.iter().zip(&found).zip(model.outputs()) {
                let squares = |of: &dyn Fn(f32, f32) -> f32| -> f64 {
                    expected
                        .iter()
                        .zip(found)
                        .map(|(&a, &b)| f64::from(of(a, b)).powi(2))
                        .sum()
                };
                let (signal, noise) = (squares(&|a, _| a), squares(&|a, b| a - b));
                let error = (noise / signal.max(1e-30)).sqrt();
                let measured = quantized.layers().iter().find(|layer| layer.layer == port.name);
                let measured = measured.map_or(0.0, |layer| layer.in_network);
                assert!(
                    error <= measured * 1.1 + 1e-3,
                    "{name}: {error}, but {measured} was measured"
                );
                assert!(error < 0.5, "{name}: `{}` is off by {error}", port.name);
            }
        }
    }
    assert!(integers > 100, "{integers}");
}

#[test]
fn every_method_quantises_a_residual_network() {
    let model = Model::builtin("resnet18").unwrap();
    let small = model.text().0.replace("[3, 224, 224]", "[3, 64, 64]");
    let model = Model::from_toml(small).unwrap();
    let weights = Weights::random(0);
    for method in [Method::MinMax, Method::Percentile(99.9), Method::Entropy] {
        let how = QuantizeOptions {
            method,
            ..QuantizeOptions::default()
        };
        let quantized = quantize(&model, &weights, &how).unwrap();
        let floats: Vec<_> = quantized
            .layers()
            .iter()
            .filter_map(|layer| layer.floats.as_ref())
            .collect();
        // The average of all pixels, and it as a vector.
        assert_eq!(floats.len(), 2, "{floats:?}");
        let share = quantized.weight_bytes() as f64 / (4 * model.parameters()) as f64;
        assert!(share < 0.255, "{share}");
        let last = quantized.layers().last().unwrap();
        assert!(last.in_network < 0.2, "{method}: {last:?}");
        // Sums and convolutions are one operator each, with nothing between them.
        let new = quantized.model().unwrap();
        let count = |is: fn(&Op) -> bool| new.graph().ids().filter(|&id| is(&new.graph()[id].op)).count();
        assert_eq!(count(|op| matches!(op, Op::QuantizedAdd(_))), 8);
        assert_eq!(count(|op| matches!(op, Op::QuantizedConv(_))), 20);
        assert_eq!(count(|op| matches!(op, Op::Quantize(_))), 2);
        assert_eq!(count(|op| matches!(op, Op::Dequantize(_))), 2);
    }
}

#[test]
fn images_that_do_not_count_change_nothing() {
    let model = Model::builtin("lenet5").unwrap();
    let weights = Weights::builtin("lenet5").unwrap();
    let quantize = |other: f32| {
        let options = Options {
            batch: 4,
            ..Options::default()
        };
        let counting = 2;
        let mut arrays = images(&model, options.batch);
        arrays[0]
            .slice_axis_mut(ndarray::Axis(0), (counting..).into())
            .fill(other);
        let data = Calibration {
            runs: 1,
            arrays: &|_| Ok((arrays.clone(), counting)),
        };
        let how = QuantizeOptions::default();
        model
            .quantize(&weights, &how, &options, &data, &mut |_, _, _| {})
            .unwrap()
    };
    assert_eq!(quantize(1e6).text(), quantize(0.5).text());
    let nothing = Calibration {
        runs: 0,
        arrays: &|_| Ok((Vec::new(), 0)),
    };
    let error = model.quantize(
        &weights,
        &QuantizeOptions::default(),
        &Options::default(),
        &nothing,
        &mut |_, _, _| {},
    );
    assert!(matches!(error, Err(Error::Option(_))));
}
