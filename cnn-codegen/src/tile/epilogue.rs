//! The activation in a tile's epilogue: its steps, and its constants in the registers the main loop no longer needs.

use cnn_types::{Place, Step, Steps};

use super::inst::{Inst, Operand, Vector};

/// An activation with its constants placed.
pub(crate) struct Epilogue {
    steps: Steps,
    /// Registers of the constants that stay; the others are made anew in `spare` at each use.
    held: Vec<Vector>,
    spare: Vector,
    temporary: Vector,
}

impl Epilogue {
    /// Places the constants into the registers from `free` to before `end` (at least two, `TileSpec::validate` sees to it).
    pub(crate) fn prepare(steps: Steps, free: usize, end: usize, insts: &mut Vec<Inst>) -> Self {
        let constants: Vec<f32> = steps
            .as_slice()
            .iter()
            .filter_map(|step| match step {
                Step::Constant { constant, .. } => Some(*constant),
                Step::Combine(_) => None,
            })
            .collect();
        let temporary = Vector(free as u8);
        let first = free + usize::from(steps.as_slice().len() > constants.len());
        let spare = Vector(end as u8 - 1);
        let room = end - first;
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
        let mut held = self.held.iter();
        for &step in self.steps.as_slice() {
            let (op, dst, a, b) = match step {
                Step::Constant { op, to, constant, from } => {
                    let a = held.next().copied().unwrap_or_else(|| {
                        insts.push(splat(self.spare, constant));
                        self.spare
                    });
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
