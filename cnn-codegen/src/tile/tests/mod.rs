//! Tile kernels against plain loops in f64.

mod convolution;
mod grid;
mod listing;
mod portable;
mod reference;
mod specification;

use cnn_runtime::kernels::Isa;
use cnn_types::InstructionSet;

use super::{Init, TileSpec};
use reference::Random;

/// The instruction sets that there is machine code for.
pub(super) const MACHINE_CODE: [InstructionSet; 2] = [InstructionSet::Avx512, InstructionSet::Avx2];
/// Floats around the output that must not be touched.
const GUARD: usize = 64;

/// The buffers of one call; offsets are the floats before the pointers handed to the kernel.
pub(super) struct Buffers {
    pub(super) input: Vec<f32>,
    pub(super) input_offset: usize,
    pub(super) weights: Vec<f32>,
    pub(super) output: Vec<f32>,
    pub(super) output_offset: usize,
    pub(super) residual: Vec<f32>,
    pub(super) residual_offset: usize,
}

/// Something that runs a specification on buffers.
pub(super) trait Runner {
    fn run(&mut self, spec: &TileSpec, buffers: &mut Buffers);
}

/// Kernels assembled by this crate.
pub(super) struct MachineCode;

impl MachineCode {
    /// The instruction sets that there is machine code for and that this machine has; what is left out, and what is
    /// not, is said aloud.
    #[expect(clippy::print_stderr, reason = "a test that tests nothing must say so")]
    pub(super) fn sets() -> Vec<InstructionSet> {
        let (here, absent): (Vec<_>, Vec<_>) = MACHINE_CODE.into_iter().partition(|&set| Isa::new(set).is_some());
        for set in absent {
            eprintln!("skipped: this machine lacks {}", set.description());
        }
        eprintln!("instruction sets tested: {here:?}");
        here
    }
}

#[cfg(all(feature = "jit", target_arch = "x86_64"))]
impl Runner for MachineCode {
    fn run(&mut self, spec: &TileSpec, b: &mut Buffers) {
        let code = super::Executable::new(spec).unwrap();
        // SAFETY: the buffers were sized by the ranges the specification says it touches.
        unsafe {
            code.kernel()(
                b.input.as_ptr().add(b.input_offset),
                b.weights.as_ptr(),
                b.output.as_mut_ptr().add(b.output_offset),
                b.residual.as_ptr().add(b.residual_offset),
                // Bringing nearer what is not there does nothing.
                std::ptr::null(),
            );
        }
    }
}

/// Runs a specification on random data and compares with its definition: right values, nothing read that the
/// definition does not read (it is NaN), nothing written outside.
pub(super) fn check(spec: &TileSpec, seed: u64, runner: &mut impl Runner) {
    let mut random = Random(seed);
    let (mut buffers, touched) = reference::buffers(spec, &mut random);
    let before = buffers.output.clone();
    let expected = reference::evaluate(spec, &buffers);
    runner.run(spec, &mut buffers);
    for (i, (found, before)) in buffers.output.iter().zip(&before).enumerate() {
        match expected.get(&i) {
            None => assert_eq!(
                found.to_bits(),
                before.to_bits(),
                "float {i} written outside the tile: {spec:?}"
            ),
            Some(&(value, scale)) => {
                let error = (f64::from(*found) - value).abs();
                assert!(
                    error <= 4e-6 * (1.0 + scale),
                    "output {i}: {found} instead of {value}: {spec:?}"
                );
            }
        }
    }
    assert!(touched > 0 && expected.len() == spec.pixels.len() * spec.vectors * 8);
    assert!(spec.init == Init::Output || before.iter().all(|f| f.is_nan()));
}
