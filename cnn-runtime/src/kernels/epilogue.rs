//! What is done to sums before they are stored: an activation's steps, on vectors.

use cnn_types::{Operation, Place, Step};

use super::lanes::Lanes;

/// Follows the steps for several vectors at once, so that choosing a step's operation costs little.
#[inline(always)]
pub(super) fn activate<L: Lanes, const N: usize>(steps: &[Step], mut values: [L; N]) -> [L; N] {
    let mut temporaries = values;
    for &step in steps {
        match step {
            Step::Constant { op, to, constant, from } => {
                let operands = match from {
                    Place::Value => values,
                    Place::Temporary => temporaries,
                };
                let results = combine(op, operands.map(|operand| operand.splat(constant)), operands);
                match to {
                    Place::Value => values = results,
                    Place::Temporary => temporaries = results,
                }
            }
            Step::Combine(op) => values = combine(op, temporaries, values),
        }
    }
    values
}

/// `a ∘ b`, vector by vector.
#[inline(always)]
fn combine<L: Lanes, const N: usize>(op: Operation, a: [L; N], mut b: [L; N]) -> [L; N] {
    for (b, a) in b.iter_mut().zip(a) {
        *b = match op {
            Operation::Add => a.add(*b),
            Operation::Multiply => a.mul(*b),
            Operation::Max => b.at_least(a),
            Operation::Min => b.at_most(a),
        };
    }
    b
}
