//! Blocks: what a network repeats is written once. A residual unit as in ResNet, a module as in GoogLeNet.
//!
//! Run it with `cargo run --example 09_blocks`. It prints:
//!
//! ```output
//! network "Small" {
//!   %image = input(shape = [3, 32, 32]) -> [3, 32, 32]
//!   %u1.a = conv(%image, filters = 16, kernel = 3, padding = 1, activation = "relu") -> [16, 32, 32]
//!   %u1.b = conv(%u1.a, filters = 16, kernel = 3, padding = 1) -> [16, 32, 32]
//!   %u1.shortcut = conv(%image, filters = 16, kernel = 1) -> [16, 32, 32]
//!   %u1.add = add(%u1.b, %u1.shortcut, activation = "relu") -> [16, 32, 32]
//!   %u2.a = conv(%u1.add, filters = 32, kernel = 3, stride = 2, padding = 1, activation = "relu") -> [32, 16, 16]
//!   %u2.b = conv(%u2.a, filters = 32, kernel = 3, padding = 1) -> [32, 16, 16]
//!   %u2.shortcut = conv(%u1.add, filters = 32, kernel = 1, stride = 2) -> [32, 16, 16]
//!   %u2.add = add(%u2.b, %u2.shortcut, activation = "relu") -> [32, 16, 16]
//!   %i3.one = conv(%u2.add, filters = 16, kernel = 1, activation = "relu") -> [16, 16, 16]
//!   %i3.three.conv = conv(%u2.add, filters = 24, kernel = 1, activation = "relu") -> [24, 16, 16]
//!   %i3.three = conv(%i3.three.conv, filters = 32, kernel = 3, padding = "same", activation = "relu") -> [32, 16, 16]
//!   %i3.five.conv = conv(%u2.add, filters = 4, kernel = 1, activation = "relu") -> [4, 16, 16]
//!   %i3.five = conv(%i3.five.conv, filters = 8, kernel = 5, padding = "same", activation = "relu") -> [8, 16, 16]
//!   %i3.pool.max_pool = max_pool(%u2.add, size = 3, stride = 1, padding = "same") -> [32, 16, 16]
//!   %i3.pool = conv(%i3.pool.max_pool, filters = 8, kernel = 1, activation = "relu") -> [8, 16, 16]
//!   %i3.concat = concat(%i3.one, %i3.three, %i3.five, %i3.pool) -> [64, 16, 16]
//!   %classes.global_avg_pool = global_avg_pool(%i3.concat) -> [64, 1, 1]
//!   %classes.flatten = flatten(%classes.global_avg_pool) -> [64]
//!   %classes.dense = dense(%classes.flatten, units = 4) -> [4]
//!   %classes = softmax(%classes.dense) -> [4]
//!   return %classes, i3 = %i3.concat
//! }
//!
//! 64 channels of 16×16
//! [0.279, 0.236, 0.352, 0.133]
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::rt::LoadError;
use cnn::{Weights, cnn};

cnn! {
    /// Two residual units and an Inception module over a small image.
    network Small {
        input image: [3, 32, 32];

        block unit(x; f, s) {
            a = conv(x, filters = f, kernel = 3, stride = s, padding = 1, activation = relu);
            b = conv(a, filters = f, kernel = 3, padding = 1);
            shortcut = conv(x, filters = f, kernel = 1, stride = s);
            add(b, shortcut, activation = relu)
        }

        block inception(x; c1, r3, c3, r5, c5, p) {
            one = conv(x, filters = c1, kernel = 1, activation = relu);
            three = conv(conv(x, filters = r3, kernel = 1, activation = relu),
                         filters = c3, kernel = 3, padding = same, activation = relu);
            five = conv(conv(x, filters = r5, kernel = 1, activation = relu),
                        filters = c5, kernel = 5, padding = same, activation = relu);
            pool = conv(max_pool(x, size = 3, stride = 1, padding = same), filters = p, kernel = 1, activation = relu);
            concat(one, three, five, pool)
        }

        u1 = unit(image, f = 16, s = 1);
        u2 = unit(u1, f = 32, s = 2);
        i3 = inception(u2, c1 = 16, r3 = 24, c3 = 32, r5 = 4, c5 = 8, p = 8);
        classes = softmax(dense(flatten(global_avg_pool(i3)), units = 4));

        // Two outputs: `run` gives a tuple.
        return classes, i3;
    }
}

fn main() -> Result<(), LoadError> {
    // Every value with its shape, as `cnn dump` prints it.
    println!("{}", Small::IR);
    let network = Small::load(&Weights::random(0))?;
    let (classes, features) = network.run(&[[[0.5; 32]; 32]; 3]);
    println!(
        "{} channels of {}×{}",
        features.len(),
        features[0].len(),
        features[0][0].len()
    );
    println!("{classes:.3?}");
    Ok(())
}
