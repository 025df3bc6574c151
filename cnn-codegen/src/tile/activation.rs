//! The activation in a tile's epilogue: its steps, and its constants in the registers the main loop no longer needs.

use super::inst::{Arithmetic, Inst, Operand, Vector};
use super::spec::{TileActivation, VECTOR_REGISTERS};

/// One step of an activation on `value`; `constant` indexes the activation's constants.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// `to = constant ∘ from`, the constant first so that a NaN in `from` survives `Max` and `Min`.
    Constant {
        op: Arithmetic,
        to: Place,
        constant: usize,
        from: Place,
    },
    /// `value = temporary ∘ value`.
    Combine(Arithmetic),
}

/// Where a step's operand is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The accumulator.
    Value,
    /// A register beside it.
    Temporary,
}

/// An activation with its constants placed.
pub(crate) struct Activation {
    steps: Vec<Step>,
    constants: Vec<f32>,
    /// Registers of the constants that stay; the others are made anew in `spare` at each use.
    held: Vec<Vector>,
    spare: Vector,
    temporary: Vector,
}

impl Activation {
    /// Places the constants into the registers from `free` on (at least two, `TileSpec::validate` sees to it).
    pub(crate) fn prepare(activation: TileActivation, free: usize, insts: &mut Vec<Inst>) -> Self {
        let (constants, steps) = recipe(activation);
        let temporary = Vector(free as u8);
        let first = free + usize::from(steps.iter().any(|s| matches!(s, Step::Combine(_))));
        let spare = Vector(VECTOR_REGISTERS as u8 - 1);
        let room = VECTOR_REGISTERS - first;
        let kept = if constants.len() <= room {
            constants.len()
        } else {
            room - 1
        };
        let held: Vec<Vector> = (first..first + kept).map(|r| Vector(r as u8)).collect();
        for (&dst, &constant) in held.iter().zip(&constants) {
            insts.push(splat(dst, constant));
        }
        Self {
            steps,
            constants,
            held,
            spare,
            temporary,
        }
    }

    /// Emits the activation of one accumulator.
    pub(crate) fn apply(&self, value: Vector, insts: &mut Vec<Inst>) {
        let place = |p| match p {
            Place::Value => value,
            Place::Temporary => self.temporary,
        };
        for &step in &self.steps {
            let (op, dst, a, b) = match step {
                Step::Constant { op, to, constant, from } => {
                    let a = self.held.get(constant).copied().unwrap_or(self.spare);
                    if constant >= self.held.len() {
                        insts.push(splat(a, self.constants[constant]));
                    }
                    (op, place(to), a, place(from))
                }
                Step::Combine(op) => (op, value, place(Place::Temporary), value),
            };
            insts.push(Inst::Arithmetic {
                op,
                dst,
                a,
                b: Operand::Vector(b),
            });
        }
    }
}

fn splat(dst: Vector, constant: f32) -> Inst {
    match constant.to_bits() {
        0 => Inst::Zero { dst },
        bits => Inst::Splat { dst, bits },
    }
}

/// The constants of an activation and its steps.
pub(crate) fn recipe(activation: TileActivation) -> (Vec<f32>, Vec<Step>) {
    use Arithmetic::{Add, Max, Min, Multiply};
    use Place::{Temporary, Value};
    let chain = |ops: &[Arithmetic], place: Place| -> Vec<Step> {
        ops.iter()
            .enumerate()
            .map(|(constant, &op)| {
                let from = if constant == 0 { Value } else { place };
                Step::Constant {
                    op,
                    to: place,
                    constant,
                    from,
                }
            })
            .collect()
    };
    match activation {
        TileActivation::Relu => (vec![0.0], chain(&[Max], Value)),
        TileActivation::Clip { min, max } => (
            vec![f32::from_bits(min), f32::from_bits(max)],
            chain(&[Max, Min], Value),
        ),
        TileActivation::LeakyRelu { alpha } => {
            let alpha = f32::from_bits(alpha);
            // The slope's line lies below the identity left of zero, or above it if steeper.
            let mut steps = chain(&[Multiply], Temporary);
            steps.push(Step::Combine(if alpha <= 1.0 { Max } else { Min }));
            (vec![alpha], steps)
        }
        TileActivation::HardSigmoid => (vec![3.0, 0.0, 6.0, 1.0 / 6.0], chain(&[Add, Max, Min, Multiply], Value)),
        TileActivation::HardSwish => {
            let mut steps = chain(&[Add, Max, Min, Multiply], Temporary);
            steps.push(Step::Combine(Multiply));
            (vec![3.0, 0.0, 6.0, 1.0 / 6.0], steps)
        }
    }
}
