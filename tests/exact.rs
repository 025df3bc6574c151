//! The option `exact` of `cnn!`: code that loads weights which 16 bits do not hold.

#![cfg(feature = "std")]

use cnn::{Weights, cnn};

cnn! {
    /// A matrix larger than caches are taken to be: 16 bits a weight, on machines that have a kernel for them.
    network Default {
        input numbers: [1024];
        sums = dense(numbers, units = 9216, bias = false);
    }
}

cnn! {
    /// The same with all bits.
    network Exact {
        exact;
        input numbers: [1024];
        sums = dense(numbers, units = 9216, bias = false);
    }
}

const N: usize = 1024;
const UNITS: usize = 9216;

/// A weight of every 64 is `large` times the others.
fn weights(large: f32) -> (Vec<f32>, Weights) {
    let elements: Vec<f32> = (0..N * UNITS)
        .map(|i| ((i * 37 % 1009) as f32 / 1009.0 - 0.5) * if i % 64 == 5 { large } else { 1.0 })
        .collect();
    let mut weights = Weights::empty();
    weights
        .insert_elements("sums.weight", &[UNITS, N], elements.clone())
        .unwrap();
    (elements, weights)
}

/// How far from sums in f64, as a share of the largest.
fn error(weights: &[f32], input: &[f32; N], found: &[f32; UNITS]) -> f64 {
    let sum = |row: &[f32]| -> f64 { row.iter().zip(input).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum() };
    let expected: Vec<f64> = weights.chunks(N).map(sum).collect();
    let largest = expected.iter().fold(0.0, |most: f64, sum| most.max(sum.abs()));
    let errors = expected
        .iter()
        .zip(found)
        .map(|(sum, found)| (sum - f64::from(*found)).abs());
    errors.fold(0.0, f64::max) / largest
}

#[test]
fn exact_code_takes_weights_that_16_bits_do_not_hold() {
    // Nothing is multiplied with the large weights: what is lost of the others is all there is.
    let input: [f32; N] = std::array::from_fn(|i| if i % 64 == 5 { 0.0 } else { (i as f32).sin() });
    for large in [1.0, 1e3, 1e6] {
        let (elements, source) = weights(large);
        let exact = Exact::load(&source).unwrap();
        let portable = Exact::load(&source).unwrap().portable();
        for network in [exact, portable] {
            let found = error(&elements, &input, &network.run(&input));
            assert!(found < 1e-5, "{large}: {found:.1e} off");
        }
        match Default::load(&source) {
            Ok(network) => {
                let found = error(&elements, &input, &network.run(&input));
                assert!(large == 1.0 && found < 1e-4, "{large}: {found:.1e} off");
            }
            Err(refused) => {
                let refused = refused.to_string();
                assert!(
                    large > 1.0 && refused.contains("`exact` in `cnn!`"),
                    "{large}: {refused}"
                );
            }
        }
    }
}

/// NaN and infinities of one row stay in it.
#[test]
fn exact_code_takes_infinite_weights() {
    let (mut elements, _) = weights(1.0);
    elements[3 * N + 7] = f32::INFINITY;
    let mut source = Weights::empty();
    source.insert_elements("sums.weight", &[UNITS, N], elements).unwrap();
    let sums = Exact::load(&source).unwrap().run(&[1.0; N]);
    for (row, sum) in sums.into_iter().enumerate() {
        assert_eq!(sum.is_finite(), row != 3, "row {row}: {sum}");
    }
    assert!(Default::load(&source).err().unwrap().to_string().contains("not finite"));
}
