//! The same convolution as PyTorch and as TensorFlow write it.
//!
//! PyTorch's `Conv2d(3, 1, 3)` takes `[N, 3, H, W]` and keeps its weights as `[1, 3, 3, 3]`, filters first. With every
//! weight, and the bias, 10 and every pixel 10, each result is 27·10·10 + 10 = 2710.
//!
//! TensorFlow's `conv2d(image, filters, strides=1, padding="VALID")` takes `[N, H, W, C]` and filters
//! `[height, width, in, out]`. The input is declared with `layout = "hwc"` and then takes TensorFlow's arrays as they
//! are; the filters are turned to PyTorch's order. Results are `[N, C, H, W]` in both cases.
//!
//! Run it with `cargo run --example 04_pytorch_and_tensorflow`. It prints:
//!
//! ```output
//! PyTorch:    [1, 3, 4, 5] -> [1, 1, 2, 3], every result 2710
//! TensorFlow: [1, 4, 5, 3] -> [1, 1, 2, 3]
//! 45 54 63
//! 90 99 108
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::{Error, Model, Options, Weights};
use ndarray::{Array, Array1, Array4};

fn main() -> Result<(), Error> {
    pytorch()?;
    tensorflow()
}

fn pytorch() -> Result<(), Error> {
    let model = Model::from_toml(
        r#"
        [inputs]
        image = [3, 4, 5]

        [[layer]]
        name = "conv"
        op = "conv"
        filters = 1
        kernel = 3
        "#,
    )?;
    let mut weights = Weights::empty();
    weights.insert("conv.weight", &Array4::from_elem((1, 3, 3, 3), 10.0))?;
    weights.insert("conv.bias", &Array1::from_elem(1, 10.0))?;

    let image = Array4::from_elem((1, 3, 4, 5), 10.0);
    let output = &model.compile(&weights, &Options::default())?.run(&[image.view()])?[0];
    assert!(output.iter().all(|&value| value == 2710.0));
    println!(
        "PyTorch:    {:?} -> {:?}, every result {}",
        image.shape(),
        output.shape(),
        output[[0, 0, 0, 0]]
    );
    Ok(())
}

fn tensorflow() -> Result<(), Error> {
    let model = Model::from_toml(
        r#"
        [inputs]
        image = { shape = [4, 5, 3], layout = "hwc" }

        [[layer]]
        name = "conv"
        op = "conv"
        filters = 1
        kernel = 3
        padding = "valid"
        bias = false
        "#,
    )?;
    // filters[y, x, channel, filter]: the first colour counts once, the others not at all.
    let filters = Array::from_shape_fn((3, 3, 3, 1), |(_, _, channel, _)| if channel == 0 { 1.0 } else { 0.0 });
    let mut weights = Weights::empty();
    weights.insert("conv.weight", &filters.permuted_axes([3, 2, 0, 1]))?;

    // image[0, y, x, channel] = 5·y + x - 1 for every colour
    let image = Array::from_shape_fn((1, 4, 5, 3), |(_, y, x, _)| (5 * y + x) as f32 - 1.0);
    let output = &model.compile(&weights, &Options::default())?.run(&[image.view()])?[0];
    println!("TensorFlow: {:?} -> {:?}", image.shape(), output.shape());
    let numbers: Vec<f32> = output.iter().copied().collect();
    for row in numbers.chunks(3) {
        println!("{} {} {}", row[0], row[1], row[2]);
    }
    Ok(())
}
