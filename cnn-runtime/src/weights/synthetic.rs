//! Reproducible made-up weights and inputs: `random:SEED` gives the same bits on every machine.
//!
//! Element `i` of a tensor is SplitMix64 (Steele, Lea & Flood 2014) at position `i + 1`, started
//! from the FNV-1a hash of the tensor's name and the seed. So every tensor is a pure function of
//! its name, its shape and the seed, whatever the order in which tensors are asked for.

use std::borrow::Cow;
use std::ops::Range;

use super::{WeightError, WeightSource, element_count, reserve};

/// SplitMix64's increment: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A source that makes up every tensor it is asked for.
///
/// The last part of the name decides the distribution, always uniform: a `weight` of two or more
/// dimensions lies in ±√(6 / product of the dimensions after the first) (He et al. 2015), a
/// one-dimensional `weight` and `running_var` in 0.5…1.5, a recurrent layer's `weight_ih_l0` and the like in
/// ±√(1 / columns), `slope` in 0.1…0.4, `weight_scale` in 0.001…0.003, `bias`, `bias_ih_l0` and the like, `running_mean`
/// and `value` in ±0.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synthetic {
    /// Tensors of the same name differ between seeds.
    pub seed: u64,
}

impl WeightSource for Synthetic {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        let count = element_count(name, shape)?;
        let within = |share: f64| {
            // `element_count` bounds the product only if the first dimension is not 0.
            let fan_in: f64 = shape[1..].iter().map(|&dim| dim as f64).product();
            let bound = (share / fan_in).sqrt();
            (-bound, bound)
        };
        let role = name.rsplit('.').next();
        let recurrent = |kind: &str| role.is_some_and(|role| role.starts_with(kind));
        let (low, high) = match role {
            Some("weight") if shape.len() >= 2 => within(6.0),
            _ if shape.len() == 2 && (recurrent("weight_ih_l") || recurrent("weight_hh_l")) => within(1.0),
            _ if recurrent("bias_ih_l") || recurrent("bias_hh_l") => (-0.1, 0.1),
            Some("weight" | "running_var") => (0.5, 1.5),
            Some("slope") => (0.1, 0.4),
            Some("weight_scale") => (0.001, 0.003),
            Some("bias" | "running_mean" | "value") => (-0.1, 0.1),
            _ => {
                return Err(WeightError::NoRule {
                    name: name.to_owned(),
                    shape: shape.to_vec(),
                });
            }
        };
        assert!(range.end <= count, "{range:?} of {count} elements");
        let mut elements = reserve(name, shape, range.len())?;
        elements.extend(uniform(name, self.seed, low, high, range));
        Ok(Cow::Owned(elements))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn describe(&self) -> String {
        format!("random:{}", self.seed)
    }
}

/// `len` elements in −1…1 for the network input `name`.
pub fn synthetic_input(name: &str, len: usize, seed: u64) -> Vec<f32> {
    uniform(name, seed, -1.0, 1.0, 0..len).collect()
}

/// Elements `range` of the endless sequence of values in `low..high` that belongs to `name` and `seed`.
fn uniform(name: &str, seed: u64, low: f64, high: f64, range: Range<usize>) -> impl Iterator<Item = f32> {
    let start = fnv1a64(name.as_bytes()) ^ seed.wrapping_mul(GOLDEN);
    range.map(move |i| {
        let mut z = start.wrapping_add((i as u64 + 1).wrapping_mul(GOLDEN));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let unit = (z >> 40) as f64 / f64::from(1u32 << 24);
        (low + (high - low) * unit) as f32
    })
}

/// The 64-bit FNV-1a hash (Fowler, Noll & Vo).
fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the specification.
    #[test]
    fn has_the_specified_bits() {
        let bits: Vec<u32> = synthetic_input("c1.weight", 4, 7)
            .into_iter()
            .map(f32::to_bits)
            .collect();
        assert_eq!(bits, [0x3f47_2e56, 0xbf26_2b5c, 0xbed2_9740, 0xbf3f_c884]);
    }

    #[test]
    fn draws_each_kind_from_its_range() {
        let source = Synthetic { seed: 3 };
        let cases: [(&str, &[usize], f32, f32); 9] = [
            ("a.weight", &[8, 6, 2, 2], -0.5, 0.5),
            ("a.weight", &[512], 0.5, 1.5),
            ("rnn.weight_ih_l0", &[32, 16], -0.25, 0.25),
            ("rnn.bias_hh_l0_reverse", &[512], -0.1, 0.1),
            ("bn.running_var", &[512], 0.5, 1.5),
            ("p.slope", &[512], 0.1, 0.4),
            ("a.bias", &[512], -0.1, 0.1),
            ("bn.running_mean", &[512], -0.1, 0.1),
            ("mean.value", &[3, 16, 16], -0.1, 0.1),
        ];
        for (name, shape, low, high) in cases {
            let tensor = source.tensor(name, shape).unwrap();
            assert_eq!(tensor.len(), shape.iter().product::<usize>());
            let least = tensor.iter().copied().fold(f32::INFINITY, f32::min);
            let most = tensor.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let slack = (high - low) * 0.05;
            assert!(low <= least && least < low + slack, "{name}: {least}");
            assert!(high - slack < most && most <= high, "{name}: {most}");
        }
    }

    #[test]
    fn refuses_unknown_kinds_and_impossible_shapes() {
        let source = Synthetic { seed: 0 };
        assert!(matches!(source.tensor("a.gain", &[2]), Err(WeightError::NoRule { .. })));
        assert!(matches!(
            source.tensor("a.weight", &[usize::MAX, 2]),
            Err(WeightError::OutOfMemory { .. })
        ));
        assert!(source.tensor("a.weight", &[0, usize::MAX, 2]).is_ok());
    }
}
