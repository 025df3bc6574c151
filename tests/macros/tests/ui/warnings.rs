//! What is odd about a network is a warning at its token: one of something deprecated.

#![deny(deprecated)]

use cnn_macros::cnn;

cnn! {
    network Odd {
        input image: [32, 32, 3];
        input unused: [3];
        block unit(x; f) { relu(x) }

        a = relu(image);
        b = tanh(image);
        return b;
    }
}

fn main() {}
