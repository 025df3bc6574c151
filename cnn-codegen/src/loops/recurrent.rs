//! Recurrent layers: products by tile kernels, then the gates of one step after the other.

use cnn_ir::op::{Activation, Cell};

use super::code::{Address, Int, IntOp, TestExpr, Vector};
use super::step::Builder;
use super::writer::{FLOAT, VECTOR};
use crate::plan::layout::BLOCK;
use crate::plan::{RecurrentMemory, RecurrentTiles, RecurrentWork, View};
use crate::tile::TileSpec;

/// What one task works on.
struct Task<'a> {
    work: &'a RecurrentWork,
    tiles: &'a RecurrentTiles,
    memory: RecurrentMemory,
    scratch: Address,
    /// Which direction, and whether it is the reverse one.
    direction: usize,
    reverse: bool,
    /// Panels of the features' and of the state's matrix.
    weights: [Address; 2],
    /// The first sequence of the group, counted through all images.
    first: Int,
}

impl Task<'_> {
    fn at(&self, e: &mut Builder<'_>, floats: usize) -> Address {
        e.offset(self.scratch, floats as i64 * FLOAT)
    }

    fn gate(&self, e: &mut Builder<'_>, gate: usize) -> Address {
        self.at(e, self.memory.gates + gate * self.units())
    }

    /// Padded units of all sequences of the group.
    fn units(&self) -> usize {
        self.work.group * self.work.padded_units()
    }

    /// Floats of what a block of a sequence takes of its features.
    fn features(&self) -> i64 {
        (self.work.project.rows() * self.work.block) as i64
    }

    /// Bytes of so many gates' rows.
    fn gate_rows(&self, gates: usize) -> i64 {
        (gates * self.work.recurrent.units) as i64 * FLOAT
    }
}

impl Builder<'_> {
    /// The body of one task: a direction of a group of sequences. Operands: input, first states, output, constants.
    pub(super) fn recurrent(&mut self, work: &RecurrentWork, task: Int) {
        // The plan was verified: there is so much memory.
        let (Some(memory), Some(scratch)) = (work.memory(), self.scratch) else {
            return;
        };
        let directions = work.recurrent.directions();
        let (task, direction) = self.divide(task, directions.len());
        let first = self.scaled(task, work.group);
        let states = work.states.len();
        for (index, (&reverse, tiles)) in directions.iter().zip(&work.tiles).enumerate() {
            let body = |e: &mut Self| {
                let task = Task {
                    work,
                    tiles,
                    memory,
                    scratch,
                    direction: index,
                    reverse,
                    weights: [0, directions.len()].map(|kind| e.operands[2 + states + kind + index]),
                    first,
                };
                e.first_states(&task);
                e.sequences(&task);
            };
            if directions.len() == 1 {
                body(self);
            } else {
                let is_this = self.test(TestExpr::Equal(direction, index.into()));
                self.when(is_this, body);
            }
        }
    }

    /// Row 0 of an operand's sequence, by its number in the group, and the bytes from row to row.
    fn sequence(&mut self, task: &Task<'_>, operand: usize, view: View, number: Int) -> (Address, i64) {
        let number = self.arithmetic(IntOp::Add, task.first, number);
        let (image, sequence) = self.divide(number, view.shape.channels());
        let (base, strides) = self.image(operand, view, image);
        (self.index(base, sequence, strides.lane), strides.row)
    }

    fn first_states(&mut self, task: &Task<'_>) {
        let places = [task.memory.h, task.memory.c];
        for (state, place) in places.into_iter().enumerate() {
            let to = task.at(self, place);
            self.times(0, task.units() / BLOCK, |e, i| {
                let (zero, to) = (e.splat(0.0), e.index(to, i, VECTOR));
                e.store(zero, to, 0);
            });
            if let Some(&view) = task.work.states.get(state) {
                self.times(0, task.work.group, |e, number| {
                    let (from, row) = e.sequence(task, 1 + state, view, number);
                    let from = e.offset(from, task.direction as i64 * row);
                    let to = e.index(to, number, task.work.padded_units() as i64 * FLOAT);
                    e.copy_floats(from, to, task.work.recurrent.units);
                });
            }
        }
    }

    /// All steps, block by block.
    fn sequences(&mut self, task: &Task<'_>) {
        let [_, steps, _] = task.work.input.shape.extent();
        let block = task.work.block;
        let whole = steps / block;
        self.times(0, whole, |e, i| {
            let first = e.scaled(i, block);
            e.steps(task, &task.tiles.project, first, block);
        });
        if let Some(rest) = &task.tiles.rest {
            let first = self.int(whole * block);
            self.steps(task, rest, first, steps % block);
        }
    }

    /// A row of the sequence by the number of its step.
    fn row(&mut self, task: &Task<'_>, step: Int) -> Int {
        if !task.reverse {
            return step;
        }
        let last = self.int(task.work.input.shape.extent()[1] - 1);
        self.arithmetic(IntOp::Subtract, last, step)
    }

    /// Some steps, the first of which is given: their features at once, then each.
    fn steps(&mut self, task: &Task<'_>, project: &TileSpec, first: Int, count: usize) {
        // The tile's pixels are the steps' rows; backwards they have a negative pitch from the first step's on.
        let row = self.row(task, first);
        let features = task.at(self, task.memory.features);
        let inner = task.work.input.shape.extent()[2];
        let weights = &task.work.project;
        self.times(0, task.work.group, |e, number| {
            let (input, stride) = e.sequence(task, 0, task.work.input, number);
            let input = e.index(input, row, stride);
            let features = e.index(features, number, task.features() * FLOAT);
            e.panels(
                project,
                [input, task.weights[0], features],
                0,
                weights.panels,
                [weights.panel_floats(inner), weights.vectors],
            );
        });
        self.times(0, count, |e, i| {
            let step = e.arithmetic(IntOp::Add, first, i);
            let row = e.row(task, step);
            let features = e.index(features, i, weights.rows() as i64 * FLOAT);
            e.one_step(task, features);
            e.results(task, row);
        });
    }

    /// What a step gives goes into a row of each sequence's result.
    fn results(&mut self, task: &Task<'_>, row: Int) {
        let recurrent = &task.work.recurrent;
        let mut parts = vec![task.at(self, task.memory.h)];
        if recurrent.cells {
            parts.push(task.at(self, task.memory.c));
        }
        self.times(0, task.work.group, |e, number| {
            let (output, stride) = e.sequence(task, 1 + task.work.states.len(), task.work.output, number);
            let output = e.index(output, row, stride);
            for (index, &part) in parts.iter().enumerate() {
                let place = index * recurrent.directions().len() + task.direction;
                let from = e.index(part, number, task.work.padded_units() as i64 * FLOAT);
                let to = e.offset(output, (place * recurrent.units) as i64 * FLOAT);
                e.copy_floats(from, to, recurrent.units);
            }
        });
    }

    /// A tile for each panel from `first` on: input, weights, output.
    fn panels(
        &mut self,
        tile: &TileSpec,
        [input, weights, output]: [Address; 3],
        first: usize,
        end: usize,
        [floats, vectors]: [usize; 2],
    ) {
        let kernel = self.kernel(tile);
        self.range(first, end, |e, panel| {
            let weights = e.index(weights, panel, floats as i64 * FLOAT);
            let output = e.index(output, panel, vectors as i64 * VECTOR);
            e.tile(kernel, [input, weights, output, output, weights]);
        });
    }

    /// What the rows from `gate` on take of a state.
    fn of_state(&mut self, task: &Task<'_>, state: usize, gate: usize) {
        let (weights, units) = (&task.work.recur, task.work.recurrent.units);
        let (from, to) = (task.at(self, state), task.at(self, task.memory.state));
        // A panel may begin before the gate's first row: what it computes of the gate before is not looked at.
        let first = gate * units / (weights.vectors * BLOCK);
        self.panels(
            &task.tiles.recur,
            [from, task.weights[1], to],
            first,
            weights.panels,
            [weights.panel_floats(units), weights.vectors],
        );
    }

    /// The next states from what the step takes of the features.
    fn one_step(&mut self, task: &Task<'_>, features: Address) {
        let RecurrentMemory { state, h, c, other, .. } = task.memory;
        let units = task.units();
        self.of_state(task, h, 0);
        let [state, h_at, c, other_at] = [state, h, c, other].map(|place| task.at(self, place));
        let sums = |e: &mut Self, gate: usize| {
            let (to, rows) = (task.gate(e, gate), task.gate_rows(gate));
            e.combine_rows(task, [features, state], rows, [], to, |e, [a, b], []| e.add(a, b));
        };
        match task.work.recurrent.cell {
            Cell::Lstm => {
                (0..4).for_each(|gate| sums(self, gate));
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| task.gate(self, gate));
                self.activate(Activation::Sigmoid, i, 2 * units);
                self.activate(Activation::Tanh, g, units);
                self.activate(Activation::Sigmoid, o, units);
                self.combine_units(task, [f, c, i, g], [c, other_at], |e, [f, c, i, g]| {
                    let (kept, new) = (e.mul(f, c), e.mul(i, g));
                    e.add(kept, new)
                });
                self.activate(Activation::Tanh, other_at, units);
                self.combine_units(task, [o, other_at], [h_at], |e, [o, c]| e.mul(o, c));
            }
            Cell::Gru { reset_after } => {
                (0..2).for_each(|gate| sums(self, gate));
                let [r, z, n] = [0, 1, 2].map(|gate| task.gate(self, gate));
                self.activate(Activation::Sigmoid, r, 2 * units);
                let rows = task.gate_rows(2);
                if reset_after {
                    self.combine_rows(task, [features, state], rows, [r], n, |e, [features, state], [r]| {
                        let held = e.mul(r, state);
                        e.add(features, held)
                    });
                } else {
                    self.combine_units(task, [r, h_at], [other_at], |e, [r, h]| e.mul(r, h));
                    self.of_state(task, other, 2);
                    sums(self, 2);
                }
                self.activate(Activation::Tanh, n, units);
                // (1 − z)·n + z·h
                self.combine_units(task, [n, z, h_at], [h_at], |e, [n, z, h]| {
                    let apart = e.sub(h, n);
                    let part = e.mul(z, apart);
                    e.add(n, part)
                });
            }
        }
    }

    /// What becomes of each sequence's rows of its features and state, from so many bytes on, and of vectors of its units.
    fn combine_rows<const N: usize>(
        &mut self,
        task: &Task<'_>,
        [features, state]: [Address; 2],
        rows: i64,
        units: [Address; N],
        to: Address,
        compute: impl FnOnce(&mut Self, [Vector; 2], [Vector; N]) -> Vector,
    ) {
        let padded = task.work.padded_units();
        self.times(0, task.work.group, |e, number| {
            let features = e.index(features, number, task.features() * FLOAT);
            let state = e.index(state, number, task.work.recur.rows() as i64 * FLOAT);
            let units = units.map(|at| e.index(at, number, padded as i64 * FLOAT));
            let to = e.index(to, number, padded as i64 * FLOAT);
            e.times(0, padded / BLOCK, |e, i| {
                let rows = [features, state].map(|at| {
                    let at = e.index(at, i, VECTOR);
                    e.load(at, rows)
                });
                let units = units.map(|at| {
                    let at = e.index(at, i, VECTOR);
                    e.load(at, 0)
                });
                let (result, to) = (compute(e, rows, units), e.index(to, i, VECTOR));
                e.store(result, to, 0);
            });
        });
    }

    /// A vector of all sequences' units of each, and what becomes of them.
    fn combine_units<const N: usize, const M: usize>(
        &mut self,
        task: &Task<'_>,
        from: [Address; N],
        to: [Address; M],
        compute: impl FnOnce(&mut Self, [Vector; N]) -> Vector,
    ) {
        self.times(0, task.units() / BLOCK, |e, i| {
            let values = from.map(|at| {
                let at = e.index(at, i, VECTOR);
                e.load(at, 0)
            });
            let result = compute(e, values);
            for to in to {
                let to = e.index(to, i, VECTOR);
                e.store(result, to, 0);
            }
        });
    }

    /// So many floats and no more.
    fn copy_floats(&mut self, from: Address, to: Address, floats: usize) {
        self.times(0, floats / BLOCK, |e, i| {
            let (from, to) = (e.index(from, i, VECTOR), e.index(to, i, VECTOR));
            let vector = e.load(from, 0);
            e.store(vector, to, 0);
        });
        for float in floats / BLOCK * BLOCK..floats {
            let value = self.load_float(from, float as i64 * FLOAT);
            self.store_float(value, to, float as i64 * FLOAT);
        }
    }
}
