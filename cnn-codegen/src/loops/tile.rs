//! A tile kernel as loop code, for machines that the tile generator has no instructions for.
//!
//! A tile's sums do not fit sixteen registers of 128 bits, so it is cut into strips of one vector and a few pixels,
//! each with its own pass over the taps. Measured for 6 × 16 in the first-level cache of a Zen 3 core (128-bit peak 52
//! GFLOP/s): 40 with fused multiply–adds and 33 without, through Cranelift without its optimiser, which would move
//! loads away from their last use and so spill every accumulator (17).

use cnn_types::{Activation, Operation, Place, Step};

use super::code::{Address, AddressExpr, FloatOp, Function, Vector, VectorExpr, VectorVariable};
use super::writer::{VECTOR, Writer};
use crate::tile::nest::Nest;
use crate::tile::{Init, Loop, Pixel, Product, SpecError, TileSpec};

/// Pixels of a strip: twelve accumulators of 128 bits and their operands just fit sixteen registers. Six are a few
/// percent faster than twice three.
const STRIP: usize = 6;
/// k-steps of a loop body; longer regular tap lists become loops, because compile time grows with the code.
const BODY: usize = 8;

/// The tile as a function of its four pointers: input, weights, output, residual.
///
/// # Errors
/// [`SpecError`] if the specification is not valid.
pub fn portable_tile(spec: &TileSpec) -> Result<Function, SpecError> {
    spec.validate()?;
    if spec.product == Product::Fixed {
        return Err(SpecError::FixedPortable);
    }
    let nest = Nest::rolled(spec, BODY);
    let mut e = Writer::new(());
    let pointers = [0, 1, 2, 3].map(|operand| e.address(AddressExpr::Operand(operand)));
    let strips = spec.pixels.len().div_ceil(STRIP);
    for pixels in spec.pixels.chunks(spec.pixels.len().div_ceil(strips)) {
        for vector in 0..spec.vectors {
            let strip = Strip {
                spec,
                nest: &nest,
                pixels,
                vector,
                pointers,
            };
            strip.write(&mut e);
        }
    }
    Ok(e.finish(pointers.len()))
}

struct Strip<'a> {
    spec: &'a TileSpec,
    nest: &'a Nest,
    pixels: &'a [Pixel],
    vector: usize,
    /// Input, weights, output, residual.
    pointers: [Address; 4],
}

impl Strip<'_> {
    fn write(&self, e: &mut Writer<()>) {
        let sums: Vec<VectorVariable> = self
            .pixels
            .iter()
            .map(|_| {
                let start = match self.spec.init {
                    Init::Bias => e.load(self.pointers[1], self.lane_bytes()),
                    Init::Zero | Init::Output => e.splat(0.0),
                };
                e.variable(start)
            })
            .collect();
        let [input, weights, ..] = self.pointers;
        // A stream begins with the bias, as wide as a step.
        let first = match self.spec.init {
            Init::Bias => self.step_bytes(),
            Init::Zero | Init::Output => 0,
        };
        let weights = e.offset(weights, first + self.lane_bytes());
        self.loops(e, &self.nest.loops, input, weights, &sums);
        for (&pixel, &sum) in self.pixels.iter().zip(&sums) {
            let sum = e.read(sum);
            self.finish(e, pixel, sum);
        }
    }

    /// Bytes from the start of a step's weights to this strip's.
    fn lane_bytes(&self) -> i64 {
        self.vector as i64 * VECTOR
    }

    fn step_bytes(&self) -> i64 {
        self.spec.vectors as i64 * VECTOR
    }

    /// The loops from the outermost that is left, and the k-steps inside.
    fn loops(&self, e: &mut Writer<()>, loops: &[Loop], input: Address, weights: Address, sums: &[VectorVariable]) {
        let Some((outer, inner)) = loops.split_first() else {
            return self.steps(e, input, weights, sums);
        };
        // Weights are read strictly in sequence: each turn of a loop goes on where all inner loops ended.
        let steps = inner.iter().map(|l| i64::from(l.count)).product::<i64>() * self.nest.taps.len() as i64;
        e.times(0, outer.count as usize, |e, i| {
            let input = e.index(input, i, outer.input_step);
            let weights = e.index(weights, i, steps * self.step_bytes());
            self.loops(e, inner, input, weights, sums);
        });
    }

    fn steps(&self, e: &mut Writer<()>, input: Address, weights: Address, sums: &[VectorVariable]) {
        for (step, &tap) in self.nest.taps.iter().enumerate() {
            let factor = e.load(weights, self.step_bytes() * step as i64);
            for (pixel, &sum) in self.pixels.iter().zip(sums) {
                let at = i64::from(pixel.input) + i64::from(tap);
                let operand = match self.spec.product {
                    Product::Lanewise => e.load(input, at),
                    Product::Broadcast | Product::Fixed => {
                        let scalar = e.load_float(input, at);
                        e.splat_value(scalar)
                    }
                };
                let before = e.read(sum);
                let after = e.vector(VectorExpr::MultiplyAdd(factor, operand, before));
                e.set(sum, after);
            }
        }
    }

    /// Adds what the output held and the residual, activates, stores.
    fn finish(&self, e: &mut Writer<()>, pixel: Pixel, sum: Vector) {
        let [_, _, output, residual] = self.pointers;
        let mut value = sum;
        let to = i64::from(pixel.output) + i64::from(self.spec.output_vectors[self.vector]);
        if self.spec.init == Init::Output {
            let held = e.load(output, to);
            value = e.add(value, held);
        }
        if self.spec.residual {
            let from = i64::from(pixel.residual) + i64::from(self.spec.residual_vectors[self.vector]);
            let other = e.load(residual, from);
            value = e.add(value, other);
        }
        if let Some(steps) = self.spec.activation.and_then(Activation::steps) {
            let mut temporary = value;
            for &step in steps.as_slice() {
                match step {
                    Step::Constant { op, to, constant, from } => {
                        let constant = e.splat(constant);
                        let from = if from == Place::Value { value } else { temporary };
                        let result = e.combine(operation(op), constant, from);
                        match to {
                            Place::Value => value = result,
                            Place::Temporary => temporary = result,
                        }
                    }
                    Step::Combine(op) => value = e.combine(operation(op), temporary, value),
                }
            }
        }
        e.store(value, output, to);
    }
}

fn operation(op: Operation) -> FloatOp {
    match op {
        Operation::Add => FloatOp::Add,
        Operation::Multiply => FloatOp::Multiply,
        Operation::Max => FloatOp::Max,
        Operation::Min => FloatOp::Min,
    }
}
