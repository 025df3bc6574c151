//! A model file at compile time: the network of `examples/models/squeezenet1_1.toml` as a type, beside the same file
//! compiled while the program runs. Both give the same bits.
//!
//! Run it with `cargo run --release --example 10_a_model_file_at_compile_time`. It prints:
//!
//! ```output
//! SqueezeNet: [3, 224, 224] → [1000], 1235496 parameters, 349151936 multiplications
//! compiled beforehand and just now: the same 1000 numbers
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use cnn::{Caches, Model, Options, Weights, cnn};

cnn! {
    network SqueezeNet = "examples/models/squeezenet1_1.toml";
}

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "SqueezeNet: {:?} → {:?}, {} parameters, {} multiplications",
        SqueezeNet::INPUT_SHAPE,
        SqueezeNet::OUTPUT_SHAPE,
        SqueezeNet::PARAMETERS,
        SqueezeNet::MACS
    );
    let weights = Weights::random(0);
    let image = cnn::random_input("image", SqueezeNet::INPUT_SHAPE.iter().product(), 0);

    let network = SqueezeNet::load(&weights)?.with_threads(0)?; // as many threads as there are cores
    let mut beforehand = [0.0; 1000];
    network.run_slices(&[&image], &mut [&mut beforehand])?;

    let model = Model::from_toml_file("examples/models/squeezenet1_1.toml")?;
    let mut just_now = [0.0; 1000];
    // The macro knows nothing of the machine that the program will run on: it plans for typical caches, and for AVX2.
    let options = Options {
        caches: Caches::TYPICAL,
        isa: cnn::rt::Isa::new(cnn::InstructionSet::Avx2).map(cnn::rt::Isa::set),
        ..Options::default()
    };
    model
        .compile(&weights, &options)?
        .run_into(&[&image], &mut [&mut just_now])?;

    if beforehand.map(f32::to_bits) == just_now.map(f32::to_bits) {
        println!(
            "compiled beforehand and just now: the same {} numbers",
            beforehand.len()
        );
    }
    Ok(())
}
