//! Tokens that come from another macro.

use cnn_macros::cnn;

macro_rules! perceptron {
    ($name:ident, $inputs:literal, $units:expr) => {
        cnn! {
            network $name {
                input x: [$inputs];
                y = dense(x, units = $units);
            }
        }
    };
}

perceptron!(Perceptron, 20, -3);

fn main() {}
