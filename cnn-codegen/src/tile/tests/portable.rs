//! Tiles as loop code, through the JIT, with and without fused multiply–adds.

use cnn_runtime::kernels::Isa;
use cnn_types::InstructionSet;

use super::{Buffers, Runner, check, convolution, grid};
use crate::jit::{JitError, PortableTile};
use crate::tile::{SpecError, TileError, TileSpec};

/// Compiles each specification in a module of its own.
struct Portable {
    use_fma: bool,
}

impl Runner for Portable {
    fn run(&mut self, spec: &TileSpec, b: &mut Buffers) {
        let tile = PortableTile::new(spec, self.use_fma).unwrap();
        // SAFETY: the buffers were sized by the ranges the specification says it touches.
        unsafe {
            tile.run(
                b.input.as_ptr().add(b.input_offset),
                b.weights.as_ptr(),
                b.output.as_mut_ptr().add(b.output_offset),
                b.residual.as_ptr().add(b.residual_offset),
            );
        }
    }
}

/// Both forms where the machine has the instruction, else the plain one.
fn runners() -> Vec<Portable> {
    let fma = cfg!(target_arch = "aarch64") || Isa::new(InstructionSet::Avx2).is_some();
    [false, true]
        .into_iter()
        .filter(|&use_fma| fma || !use_fma)
        .map(|use_fma| Portable { use_fma })
        .collect()
}

#[test]
fn agrees_on_the_grid() {
    for mut runner in runners() {
        // Coprime to the grid's periods, so that every shape, reduction, start and activation occurs.
        for (seed, spec) in grid::specs(InstructionSet::Portable).iter().enumerate().step_by(7) {
            check(spec, seed as u64, &mut runner);
        }
    }
}

#[test]
fn refuses_16_bit_weights() {
    let fixed = grid::machine_specs(InstructionSet::Portable).pop().unwrap();
    assert!(matches!(
        PortableTile::new(&fixed, false),
        Err(JitError::Tile(TileError::Spec(SpecError::FixedPortable)))
    ));
}

#[test]
fn whole_convolutions() {
    for mut runner in runners() {
        convolution::whole_convolutions_on(InstructionSet::Portable, &mut runner, &[(6, 2), (1, 6)], &[7]);
    }
}
