//! `cnn quantize`: LeNet-5 of 8-bit integers reads digits as well as that of floats; what cannot be quantised is said.

use std::fs;

use cnn::io::npy;
use ndarray::s;

use crate::digits::{digits, right};
use crate::support::{Folder, SMALL, cnn, npy_f32, safetensors};

#[test]
fn a_thousand_digits_are_read_by_integers() {
    let folder = Folder::new();
    let digits = digits();
    let input = folder.file("digits.npy", npy_f32(digits.shape(), digits.as_slice().unwrap()));
    let few = digits.slice(s![..100, .., .., ..]);
    let few = folder.file("few.npy", npy_f32(few.shape(), few.as_slice().unwrap()));
    for method in ["minmax", "percentile", "percentile:99.9", "entropy"] {
        let out = folder.at(method);
        let arguments = [
            "quantize",
            "lenet5",
            "--calibrate",
            &few,
            "--method",
            method,
            "-o",
            &out,
        ];
        let text = cnn(&[&arguments[..], &["--report"]].concat()).ok();
        let row = text
            .lines()
            .find(|line| line.trim_start().starts_with("c3.sum "))
            .unwrap();
        assert!(row.contains("integers") && row.contains(" dB"), "{text}");
        let (model, weights) = (format!("{out}/model.toml"), format!("{out}/model.safetensors"));
        // 61,470 weights of a byte, and 236 filters with a scale and a bias each.
        assert!(
            text.contains("63,358 bytes of weights, 25.7 % of what floats take"),
            "{text}"
        );
        assert!(fs::metadata(&weights).unwrap().len() < 65_000);
        cnn(&["check", &model, "--weights", &weights]).ok();
        // The interpreter takes its time.
        let backends = if method == "minmax" {
            &["jit", "interp"][..]
        } else {
            &["jit"]
        };
        for backend in backends {
            let result = folder.at("probabilities.npy");
            let run = [
                "run",
                &model,
                "--weights",
                &weights,
                "--input",
                &input,
                "--backend",
                backend,
                "-o",
                &result,
            ];
            cnn(&run).ok();
            let right = right(&npy::read(result.as_ref()).unwrap());
            assert!(right >= 980, "{method}, {backend}: {right}");
            fs::remove_file(&result).unwrap();
        }
        // The same again is the same; another is not written over it unless that is said.
        cnn(&arguments).ok();
        let other = ["quantize", "lenet5", "--calibrate", "random", "-o", &out];
        cnn(&other).fails(1, &["model.toml", "--force"]);
        cnn(&[&other[..], &["--force"]].concat()).ok();
    }
}

#[test]
fn layers_that_lose_too_much_stay_as_they_are() {
    let folder = Folder::new();
    let out = folder.at("out");
    let arguments = ["quantize", "lenet5", "--calibrate", "random:3", "--report", "-o", &out];
    let all = cnn(&arguments).ok();
    assert!(all.contains("5 of 13 layers compute with integers"), "{all}");
    let some = cnn(&[&arguments[..], &["--force", "--max-error", "0"]].concat()).ok();
    assert!(some.contains("0 of 13 layers compute with integers"), "{some}");
    assert!(some.contains("is above 0e0"), "{some}");
    let model = fs::read_to_string(format!("{out}/model.toml")).unwrap();
    assert!(!model.contains("quantize"), "{model}");
}

#[test]
fn what_cannot_be_quantised_is_said() {
    let folder = Folder::new();
    let model = folder.file("small.toml", SMALL);
    let weights = folder.file(
        "w.safetensors",
        safetensors(&[
            ("c.weight", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]),
            ("c.bias", &[1], &[0.5]),
        ]),
    );
    let out = folder.at("out");
    let nan = folder.file("nan.npy", npy_f32(&[1, 1, 2, 2], &[1.0, f32::NAN, 0.0, 0.0]));
    let quantize = |more: &[&str]| cnn(&[&["quantize", &model, "--weights", &weights, "-o", &out], more].concat());
    quantize(&["--calibrate", &nan]).fails(1, &["`image` is NaN", "calibration data"]);
    quantize(&[]).fails(2, &["--calibrate"]);
    quantize(&["--calibrate", "random", "--method", "guess"]).fails(2, &["minmax, percentile"]);
    quantize(&["--calibrate", "random", "--method", "percentile:0"]).fails(2, &["above 0"]);
    quantize(&["--calibrate", "random", "--max-error=-1"]).fails(2, &["--max-error"]);
    quantize(&["--calibrate", &folder.at("nothing.npy")]).fails(1, &["nothing.npy"]);
    quantize(&["--calibrate", "random", "--max-memory", "1"]).fails(1, &["may be taken"]);
    assert!(!folder.entries().contains(&"out".to_owned()), "nothing is written");

    quantize(&["--calibrate", "random"]).ok();
    let again = folder.at("out/model.toml");
    cnn(&[
        "quantize",
        &again,
        "--weights",
        "random",
        "--calibrate",
        "random",
        "-o",
        &out,
    ])
    .fails(1, &["8-bit integers already"]);
}
