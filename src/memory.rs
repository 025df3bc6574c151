//! What a network needs in memory, counted before any of it is taken.

use cnn_codegen::plan::{Plan, Storage};
use cnn_ir::graph::Graph;
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_runtime::memory::available_memory;

use crate::Model;
use crate::error::{Error, MemoryError};

/// Bytes by purpose. Sums are exact: no network that validates exceeds 128 bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    pub(crate) weights: u128,
    pub(crate) activations: u128,
    pub(crate) arrays: u128,
    pub(crate) largest: Option<(String, String, u128)>,
}

/// Bytes about which the system is not asked: the answer takes longer than compiling so small a network.
const UNASKED: u128 = 4 << 20;

const F32: u128 = size_of::<f32>() as u128;
const F64: u128 = size_of::<f64>() as u128;

impl Need {
    /// The user's arrays of one run.
    pub(crate) fn arrays(model: &Model, batch: usize) -> Need {
        let ports = model.inputs().into_iter().chain(model.outputs());
        let elements = |shape: Vec<usize>| shape.into_iter().map(|dim| dim as u128).product::<u128>();
        Need {
            arrays: ports.map(|port| elements(port.shape)).sum::<u128>() * batch as u128 * F32,
            ..Need::default()
        }
    }

    /// What any back end needs at least: all weights, and the largest value of the whole batch.
    pub(crate) fn at_least(&self, graph: &Graph, shapes: &Shapes, batch: usize) -> Need {
        let mut need = self.clone().interpreted(graph, shapes);
        if let Some((_, _, size)) = &mut need.largest {
            *size = *size / F64 * F32 * batch as u128;
            need.activations = *size;
        }
        need
    }

    /// The interpreter's: every value of one image in f64, all at once, and the weights in f32.
    pub(crate) fn interpreted(mut self, graph: &Graph, shapes: &Shapes) -> Need {
        let bytes = |shape: Shape| shape.elements() as u128 * F64;
        for id in graph.ids() {
            let node = &graph[id];
            let size = bytes(shapes[id]);
            self.activations += size;
            if self.largest.as_ref().is_none_or(|(_, _, largest)| size > *largest) {
                self.largest = Some((node.name.clone(), shapes[id].to_string(), size));
            }
            for tensor in node.op.weights(&node.weights, &shapes.operands(graph, id)) {
                self.weights += u128::from(tensor.elements()) * F32;
            }
        }
        self
    }

    /// The plan's: its packed weights, its arena, and what each thread needs for itself.
    pub(crate) fn planned(mut self, plan: &Plan, threads: usize) -> Need {
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

    /// Holds it against `limit` bytes; without a limit, against what the system has.
    pub(crate) fn check(&self, limit: Option<u64>, batch: usize) -> Result<(), Error> {
        let needed = self.weights + self.activations + self.arrays;
        if limit.is_none() && needed <= UNASKED {
            return Ok(());
        }
        let limit = limit.unwrap_or_else(available_memory);
        if needed <= u128::from(limit) {
            return Ok(());
        }
        Err(MemoryError {
            weights: self.weights,
            activations: self.activations,
            arrays: self.arrays,
            limit,
            batch,
            largest: self.largest.clone(),
        }
        .into())
    }
}
