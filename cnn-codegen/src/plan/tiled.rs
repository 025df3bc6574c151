//! Layers whose work is done by tile kernels: convolutions, transposed ones, dense layers.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{Activation, CombineKind, Conv, ConvTranspose, Dense};
use cnn_ir::shape::Shape;
use cnn_runtime::kernels::winograd::Winograd;

use super::algorithm::Algorithm;
use super::build::Builder;
use super::convolution::{self, Planned};
use super::options::PlanError;
use super::tiling::Target;
use super::work::{Elementwise, Work};
use super::{View, dense, homes, transposed, winograd};
use crate::tile::TileSpec;

impl Builder<'_> {
    pub(super) fn conv(&mut self, id: NodeId, conv: &Conv) -> Result<(), PlanError> {
        let graph = self.graph;
        let operands = graph.operands(id);
        let shape = self.shapes[operands[0]];
        let sides = homes::reach(conv, shape, self.shapes[id]);
        let (algorithm, reasons) = self.algorithms[&id].clone();
        if let Algorithm::Winograd(variant) = algorithm {
            return self.winograd(id, conv, variant, reasons);
        }
        let input = self.convolved(operands[0], sides, conv.groups > 1)?;
        let residual = if conv.residual {
            Some(self.internal(operands[1])?)
        } else {
            None
        };
        let output = self.output(id)?;
        let residual = residual.map(|view| self.operand(view));
        let target = Target {
            output: self.operand(output),
            residual: residual.as_ref(),
            activation: conv.activation,
        };
        let source = convolution::filter_source(conv, &graph[id].weights, shape.channels());
        let planned = convolution::conv(
            self.options,
            conv,
            source,
            &self.operand(input),
            [sides.top, sides.left].map(|side| -(side as i64)),
            &target,
        );
        let joined = [reasons, planned.why.clone()].into_iter().filter(|why| !why.is_empty());
        let why = joined.collect::<Vec<_>>().join("; ");
        self.sweep(id, Planned { why, ..planned })
    }

    fn winograd(&mut self, id: NodeId, conv: &Conv, variant: Winograd, why: String) -> Result<(), PlanError> {
        let graph = self.graph;
        let operands = graph.operands(id);
        let Shape::Map { height, width, .. } = self.shapes[operands[0]] else {
            return Err(PlanError::Invalid);
        };
        let sides = conv
            .padding
            .resolve(height, width, conv.kernel, conv.stride, conv.dilation);
        let input = self.internal(operands[0])?;
        let residual = if conv.residual {
            Some(self.internal(operands[1])?)
        } else {
            None
        };
        let output = self.output(id)?;
        let weights = &graph[id].weights;
        let winograd::Planned {
            mut work,
            recipe,
            rest,
            kernel,
        } = winograd::plan(self.options, variant, conv, weights, input, sides, output, residual);
        let specs = work.products.iter().flat_map(|(_, nest)| &nest.specs);
        self.check_tiles(id, specs)?;
        work.weights = self.constant(recipe);
        self.step(id, &kernel, Work::Winograd(Box::new(work)));
        self.explain(id, why);
        self.activate(id, output, rest);
        Ok(())
    }

    /// An activation behind what wrote `output`, if there is one.
    fn activate(&mut self, id: NodeId, output: View, activation: Option<Activation>) {
        if activation.is_some() {
            let elementwise = Elementwise {
                operands: vec![output],
                combination: CombineKind::Add,
                output,
                scale_shift: None,
                slope: None,
                activation,
            };
            self.step(id, "elementwise, in place", Work::Elementwise(elementwise));
        }
    }

    /// An ordinary convolution for each remainder of rows and columns by the stride.
    pub(super) fn conv_transpose(&mut self, id: NodeId, conv: &ConvTranspose) -> Result<(), PlanError> {
        let graph = self.graph;
        let operand = graph.operands(id)[0];
        let (shape, result) = (self.shapes[operand], self.shapes[id]);
        let [rows, columns] = transposed::axes(conv, result);
        let count = rows.phases().saturating_mul(columns.phases());
        if count > transposed::MOST_PHASES {
            return Err(PlanError::Phases {
                layer: graph[id].name.clone(),
                count,
            });
        }
        let input = self.convolved(operand, transposed::reach(conv, shape, result), conv.groups > 1)?;
        let output = self.output(id)?;
        // What follows is for all phases together: the outputs of one are not neighbours.
        let (inside, rest) = Activation::split(conv.activation);
        let cost = graph[id].op.cost(&self.shapes.operands(graph, id));
        let mut left = (cost.multiplications, count as u64);
        for row in (0..rows.phases()).map(|first| rows.phase(first)) {
            for column in (0..columns.phases()).map(|first| columns.phase(first)) {
                let whole = self.operand(output);
                let part = transposed::part(whole, conv.stride, &row, &column);
                let target = Target {
                    output: part,
                    residual: None,
                    activation: inside,
                };
                let (conv, source) = transposed::ordinary(conv, &graph[id].weights, shape.channels(), &row, &column);
                let planned = convolution::conv(
                    self.options,
                    &conv,
                    source,
                    &self.operand(input),
                    [row.start, column.start],
                    &target,
                );
                let why = match count {
                    1 => planned.why,
                    _ => format!("rows {row}, columns {column}; {}", planned.why),
                };
                self.sweep(id, Planned { why, ..planned })?;
                let share = left.0 / left.1;
                left = (left.0 - share, left.1 - 1);
                let others = result.elements() - part.view.shape.elements();
                if let Some(step) = self.plan.steps.last_mut() {
                    step.multiplications = share;
                    step.bytes = step
                        .bytes
                        .saturating_sub((others * self.plan.batch * size_of::<f32>()) as u64);
                }
            }
        }
        self.activate(id, output, rest);
        Ok(())
    }

    pub(super) fn dense(&mut self, id: NodeId, dense: &Dense) -> Result<(), PlanError> {
        // The user's own array will do.
        let input = self.first(self.graph.operands(id)[0]);
        let output = self.output(id)?;
        let target = Target {
            output: self.operand(output),
            residual: None,
            activation: dense.activation,
        };
        let planned = dense::dense(
            self.options,
            self.streams,
            dense,
            &self.graph[id].weights,
            &self.operand(input),
            &target,
        );
        self.sweep(id, planned)
    }

    fn sweep(&mut self, id: NodeId, planned: Planned) -> Result<(), PlanError> {
        let Planned {
            mut sweep,
            recipe,
            kernel,
            why,
        } = planned;
        self.check_tiles(id, &sweep.nest.specs)?;
        sweep.weights = self.constant(recipe);
        self.step(id, &kernel, Work::Sweep(Box::new(sweep)));
        self.explain(id, why);
        Ok(())
    }

    fn check_tiles<'s>(&self, id: NodeId, specs: impl IntoIterator<Item = &'s TileSpec>) -> Result<(), PlanError> {
        for spec in specs {
            spec.validate().map_err(|reason| PlanError::Tile {
                layer: self.graph[id].name.clone(),
                reason,
            })?;
        }
        Ok(())
    }

    /// Adds to the last step why it is as it is, and what it costs.
    pub(super) fn explain(&mut self, id: NodeId, why: String) {
        let cost = self.graph[id].op.cost(&self.shapes.operands(self.graph, id));
        if let Some(step) = self.plan.steps.last_mut() {
            step.multiplications = cost.multiplications;
            step.why = why;
        }
    }
}
