//! What a convolution costs: each output pixel takes one multiplication for each weight of a filter.
//!
//! `Model::macs` counts them, and each operator writes them as a product: output pixels × weights of a filter ×
//! filters. The last two networks compute maps of the same size from the same map of 192 channels: a 1×1 convolution
//! first squeezes the channels to 16, and the whole costs a tenth. That is the idea of the Inception module (Szegedy
//! et al., 2014), which got it from Network in Network (Lin et al., 2013).
//!
//! Run it with `cargo run --example 02_multiplications`. It prints:
//!
//! ```output
//! 4×4 image, one 3×3 filter
//!   filter: (2×2)×(3×3) = 36
//! 6×6×3 image, one 3×3×3 filter
//!   filter: (4×4)×(3×3×3) = 432
//! 6×6×3 image, two 3×3×3 filters
//!   filter: (4×4)×(3×3×3)×2 = 864
//! 28×28×192 map, 32 filters 5×5
//!   filter: (28×28)×(5×5×192)×32 = 120422400
//! 28×28×192 map, squeezed to 16 channels first
//!   squeeze: (28×28)×(1×1×192)×16 = 2408448
//!   filter: (28×28)×(5×5×16)×32 = 10035200
//!   10.3 % of 120422400
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use cnn::{Error, Model};

fn main() -> Result<(), Error> {
    count("4×4 image, one 3×3 filter", &network([1, 4, 4], &[("filter", 1, 3)]))?;
    count(
        "6×6×3 image, one 3×3×3 filter",
        &network([3, 6, 6], &[("filter", 1, 3)]),
    )?;
    count(
        "6×6×3 image, two 3×3×3 filters",
        &network([3, 6, 6], &[("filter", 2, 3)]),
    )?;

    let map = [192, 28, 28];
    let wide = count(
        "28×28×192 map, 32 filters 5×5",
        &same(network(map, &[("filter", 32, 5)])),
    )?;
    let squeezed = count(
        "28×28×192 map, squeezed to 16 channels first",
        &same(network(map, &[("squeeze", 16, 1), ("filter", 32, 5)])),
    )?;
    println!("  {:.1} % of {wide}", 100.0 * squeezed as f64 / wide as f64);
    Ok(())
}

/// A model file: convolutions one after the other, each with a name, a number of filters and a kernel size.
fn network(image: [usize; 3], convolutions: &[(&str, usize, usize)]) -> String {
    let mut toml = format!("[inputs]\nimage = {image:?}\n");
    for (name, filters, kernel) in convolutions {
        toml += &format!("\n[[layer]]\nname = {name:?}\nop = \"conv\"\nfilters = {filters}\nkernel = {kernel}\n");
    }
    toml
}

/// With as much padding around each map as keeps its size.
fn same(toml: String) -> String {
    toml.replace("kernel", "padding = \"same\"\nkernel")
}

/// Prints the multiplications of each layer and gives their sum.
fn count(title: &str, toml: &str) -> Result<u64, Error> {
    let model = Model::from_toml(toml)?;
    println!("{title}");
    let (graph, shapes) = (model.graph(), model.shapes());
    for id in graph.ids() {
        let cost = graph[id].op.cost(&shapes.operands(graph, id));
        if cost.multiplications > 0 {
            println!("  {}: {}", graph[id].name, cost.product);
        }
    }
    Ok(model.macs())
}
