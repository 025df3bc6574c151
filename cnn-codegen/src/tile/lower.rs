//! From a specification to the instruction list: loops, register allocation, epilogue.

use std::ops::Range;

use cnn_types::Operation;

use super::epilogue::Epilogue;
use super::inst::{Code, Counter, Inst, Memory, Operand, Pointer, Vector, Width};
use super::nest::Nest;
use super::spec::{Init, Product, SpecError, TileSpec};

/// Bytes of a cache line.
const LINE: i32 = 64;

/// Choices that change the kernel's speed, not its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// An innermost loop of a broadcast tile is unrolled while its body has at most this many k-steps. Long code loses
    /// more (2 % at 72 steps, 20 % at 144) than the loop costs.
    pub unroll: usize,
    /// The same for a lanewise tile, whose steps are shorter: a 5×5 window is unrolled whole.
    pub unroll_lanewise: usize,
    /// Pad the innermost loop's head to a fetch boundary (no difference on Zen 3).
    pub align_heads: bool,
    /// Move pointers so that most displacements fit one byte: 1–7 % in the first-level cache.
    pub rebase: bool,
    /// Small tiles keep several partial sums an output until this many chains hide the latency of an addition.
    pub chains: usize,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            unroll: 12,
            unroll_lanewise: 32,
            align_heads: true,
            rebase: true,
            chains: 10,
        }
    }
}

/// Lowers a specification with the default schedule.
///
/// # Errors
/// [`SpecError`] if the specification is not valid.
pub fn lower(spec: &TileSpec) -> Result<Code, SpecError> {
    lower_with(spec, &Schedule::default())
}

/// Lowers a specification with a given schedule.
///
/// # Errors
/// [`SpecError`] if the specification is not valid.
pub fn lower_with(spec: &TileSpec, schedule: &Schedule) -> Result<Code, SpecError> {
    spec.validate()?;
    let width = spec.width();
    let mut lowering = Lowering {
        spec,
        width,
        vectors: spec.wide_vectors(),
        sets: 1,
        insts: Vec::new(),
    };
    let unrolled = |most: usize| Nest::unrolled(spec, most);
    match spec.product {
        Product::Broadcast => lowering.nested(&unrolled(schedule.unroll), schedule),
        Product::Lanewise => lowering.nested(&unrolled(schedule.unroll_lanewise), schedule),
        Product::Fixed => {
            lowering.init();
            lowering.blocks();
        }
    }
    lowering.epilogue();
    let insts = lowering.insts;
    Ok(Code { width, insts })
}

/// Partial sums an output: a fused multiply–add takes four cycles and two start each cycle, so fewer than eight
/// chains leave the units idle.
fn sets(spec: &TileSpec, chains: usize, taps: usize) -> usize {
    let accumulators = spec.pixels.len() * spec.wide_vectors();
    let operands = spec.registers() - accumulators;
    let room = (spec.width().registers() - operands) / accumulators;
    chains.div_ceil(accumulators).min(room).min(taps).max(1)
}

pub(super) struct Lowering<'a> {
    pub(super) spec: &'a TileSpec,
    pub(super) width: Width,
    /// Vectors of each pixel, of as many floats as a register has.
    pub(super) vectors: usize,
    sets: usize,
    pub(super) insts: Vec<Inst>,
}

impl Lowering<'_> {
    /// The sums of a nest of loops, in as many partial ones as pay.
    fn nested(&mut self, nest: &Nest, schedule: &Schedule) {
        self.sets = sets(self.spec, schedule.chains, nest.taps.len());
        self.init();
        self.loops(nest, schedule);
    }

    /// Accumulators come first, set by set, pixel by pixel; operands take what is left.
    pub(super) fn accumulator(&self, set: usize, pixel: usize, vector: usize) -> Vector {
        let per_set = self.spec.pixels.len() * self.vectors;
        register(set * per_set + pixel * self.vectors + vector)
    }

    fn accumulators(&self) -> usize {
        self.sets * self.spec.pixels.len() * self.vectors
    }

    fn init(&mut self) {
        for set in 0..self.sets {
            for pixel in 0..self.spec.pixels.len() {
                for vector in 0..self.vectors {
                    let dst = self.accumulator(set, pixel, vector);
                    self.insts.push(match (self.spec.init, set) {
                        (Init::Bias, 0) => Inst::Load {
                            dst,
                            src: at(Pointer::Weights, self.width.bytes() * vector as i32),
                        },
                        _ => Inst::Zero { dst },
                    });
                }
            }
        }
    }

    fn loops(&mut self, nest: &Nest, schedule: &Schedule) {
        let spec = self.spec;
        let step_bytes = self.width.bytes() * self.vectors as i32;
        let first_weight = if spec.init == Init::Bias { step_bytes } else { 0 };
        let (mut input_base, mut weight_base) = (0, 0);
        if schedule.rebase && !nest.loops.is_empty() {
            let displacements = spec
                .pixels
                .iter()
                .flat_map(|p| nest.taps.iter().map(move |&tap| p.input + tap));
            input_base = rebase(displacements.collect());
            let last = first_weight + step_bytes * (nest.taps.len() as i32 - 1);
            weight_base = last.min(first_weight + 128);
            self.advance(Pointer::Input, i64::from(input_base));
            self.advance(Pointer::Weights, i64::from(weight_base));
        }
        for (depth, l) in nest.loops.iter().enumerate() {
            let counter = counter(nest, depth);
            self.insts.push(Inst::Count {
                counter,
                count: l.count,
            });
            let aligned = schedule.align_heads && depth + 1 == nest.loops.len();
            self.insts.push(Inst::Head { counter, aligned });
        }
        let ahead = Ahead::new(spec, nest);
        for (step, &tap) in nest.taps.iter().enumerate() {
            let weights = first_weight - weight_base + step_bytes * step as i32;
            self.step(step, tap - input_base, weights);
            let lines = ahead.lines(step).map(|line| at(Pointer::Ahead, LINE * line));
            self.insts.extend(lines.map(|src| Inst::Prefetch { src }));
        }
        if !nest.loops.is_empty() {
            self.advance(Pointer::Weights, i64::from(step_bytes) * nest.taps.len() as i64);
            self.advance(Pointer::Ahead, ahead.bytes);
        }
        for (depth, bytes) in nest.advances().into_iter().enumerate().rev() {
            self.advance(Pointer::Input, bytes);
            self.insts.push(Inst::Repeat {
                counter: counter(nest, depth),
            });
        }
    }

    pub(super) fn advance(&mut self, pointer: Pointer, bytes: i64) {
        if bytes != 0 {
            // `validate` bounded the whole extent.
            self.insts.push(Inst::Advance {
                pointer,
                bytes: bytes as i32,
            });
        }
    }

    /// One k-step: every pixel's input times the step's weights.
    fn step(&mut self, step: usize, tap: i32, weights: i32) {
        let spec = self.spec;
        let set = step % self.sets;
        let operand = self.accumulators();
        match spec.product {
            Product::Lanewise => {
                let weight = register(operand);
                self.insts.push(Inst::Load {
                    dst: weight,
                    src: at(Pointer::Weights, weights),
                });
                for (pixel, p) in spec.pixels.iter().enumerate() {
                    let b = Operand::Memory(at(Pointer::Input, p.input + tap));
                    self.insts.push(Inst::MultiplyAdd {
                        acc: self.accumulator(set, pixel, 0),
                        a: weight,
                        b,
                    });
                }
            }
            Product::Broadcast if spec.pixels.len() == 1 => {
                // Each weight is used once: it needs no register of its own.
                let input = register(operand);
                self.insts.push(Inst::Broadcast {
                    dst: input,
                    src: at(Pointer::Input, spec.pixels[0].input + tap),
                });
                for vector in 0..self.vectors {
                    let b = Operand::Memory(at(Pointer::Weights, weights + self.width.bytes() * vector as i32));
                    self.insts.push(Inst::MultiplyAdd {
                        acc: self.accumulator(set, 0, vector),
                        a: input,
                        b,
                    });
                }
            }
            // Never a fixed tile, which `blocks` lowers.
            Product::Broadcast | Product::Fixed => {
                for vector in 0..self.vectors {
                    let src = at(Pointer::Weights, weights + self.width.bytes() * vector as i32);
                    self.insts.push(Inst::Load {
                        dst: register(operand + vector),
                        src,
                    });
                }
                let first = operand + self.vectors;
                // Every other step walks backwards: 96 → 99.8 % of peak for 6 × 16 on Zen 3, see the module's essay.
                let backwards = !(step / self.sets).is_multiple_of(2);
                for i in 0..spec.pixels.len() {
                    let pixel = if backwards { spec.pixels.len() - 1 - i } else { i };
                    let input = register(first + pixel % (self.width.registers() - first));
                    let src = at(Pointer::Input, spec.pixels[pixel].input + tap);
                    self.insts.push(Inst::Broadcast { dst: input, src });
                    for i in 0..self.vectors {
                        let vector = if backwards && self.vectors > 2 {
                            self.vectors - 1 - i
                        } else {
                            i
                        };
                        let b = Operand::Vector(register(operand + vector));
                        self.insts.push(Inst::MultiplyAdd {
                            acc: self.accumulator(set, pixel, vector),
                            a: input,
                            b,
                        });
                    }
                }
            }
        }
    }

    /// Adds up partial sums, what the output held, the residual; activates; stores.
    fn epilogue(&mut self) {
        let spec = self.spec;
        let per_set = spec.pixels.len() * self.vectors;
        for set in 1..self.sets {
            for i in 0..per_set {
                let (dst, b) = (register(i), Operand::Vector(register(set * per_set + i)));
                self.insts.push(Inst::Arithmetic {
                    op: Operation::Add,
                    dst,
                    a: dst,
                    b,
                });
            }
        }
        // The last register is where a vector is gathered from two places.
        let temporary = register(self.width.registers() - 1);
        let end = self.width.registers() + 1 - self.width.blocks();
        let activation = spec
            .activation
            .and_then(|activation| activation.steps())
            .map(|steps| Epilogue::prepare(steps, per_set, end, &mut self.insts));
        for (pixel, p) in spec.pixels.iter().enumerate() {
            for vector in 0..self.vectors {
                let acc = self.accumulator(0, pixel, vector);
                let output = self.places(Pointer::Output, p.output, &spec.output_vectors, vector);
                if spec.init == Init::Output {
                    self.add(acc, output, temporary);
                }
                if spec.residual {
                    let residual = self.places(Pointer::Residual, p.residual, &spec.residual_vectors, vector);
                    self.add(acc, residual, temporary);
                }
                if let Some(activation) = &activation {
                    activation.apply(acc, &mut self.insts);
                }
                self.store(output, acc);
            }
        }
        self.insts.push(Inst::Return);
    }

    /// Where one vector of a pixel's outputs is.
    fn places(&self, pointer: Pointer, pixel: i32, blocks: &[i32], vector: usize) -> Places {
        let place = |block: usize| at(pointer, pixel + blocks[block]);
        match self.width.blocks() {
            1 => Places::One(place(vector)),
            // Blocks of channels are neighbours where each has a single pixel.
            _ if blocks[2 * vector + 1] == blocks[2 * vector] + 32 => Places::One(place(2 * vector)),
            _ => Places::Halves([place(2 * vector), place(2 * vector + 1)]),
        }
    }

    /// `acc += what is there`, gathered in `temporary` from two places.
    fn add(&mut self, acc: Vector, from: Places, temporary: Vector) {
        let b = match from {
            Places::One(src) => Operand::Memory(src),
            Places::Halves(halves) => {
                for (src, upper) in halves.into_iter().zip([false, true]) {
                    let dst = temporary;
                    self.insts.push(Inst::LoadHalf { dst, src, upper });
                }
                Operand::Vector(temporary)
            }
        };
        self.insts.push(Inst::Arithmetic {
            op: Operation::Add,
            dst: acc,
            a: acc,
            b,
        });
    }

    fn store(&mut self, to: Places, src: Vector) {
        match to {
            Places::One(dst) => self.insts.push(Inst::Store { dst, src }),
            Places::Halves(halves) => {
                for (dst, upper) in halves.into_iter().zip([false, true]) {
                    self.insts.push(Inst::StoreHalf { dst, src, upper });
                }
            }
        }
    }
}

/// Where one vector is in memory: the two halves of one of sixteen floats are in different blocks of channels.
#[derive(Clone, Copy)]
enum Places {
    One(Memory),
    Halves([Memory; 2]),
}

/// What one turn of the innermost body brings nearer.
struct Ahead {
    /// Bytes of a turn: a turn may begin within the line that the one before ended in.
    bytes: i64,
    /// k-steps of a turn.
    steps: usize,
}

impl Ahead {
    fn new(spec: &TileSpec, nest: &Nest) -> Ahead {
        // `validate` bounded the steps.
        let turns: u64 = nest.loops.iter().map(|l| u64::from(l.count)).product();
        Ahead {
            bytes: u64::from(spec.prefetch).div_ceil(turns) as i64,
            steps: nest.taps.len(),
        }
    }

    /// The lines that a step asks for, spread evenly over the turn.
    fn lines(&self, step: usize) -> Range<i32> {
        let lines = (self.bytes as usize).div_ceil(LINE as usize);
        let until = |step: usize| (lines * step / self.steps) as i32;
        until(step)..until(step + 1)
    }
}

pub(super) fn register(index: usize) -> Vector {
    debug_assert!(index < 32, "validate counted the registers");
    Vector(index as u8)
}

pub(super) fn at(base: Pointer, displacement: i32) -> Memory {
    Memory { base, displacement }
}

fn counter(nest: &Nest, depth: usize) -> Counter {
    Counter((nest.loops.len() - 1 - depth) as u8)
}

/// The pointer move after which most of the displacements fit one signed byte: shorter code, the same work.
fn rebase(mut displacements: Vec<i32>) -> i32 {
    displacements.sort_unstable();
    let within = |start: i32| {
        let from = displacements.partition_point(|&d| d < start);
        displacements.partition_point(|&d| d <= start.saturating_add(255)) - from
    };
    let mut best = (within(-128), -128);
    for &start in &displacements {
        best = best.max((within(start), if within(start) > best.0 { start } else { best.1 }));
    }
    best.1 + 128
}
