//! A whole network on a real image: LeNet-5 reads a handwritten digit.
//!
//! The model and its weights come with the library; a file of your own is read with `Model::from_toml_file` and
//! `Weights::from_file`. `cnn::io::image` makes an input of a PNG or JPEG file: grey, 32×32, values 0 … 1.
//!
//! Run it with `cargo run --example 05_read_a_digit [FILE.png]`. It prints:
//!
//! ```output
//! 7 with 99.8 %, then 2 with 0.1 %
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::io::image::{self, Preparation};
use cnn::{Error, Model, Options, Weights};
use ndarray::Axis;

fn main() -> Result<(), Error> {
    let model = Model::builtin("lenet5")?;
    let weights = Weights::builtin("lenet5")?;
    let network = model.compile(&weights, &Options::default())?;

    let file = std::env::args().nth(1).unwrap_or_else(|| "assets/digit.png".into());
    let digit = image::read(file.as_ref(), [1, 32, 32], &Preparation::default())?;
    let batch = digit.insert_axis(Axis(0)); // [1, 32, 32] → [1, 1, 32, 32]

    let outputs = network.run(&[batch.view()])?;
    let mut ranked: Vec<(usize, f32)> = outputs[0].iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let [(first, likely), (second, less), ..] = ranked[..] else {
        return Ok(());
    };
    println!(
        "{first} with {:.1} %, then {second} with {:.1} %",
        likely * 100.0,
        less * 100.0
    );
    Ok(())
}
