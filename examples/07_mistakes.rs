//! What is said about mistakes: the line, the word, the arithmetic, and what was probably meant. All at once.
//!
//! Run it with `cargo run --example 07_mistakes`. It prints:
//!
//! ```output
//! error: `conv` has no key `filter`; did you mean `filters`?
//!   ┌─ model.toml:8:1
//!   │
//! 8 │ filter = 4
//!   │ ^^^^^^
//!   │
//!   = keys of `conv`: filters, kernel, stride, padding, dilation, groups, bias, quantized, activation
//!
//! error: unknown operator or block `rellu`; did you mean `relu`?
//!    ┌─ model.toml:13:6
//!    │
//! 13 │ op = "rellu"
//!    │      ^^^^^^^
//!
//! error: c1: the kernel needs 11 columns, but the input has only 8
//!   ┌─ model.toml:9:10
//!   │
//! 9 │ kernel = [3, 11]
//!   │          ^^^^^^^
//!   │
//!   = columns of the result: ⌊(8 + 2·0 − 11)/1⌋ + 1 = −2
//!   = its input is `image` [3, 8, 8]
//!
//! tensor `conv1.bias`: expected shape [4], found shape [3] in the tensors given
//! tensor `conv1.weight`: expected shape [4, 3, 3, 3], found no such tensor in the tensors given; the nearest name present is `conv_1.weight` of shape [4, 3, 3, 3]
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::{Error, Model, Options, Weights};
use ndarray::{Array4, arr1};

fn main() {
    // Two misspelt words.
    say(Model::from_toml(
        r#"
[inputs]
image = [3, 8, 8]

[[layer]]
name = "c1"
op = "conv"
filter = 4
kernel = 3

[[layer]]
name = "r1"
op = "rellu"
"#,
    ));

    // A window that does not fit.
    say(Model::from_toml(
        r#"
[inputs]
image = [3, 8, 8]

[[layer]]
name = "c1"
op = "conv"
filters = 4
kernel = [3, 11]
"#,
    ));

    // Weights under another name, and of another shape.
    let model = Model::from_toml(
        r#"
[inputs]
image = [3, 8, 8]

[[layer]]
name = "conv1"
op = "conv"
filters = 4
kernel = 3
"#,
    );
    let compiled = model.and_then(|model| {
        let mut weights = Weights::empty();
        weights.insert("conv_1.weight", &Array4::zeros((4, 3, 3, 3)))?;
        weights.insert("conv1.bias", &arr1(&[0.0; 3]))?;
        model.compile(&weights, &Options::default())
    });
    say(compiled);
}

fn say<T>(result: Result<T, Error>) {
    match result {
        Ok(_) => println!("all is well"),
        Err(error) => println!("{error}\n"),
    }
}
