//! Model and weights files that are missing.

use cnn_macros::cnn;

cnn! {
    network Missing = "models/missing.toml";
    network Weights, weights = "missing.safetensors" { input x: [4]; relu(x) }
    network NoPath = 5;
}

fn main() {}
