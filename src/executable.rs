//! Running what was compiled, whoever carries it out.

use std::time::Duration;

use cnn_codegen::compile::Executable;

use crate::Error;

/// A step of compiled code and how long it took.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// The layer it computes, or a part of it.
    pub layer: String,
    /// The layer's operator.
    pub op: &'static str,
    /// The kernel that computes it.
    pub kernel: String,
    /// Multiplications for one image; 0 where they are another step's.
    pub multiplications: u64,
    /// Bytes of its weights, operands and result, for the whole batch: what it moves if no cache holds anything.
    pub bytes: u64,
    /// How long it took, for the whole batch.
    pub time: Duration,
}

/// Runs one batch; the slices have the right sizes.
pub(crate) fn run(
    executable: &Executable,
    inputs: &[&[f32]],
    outputs: &mut [&mut [f32]],
    batch: usize,
) -> Result<(), Error> {
    match executable {
        Executable::Jit(code) => Ok(code.run(inputs, outputs)?),
        Executable::Interp(interpreter) => {
            let results = interpreter.run(inputs, batch)?;
            for (output, result) in outputs.iter_mut().zip(results) {
                output.copy_from_slice(&result);
            }
            Ok(())
        }
    }
}

/// Runs one batch and measures each step.
pub(crate) fn profile(
    executable: &Executable,
    inputs: &[&[f32]],
    outputs: &mut [&mut [f32]],
) -> Result<Vec<StepTime>, Error> {
    let Executable::Jit(code) = executable else {
        return Err(Error::Option(
            "the interpreter cannot be profiled: it has no steps".into(),
        ));
    };
    let times = code.profile(inputs, outputs)?;
    let steps = code.plan().steps.iter().zip(times).map(|(step, time)| StepTime {
        layer: step.layer.clone(),
        op: step.op,
        kernel: step.kernel.clone(),
        multiplications: step.multiplications,
        bytes: step.bytes,
        time,
    });
    Ok(steps.collect())
}
