//! Tiles of 16-bit weights: the sums of a block as if its scales were 1, then once times the scales.

use super::inst::{Counter, Inst, Operand, Pointer};
use super::lower::{Lowering, at, register};
use super::spec::Init;

impl Lowering<'_> {
    /// The two loops of [`super::Product::Fixed`], after which the accumulators hold all sums. `validate` bounded the
    /// extents.
    pub(super) fn blocks(&mut self) {
        let spec = self.spec;
        let [blocks, steps] = [0, 1].map(|depth| spec.loops[depth]);
        let vectors = self.vectors as i32;
        let vector_bytes = self.width.bytes();
        let fixed_bytes = vector_bytes / 2;
        let taps = spec.taps.len() as i32;
        let [scale_bytes, step_bytes] = [vector_bytes, fixed_bytes].map(|bytes| bytes * vectors);
        let block_bytes = step_bytes * taps * steps.count as i32;
        // After the accumulators: the block's sums, the input, and weights in turn.
        let count = self.vectors;
        let sum = |vector: usize| register(count + vector);
        let input = register(2 * count);
        let (outer, inner) = (Counter(1), Counter(0));

        let bias_bytes = if spec.init == Init::Bias { scale_bytes } else { 0 };
        self.advance(Pointer::Weights, i64::from(bias_bytes + scale_bytes));
        self.begin(outer, blocks.count, false);
        for vector in 0..self.vectors {
            self.insts.push(Inst::Zero { dst: sum(vector) });
        }
        self.begin(inner, steps.count, true);
        for (step, &tap) in (0..).zip(&spec.taps) {
            let src = at(Pointer::Input, spec.pixels[0].input + tap);
            self.insts.push(Inst::Broadcast { dst: input, src });
            for vector in 0..self.vectors {
                let weight = register((2 * self.vectors + 1 + vector % 2).min(self.width.registers() - 1));
                let src = at(Pointer::Weights, step_bytes * step + fixed_bytes * vector as i32);
                self.insts.push(Inst::LoadFixed { dst: weight, src });
                self.insts.push(Inst::MultiplyAdd {
                    acc: sum(vector),
                    a: input,
                    b: Operand::Vector(weight),
                });
            }
        }
        self.advance(Pointer::Weights, i64::from(step_bytes * taps));
        self.advance(Pointer::Input, steps.input_step);
        self.end(inner, steps.count);
        for vector in 0..self.vectors {
            let scale = at(
                Pointer::Weights,
                vector_bytes * vector as i32 - block_bytes - scale_bytes,
            );
            self.insts.push(Inst::MultiplyAdd {
                acc: self.accumulator(0, 0, vector),
                a: sum(vector),
                b: Operand::Memory(scale),
            });
        }
        self.advance(Pointer::Weights, i64::from(scale_bytes));
        self.advance(
            Pointer::Input,
            blocks.input_step - steps.input_step * i64::from(steps.count),
        );
        self.end(outer, blocks.count);
    }

    fn begin(&mut self, counter: Counter, count: u32, aligned: bool) {
        self.insts.push(Inst::Count { counter, count });
        self.insts.push(Inst::Head { counter, aligned });
    }

    fn end(&mut self, counter: Counter, count: u32) {
        if count > 1 {
            self.insts.push(Inst::Repeat { counter });
        }
    }
}
