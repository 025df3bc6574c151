//! Values worked out by hand, above all where conventions differ.

use cnn_ir::text;
use cnn_ir::validate::validate;
use cnn_runtime::weights::{MapSource, WeightError};

use super::{Interpreter, InterpreterError};

/// An interpreter of a graph in text form, without `network … { }`.
fn interpreter(body: &str, weights: &[(&str, &[usize], &[f32])]) -> Result<Interpreter, InterpreterError> {
    let source = format!("network \"test\" {{\n{body}\n}}");
    let graph = text::parse(&source).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let shapes = validate(&graph).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let mut source = MapSource::new();
    for (name, shape, elements) in weights {
        source.insert(*name, shape, elements.to_vec())?;
    }
    Interpreter::new(&graph, &shapes, &source)
}

/// The only output of a network without weights for one image.
fn run(body: &str, input: &[f32]) -> Vec<f32> {
    let interpreter = interpreter(body, &[]).expect("no weights are needed");
    interpreter.run(&[input], 1).expect("the input fits").remove(0)
}

fn counting(n: usize) -> Vec<f32> {
    (1..=n).map(|i| i as f32).collect()
}

#[test]
fn a_convolution_multiplies_and_sums() {
    let body = "%x = input(shape = [1, 3, 3]) %y = conv(%x, filters = 2, kernel = 2, padding = [1, 0, 0, 0]) return %y";
    let weight = [1.0, 10.0, 100.0, 1000.0, 0.0, 0.0, 0.0, 1.0];
    let weights: [(&str, &[usize], &[f32]); 2] = [("y.weight", &[2, 1, 2, 2], &weight), ("y.bias", &[2], &[0.5, 0.0])];
    let interpreter = interpreter(body, &weights).expect("weights fit");
    let y = interpreter.run(&[&counting(9)], 1).expect("the input fits");
    let first = [2100.5, 3200.5, 5421.5, 6532.5, 8754.5, 9865.5];
    let second = [2.0, 3.0, 5.0, 6.0, 8.0, 9.0];
    assert_eq!(y, [[first, second].concat()]);
}

#[test]
fn folded_norm_then_residual_then_activation() {
    let body = "%x = input(shape = [1, 1, 3])
                %y = conv(%x, %x, filters = 1, kernel = 1, activation = \"relu\",
                          norm = { weights = \"bn\", epsilon = 1.0 }, residual = true)
                return %y";
    let weights: [(&str, &[usize], &[f32]); 6] = [
        ("y.weight", &[1, 1, 1, 1], &[2.0]),
        ("y.bias", &[1], &[1.0]),
        ("bn.weight", &[1], &[4.0]),
        ("bn.bias", &[1], &[-3.0]),
        ("bn.running_mean", &[1], &[5.0]),
        ("bn.running_var", &[1], &[3.0]),
    ];
    let interpreter = interpreter(body, &weights).expect("weights fit");
    // (2x + 1 − 5) · 4/√(3 + 1) − 3 + x = 5x − 11
    let y = interpreter.run(&[&[1.0, 3.0, -4.0]], 1).expect("the input fits");
    assert_eq!(y, [[0.0, 4.0, 0.0]]);
}

#[test]
fn rounding_up_clips_the_mean_to_the_input() {
    let y = run(
        "%x = input(shape = [1, 3, 3]) %y = avg_pool(%x, size = 2, ceil = true) return %y",
        &counting(9),
    );
    assert_eq!(y, [3.0, 4.5, 7.5, 9.0]);
}

#[test]
fn counted_padding_ends_where_the_padding_ends() {
    let y = run(
        "%x = input(shape = [1, 4, 4])
         %y = avg_pool(%x, size = 3, stride = 2, padding = 1, ceil = true, count_include_pad = true) return %y",
        &[9.0; 16],
    );
    // 4/9, 6/9, 2/6 of 9 in the first row; the last window has 1 pixel of 2 × 2.
    assert_eq!(y, [4.0, 6.0, 3.0, 6.0, 9.0, 4.5, 3.0, 4.5, 2.25]);
}

#[test]
fn padding_never_wins_a_max_or_min() {
    let y = run(
        "%x = input(shape = [1, 1, 2]) %y = max_pool(%x, size = [1, 2], stride = 1, padding = [0, 1]) return %y",
        &[-3.0, -5.0],
    );
    assert_eq!(y, [-3.0, -3.0, -5.0]);
    let y = run(
        "%x = input(shape = [1, 1, 2]) %y = min_pool(%x, size = [1, 2], stride = 1, padding = [0, 1]) return %y",
        &[3.0, 5.0],
    );
    assert_eq!(y, [3.0, 3.0, 5.0]);
}

#[test]
fn nan_and_infinity_pass_through_pools() {
    let input = [1.0, f32::NAN, 2.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 5.0];
    for pool in ["max_pool", "min_pool"] {
        let body = format!("%x = input(shape = [1, 1, 6]) %y = {pool}(%x, size = [1, 2]) return %y");
        let y = run(&body, &input);
        assert!(y[0].is_nan());
        assert_eq!(y[1], if pool == "max_pool" { 2.0 } else { f32::NEG_INFINITY });
    }
    assert!(
        run(
            "%x = input(shape = [1, 1, 6]) %y = global_max_pool(%x) return %y",
            &input
        )[0]
        .is_nan()
    );
}

#[test]
fn adaptive_windows_overlap() {
    let y = run(
        "%x = input(shape = [1, 1, 5]) %y = adaptive_avg_pool(%x, size = [1, 2]) return %y",
        &counting(5),
    );
    assert_eq!(y, [2.0, 4.0]);
}

#[test]
fn images_with_channels_last_are_transposed() {
    let y = run(
        "%x = input(shape = [1, 2, 3], layout = \"hwc\") %y = identity(%x) return %y",
        &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0],
    );
    assert_eq!(y, [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
}

#[test]
fn a_gate_counts_for_every_pixel() {
    let body = "%g = input(shape = [2, 1, 1]) %x = input(shape = [2, 1, 2]) %y = mul(%g, %x) %z = add(%x, %g, %x)
                return %y, %z";
    let interpreter = interpreter(body, &[]).expect("no weights are needed");
    let outputs = interpreter
        .run(&[&[2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]], 1)
        .expect("the inputs fit");
    assert_eq!(outputs, [[2.0, 4.0, 9.0, 12.0], [4.0, 6.0, 9.0, 11.0]]);
}

#[test]
fn shuffled_channels_interleave() {
    let y = run(
        "%x = input(shape = [6, 1, 1]) %y = channel_shuffle(%x, groups = 2) return %y",
        &counting(6),
    );
    assert_eq!(y, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
}

#[test]
fn an_even_window_of_channels_reaches_up() {
    let y = run(
        "%x = input(shape = [3, 1, 1]) %y = lrn(%x, size = 2, alpha = 2, beta = 1) return %y",
        &counting(3),
    );
    assert_eq!(y, [1.0 / 6.0, 2.0 / 14.0, 3.0 / 10.0]);
}

#[test]
fn bilinear_weights_follow_pixel_centres() {
    let y = run(
        "%x = input(shape = [1, 1, 2]) %y = upsample(%x, scale = [1, 2], mode = \"bilinear\") return %y",
        &[0.0, 8.0],
    );
    assert_eq!(y, [0.0, 2.0, 6.0, 8.0]);
}

#[test]
fn softmax_of_large_numbers_does_not_overflow() {
    let y = run("%x = input(shape = [2]) %y = softmax(%x) return %y", &[1e30, 1e30]);
    assert_eq!(y, [0.5, 0.5]);
    let y = run(
        "%x = input(shape = [2]) %y = log_softmax(%x) return %y",
        &[-1000.0, 1000.0],
    );
    assert_eq!(y, [-2000.0, 0.0]);
}

#[test]
fn every_feature_map_can_be_seen() {
    let body = "%x = input(shape = [2]) %a = relu(%x) %b = tanh(%a) return %b";
    let interpreter = interpreter(body, &[]).expect("no weights are needed");
    let a = interpreter.graph().find("a").expect("a layer");
    let mut seen = Vec::new();
    interpreter
        .run_all(&[&[-1.0, 2.0, 3.0, -4.0]], 2, |image, values| {
            seen.push((image, values.get(a).expect("a value").data.clone()));
        })
        .expect("the input fits");
    assert_eq!(seen, [(0, vec![0.0, 2.0]), (1, vec![3.0, 0.0])]);
}

#[test]
fn wrong_inputs_and_weights_are_errors() {
    let body = "%x = input(shape = [2]) %y = dense(%x, units = 1, bias = false) return %y";
    assert!(matches!(
        interpreter(body, &[]),
        Err(InterpreterError::Weights(WeightError::Missing { .. }))
    ));
    let interpreter = interpreter(body, &[("y.weight", &[1, 2], &[1.0, 1.0])]).expect("weights fit");
    assert!(matches!(
        interpreter.run(&[], 1),
        Err(InterpreterError::InputCount { expected: 1, found: 0 })
    ));
    let error = interpreter
        .run(&[&[1.0; 5]], 3)
        .expect_err("5 elements are no 3 images");
    assert_eq!(error.to_string(), "input `x`: expected 3 × 2 elements, found 5");
    assert!(interpreter.run(&[&[1.0; 2]], usize::MAX).is_err());
    assert_eq!(interpreter.run(&[&[]], 0).expect("no images"), [[0.0; 0]]);
}
