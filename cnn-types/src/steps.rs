//! Activations of straight pieces as a few operations without branches: what a kernel does to its sums before it
//! stores them. Machine code, loop code and the runtime all follow the same list, so they round alike.

use crate::Activation;

/// Arithmetic of an epilogue, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `a + b`
    Add,
    /// `a · b`
    Multiply,
    /// The greater; `b` where either is NaN, or both are zeros.
    Max,
    /// The lesser; `b` where either is NaN, or both are zeros.
    Min,
}

/// Where a step's operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The value itself, at last the result.
    Value,
    /// A second place beside it.
    Temporary,
}

/// One step of an activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// `to = constant ∘ from`: the constant first, so that a NaN in `from` survives `Max` and `Min`.
    Constant {
        /// ∘
        op: Operation,
        /// Where the result goes.
        to: Place,
        /// The constant.
        constant: f32,
        /// The other operand.
        from: Place,
    },
    /// `value = temporary ∘ value`
    Combine(Operation),
}

/// The most steps that an activation has.
const MOST: usize = 5;

/// The steps of an activation, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// The first `count` of them.
    steps: [Step; MOST],
    count: usize,
}

impl Steps {
    const NONE: Steps = Steps {
        steps: [Step::Combine(Operation::Max); MOST],
        count: 0,
    };

    /// All steps.
    pub fn as_slice(&self) -> &[Step] {
        &self.steps[..self.count]
    }

    fn then(mut self, step: Step) -> Self {
        self.steps[self.count] = step;
        self.count += 1;
        self
    }

    /// `constant ∘` one after the other, the first of the value, the results in `to`.
    fn chain(to: Place, links: &[(Operation, f32)]) -> Self {
        links.iter().fold(Self::NONE, |steps, &(op, constant)| {
            let from = if steps.count == 0 { Place::Value } else { to };
            steps.then(Step::Constant { op, to, constant, from })
        })
    }
}

impl Activation {
    /// It as a few steps, if it is made of straight pieces; otherwise it follows a kernel as a pass of its own.
    ///
    /// ```
    /// use cnn_types::{Activation, Operation, Place, Step};
    ///
    /// let steps = Activation::Relu.steps().expect("straight pieces");
    /// let zero_at_least = Step::Constant { op: Operation::Max, to: Place::Value, constant: 0.0, from: Place::Value };
    /// assert_eq!(steps.as_slice(), [zero_at_least]);
    /// ```
    pub fn steps(self) -> Option<Steps> {
        use Operation::{Add, Max, Min, Multiply};
        /// `clip(x + 3, 0, 6) / 6`
        const GATE: [(Operation, f32); 4] = [(Add, 3.0), (Max, 0.0), (Min, 6.0), (Multiply, 1.0 / 6.0)];
        Some(match self {
            Activation::Relu => Steps::chain(Place::Value, &[(Max, 0.0)]),
            Activation::Relu6 => Steps::chain(Place::Value, &[(Max, 0.0), (Min, 6.0)]),
            Activation::Clip { min, max } => Steps::chain(Place::Value, &[(Max, min), (Min, max)]),
            Activation::LeakyRelu { alpha } => {
                // The slope's line lies below the identity left of zero, or above it if steeper.
                let nearer = if alpha <= 1.0 { Max } else { Min };
                Steps::chain(Place::Temporary, &[(Multiply, alpha)]).then(Step::Combine(nearer))
            }
            Activation::HardSwish => Steps::chain(Place::Temporary, &GATE).then(Step::Combine(Multiply)),
            Activation::Affine { alpha, beta } => Steps::chain(Place::Value, &[(Multiply, alpha), (Add, beta)]),
            Activation::Abs => Steps::chain(Place::Temporary, &[(Multiply, -1.0)]).then(Step::Combine(Max)),
            Activation::HardSigmoid { .. } if self == Activation::HARD_SIGMOID => Steps::chain(Place::Value, &GATE),
            Activation::HardSigmoid { .. }
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::Silu
            | Activation::Gelu { .. }
            | Activation::Softplus
            | Activation::Elu { .. }
            | Activation::Selu
            | Activation::Mish
            | Activation::Celu { .. }
            | Activation::Softsign
            | Activation::ThresholdedRelu { .. }
            | Activation::Shrink { .. }
            | Activation::Exp
            | Activation::Log
            | Activation::Sqrt
            | Activation::Reciprocal
            | Activation::Pow { .. }
            | Activation::Sign
            | Activation::Erf
            | Activation::Floor
            | Activation::Ceil
            | Activation::Round => return None,
        })
    }

    /// What a kernel applies to its sums, and what follows it as a pass of its own: one of the two is `None`.
    pub fn split(activation: Option<Self>) -> (Option<Self>, Option<Self>) {
        match activation {
            Some(function) if function.steps().is_none() => (None, activation),
            _ => (activation, None),
        }
    }
}
