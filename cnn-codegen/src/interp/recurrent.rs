//! Recurrent layers, step by step as their cells are defined; whoever runs one sees the state after each step.

use cnn_ir::op::{Cell, Recurrent};

use super::tensor::Tensor;

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

/// What a step hands to the next.
#[derive(Clone, Debug)]
pub struct State {
    /// The result of each unit.
    pub h: Vec<f64>,
    /// What an LSTM remembers beside it; a GRU leaves it as it is.
    pub c: Vec<f64>,
}

/// One step of one direction. `tensors` are the direction's weights, in the order of [`Recurrent::direction_weights`].
fn step(recurrent: &Recurrent, tensors: &[impl AsRef<[f32]>], features: &[f64], State { h, c }: &mut State) {
    let units = recurrent.units;
    let affine = |index: usize| Affine {
        matrix: tensors[index].as_ref(),
        bias: tensors.get(2 + index).map(AsRef::as_ref),
    };
    let (of_input, of_state) = (affine(0), affine(1));
    let gate = |gate: usize, unit: usize| {
        let row = gate * units + unit;
        of_input.row(row, features) + of_state.row(row, h)
    };
    *h = match recurrent.cell {
        Cell::Lstm => {
            for (unit, c) in c.iter_mut().enumerate() {
                *c = sigmoid(gate(1, unit)) * *c + sigmoid(gate(0, unit)) * gate(2, unit).tanh();
            }
            let result = |unit: usize| sigmoid(gate(3, unit)) * c[unit].tanh();
            (0..units).map(result).collect()
        }
        Cell::Gru { reset_after } => {
            let reset: Vec<f64> = (0..units).map(|unit| sigmoid(gate(0, unit))).collect();
            let held: Vec<f64> = reset.iter().zip(&*h).map(|(reset, h)| reset * h).collect();
            let result = |unit: usize| {
                let row = 2 * units + unit;
                let of_state = match reset_after {
                    true => reset[unit] * of_state.row(row, h),
                    false => of_state.row(row, &held),
                };
                let (z, n) = (sigmoid(gate(1, unit)), (of_input.row(row, features) + of_state).tanh());
                (1.0 - z) * n + z * h[unit]
            };
            (0..units).map(result).collect()
        }
    };
}

/// Every sequence in every direction. `after` is shown each step's state before the next step reads it: the sequence, the
/// step, the direction.
pub fn run(
    recurrent: &Recurrent,
    tensors: &[impl AsRef<[f32]>],
    operands: &[&Tensor],
    mut after: impl FnMut([usize; 3], &mut State),
) {
    let (x, states) = (operands[0], &operands[1..]);
    let (units, steps) = (recurrent.units, x.height());
    let each = if recurrent.bias { 4 } else { 2 };
    let directions = recurrent.directions().iter().zip(tensors.chunks(each)).enumerate();
    for (direction, (&reverse, tensors)) in directions {
        for sequence in 0..x.channels() {
            let first = |state: usize| match states.get(state) {
                Some(state) => (0..units).map(|unit| state.at(sequence, direction, unit)).collect(),
                None => vec![0.0; units],
            };
            let mut state = State {
                h: first(0),
                c: first(1),
            };
            for taken in 0..steps {
                let place = if reverse { steps - 1 - taken } else { taken };
                let features = &x.data[x.offset(sequence, place, 0)..][..x.width()];
                step(recurrent, tensors, features, &mut state);
                after([sequence, place, direction], &mut state);
            }
        }
    }
}
