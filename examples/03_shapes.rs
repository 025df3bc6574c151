//! How large a layer's result is: ⌊(input + padding − kernel) / stride⌋ + 1.
//!
//! Shapes inside a network are `[channels, height, width]`. An input may be declared as image files and TensorFlow
//! have it, `[height, width, channels]`, with `layout = "hwc"`. Every operator explains the size of its result.
//!
//! Run it with `cargo run --example 03_shapes`. It prints:
//!
//! ```output
//! a photograph of 39×31 pixels, three colours
//!   image     [3, 39, 31]
//!   edges     [8, 37, 29]    height: ⌊(39 + 2·0 − 3)/1⌋ + 1 = 37, width: ⌊(31 + 2·0 − 3)/1⌋ + 1 = 29
//! 32×32×3 with a border of two pixels
//!   image     [3, 32, 32]
//!   border    [3, 36, 36]    32 + 2·2 = 36
//! LeNet-5
//!   image     [1, 32, 32]
//!   c1        [6, 28, 28]    ⌊(32 + 2·0 − 5)/1⌋ + 1 = 28
//!   s2        [6, 14, 14]    ⌊(28 + 2·0 − 2)/2⌋ + 1 = 14
//!   c3        [16, 10, 10]   ⌊(14 + 2·0 − 5)/1⌋ + 1 = 10
//!   s4        [16, 5, 5]     ⌊(10 + 2·0 − 2)/2⌋ + 1 = 5
//!   c5        [120, 1, 1]    ⌊(5 + 2·0 − 5)/1⌋ + 1 = 1
//!   flat      [120]          120·1·1 = 120
//!   f6        [84]
//!   output    [10]
//!   probabilities [10]
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::{Error, Model};

fn main() -> Result<(), Error> {
    show(
        "a photograph of 39×31 pixels, three colours",
        &Model::from_toml(
            r#"
            [inputs]
            image = { shape = [39, 31, 3], layout = "hwc" }

            [[layer]]
            name = "edges"
            op = "conv"
            filters = 8
            kernel = 3
            "#,
        )?,
    );
    show(
        "32×32×3 with a border of two pixels",
        &Model::from_toml(
            r#"
            [inputs]
            image = { shape = [32, 32, 3], layout = "hwc" }

            [[layer]]
            name = "border"
            op = "pad"
            padding = 2
            "#,
        )?,
    );
    show("LeNet-5", &Model::builtin("lenet5")?);
    Ok(())
}

fn show(title: &str, model: &Model) {
    println!("{title}");
    let (graph, shapes) = (model.graph(), model.shapes());
    for id in graph.ids() {
        let formula = graph[id].op.formula(&shapes.operands(graph, id));
        let line = format!("  {:<9} {:<14} {formula}", graph[id].name, shapes[id].to_string());
        println!("{}", line.trim_end());
    }
}
