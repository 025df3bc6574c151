//! Cranelift's settings for this machine.

use cnn_types::InstructionSet;
use cranelift_codegen::isa::{Builder, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};

use super::JitError;
use crate::isa::facts;
use crate::loops::{Function, Inst};

/// Code generators for this machine, by how they allocate registers.
///
/// None has the optimiser: it would spill the accumulators of portable tiles, gains the loop nests nothing that can be
/// measured, and takes half as long again.
pub(super) struct Targets {
    /// For functions that compute.
    pub(super) careful: OwnedTargetIsa,
    /// For functions that only call others: compiled in half the time, they keep their counts in memory.
    quick: OwnedTargetIsa,
    /// Whether multiply–adds may be fused.
    pub(super) use_fma: bool,
}

impl Targets {
    pub(super) fn of_this_machine() -> Result<Targets, JitError> {
        // The host's instruction set: without its `fma` flag multiply–adds would become library calls.
        let machine = cranelift_native::builder().map_err(|error| JitError::Target(error.to_owned()))?;
        Ok(Targets {
            careful: target(&machine, "backtracking")?,
            quick: target(&machine, "single_pass")?,
            use_fma: has_fma(),
        })
    }

    /// For all machines of this architecture that have an instruction set, and for none of their other instructions.
    pub(super) fn of_set(set: InstructionSet) -> Result<Targets, JitError> {
        let mut machine =
            cranelift_native::builder_with_options(false).map_err(|error| JitError::Target(error.to_owned()))?;
        let features = facts(set).cranelift;
        for feature in features {
            machine
                .enable(feature)
                .map_err(|error| JitError::Target(error.to_string()))?;
        }
        Ok(Targets {
            careful: target(&machine, "backtracking")?,
            quick: target(&machine, "single_pass")?,
            use_fma: cfg!(target_arch = "aarch64") || features.contains(&"has_fma"),
        })
    }

    /// The one for this function.
    pub(super) fn of(&self, function: &Function) -> &dyn TargetIsa {
        match computes(&function.body) {
            true => &*self.careful,
            false => &*self.quick,
        }
    }
}

fn target(machine: &Builder, registers: &str) -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    let settings = [
        ("opt_level", "none"),
        ("regalloc_algorithm", registers),
        // Plans are verified and the emitter is tested with the verifier on.
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
        ("is_pic", "false"),
        ("unwind_info", "false"),
    ];
    for (name, value) in settings {
        flags
            .set(name, value)
            .map_err(|error| JitError::Target(error.to_string()))?;
    }
    machine
        .finish(settings::Flags::new(flags))
        .map_err(|error| JitError::Target(error.to_string()))
}

/// Whether there are floats in registers.
fn computes(body: &[Inst]) -> bool {
    body.iter().any(|inst| match inst {
        Inst::Float(..)
        | Inst::Vector(..)
        | Inst::DeclareFloat(..)
        | Inst::DeclareVector(..)
        | Inst::SetFloat(..)
        | Inst::SetVector(..)
        | Inst::StoreFloat(..)
        | Inst::Store(..) => true,
        Inst::Range { body, .. } | Inst::When { body, .. } => computes(body),
        Inst::Address(..) | Inst::Int(..) | Inst::Test(..) | Inst::Tile { .. } | Inst::Call(_) => false,
    })
}

/// Whether this machine has fused multiply–adds.
fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        cfg!(target_arch = "aarch64")
    }
}
