//! What `cnn!` expands to, compiled.

use std::path::Path;

use cnn::rt::{Aligned, Arena};
use cnn::weights::Synthetic;
use cnn_codegen::macros::{self, Files};
use cnn_macros::cnn;

cnn! {
    /// LeNet-5 (LeCun et al., 1998).
    #[derive(Debug)]
    pub network LeNet5 {
        input image: [1, 32, 32];

        c1 = conv(image, filters = 6, kernel = 5, activation = tanh);
        s2 = avg_pool(c1, size = 2);
        c3 = conv(s2, filters = 16, kernel = 5, activation = tanh);
        s4 = avg_pool(c3, size = 2);
        c5 = conv(s4, filters = 120, kernel = 5, activation = tanh);
        f6 = dense(flatten(c5), units = 84, activation = tanh);
        output = dense(f6, units = 10);
        probabilities = softmax(output);
    }

    pub(crate) network GoogLeNet = "../../examples/models/googlenet.toml";

    #[derive(Clone, Copy, Debug)]
    network Twins, max_arena = "64KiB", no_std {
        input left: [8, 8, 3] as hwc;
        input right: [5];
        batch = 4;

        return relu(left), tanh(right);
    }
}

macro_rules! perceptron {
    ($name:ident, $inputs:literal, $units:expr) => {
        cnn! {
            pub network $name {
                input x: [$inputs];
                y = dense(x, units = $units);
            }
        }
    };
}

perceptron!(Perceptron, 20, 3);

#[test]
fn constants() {
    const SHAPES: ([usize; 3], [usize; 1]) = (LeNet5::INPUT_SHAPE, LeNet5::OUTPUT_SHAPE);
    assert_eq!(SHAPES, ([1, 32, 32], [10]));
    assert_eq!(LeNet5::PARAMETERS, 61_706);
    assert_eq!(LeNet5::MACS, 416_520);
    assert!(LeNet5::IR.starts_with("network \"LeNet5\" {\n  %image = input(shape = [1, 32, 32]) -> [1, 32, 32]\n"));
    assert!(LeNet5::IR.contains("%f6.flatten = flatten(%c5) -> [120]"));
    assert_eq!(GoogLeNet::INPUT_SHAPE, [3, 224, 224]);
    assert_eq!(Twins::INPUT_SHAPES, [&[8, 8, 3][..], &[5]]);
    assert_eq!(Twins::OUTPUT_SHAPES, [&[3, 8, 8][..], &[5]]);
    assert_eq!(Perceptron::PARAMETERS, 63);
}

/// A network and its arena are constants: nothing is needed to make them.
static TWINS: Twins = Twins::new(&Aligned([0; Twins::WEIGHTS_BYTES]));

#[test]
fn a_network_without_a_system_runs_in_the_memory_it_is_given() {
    let mut arena = Arena::new();
    let (left, right) = ([[[-1.0, 2.0, 3.0]; 8]; 8], [0.5; 5]);
    let (map, vector) = TWINS.run_with(&mut arena, &[left; 4], &[right; 4]);
    assert_eq!(map[3][0], [[0.0; 8]; 8]);
    assert_eq!(map[3][2], [[3.0; 8]; 8]);
    assert!((vector[3][4] - 0.5f32.tanh()).abs() < 1e-6);
}

#[test]
fn attributes_are_passed_on() {
    let network = TWINS;
    assert_eq!(format!("{:?}", { network }), format!("{network:?}"));
    let perceptron = Perceptron::load(&Synthetic { seed: 1 }).expect("made-up weights fit");
    assert!(perceptron.run(&[1.0; 20])[0].is_finite());
}

#[test]
fn expansion_is_deterministic_and_documented() {
    let code = || {
        let tokens = "
            /// A perceptron.
            network P { input x: [20]; y = dense(x, units = 3, activation = relu); }"
            .parse()
            .expect("tokens");
        expand(tokens)
    };
    let (code, again) = (code(), code());
    assert_eq!(code, again);
    assert!(
        code.starts_with("# [doc = r\" A perceptron.\"]") || code.starts_with("# [doc = \" A perceptron.\"]"),
        "{code}"
    );
    assert!(
        code.contains("| `y` | `dense(x, units = 3, activation = \\\"relu\\\")` | `[3]` |  | 63 | 20×3 = 60 |"),
        "{code}"
    );
    assert!(code.contains("63 parameters, 60 multiplications an image."), "{code}");
}

/// The code of a macro call, as text.
fn expand(tokens: proc_macro2::TokenStream) -> String {
    let files = Files::of(Path::new(env!("CARGO_MANIFEST_DIR")));
    macros::expand(tokens, files).to_string()
}

#[test]
fn weights_that_do_not_fit_are_one_error() {
    let tokens = r#"
        network P, weights = "../../tests/fixtures/ops/dense.safetensors" {
            input x: [20];
            first = dense(x, units = 3);
            second = dense(first, units = 3);
        }"#;
    let code = expand(tokens.parse().expect("tokens"));
    assert_eq!(code.matches("compile_error").count(), 1, "{code}");
    for words in [
        "do not fit the network",
        "first.weight",
        "second.bias",
        "dense.safetensors",
    ] {
        assert!(code.contains(words), "{words}: {code}");
    }
}
