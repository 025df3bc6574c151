//! What `cnn!` expands to, compiled.

use cnn_macros::cnn;

cnn! {
    /// LeNet-5 (LeCun et al., 1998).
    #[derive(Clone, Copy, Debug)]
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

    pub(crate) network GoogLeNet = "../examples/models/googlenet.toml";

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

#[test]
fn attributes_are_passed_on() {
    let network = LeNet5;
    assert_eq!(format!("{:?}", { network }), format!("{network:?}"));
}

#[test]
fn expansion_is_deterministic_and_documented() {
    let expand = || {
        let tokens = "
            /// A perceptron.
            network P { input x: [20]; y = dense(x, units = 3, activation = relu); }"
            .parse()
            .expect("tokens");
        cnn_codegen::macros::expand(tokens, std::path::Path::new("")).to_string()
    };
    let code = expand();
    assert_eq!(code, expand());
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
