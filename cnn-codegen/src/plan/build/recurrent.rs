//! Recurrent layers: sequences are read and written row by row.

use cnn_ir::graph::NodeId;
use cnn_ir::op::Recurrent;

use super::builder::Builder;
use super::reasons::reason;
use super::traffic;
use crate::plan::convolution::{self, Kernel};
use crate::plan::data::{Layout, Work};
use crate::plan::options::PlanError;

impl Builder<'_> {
    pub(super) fn recurrent(&mut self, id: NodeId, op: Recurrent, operands: &[NodeId]) -> Result<(), PlanError> {
        let shape = self.shapes[id];
        let mut views = Vec::with_capacity(operands.len());
        for &operand in operands {
            views.push(self.planar(operand)?);
        }
        let states = views.split_off(1);
        let input = views[0];
        let output = self.buffer(id, Layout::PLANAR)?;
        self.define(id, vec![output]);
        let ends = [input, output].map(|view| self.strided(view));
        let weights = &self.graph[id].weights;
        let work = convolution::recurrent(self.options, op, ends, states, weights, &mut self.constants);
        let work = work.map_err(|reason| PlanError::Tile {
            layer: self.graph[id].name.clone(),
            reason,
        })?;
        if work.checked_scratch_bytes().is_none() {
            return Err(PlanError::TooLarge {
                layer: self.graph[id].name.clone(),
                shape,
                batch: self.options.batch,
            });
        }
        let together = match work.group {
            1 => String::new(),
            group => format!(" of {group} sequences"),
        };
        let name = format!("features of {} steps, then step by step{together}", work.block);
        let work = Work::Recurrent(Box::new(work));
        let kernel = Kernel {
            name,
            why: reason(&work).to_owned(),
            multiplications: self.multiplications(id),
            moved: traffic::moved(&self.buffers, &work),
            work,
            rest: None,
        };
        self.kernel(id, kernel);
        Ok(())
    }
}
