//! Recurrent layers, step by step as their cells are defined.

use cnn_ir::op::{Cell, Recurrent};

use super::tensor::Tensor;
use super::weights::Weights;

/// Rows of a matrix times a vector, and a bias.
struct Affine<'a> {
    matrix: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl Affine<'_> {
    fn row(&self, row: usize, x: &[f64]) -> f64 {
        let weights = &self.matrix[row * x.len()..][..x.len()];
        let sum: f64 = weights.iter().zip(x).map(|(&weight, x)| f64::from(weight) * x).sum();
        sum + self.bias.map_or(0.0, |bias| f64::from(bias[row]))
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Every sequence in every direction.
pub(super) fn run(recurrent: &Recurrent, weights: &Weights, operands: &[&Tensor], y: &mut Tensor) {
    let (x, states) = (operands[0], &operands[1..]);
    let (units, steps) = (recurrent.units, x.height());
    let each = if recurrent.bias { 4 } else { 2 };
    for (direction, (&reverse, tensors)) in recurrent
        .directions()
        .iter()
        .zip(weights.recurrent.chunks(each))
        .enumerate()
    {
        let affine = |index: usize| Affine {
            matrix: &tensors[index],
            bias: tensors.get(2 + index).map(Vec::as_slice),
        };
        let (of_input, of_state) = (affine(0), affine(1));
        for sequence in 0..x.channels() {
            let first = |state: usize| match states.get(state) {
                Some(state) => (0..units).map(|unit| state.at(sequence, direction, unit)).collect(),
                None => vec![0.0; units],
            };
            let (mut h, mut c): (Vec<f64>, Vec<f64>) = (first(0), first(1));
            for step in 0..steps {
                let step = if reverse { steps - 1 - step } else { step };
                let features = &x.data[x.offset(sequence, step, 0)..][..x.width()];
                let gate = |gate: usize, unit: usize| {
                    let row = gate * units + unit;
                    of_input.row(row, features) + of_state.row(row, &h)
                };
                let next = match recurrent.cell {
                    Cell::Lstm => {
                        for (unit, c) in c.iter_mut().enumerate() {
                            *c = sigmoid(gate(1, unit)) * *c + sigmoid(gate(0, unit)) * gate(2, unit).tanh();
                        }
                        let result = |unit: usize| sigmoid(gate(3, unit)) * c[unit].tanh();
                        (0..units).map(result).collect()
                    }
                    Cell::Gru { reset_after } => {
                        let reset: Vec<f64> = (0..units).map(|unit| sigmoid(gate(0, unit))).collect();
                        let held: Vec<f64> = reset.iter().zip(&h).map(|(reset, h)| reset * h).collect();
                        let result = |unit: usize| {
                            let row = 2 * units + unit;
                            let of_state = match reset_after {
                                true => reset[unit] * of_state.row(row, &h),
                                false => of_state.row(row, &held),
                            };
                            let (z, n) = (sigmoid(gate(1, unit)), (of_input.row(row, features) + of_state).tanh());
                            (1.0 - z) * n + z * h[unit]
                        };
                        (0..units).map(result).collect()
                    }
                };
                h = next;
                for (unit, &value) in h.iter().enumerate() {
                    *y.at_mut(sequence, step, direction * units + unit) = value;
                }
            }
        }
    }
}
