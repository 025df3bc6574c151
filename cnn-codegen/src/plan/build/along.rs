//! Operators that work along one axis, on values channel by channel.

use cnn_ir::graph::NodeId;
use cnn_ir::op::Gather;

use super::builder::Builder;
use crate::plan::data::{AlongKind, AlongWork, Layout, View, Work};
use crate::plan::options::PlanError;

impl Builder<'_> {
    pub(super) fn along(&mut self, id: NodeId, axis: usize, kind: AlongKind) -> Result<(), PlanError> {
        let input = self.planar(self.graph.operands(id)[0])?;
        self.walk(id, axis, kind, input, None)
    }

    /// Elements at places of another operand.
    pub(super) fn take_places(&mut self, id: NodeId, gather: Gather) -> Result<(), PlanError> {
        let operands = self.graph.operands(id);
        let (input, places) = (self.planar(operands[0])?, self.planar(operands[1])?);
        self.walk(id, gather.axis, AlongKind::Take, input, Some(places))
    }

    fn walk(
        &mut self,
        id: NodeId,
        axis: usize,
        kind: AlongKind,
        input: View,
        places: Option<View>,
    ) -> Result<(), PlanError> {
        let output = self.buffer(id, Layout::PLANAR)?;
        self.define(id, vec![output]);
        let kernel = ["along channels", "along rows", "along columns"][axis];
        let work = AlongWork {
            input,
            places,
            output,
            axis,
            kind,
        };
        self.step(id, kernel, Work::Along(work));
        Ok(())
    }
}
