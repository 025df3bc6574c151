//! What a network needs in memory, counted before any of it is taken.

use std::fmt;

use cnn_ir::graph::Graph;
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_ir::value::ElementType;
use cnn_runtime::memory::available_memory;
use thiserror::Error;

use super::Options;
use crate::plan::{Plan, Port, Storage};

/// Bytes by purpose. Sums are exact: no network that validates exceeds 128 bits.
#[derive(Clone, Debug, Default)]
pub struct Need {
    /// Weights as the compiled network holds them.
    pub weights: u128,
    /// Values between layers, for the whole batch, and what each thread's kernels need for themselves.
    pub activations: u128,
    /// Inputs and outputs of one run.
    pub arrays: u128,
    /// The largest value between layers: its layer's name, its shape and its bytes.
    pub largest: Option<(String, String, u128)>,
}

/// Bytes about which the system is not asked: the answer takes longer than compiling so small a network.
const UNASKED: u128 = 4 << 20;

const F64: u128 = size_of::<f64>() as u128;

impl Need {
    /// All of it.
    pub fn total(&self) -> u128 {
        self.weights + self.activations + self.arrays
    }

    /// The user's arrays of one run.
    pub(super) fn arrays(graph: &Graph, shapes: &Shapes, batch: usize) -> Need {
        let outputs = graph.outputs().iter().map(|output| output.node);
        let ports = graph.inputs().iter().copied().chain(outputs);
        Need {
            arrays: ports.map(|id| u128::from(shapes.value(id).bytes())).sum::<u128>() * batch as u128,
            ..Need::default()
        }
    }

    /// What any back end needs at least: all weights, and the largest value of the whole batch.
    pub(super) fn at_least(&self, graph: &Graph, shapes: &Shapes, batch: usize) -> Need {
        let mut need = self.clone().interpreted(graph, shapes);
        if let Some((_, _, size)) = &mut need.largest {
            *size = *size / F64 * ElementType::F32.bytes() as u128 * batch as u128;
            need.activations = *size;
        }
        need
    }

    /// The interpreter's: every value of one image in f64, all at once, and the weights in f32.
    pub(super) fn interpreted(mut self, graph: &Graph, shapes: &Shapes) -> Need {
        let bytes = |shape: Shape| shape.elements() as u128 * F64;
        for id in graph.ids() {
            let node = &graph[id];
            let size = bytes(shapes[id]);
            self.activations += size;
            if self.largest.as_ref().is_none_or(|(_, _, largest)| size > *largest) {
                self.largest = Some((node.name.clone(), shapes[id].to_string(), size));
            }
            for tensor in node.op.weights(&node.weights, &shapes.operands(graph, id)) {
                self.weights += u128::from(tensor.bytes());
            }
        }
        self
    }

    /// The plan's: its packed weights, its arena, and what each thread needs for itself.
    pub(super) fn planned(mut self, plan: &Plan, threads: usize) -> Need {
        self.activations = plan.arena_bytes as u128 + plan.scratch_bytes() as u128 * threads as u128;
        self.weights = plan.constant_bytes as u128;
        let internal = plan
            .buffers
            .iter()
            .filter(|buffer| matches!(buffer.storage, Storage::Arena(_)));
        self.largest = internal
            .max_by_key(|buffer| buffer.bytes)
            .map(|buffer| (buffer.name.clone(), buffer.shape.to_string(), buffer.bytes as u128));
        self
    }

    /// What a plan that is there needs, on so many threads.
    pub fn of(plan: &Plan, threads: usize) -> Need {
        let elements = |port: &Port| port.shape.elements() as u128;
        let elements: u128 = plan.inputs.iter().chain(&plan.outputs).map(elements).sum();
        let need = Need {
            arrays: elements * size_of::<f32>() as u128 * plan.batch as u128,
            ..Need::default()
        };
        need.planned(plan, threads)
    }

    /// Holds it against the memory that may be taken; without a limit, against what the system has.
    ///
    /// # Errors
    /// [`MemoryError`] if it is more.
    pub fn check(&self, options: &Options) -> Result<(), Box<MemoryError>> {
        let needed = self.total();
        let limit = match options.max_memory {
            Some(u64::MAX) => return Ok(()),
            Some(limit) => limit,
            None if needed <= UNASKED => return Ok(()),
            None => available_memory(),
        };
        if needed <= u128::from(limit) {
            return Ok(());
        }
        Err(Box::new(MemoryError {
            need: self.clone(),
            limit,
            batch: options.batch,
        }))
    }
}

/// A network that needs more memory than allowed; all sizes in bytes.
#[derive(Debug, Error)]
pub struct MemoryError {
    /// What it needs.
    pub need: Need,
    /// The limit it was held against.
    pub limit: u64,
    /// The batch it was counted for.
    pub batch: usize,
}

impl MemoryError {
    /// Bytes that the network needs altogether.
    pub fn needed(&self) -> u128 {
        self.need.total()
    }
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the network needs {} at batch {} (weights {}, values between layers {}, inputs and outputs {}), \
             but may take {}",
            bytes(self.needed()),
            self.batch,
            bytes(self.need.weights),
            bytes(self.need.activations),
            bytes(self.need.arrays),
            bytes(u128::from(self.limit)),
        )?;
        if let Some((name, shape, size)) = &self.need.largest {
            write!(f, "; the largest value is `{name}` {shape} with {}", bytes(*size))?;
        }
        if self.batch > 1 {
            write!(f, "; a smaller batch needs less")?;
        }
        Ok(())
    }
}

/// A number of bytes for people: `823 B`, `1.4 KiB`, `97.5 MiB`.
pub fn bytes(count: u128) -> String {
    let mut value = count as f64;
    let mut unit = 0;
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ if value < 10.0 => format!("{value:.2} {}", UNITS[unit]),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pick_a_unit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.50 KiB");
        assert_eq!(bytes(97 << 20), "97.0 MiB");
        assert!(bytes(u128::MAX).ends_with(" EiB"));
    }
}
