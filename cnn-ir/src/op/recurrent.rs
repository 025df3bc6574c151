//! Recurrent layers: LSTM and GRU.

use super::attributes::Attributes;
use super::conv::{count, fits};
use super::fault::{map, sized, too_large};
use super::operator::Operator;
use super::{Arity, Fault, WeightDecl};
use crate::shape::Shape;

/// What computes one step of a sequence from what came before. σ is the logistic sigmoid, ⊙ the product element by
/// element, and each gate of `x` and `h` is `W_ih·x + b_ih + W_hh·h + b_hh`, rows of the weights in the order named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Cell {
    /// Gates i, f, g, o (PyTorch's order): `c = σ(f)⊙c + σ(i)⊙tanh(g)`, `h = σ(o)⊙tanh(c)`.
    Lstm,
    /// Gates r, z, n (PyTorch's order): `h = (1 − σ(z))⊙n + σ(z)⊙h`.
    Gru {
        /// Whether `n = tanh(W_ih·x + b_ih + σ(r)⊙(W_hh·h + b_hh))` (PyTorch, ONNX's `linear_before_reset`), or
        /// `tanh(W_ih·x + b_ih + W_hh·(σ(r)⊙h) + b_hh)`.
        reset_after: bool,
    },
}

/// In which order the steps of a sequence are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Direction {
    /// The first comes first.
    Forward,
    /// The last comes first.
    Reverse,
    /// Both, each with weights of its own: the results of the first one's units, then the second's.
    Both,
}

/// `[N, T, I]` → `[N, T, D·units]`: N sequences of T steps, each of I features, by one or two (D) directions. With
/// `cells` `[N, T, 2·D·units]`: h of each direction, then c of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Recurrent {
    /// What computes a step.
    pub cell: Cell,
    /// Features of a direction's result and state.
    pub units: usize,
    /// In which order.
    pub direction: Direction,
    /// Whether biases are added.
    pub bias: bool,
    /// Whether an LSTM gives its memory c beside its result h.
    pub cells: bool,
}

impl Recurrent {
    pub(super) const LSTM: Recurrent = Recurrent::new(Cell::Lstm);
    pub(super) const GRU: Recurrent = Recurrent::new(Cell::Gru { reset_after: true });

    const fn new(cell: Cell) -> Recurrent {
        Recurrent {
            cell,
            units: 1,
            direction: Direction::Forward,
            bias: true,
            cells: false,
        }
    }

    /// Gates of a cell.
    pub fn gates(&self) -> usize {
        match self.cell {
            Cell::Lstm => 4,
            Cell::Gru { .. } => 3,
        }
    }

    /// Of each direction, whether it is the reverse one.
    pub fn directions(&self) -> &'static [bool] {
        match self.direction {
            Direction::Forward => &[false],
            Direction::Reverse => &[true],
            Direction::Both => &[false, true],
        }
    }

    /// Numbers of a step's result; `None` if they are more than can be counted.
    pub fn width(&self) -> Option<usize> {
        let parts = self.directions().len() * if self.cells { 2 } else { 1 };
        self.units.checked_mul(parts)
    }

    /// Values that a step hands to the next: operands besides the first, if the first step gets any.
    pub fn states(&self) -> usize {
        match self.cell {
            Cell::Lstm => 2,
            Cell::Gru { .. } => 1,
        }
    }

    /// PyTorch's names of the weights forward and in reverse: of the features and of the state, then both biases.
    pub const WEIGHTS: [[&'static str; 4]; 2] = [
        ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
        [
            "weight_ih_l0_reverse",
            "weight_hh_l0_reverse",
            "bias_ih_l0_reverse",
            "bias_hh_l0_reverse",
        ],
    ];

    /// The weights of a direction for so many features: of the features, of the state, and both biases, if it has any.
    pub fn direction_weights(&self, prefix: &str, reverse: bool, features: usize) -> Vec<WeightDecl> {
        let rows = self.gates().saturating_mul(self.units);
        let shapes: [&[usize]; 4] = [&[rows, features], &[rows, self.units], &[rows], &[rows]];
        let names = Self::WEIGHTS[usize::from(reverse)].iter().zip(shapes);
        let given = names.take(if self.bias { 4 } else { 2 });
        given
            .map(|(name, shape)| WeightDecl::new(prefix, name, shape))
            .collect()
    }
}

impl Operator for Recurrent {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Lstm => "lstm",
            Cell::Gru { .. } => "gru",
        }
    }

    fn doc(&self) -> &'static str {
        match self.cell {
            Cell::Lstm => {
                "`[N, T, I]` → `[N, T, D·units]`: N sequences of T steps (PyTorch’s `batch_first`), gates i, f, g, o; \
                 `from = [\"x\", \"h0\", \"c0\"]` gives first states `[N, D, units]`, else they are 0"
            }
            Cell::Gru { .. } => {
                "`[N, T, I]` → `[N, T, D·units]`: N sequences of T steps (PyTorch’s `batch_first`), gates r, z, n; \
                 `from = [\"x\", \"h0\"]` gives a first state `[N, D, units]`, else it is 0"
            }
        }
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("units", &mut self.units, None);
        let directions = [
            ("forward", Direction::Forward),
            ("reverse", Direction::Reverse),
            ("both", Direction::Both),
        ];
        a.word("direction", &mut self.direction, &directions);
        a.flag("bias", &mut self.bias, true);
        match &mut self.cell {
            Cell::Lstm => {
                a.flag("cells", &mut self.cells, false)
                    .doc("the memory `c` is given too: `[N, T, 2·D·units]`, `h` of each direction, then `c` of each");
            }
            Cell::Gru { reset_after } => {
                a.flag("reset_after", reset_after, true)
                    .doc("the reset gate acts on `weight_hh · h + bias_hh`, not on `h` (ONNX’s `linear_before_reset`)");
            }
        }
    }

    fn arity(&self) -> Arity {
        Arity::AtLeast(1)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let name = self.name();
        let (sequences, steps, features) = map(name, operands[0])?;
        let directions = self.directions().len();
        let mut faults = Vec::new();
        let expected = Shape::map(sequences, directions, self.units);
        if operands.len() > 1 && operands.len() != 1 + self.states() {
            let message = format!(
                "`{name}` takes 1 or {} operands, but has {}",
                1 + self.states(),
                operands.len()
            );
            faults.push(Fault::new("from", message).note("a sequence, or a sequence and all first states"));
        } else if let Some(other) = operands[1..].iter().find(|&&state| state != expected) {
            let message = format!("a first state of `{name}` must be {expected}, but is {other}");
            faults.push(Fault::new("from", message).note("[sequences, directions, units]"));
        }
        let rows = self.gates().checked_mul(self.units);
        if !rows.is_some_and(|rows| fits(&[rows, features]) && fits(&[rows, self.units])) {
            let weights = format!("[{}·{}, {}]", self.gates(), self.units, features.max(self.units));
            faults.push(too_large("weights", &weights, "units"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let width = self.width().ok_or_else(|| too_large("result", "units", "units"))?;
        sized(Shape::map(sequences, steps, width), "units")
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        let [_, _, features] = operands[0].extent();
        let each = self.directions().iter();
        each.flat_map(|&reverse| self.direction_weights(prefix, reverse, features))
            .collect()
    }

    fn weights_doc(&self) -> &'static str {
        "PyTorch’s: `weight_ih_l0 [gates·units, I]`, `weight_hh_l0 [gates·units, units]`, `bias_ih_l0`, `bias_hh_l0`; \
         the reverse direction’s end in `_reverse`"
    }

    fn multiplications(&self, operands: &[Shape], _: Shape) -> Option<(u128, String)> {
        let [sequences, steps, features] = operands[0].extent();
        let (rows, directions) = (self.gates().saturating_mul(self.units), self.directions().len());
        let terms = features.saturating_add(self.units);
        let product = format!("{sequences}×{steps}×{directions}×{rows}×({features}+{})", self.units);
        Some((count(&[sequences, steps, directions, rows, terms]), product))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read, text};
    use super::*;
    use crate::ast::ValueKind;

    #[test]
    fn both_directions_lie_side_by_side() {
        let lstm = read("lstm", &[("units", int(5)), ("direction", text("both"))]).expect("an lstm");
        let x = Shape::map(2, 7, 3);
        assert_eq!(lstm.shape(&[x]), Ok(Shape::map(2, 7, 10)));
        let weights: Vec<_> = lstm
            .weights("rnn", &[x])
            .into_iter()
            .map(|weight| (weight.name, weight.shape))
            .collect();
        assert_eq!(weights.len(), 8);
        assert_eq!(weights[0], ("rnn.weight_ih_l0".to_owned(), vec![20, 3]));
        assert_eq!(weights[5], ("rnn.weight_hh_l0_reverse".to_owned(), vec![20, 5]));
        assert_eq!(lstm.cost(&[x]).product, "2×7×2×20×(3+5) = 4480");
        let cells = [
            ("units", int(5)),
            ("direction", text("both")),
            ("cells", ValueKind::Boolean(true)),
        ];
        let lstm = read("lstm", &cells).expect("an lstm");
        assert_eq!(lstm.shape(&[x]), Ok(Shape::map(2, 7, 20)));
    }

    #[test]
    fn first_states_must_fit() {
        let gru = read("gru", &[("units", int(5))]).expect("a gru");
        let (x, state) = (Shape::map(2, 7, 3), Shape::map(2, 1, 5));
        assert_eq!(gru.shape(&[x, state]), Ok(Shape::map(2, 7, 5)));
        assert_eq!(
            fault(&gru, &[x, Shape::map(2, 2, 5)]).message,
            "a first state of `gru` must be [2, 1, 5], but is [2, 2, 5]"
        );
        assert_eq!(
            fault(&gru, &[x, state, state]).message,
            "`gru` takes 1 or 2 operands, but has 3"
        );
    }
}
