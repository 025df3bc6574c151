//! The portable lowering: a tile as Cranelift IR, for machines without AVX2 and FMA.
//!
//! Cranelift's vectors have 128 bits, so a tile of 6 × 16 floats would take 24 accumulators. It is cut into strips of
//! one filter vector (two quads) by a few pixels, each with its own pass over the k-steps: the weights' distance from
//! step to step stays the whole tile's.
//!
//! Compile the function with `opt_level=none`: the optimiser moves multiply–adds down to their last use, which spills
//! every accumulator. Measured for 6 × 16 in the first-level cache of a Zen 3 core (128-bit peak 52 GFLOP/s): 40 with
//! fused multiply–adds and 33 without; optimised 17. Compiling takes 2–4 ms a kernel.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F32, F32X4, I32};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::{FunctionBuilder, Variable};

use super::activation::{Place, Step, recipe};
use super::inst::Arithmetic;
use super::nest::Nest;
use super::spec::{Init, Pixel, Product, SpecError, TileSpec, VECTOR_BYTES};

/// Pixels of a strip: with two quads each, twelve accumulators and their operands just fit sixteen registers. Six are
/// a few percent faster than twice three.
const STRIP: usize = 6;
/// k-steps of a loop body; longer regular tap lists become loops, because compile time grows with the code.
const BODY: usize = 8;
/// Bytes of a Cranelift vector.
const QUAD: i32 = 16;

/// Builds the tile as the whole body of a function of four pointers (input, weights, output, residual) without
/// results. The caller has set the signature, of any calling convention, and finalizes the builder.
///
/// `use_fma`: fused multiply–adds where the target has them; never set it elsewhere, they would become library calls.
///
/// # Errors
/// [`SpecError`] if the specification is not valid; the builder is untouched then.
pub fn build_clif(spec: &TileSpec, builder: &mut FunctionBuilder<'_>, use_fma: bool) -> Result<(), SpecError> {
    spec.validate()?;
    let nest = Nest::rolled(spec, BODY);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let pointers = [0, 1, 2, 3].map(|i| builder.block_params(entry)[i]);
    let strips = spec.pixels.len().div_ceil(STRIP);
    for pixels in spec.pixels.chunks(spec.pixels.len().div_ceil(strips)) {
        for vector in 0..spec.vectors {
            Strip {
                spec,
                nest: &nest,
                use_fma,
                pixels,
                vector,
                pointers,
                builder,
            }
            .build();
        }
    }
    builder.ins().return_(&[]);
    Ok(())
}

struct Strip<'a, 'b, 'f> {
    spec: &'a TileSpec,
    nest: &'a Nest,
    use_fma: bool,
    pixels: &'a [Pixel],
    vector: usize,
    /// Input, weights, output, residual.
    pointers: [Value; 4],
    builder: &'b mut FunctionBuilder<'f>,
}

impl Strip<'_, '_, '_> {
    fn build(&mut self) {
        let sums = self.init();
        self.steps(&sums);
        for (pixel, &p) in self.pixels.iter().enumerate() {
            for quad in 0..2 {
                self.finish(p, quad, sums[2 * pixel + quad as usize]);
            }
        }
    }

    /// Bytes from the start of a step's weights to this strip's.
    fn lane_bytes(&self) -> i32 {
        self.vector as i32 * VECTOR_BYTES
    }

    fn step_bytes(&self) -> i32 {
        self.spec.vectors as i32 * VECTOR_BYTES
    }

    fn load(&mut self, pointer: Value, offset: i32) -> Value {
        self.builder.ins().load(F32X4, memory(), pointer, offset)
    }

    fn splat(&mut self, constant: f32) -> Value {
        let scalar = self.builder.ins().f32const(constant);
        self.builder.ins().splat(F32X4, scalar)
    }

    /// A variable for each quad of each pixel, holding the bias or zero.
    fn init(&mut self) -> Vec<Variable> {
        let start = [0, 1].map(|quad| match self.spec.init {
            Init::Bias => self.load(self.pointers[1], self.lane_bytes() + QUAD * quad),
            Init::Zero | Init::Output => self.splat(0.0),
        });
        let sums: Vec<Variable> = (0..2 * self.pixels.len())
            .map(|_| self.builder.declare_var(F32X4))
            .collect();
        for (i, &sum) in sums.iter().enumerate() {
            self.builder.def_var(sum, start[i % 2]);
        }
        sums
    }

    /// All loops and k-steps.
    fn steps(&mut self, sums: &[Variable]) {
        let [input, weights] = [0, 1].map(|i| {
            let variable = self
                .builder
                .declare_var(self.builder.func.dfg.value_type(self.pointers[i]));
            self.builder.def_var(variable, self.pointers[i]);
            variable
        });
        let mut heads: Vec<(Block, Variable)> = Vec::new();
        for l in &self.nest.loops {
            let counter = self.builder.declare_var(I32);
            let count = self.builder.ins().iconst(I32, i64::from(l.count));
            self.builder.def_var(counter, count);
            let head = self.builder.create_block();
            self.builder.ins().jump(head, &[]);
            self.builder.switch_to_block(head);
            heads.push((head, counter));
        }
        let (x, w) = (self.builder.use_var(input), self.builder.use_var(weights));
        let first = if self.spec.init == Init::Bias {
            self.step_bytes()
        } else {
            0
        };
        for (step, &tap) in self.nest.taps.iter().enumerate() {
            let weight = first + self.step_bytes() * step as i32 + self.lane_bytes();
            let factors = [0, 1].map(|quad| self.load(w, weight + QUAD * quad));
            for (pixel, p) in self.pixels.iter().enumerate() {
                let operands = self.operands(x, p.input + tap);
                for quad in 0..2 {
                    let sum = self.builder.use_var(sums[2 * pixel + quad]);
                    let sum = self.multiply_add(factors[quad], operands[quad], sum);
                    self.builder.def_var(sums[2 * pixel + quad], sum);
                }
            }
        }
        let body_bytes = i64::from(self.step_bytes()) * self.nest.taps.len() as i64;
        if !heads.is_empty() {
            let moved = self.builder.ins().iadd_imm_s(w, body_bytes);
            self.builder.def_var(weights, moved);
        }
        for ((head, counter), bytes) in heads.into_iter().zip(self.nest.advances()).rev() {
            let at = self.builder.use_var(input);
            let moved = self.builder.ins().iadd_imm_s(at, bytes);
            self.builder.def_var(input, moved);
            let left = self.builder.use_var(counter);
            let left = self.builder.ins().iadd_imm_s(left, -1);
            self.builder.def_var(counter, left);
            let next = self.builder.create_block();
            self.builder.ins().brif(left, head, &[], next, &[]);
            self.builder.seal_block(head);
            self.builder.seal_block(next);
            self.builder.switch_to_block(next);
        }
    }

    /// Both quads of a pixel's input.
    fn operands(&mut self, input: Value, offset: i32) -> [Value; 2] {
        match self.spec.product {
            Product::Lanewise => [0, QUAD].map(|quad| self.load(input, offset + quad)),
            Product::Broadcast => {
                let scalar = self.builder.ins().load(F32, memory(), input, offset);
                [self.builder.ins().splat(F32X4, scalar); 2]
            }
        }
    }

    /// `sum + weight · input`. Cranelift overwrites the first factor, so that is the one used less often.
    fn multiply_add(&mut self, weight: Value, input: Value, sum: Value) -> Value {
        if self.use_fma {
            return self.builder.ins().fma(weight, input, sum);
        }
        let product = self.builder.ins().fmul(weight, input);
        self.builder.ins().fadd(sum, product)
    }

    /// Adds what the output held and the residual, activates, stores.
    fn finish(&mut self, pixel: Pixel, quad: i32, sum: Variable) {
        let [_, _, output, residual] = self.pointers;
        let mut value = self.builder.use_var(sum);
        let to = pixel.output + self.spec.output_vectors[self.vector] + QUAD * quad;
        if self.spec.init == Init::Output {
            let held = self.load(output, to);
            value = self.builder.ins().fadd(value, held);
        }
        if self.spec.residual {
            let from = pixel.residual + self.spec.residual_vectors[self.vector] + QUAD * quad;
            let other = self.load(residual, from);
            value = self.builder.ins().fadd(value, other);
        }
        if let Some(activation) = self.spec.activation {
            let (constants, steps) = recipe(activation);
            let mut temporary = value;
            for step in steps {
                match step {
                    Step::Constant { op, to, constant, from } => {
                        let constant = self.splat(constants[constant]);
                        let from = if from == Place::Value { value } else { temporary };
                        let result = self.arithmetic(op, constant, from);
                        match to {
                            Place::Value => value = result,
                            Place::Temporary => temporary = result,
                        }
                    }
                    Step::Combine(op) => value = self.arithmetic(op, temporary, value),
                }
            }
        }
        self.builder.ins().store(memory(), value, output, to);
    }

    /// Maximum and minimum by comparison, keeping a NaN in `b`: Cranelift's own order signed zeros and NaNs, in many
    /// instructions; in just this form it is one on x86-64.
    fn arithmetic(&mut self, op: Arithmetic, a: Value, b: Value) -> Value {
        let (less, greater) = match op {
            Arithmetic::Add => return self.builder.ins().fadd(a, b),
            Arithmetic::Multiply => return self.builder.ins().fmul(a, b),
            Arithmetic::Max => (b, a),
            Arithmetic::Min => (a, b),
        };
        let mask = self.builder.ins().fcmp(FloatCC::LessThan, less, greater);
        let mask = self.builder.ins().bitcast(F32X4, MemFlagsData::new(), mask);
        self.builder.ins().bitselect(mask, a, b)
    }
}

/// Accesses are in bounds and may be unaligned.
fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}
