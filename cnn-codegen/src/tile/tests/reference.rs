//! A tile by its definition: plain loops, f64 sums.

use cnn_types::Activation;
use std::collections::{BTreeMap, BTreeSet};

use super::{Buffers, GUARD};
use crate::tile::{Init, LANES, Product, TileSpec};

/// A small generator of numbers in −1…1 (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(super) fn vec(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}

/// Index of a float `bytes` away from float `offset`.
fn float(offset: usize, bytes: i64) -> usize {
    assert_eq!(bytes % 4, 0);
    usize::try_from(offset as i64 + bytes / 4).unwrap()
}

/// Input displacement of every k-step, in the order of the weight stream.
fn steps(spec: &TileSpec) -> Vec<i64> {
    let mut starts = vec![0i64];
    for l in &spec.loops {
        starts = starts
            .iter()
            .flat_map(|s| (0..i64::from(l.count)).map(move |i| s + i * l.input_step))
            .collect();
    }
    starts
        .iter()
        .flat_map(|s| spec.taps.iter().map(move |&t| s + i64::from(t)))
        .collect()
}

/// Input floats the tile reads.
fn read(spec: &TileSpec, offset: usize) -> BTreeSet<usize> {
    let width = if spec.product == Product::Lanewise { LANES } else { 1 };
    let mut floats = BTreeSet::new();
    for step in steps(spec) {
        for p in &spec.pixels {
            let first = float(offset, i64::from(p.input) + step);
            floats.extend(first..first + width);
        }
    }
    floats
}

/// Random buffers for a specification: NaN in every input float that is not read and, unless the tile accumulates, in
/// the output. Also how many input floats are read.
pub(super) fn buffers(spec: &TileSpec, random: &mut Random) -> (Buffers, usize) {
    let offset = |range: &std::ops::Range<i64>| usize::try_from(-range.start.min(0) / 4).unwrap();
    let len = |range: &std::ops::Range<i64>| float(offset(range), range.end.max(0));
    let (i, o, r) = (spec.input_bytes(), spec.output_bytes(), spec.residual_bytes());
    let input_offset = offset(&i);
    let floats = read(spec, input_offset);
    assert!(
        floats
            .first()
            .is_none_or(|&f| f as i64 * 4 >= i.start + input_offset as i64 * 4)
    );
    let mut input = vec![f32::NAN; len(&i)];
    for &f in &floats {
        input[f] = random.next();
    }
    let output_offset = offset(&o) + GUARD;
    let mut output = vec![f32::NAN; output_offset + len(&o) + GUARD];
    if spec.init == Init::Output {
        output.fill_with(|| random.next());
    }
    let mut weights = random.vec(spec.weight_floats());
    if spec.product == Product::Fixed {
        // All bits of a float's two weights count.
        for weight in fixed_places(spec) {
            weights[weight] = f32::from_bits((random.next() * 2e9) as i32 as u32);
        }
    }
    let residual = random.vec(len(&r).max(1));
    let buffers = Buffers {
        input,
        input_offset,
        weights,
        output,
        output_offset,
        residual,
        residual_offset: offset(&r),
    };
    (buffers, floats.len())
}

/// The floats of a stream that hold 16-bit weights.
fn fixed_places(spec: &TileSpec) -> impl Iterator<Item = usize> {
    let lanes = spec.vectors * LANES;
    let bias = if spec.init == Init::Bias { lanes } else { 0 };
    let (blocks, weights) = (spec.loops[0].count as usize, fixed_block(spec) * lanes / 2);
    (0..blocks).flat_map(move |block| {
        let first = bias + block * (lanes + weights) + lanes;
        first..first + weights
    })
}

/// k-steps that share their scales.
fn fixed_block(spec: &TileSpec) -> usize {
    spec.loops[1].count as usize * spec.taps.len()
}

/// The weight of a filter of the tile at a k-step.
fn weight(spec: &TileSpec, stream: &[f32], k: usize, filter: usize) -> f64 {
    let lanes = spec.vectors * LANES;
    match spec.product {
        Product::Broadcast | Product::Lanewise => f64::from(stream[k * lanes + filter]),
        Product::Fixed => {
            let length = fixed_block(spec);
            let block = &stream[k / length * (lanes + length * lanes / 2)..];
            let (scale, pair) = (block[filter], block[lanes + (k % length * lanes + filter) / 2]);
            let integer = (pair.to_bits() >> (filter % 2 * 16)) as u16 as i16;
            f64::from(scale) * f64::from(integer)
        }
    }
}

/// Every output float with its value and the sum of the terms' magnitudes.
pub(super) fn evaluate(spec: &TileSpec, b: &Buffers) -> BTreeMap<usize, (f64, f64)> {
    let steps = steps(spec);
    let width = spec.vectors * LANES;
    let bias = if spec.init == Init::Bias { width } else { 0 };
    let mut outputs = BTreeMap::new();
    for p in &spec.pixels {
        for v in 0..spec.vectors {
            for lane in 0..LANES {
                let filter = v * LANES + lane;
                let at = float(b.output_offset, i64::from(p.output) + i64::from(spec.output_vectors[v])) + lane;
                let mut terms = Vec::new();
                match spec.init {
                    Init::Zero => {}
                    Init::Bias => terms.push(f64::from(b.weights[filter])),
                    Init::Output => terms.push(f64::from(b.output[at])),
                }
                for (k, step) in steps.iter().enumerate() {
                    let from = float(b.input_offset, i64::from(p.input) + step);
                    let from = if spec.product == Product::Lanewise {
                        from + lane
                    } else {
                        from
                    };
                    terms.push(f64::from(b.input[from]) * weight(spec, &b.weights[bias..], k, filter));
                }
                if spec.residual {
                    let from = i64::from(p.residual) + i64::from(spec.residual_vectors[v]);
                    terms.push(f64::from(b.residual[float(b.residual_offset, from) + lane]));
                }
                let value = activate(spec.activation, terms.iter().sum());
                let scale = terms.iter().map(|t| t.abs()).sum();
                assert!(outputs.insert(at, (value, scale)).is_none(), "outputs overlap");
            }
        }
    }
    outputs
}

/// The activation in f64.
pub(super) fn activate(activation: Option<Activation>, x: f64) -> f64 {
    match activation {
        None => x,
        Some(Activation::Relu) => x.max(0.0),
        Some(Activation::Relu6) => x.clamp(0.0, 6.0),
        Some(Activation::Clip { min, max }) => x.clamp(f64::from(min), f64::from(max)),
        Some(Activation::LeakyRelu { .. }) if x > 0.0 => x,
        Some(Activation::LeakyRelu { alpha }) => f64::from(alpha) * x,
        Some(Activation::HardSigmoid { .. }) => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Some(Activation::HardSwish) => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Some(other) => panic!("no tile has {other:?}"),
    }
}
