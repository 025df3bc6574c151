//! A convolution: a filter slides over an image, and each place gives one number.
//!
//! The image is 5×5 zeros and ones, the filter 3×3. At each of the 3×3 places where the filter fits, the pixels under
//! it are multiplied with its weights and added up. The top left place:
//!
//! ```text
//! 1 1 1     1 0 1
//! 0 1 1  ·  0 1 0  =  1 + 1 + 1 + 1  =  4
//! 0 0 1     1 0 1
//! ```
//!
//! Run it with `cargo run --example 01_convolution`. It prints:
//!
//! ```output
//! 4 3 4
//! 2 4 3
//! 2 3 4
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::{Error, Model, Options, Weights};
use ndarray::array;

fn main() -> Result<(), Error> {
    // A network of one layer: one filter of 3×3, nothing added.
    let model = Model::from_toml(
        r#"
        [inputs]
        image = [1, 5, 5]

        [[layer]]
        name = "filter"
        op = "conv"
        filters = 1
        kernel = 3
        bias = false
        "#,
    )?;

    // Its weights, [filters, channels, rows, columns]. They would come from training; these are chosen by hand.
    let mut weights = Weights::empty();
    weights.insert(
        "filter.weight",
        &array![[[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]]],
    )?;

    // A batch of one image of one channel: [1, 1, 5, 5].
    let image = array![[[
        [1.0, 1.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0],
        [0.0, 0.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0, 0.0],
    ]]];

    let network = model.compile(&weights, &Options::default())?;
    let outputs = network.run(&[image.view()])?;

    // [1, 1, 3, 3]: rows of three.
    let numbers: Vec<f32> = outputs[0].iter().copied().collect();
    for row in numbers.chunks(3) {
        println!("{} {} {}", row[0], row[1], row[2]);
    }
    Ok(())
}
