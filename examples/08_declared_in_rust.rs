//! A network declared in Rust: `cnn!` checks it, plans it and packs its weights while this file is compiled.
//!
//! What does not fit does not compile: try `kernel = 50` in `c1`, `rellu`, or an image of 31 rows in `run`.
//!
//! Run it with `cargo run --example 08_declared_in_rust`. It prints:
//!
//! ```output
//! LeNet5: [1, 32, 32] → [10], 61706 parameters, 31488 bytes of memory for a run
//! digit_0.png: 0 with 100.0 %
//! digit_1.png: 1 with 100.0 %
//! digit_2.png: 2 with 99.5 %
//! digit_3.png: 3 with 99.5 %
//! digit_4.png: 4 with 99.7 %
//! digit_5.png: 5 with 100.0 %
//! digit_6.png: 6 with 99.9 %
//! digit_7.png: 7 with 99.8 %
//! digit_8.png: 8 with 100.0 %
//! digit_9.png: 9 with 99.5 %
//! a blank page: 1 with 90.8 %
//! ```
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use cnn::cnn;
use cnn::io::image::{self, Preparation};

cnn! {
    /// LeNet-5 (LeCun et al., 1998), trained on MNIST.
    network LeNet5, weights = "assets/lenet5-mnist.safetensors", max_arena = "32KiB" {
        input image: [1, 32, 32];

        c1 = conv(image, filters = 6, kernel = 5, activation = tanh);
        s2 = avg_pool(c1, size = 2);
        c3 = conv(s2, filters = 16, kernel = 5, activation = tanh);
        s4 = avg_pool(c3, size = 2);
        c5 = conv(s4, filters = 120, kernel = 5, activation = tanh);
        f6 = dense(flatten(c5), units = 84, activation = tanh);
        output = dense(f6, units = 10);
        probabilities = softmax(output);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "LeNet5: {:?} → {:?}, {} parameters, {} bytes of memory for a run",
        LeNet5::INPUT_SHAPE,
        LeNet5::OUTPUT_SHAPE,
        LeNet5::PARAMETERS,
        LeNet5::ARENA_BYTES
    );
    let network = LeNet5::load()?;
    for digit in 0..10 {
        let file = format!("digit_{digit}.png");
        let path = format!("tests/fixtures/mnist/{file}");
        let image = image::read(path.as_ref(), LeNet5::INPUT_SHAPE, &Preparation::default())?;
        // From elsewhere come slices; their lengths are checked when the network runs.
        let mut probabilities = [0.0; 10];
        network.run_slices(&[&image.into_raw_vec_and_offset().0], &mut [&mut probabilities])?;
        say(&file, &probabilities);
    }
    // Arrays have the network's sizes, checked when this is compiled.
    let page = [[[0.0; 32]; 32]; 1];
    say("a blank page", &network.run(&page));
    Ok(())
}

fn say(what: &str, probabilities: &[f32; 10]) {
    let ranked = probabilities.iter().enumerate();
    if let Some((digit, share)) = ranked.max_by(|a, b| a.1.total_cmp(b.1)) {
        println!("{what}: {digit} with {:.1} %", share * 100.0);
    }
}
