//! Layers whose work is done by tile kernels: convolutions, transposed ones, dense layers.

use cnn_ir::graph::NodeId;
use cnn_ir::op::{Activation, CombineKind, Conv, ConvTranspose, Dense};

use super::builder::Builder;
use crate::plan::convolution::{self, Kernel, Layer, MOST_PHASES};
use crate::plan::data::{Algorithm, Elementwise, View, Work};
use crate::plan::options::PlanError;
use crate::tile::SpecError;

impl<'a> Builder<'a> {
    pub(super) fn conv(&mut self, id: NodeId, conv: &Conv) -> Result<(), PlanError> {
        let operands = self.graph.operands(id);
        let selected = self.selected[&id].clone();
        let input = match selected.algorithm {
            Algorithm::Direct => {
                let sides = convolution::reach(conv, self.shapes[operands[0]], self.shapes[id]);
                self.convolved(operands[0], sides, conv.groups > 1)?
            }
            Algorithm::Winograd(_) => self.internal(operands[0])?,
        };
        let residual = match conv.residual {
            true => Some(self.internal(operands[1])?),
            false => None,
        };
        let output = self.output(id)?;
        let layer = Layer {
            residual: residual.map(|view| self.strided(view)),
            ..self.layer(id, input, output, conv.activation)
        };
        let kernel = convolution::conv(&layer, conv, &selected, &mut self.constants);
        self.tiled(id, output, kernel.map(|kernel| vec![kernel]))
    }

    pub(super) fn conv_transpose(&mut self, id: NodeId, conv: &ConvTranspose) -> Result<(), PlanError> {
        let operand = self.graph.operands(id)[0];
        let (shape, result) = (self.shapes[operand], self.shapes[id]);
        let count = convolution::phases(conv, result);
        if count > MOST_PHASES {
            return Err(PlanError::Phases {
                layer: self.graph[id].name.clone(),
                count,
            });
        }
        let sides = convolution::transposed_reach(conv, shape, result);
        let input = self.convolved(operand, sides, conv.groups > 1)?;
        let output = self.output(id)?;
        let layer = self.layer(id, input, output, conv.activation);
        let kernels = convolution::transposed(&layer, conv, &mut self.constants);
        self.tiled(id, output, kernels)
    }

    pub(super) fn dense(&mut self, id: NodeId, dense: &Dense) -> Result<(), PlanError> {
        // The user's own array will do.
        let input = self.first(self.graph.operands(id)[0]);
        let output = self.output(id)?;
        let layer = self.layer(id, input, output, dense.activation);
        let kernel = convolution::dense(&layer, dense, &mut self.constants);
        self.tiled(id, output, kernel.map(|kernel| vec![kernel]))
    }

    fn layer(&self, id: NodeId, input: View, output: View, activation: Option<Activation>) -> Layer<'a> {
        Layer {
            options: self.options,
            streams: self.streams,
            weights: &self.graph[id].weights,
            multiplications: self.multiplications(id),
            activation,
            input: self.strided(input),
            output: self.strided(output),
            residual: None,
        }
    }

    /// The steps of a layer's kernels, each with the activation that it leaves to do over the whole output.
    fn tiled(&mut self, id: NodeId, output: View, kernels: Result<Vec<Kernel>, SpecError>) -> Result<(), PlanError> {
        let kernels = kernels.map_err(|reason| PlanError::Tile {
            layer: self.graph[id].name.clone(),
            reason,
        })?;
        for kernel in kernels {
            let activation = kernel.rest;
            self.kernel(id, kernel);
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
        Ok(())
    }
}
