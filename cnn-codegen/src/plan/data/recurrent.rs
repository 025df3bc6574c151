//! A recurrent layer: what is read and written, its panels of weights, and the memory that a task needs for itself.

use cnn_ir::op::Recurrent;

use super::layout::BLOCK;
use super::{ConstantId, View};
use crate::tile::TileSpec;

/// One of the two matrices of each direction, in panels of filters: all gates' rows, one gate after the other.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct StepWeights {
    /// A constant for each direction.
    pub constants: Vec<ConstantId>,
    /// A panel has 8 · `vectors` rows.
    pub vectors: usize,
    /// Panels of all rows.
    pub panels: usize,
}

impl StepWeights {
    /// Floats of a panel's stream: the bias, then a step for each of `inner` columns.
    pub fn panel_floats(&self, inner: usize) -> usize {
        (inner + 1).saturating_mul(self.vectors * BLOCK)
    }

    /// Rows of all panels.
    pub fn rows(&self) -> usize {
        self.panels.saturating_mul(self.vectors * BLOCK)
    }
}

/// A recurrent layer. A task is one direction of a group of sequences, of one image or several. It computes what a block of
/// steps takes of their features at once, then one step after the other, of all sequences at once: they share a reading of
/// the weights.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct RecurrentWork {
    /// Which cell, units and directions.
    pub recurrent: Recurrent,
    /// `[N, T, I]`, row by row.
    pub input: View,
    /// The first states `[N, D, units]`, or none: zeros.
    pub states: Vec<View>,
    /// `[N, T, D·units]`, or twice as much with the LSTM's memory.
    pub output: View,
    /// Sequences of a task; divides those of a batch.
    pub group: usize,
    /// The matrices of the features.
    pub project: StepWeights,
    /// The matrices of the state.
    pub recur: StepWeights,
    /// Steps of a block.
    pub block: usize,
    /// The tile kernels of each direction.
    pub tiles: Vec<RecurrentTiles>,
}

/// The tile kernels of a direction of a recurrent layer.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct RecurrentTiles {
    /// What a block of steps takes of their features; for the reverse direction each step is before the last one.
    pub project: TileSpec,
    /// The same for the steps that are left, if there are any.
    pub rest: Option<TileSpec>,
    /// What a step takes of its state, for each sequence of a group.
    pub recur: TileSpec,
}

/// Where a task keeps what, in floats from the start of its memory: of each the first sequence's, then the next one's.
#[derive(Clone, Copy, Debug)]
pub struct RecurrentMemory {
    /// What each step of a block takes of its features: rows of panels.
    pub features: usize,
    /// What the step takes of its state.
    pub state: usize,
    /// The gates, one after the other, each padded to whole vectors.
    pub gates: usize,
    /// h, c and what is computed on the way, padded likewise.
    pub h: usize,
    /// The LSTM's memory.
    pub c: usize,
    /// Anything else.
    pub other: usize,
    /// All of it.
    pub floats: usize,
}

impl RecurrentWork {
    /// Units padded to whole vectors.
    pub fn padded_units(&self) -> usize {
        self.recurrent.units.next_multiple_of(BLOCK)
    }

    /// Tasks: independent parts of a batch.
    pub fn tasks(&self, batch: usize) -> usize {
        batch * self.input.shape.extent()[0] / self.group * self.recurrent.directions().len()
    }

    /// Where a task keeps what; `None` if that is more than can be counted. The last vector of a gate's rows may reach a
    /// vector beyond them.
    pub fn memory(&self) -> Option<RecurrentMemory> {
        let mut floats = 0usize;
        let mut take = |count: Option<usize>| -> Option<usize> {
            let at = floats;
            floats = floats.checked_add(count?)?;
            Some(at)
        };
        let units = self.recurrent.units.checked_next_multiple_of(BLOCK)?;
        let units = units.checked_mul(self.group)?;
        let features = self.project.rows().checked_mul(self.block)?;
        let memory = RecurrentMemory {
            features: take(features.checked_mul(self.group)?.checked_add(BLOCK))?,
            state: take(self.recur.rows().checked_mul(self.group)?.checked_add(BLOCK))?,
            gates: take(units.checked_mul(self.recurrent.gates()))?,
            h: take(Some(units))?,
            c: take(Some(units))?,
            other: take(Some(units))?,
            floats: 0,
        };
        Some(RecurrentMemory { floats, ..memory })
    }

    /// Bytes of it.
    pub fn checked_scratch_bytes(&self) -> Option<usize> {
        self.memory()?.floats.checked_mul(size_of::<f32>())
    }

    /// Bytes that one task needs for itself.
    pub fn scratch_bytes(&self) -> usize {
        self.checked_scratch_bytes().unwrap_or(usize::MAX)
    }

    /// The constants it needs: each direction's of the features, then each one's of the state.
    pub fn constants(&self) -> Vec<ConstantId> {
        let all = self.project.constants.iter().chain(&self.recur.constants);
        all.copied().collect()
    }
}
