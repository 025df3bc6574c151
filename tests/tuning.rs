//! Tuning: what is measured, what is remembered, and that tuned networks compute the same.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cnn::{Backend, Model, Options, Tuner, Tuning, Weights};
use ndarray::Array;

/// Two convolutions that have a choice, and one that has none.
const NET: &str = r#"
[inputs]
image = [8, 15, 13]
[[layer]]
name = "a"
op = "conv"
filters = 16
kernel = 3
padding = 1
activation = "relu"
[[layer]]
name = "b"
op = "conv"
filters = 12
kernel = 5
padding = 2
[[layer]]
name = "pointwise"
op = "conv"
filters = 8
kernel = 1
"#;

/// Measures briefly: what it finds does not matter here.
fn tuner(file: &Path) -> Tuner {
    Tuner {
        budget: Duration::from_millis(500),
        file: Some(file.to_owned()),
    }
}

fn counts(tuning: &Tuning) -> [usize; 4] {
    [tuning.new, tuning.remembered, tuning.left, tuning.warnings.len()]
}

fn options() -> Options {
    Options {
        threads: Some(1),
        ..Options::default()
    }
}

#[test]
fn the_second_time_all_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/er/tune.json");
    let model = Model::from_toml(NET).unwrap();
    let first = model.tune(&options(), &tuner(&file)).unwrap();
    assert_eq!(counts(&first), [2, 0, 0, 0]);
    let second = model.tune(&options(), &tuner(&file)).unwrap();
    assert_eq!(counts(&second), [0, 2, 0, 0]);
    assert_eq!(first.measured, second.measured);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);

    // Another batch and another number of threads are other questions; nothing may be asked now.
    let never = Tuner {
        budget: Duration::ZERO,
        ..tuner(&file)
    };
    for other in [
        Options { batch: 2, ..options() },
        Options {
            threads: Some(2),
            ..options()
        },
        Options {
            isa: Some(cnn::plan::TileIsa::Portable),
            ..options()
        },
    ] {
        let portable_anyway =
            other.isa.is_some() && model.plan(&options()).unwrap().isa == cnn::plan::TileIsa::Portable;
        if !portable_anyway {
            assert_eq!(counts(&model.tune(&other, &never).unwrap()), [0, 0, 2, 0], "{other:?}");
        }
    }
    assert_eq!(counts(&model.tune(&options(), &never).unwrap()), [0, 2, 0, 0]);

    let exact = Options {
        exact: true,
        ..options()
    };
    assert_eq!(counts(&model.tune(&exact, &tuner(&file)).unwrap()), [0; 4]);
    let interpreted = Options {
        backend: Backend::Interp,
        ..options()
    };
    assert_eq!(counts(&model.tune(&interpreted, &tuner(&file)).unwrap()), [0; 4]);
}

#[test]
fn plans_follow_what_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tune.json");
    let model = Model::from_toml(NET).unwrap();
    model.tune(&options(), &tuner(&file)).unwrap();
    let measured = fs::read_to_string(&file).unwrap();
    for fastest in ["direct", "Winograd F(2×2, 3×3)", "Winograd F(4×4, 3×3)"] {
        let mut cache: serde_json::Value = serde_json::from_str(&measured).unwrap();
        for machine in cache.as_object_mut().unwrap().values_mut() {
            for times in machine.as_object_mut().unwrap().values_mut() {
                for (algorithm, time) in times.as_object_mut().unwrap() {
                    *time = if algorithm == fastest { 1000 } else { 2000 }.into();
                }
            }
        }
        fs::write(&file, cache.to_string()).unwrap();
        let tuning = model.tune(&options(), &tuner(&file)).unwrap();
        assert_eq!(counts(&tuning), [0, 2, 0, 0]);
        let tuned = Options {
            measured: tuning.measured,
            ..options()
        };
        let plan = model.plan(&tuned).unwrap();
        let step = plan
            .steps
            .iter()
            .find(|step| step.layer == "a" && step.multiplications > 0)
            .unwrap();
        assert!(step.why.contains(&format!("{fastest} 1 µs")), "{}", step.why);
        assert_eq!(step.kernel.contains("Winograd"), fastest != "direct", "{}", step.kernel);

        let weights = Weights::random(0);
        let image = Array::from_shape_vec((1, 8, 15, 13), cnn::random_input("image", 8 * 15 * 13, 0)).unwrap();
        let interpreted = Options {
            backend: Backend::Interp,
            ..options()
        };
        let run = |options| model.compile(&weights, options).unwrap().run(&[image.view()]).unwrap();
        let (expected, found) = (&run(&interpreted)[0], &run(&tuned)[0]);
        let largest = expected.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        assert!(
            expected.iter().zip(found).all(|(x, y)| (x - y).abs() <= 1e-4 * largest),
            "{fastest}"
        );
    }
}

#[test]
fn a_damaged_file_is_a_warning_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tune.json");
    let model = Model::from_toml(NET).unwrap();
    for damaged in [
        &b"{"[..],
        b"",
        b"[1, 2]",
        b"{\"machine\": {\"conv\": {\"direct\": -1.5}}}",
        b"\xff\xfe",
    ] {
        fs::write(&file, damaged).unwrap();
        let tuning = model.tune(&options(), &tuner(&file)).unwrap();
        assert_eq!(counts(&tuning), [2, 0, 0, 1], "{damaged:?}");
        assert!(tuning.warnings[0].contains("tune.json"), "{:?}", tuning.warnings);
        assert_eq!(counts(&model.tune(&options(), &tuner(&file)).unwrap()), [0, 2, 0, 0]);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::from_toml(NET).unwrap();
    let occupied = folder.path().join("occupied");
    fs::write(&occupied, "").unwrap();
    let tuning = model.tune(&options(), &tuner(&occupied.join("tune.json"))).unwrap();
    assert_eq!((tuning.new, tuning.warnings.is_empty()), (2, false));
    let tuning = model.tune(&options(), &tuner(folder.path())).unwrap();
    assert_eq!(counts(&tuning), [2, 0, 0, 2]); // neither read nor written
    let nowhere = Tuner {
        file: None,
        ..tuner(&occupied)
    };
    assert_eq!(counts(&model.tune(&options(), &nowhere).unwrap()), [2, 0, 0, 0]);
}
