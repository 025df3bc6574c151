//! LeNet-5 on a thousand handwritten digits, on every back end: the expected probabilities, and 98.2 % right.

use std::fs;

use cnn::io::npy;
use cnn::{Backend, Model, Options, Weights};
use ndarray::{Array4, ArrayD, Axis, s};

use crate::support::{Folder, cnn, fixture, npy_f32, repository};

const MNIST: &str = "tests/fixtures/mnist";

/// The digits as the network takes them: divided by 255 and padded by 2.
pub(crate) fn digits() -> Array4<f32> {
    let raw = npy::read(&repository(MNIST).join("test_images_u8.npy")).unwrap();
    let mut padded = Array4::zeros((1000, 1, 32, 32));
    padded.slice_mut(s![.., 0, 2..30, 2..30]).assign(&(raw / 255.0));
    padded
}

fn check(probabilities: &ArrayD<f32>, backend: Backend) {
    let expected = npy::read(&repository(MNIST).join("expected_probabilities_f32.npy")).unwrap();
    assert_eq!(probabilities.shape(), expected.shape());
    let worst = probabilities
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(worst <= 1e-5, "{backend}: off by {worst}");
    assert_eq!(right(probabilities), 982, "{backend}");
}

/// How many of the thousand digits are read right.
pub(crate) fn right(probabilities: &ArrayD<f32>) -> usize {
    let labels = npy::read(&repository(MNIST).join("test_labels_u8.npy")).unwrap();
    let right = probabilities.outer_iter().zip(&labels).filter(|(row, label)| {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        best == **label as usize
    });
    right.count()
}

#[test]
fn a_thousand_digits_through_the_library() {
    let model = Model::builtin("lenet5").unwrap();
    assert_eq!(model.parameters(), 61706);
    let weights = Weights::builtin("lenet5").unwrap();
    let digits = digits();
    for &backend in Backend::ALL {
        for (optimise, batch, portable) in [(true, 8, false), (false, 1, false), (true, 1, true)] {
            let options = Options {
                backend,
                batch,
                optimise,
                isa: portable.then_some(cnn::InstructionSet::Portable),
                ..Options::default()
            };
            let network = model.compile(&weights, &options).unwrap();
            let results: Vec<_> = digits
                .axis_chunks_iter(Axis(0), batch)
                .map(|chunk| network.run(&[chunk]).unwrap().remove(0))
                .collect();
            let views: Vec<_> = results.iter().map(|result| result.view()).collect();
            check(&ndarray::concatenate(Axis(0), &views).unwrap(), backend);
        }
    }
}

#[test]
fn a_thousand_digits_through_the_command() {
    let folder = Folder::new();
    let digits = digits();
    let input = folder.file("digits.npy", npy_f32(digits.shape(), digits.as_slice().unwrap()));
    let output = folder.at("probabilities.npy");
    for &backend in Backend::ALL {
        let text = cnn(&[
            "run",
            "lenet5",
            "--backend",
            backend.name(),
            "--input",
            &input,
            "--output",
            &output,
        ])
        .ok();
        assert!(
            text.contains("1,000 images × 10 classes") && text.contains("990 more"),
            "{text}"
        );
        check(&npy::read(output.as_ref()).unwrap(), backend);
        fs::remove_file(&output).unwrap();
    }
    assert_eq!(folder.entries(), ["digits.npy"]);
}

#[test]
fn digits_as_28_by_28_images_are_read_right() {
    for digit in 0..10 {
        let file = fixture(&format!("{MNIST}/digit_{digit}.png"));
        let text = cnn(&["run", "lenet5", "--input", &file, "--top", "1"]).ok();
        let answer = text
            .lines()
            .skip_while(|line| !line.contains("10 classes"))
            .nth(1)
            .unwrap();
        assert!(answer.trim_start().starts_with(&digit.to_string()), "{digit}: {text}");
    }
}

#[test]
fn one_network_runs_on_several_threads_at_once() {
    let model = Model::builtin("lenet5").unwrap();
    let weights = Weights::builtin("lenet5").unwrap();
    let digits = digits();
    for &backend in Backend::ALL {
        let options = Options {
            backend,
            ..Options::default()
        };
        let network = model.compile(&weights, &options).unwrap();
        let alone: Vec<_> = digits
            .axis_chunks_iter(Axis(0), 1)
            .take(40)
            .map(|one| network.run(&[one]).unwrap())
            .collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for (digit, expected) in digits.axis_chunks_iter(Axis(0), 1).zip(&alone) {
                        assert_eq!(network.run(&[digit]).unwrap(), *expected);
                    }
                });
            }
        });
    }
}
