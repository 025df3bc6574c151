//! What the compiler makes of a network before it plans anything: a residual block of seven layers becomes two.
//!
//! Each pass says what it did and what it had to leave. The text form is the one that `cnn dump --stage fused` shows;
//! `cnn::ir::text::parse` reads it back.
//!
//! Run it with `cargo run --example 06_watch_the_passes`. It prints:
//!
//! ```output
//! network "basic_block" {
//!   %x = input(shape = [16, 8, 8]) -> [16, 8, 8]
//!   %conv1 = conv(%x, filters = 16, kernel = 3, padding = "same", bias = false) -> [16, 8, 8]
//!   %bn1 = batch_norm(%conv1) -> [16, 8, 8]
//!   %relu1 = relu(%bn1) -> [16, 8, 8]
//!   %conv2 = conv(%relu1, filters = 16, kernel = 3, padding = "same", bias = false) -> [16, 8, 8]
//!   %bn2 = batch_norm(%conv2) -> [16, 8, 8]
//!   %sum = add(%bn2, %x) -> [16, 8, 8]
//!   %relu2 = relu(%sum) -> [16, 8, 8]
//!   return %relu2
//! }
//!
//! fold_batch_norm: bn1: folded into the weights of `conv1`
//! fold_batch_norm: bn2: folded into the weights of `conv2`
//! fuse_activation: relu1: applied by `bn1` as it writes its result
//! fuse_activation: relu2: applied by `sum` as it writes its result
//! fuse_residual: relu2: `bn2` adds `x` as it writes its result
//!
//! network "basic_block" {
//!   %x = input(shape = [16, 8, 8]) -> [16, 8, 8]
//!   %relu1 = conv(%x, filters = 16, kernel = 3, padding = "same", bias = false, activation = "relu", norm = { weights = "bn1", epsilon = 1e-5 }, weights = "conv1") -> [16, 8, 8]
//!   %relu2 = conv(%relu1, %x, filters = 16, kernel = 3, padding = "same", bias = false, activation = "relu", norm = { weights = "bn2", epsilon = 1e-5 }, residual = true, weights = "conv2") -> [16, 8, 8]
//!   return %relu2
//! }
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::ir::text;
use cnn::{Error, Model};

fn main() -> Result<(), Error> {
    // ResNet's basic block (He et al., 2015): two convolutions, each with a batch norm, around which the input is
    // carried and added.
    let model = Model::from_toml(
        r#"
        name = "basic_block"

        [inputs]
        x = [16, 8, 8]

        [[layer]]
        name = "conv1"
        op = "conv"
        filters = 16
        kernel = 3
        padding = "same"
        bias = false

        [[layer]]
        name = "bn1"
        op = "batch_norm"

        [[layer]]
        name = "relu1"
        op = "relu"

        [[layer]]
        name = "conv2"
        op = "conv"
        filters = 16
        kernel = 3
        padding = "same"
        bias = false

        [[layer]]
        name = "bn2"
        op = "batch_norm"

        [[layer]]
        name = "sum"
        op = "add"
        from = ["bn2", "x"]

        [[layer]]
        name = "relu2"
        op = "relu"
        "#,
    )?;
    println!("{}", text::print(model.graph(), Some(model.shapes())));
    let optimised = model.optimised()?;
    for report in &optimised.reports {
        for note in &report.notes {
            println!("{}: {note}", report.pass);
        }
    }
    println!(
        "\n{}",
        text::print(&optimised.graph, Some(&optimised.shapes)).trim_end()
    );
    Ok(())
}
