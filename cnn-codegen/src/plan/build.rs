//! Graph → plan: walks the nodes in order and gives each its steps.

use std::collections::HashMap;

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::{Activation, BatchNorm, Combine, CombineKind, Conv, InputLayout, Op, Pool, Sides};
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_runtime::kernels::winograd::Winograd;
use cnn_runtime::pack::{Norm, Recipe};
use thiserror::Error;

use super::algorithm::{self, Algorithm};
use super::convolution::{self, Operand, Planned, Target};
use super::homes::{self, Homes};
use super::isa::TileIsa;
use super::layout::{Layout, extent};
use super::winograd;
use super::work::{Copy, Elementwise, PoolWindow, Work};
use super::{Buffer, BufferId, Constant, ConstantId, Place, Plan, Port, Step, View, memory};
use crate::tile::TileSpec;

/// What a plan is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Images of one run.
    pub batch: usize,
    /// The instruction set of the tiles.
    pub isa: TileIsa,
    /// How exact results must be.
    pub accuracy: Accuracy,
    /// Threads that will share a run: how finely work is divided. Results do not depend on it.
    pub threads: usize,
    /// Uses this algorithm for every convolution that it fits; for tests and measurements.
    pub force: Option<Algorithm>,
}

/// How exact results must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accuracy {
    /// Whatever is fastest: a whole network stays within 1e-4 of its largest output.
    #[default]
    Fast,
    /// No algorithm that rounds more than multiplying and adding does.
    Exact,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            batch: 1,
            isa: TileIsa::detect(),
            accuracy: Accuracy::default(),
            threads: 1,
            force: None,
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A tensor of that many images has more bytes than an address.
    #[error("layer `{layer}`: {batch} images of {shape} are more than this machine can address")]
    TooLarge {
        /// The layer.
        layer: String,
        /// One image's shape.
        shape: Shape,
        /// Images.
        batch: usize,
    },
    /// A kernel's offsets do not fit its instructions.
    #[error("layer `{layer}`: its map or kernel is too large for a tile kernel: {reason}")]
    Tile {
        /// The layer.
        layer: String,
        /// Which limit.
        reason: crate::tile::SpecError,
    },
    /// A batch of no images.
    #[error("a batch needs at least one image")]
    NoImages,
    /// The graph has a cycle, or is otherwise not what validation accepts.
    #[error("the graph is not valid")]
    Invalid,
}

/// Decides everything about running a graph.
///
/// # Errors
/// [`PlanError`]: sizes that cannot be addressed.
pub fn build(graph: &Graph, shapes: &Shapes, options: &PlanOptions) -> Result<Plan, PlanError> {
    if options.batch == 0 {
        return Err(PlanError::NoImages);
    }
    let order = graph.order().map_err(|_| PlanError::Invalid)?;
    let algorithms = order
        .iter()
        .filter_map(|&id| match &graph[id].op {
            Op::Conv(conv) => Some((
                id,
                algorithm::choose(conv, shapes[graph.operands(id)[0]], shapes[id], options),
            )),
            _ => None,
        })
        .collect();
    let mut builder = Builder {
        graph,
        shapes,
        homes: Homes::new(graph, shapes, &order, &algorithms),
        algorithms,
        options,
        values: HashMap::new(),
        roots: HashMap::new(),
        plan: Plan {
            name: graph.name.clone(),
            batch: options.batch,
            isa: options.isa,
            buffers: Vec::new(),
            constants: Vec::new(),
            steps: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            arena_bytes: 0,
            lower_bound_bytes: 0,
            constant_bytes: 0,
        },
    };
    for id in order {
        builder.node(id)?;
    }
    builder.finish()
}

/// The algorithm of each convolution, and why.
pub(super) type Algorithms = HashMap<NodeId, (Algorithm, String)>;

struct Builder<'a> {
    graph: &'a Graph,
    shapes: &'a Shapes,
    homes: Homes,
    algorithms: Algorithms,
    options: &'a PlanOptions,
    /// The views of each value: the first is where it was made, others are copies in another layout.
    values: HashMap<NodeId, Vec<View>>,
    /// The buffer of each root.
    roots: HashMap<NodeId, BufferId>,
    plan: Plan,
}

impl Builder<'_> {
    fn node(&mut self, id: NodeId) -> Result<(), PlanError> {
        let graph = self.graph;
        let operands = graph.operands(id);
        match &graph[id].op {
            Op::Input(input) => {
                let hwc = input.layout == InputLayout::Hwc && matches!(input.shape, Shape::Map { .. });
                let layout = if hwc { Layout::Hwc } else { Layout::PLANAR };
                let place = Place::Input(self.plan.inputs.len());
                let view = self.buffer(id, input.shape, layout, place)?;
                self.plan.inputs.push(Port {
                    name: graph[id].name.clone(),
                    shape: input.shape,
                    hwc,
                    buffer: view.buffer,
                });
                self.values.insert(id, vec![view]);
            }
            Op::Conv(conv) => self.conv(id, conv)?,
            Op::Dense(dense) => {
                // The user's own array will do.
                let input = self.first(operands[0]);
                let output = self.output(id)?;
                let target = Target {
                    output: self.operand(output),
                    residual: None,
                    activation: dense.activation,
                };
                let planned = convolution::dense(
                    self.options.isa,
                    self.plan.batch,
                    dense,
                    &graph[id].weights,
                    &self.operand(input),
                    &target,
                );
                self.sweep(id, planned)?;
            }
            Op::Pool(pool) => self.pool(id, pool)?,
            Op::GlobalPool(pool) => {
                let (input, kind) = (self.internal(operands[0])?, pool.kind);
                let output = self.output(id)?;
                self.step(id, "whole map", Work::GlobalPool { input, output, kind });
            }
            Op::AdaptiveAvgPool(_) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(id, "windows", Work::AdaptiveAvgPool { input, output });
            }
            Op::Activation(activation) => self.elementwise(id, &operands, |e| e.activation = Some(*activation))?,
            Op::Prelu(_) => {
                let len = self.shapes[id].channels();
                let name = format!("{}.slope", graph[id].weights);
                let slope = self.constant(Recipe::Vector { name, len });
                self.elementwise(id, &operands, |e| e.slope = Some(slope))?;
            }
            Op::BatchNorm(BatchNorm { epsilon, activation }) => {
                let norm = Norm {
                    prefix: graph[id].weights.clone(),
                    epsilon: *epsilon,
                };
                let recipe = Recipe::ScaleShift {
                    norm,
                    channels: self.shapes[id].channels(),
                };
                let constant = self.constant(recipe);
                self.elementwise(id, &operands, |e| {
                    e.scale_shift = Some(constant);
                    e.activation = *activation;
                })?;
            }
            Op::Combine(Combine { kind, activation }) => self.elementwise(id, &operands, |e| {
                e.combination = *kind;
                e.activation = *activation;
            })?,
            Op::Softmax(softmax) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(
                    id,
                    "over channels",
                    Work::Softmax {
                        input,
                        output,
                        log: softmax.log,
                    },
                );
            }
            Op::Lrn(lrn) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(
                    id,
                    "across channels",
                    Work::Lrn {
                        input,
                        output,
                        lrn: *lrn,
                    },
                );
            }
            Op::Concat(_) => self.concat(id, &operands)?,
            Op::Flatten(_) | Op::Reshape(_) => self.reshape(id, operands[0])?,
            Op::Pad(pad) => {
                let from = self.first(operands[0]);
                let to = self.output(id)?;
                let at = (pad.sides.top, pad.sides.left);
                let copy = Copy {
                    from,
                    to,
                    at,
                    border: Some(pad.value),
                    reshape: false,
                };
                self.step(id, "copy with a border", Work::Copy(copy));
            }
            Op::Upsample(upsample) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                let (scale, mode) = (upsample.scale, upsample.mode);
                self.step(
                    id,
                    "interpolation",
                    Work::Upsample {
                        input,
                        output,
                        scale,
                        mode,
                    },
                );
            }
            Op::ChannelShuffle(shuffle) => {
                let input = self.internal(operands[0])?;
                let output = self.output(id)?;
                self.step(
                    id,
                    "channel copies",
                    Work::ChannelShuffle {
                        input,
                        output,
                        groups: shuffle.groups,
                    },
                );
            }
            Op::Dropout(_) | Op::Identity(_) => {
                let views = self.values[&operands[0]].clone();
                self.values.insert(id, views);
            }
        }
        Ok(())
    }

    fn conv(&mut self, id: NodeId, conv: &Conv) -> Result<(), PlanError> {
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
        let weights = &graph[id].weights;
        let planned = convolution::conv(
            self.options.isa,
            self.plan.batch,
            conv,
            weights,
            &self.operand(input),
            sides,
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
        if rest.is_some() {
            let elementwise = Elementwise {
                operands: vec![output],
                combination: CombineKind::Add,
                output,
                scale_shift: None,
                slope: None,
                activation: rest,
            };
            self.step(id, "elementwise, in place", Work::Elementwise(elementwise));
        }
        Ok(())
    }

    fn pool(&mut self, id: NodeId, pool: &Pool) -> Result<(), PlanError> {
        let operand = self.graph.operands(id)[0];
        let [_, height, width] = extent(self.shapes[operand]);
        let input = self.internal(operand)?;
        let output = self.output(id)?;
        let window = PoolWindow {
            input,
            output,
            kind: pool.kind,
            size: pool.size,
            stride: pool.stride,
            dilation: pool.dilation,
            sides: pool
                .padding
                .resolve(height, width, pool.size, pool.stride, pool.dilation),
        };
        self.step(id, "windows", Work::Pool(window));
        Ok(())
    }

    fn elementwise(
        &mut self,
        id: NodeId,
        operands: &[NodeId],
        set: impl FnOnce(&mut Elementwise),
    ) -> Result<(), PlanError> {
        let operands = operands
            .iter()
            .map(|&operand| self.internal(operand))
            .collect::<Result<Vec<_>, _>>()?;
        let output = self.output(id)?;
        let in_place = operands.contains(&output);
        let mut elementwise = Elementwise {
            operands,
            combination: CombineKind::Add,
            output,
            scale_shift: None,
            slope: None,
            activation: None::<Activation>,
        };
        set(&mut elementwise);
        self.step(
            id,
            if in_place {
                "elementwise, in place"
            } else {
                "elementwise"
            },
            Work::Elementwise(elementwise),
        );
        Ok(())
    }

    /// Operands that live elsewhere are copied in.
    fn concat(&mut self, id: NodeId, operands: &[NodeId]) -> Result<(), PlanError> {
        let whole = self.output(id)?;
        let mut channel = whole.channel;
        for &operand in operands {
            let shape = self.shapes[operand];
            let to = View {
                buffer: whole.buffer,
                channel,
                shape,
            };
            if self.first(operand) != to {
                let copy = Copy {
                    from: self.first(operand),
                    to,
                    at: (0, 0),
                    border: None,
                    reshape: false,
                };
                self.step(id, "copy", Work::Copy(copy));
            }
            channel += shape.channels();
        }
        Ok(())
    }

    /// A vector of one pixel's channels is the same memory; anything else is brought into planar order.
    fn reshape(&mut self, id: NodeId, operand: NodeId) -> Result<(), PlanError> {
        let shape = self.shapes[id];
        let from = self.first(operand);
        let buffer = &self.plan.buffers[from.buffer.0];
        let one_pixel = |shape: Shape| matches!(extent(shape), [_, 1, 1]);
        let bare = buffer.layout.halo() == Sides::default() && buffer.layout != Layout::Hwc;
        if shape == from.shape || (one_pixel(shape) && one_pixel(from.shape) && bare) {
            self.values.insert(id, vec![View { shape, ..from }]);
            return Ok(());
        }
        let to = self.buffer(id, shape, Layout::PLANAR, Place::Arena(0))?;
        let copy = Copy {
            from,
            to,
            at: (0, 0),
            border: None,
            reshape: true,
        };
        self.step(id, "copy into planar order", Work::Copy(copy));
        self.values.insert(id, vec![to]);
        Ok(())
    }

    fn finish(mut self) -> Result<Plan, PlanError> {
        let graph = self.graph;
        for (index, output) in graph.outputs().iter().enumerate() {
            let shape = self.shapes[output.node];
            let from = self.first(output.node);
            let to = self.buffer(output.node, shape, Layout::PLANAR, Place::Output(index))?;
            let copy = Copy {
                from,
                to,
                at: (0, 0),
                border: None,
                reshape: false,
            };
            self.step(output.node, "output", Work::Copy(copy));
            self.plan.outputs.push(Port {
                name: output.name.clone(),
                shape,
                hwc: false,
                buffer: to.buffer,
            });
        }
        memory::place(&mut self.plan);
        Ok(self.plan)
    }

    /// A new buffer, seen whole. Its halo is cleared first.
    fn buffer(&mut self, id: NodeId, shape: Shape, layout: Layout, place: Place) -> Result<View, PlanError> {
        let batch = self.plan.batch;
        let external = !matches!(place, Place::Arena(_));
        let sized = layout.strides(shape, external).and_then(|strides| {
            let bytes = strides.image.checked_mul(batch)?.checked_mul(size_of::<f32>())?;
            (bytes <= isize::MAX as usize / 2).then_some((strides, bytes))
        });
        let name = self.graph[id].name.clone();
        let Some((strides, bytes)) = sized else {
            return Err(PlanError::TooLarge {
                layer: name,
                shape,
                batch,
            });
        };
        let buffer = BufferId(self.plan.buffers.len());
        self.plan.buffers.push(Buffer {
            name,
            shape,
            layout,
            strides,
            bytes,
            place,
        });
        if layout.halo() != Sides::default() {
            self.step(id, "zeros around the map", Work::ClearHalo(buffer));
        }
        Ok(View {
            buffer,
            channel: 0,
            shape,
        })
    }

    /// Where a node writes its result: its part of its home.
    fn output(&mut self, id: NodeId) -> Result<View, PlanError> {
        let shape = self.shapes[id];
        let (root, channel) = self.homes.of(id);
        let buffer = match self.roots.get(&root) {
            Some(&buffer) => buffer,
            None => {
                let whole = self.shapes[root];
                let layout = match whole {
                    Shape::Map { .. } => Layout::Blocked {
                        halo: self.homes.halo(root),
                    },
                    Shape::Flat(_) => Layout::PLANAR,
                };
                let buffer = self.buffer(root, whole, layout, Place::Arena(0))?.buffer;
                self.roots.insert(root, buffer);
                buffer
            }
        };
        let view = View { buffer, channel, shape };
        self.values.insert(id, vec![view]);
        Ok(view)
    }

    /// Where a value was made.
    fn first(&self, id: NodeId) -> View {
        self.values[&id][0]
    }

    fn layout(&self, view: View) -> Layout {
        self.plan.buffers[view.buffer.0].layout
    }

    fn is_external(&self, view: View) -> bool {
        !matches!(self.plan.buffers[view.buffer.0].place, Place::Arena(_))
    }

    /// A value in the layout that the network's inside uses: blocked maps, padded vectors.
    fn internal(&mut self, id: NodeId) -> Result<View, PlanError> {
        let shape = self.shapes[id];
        let fits = |view: &&View| {
            let vector = matches!(shape, Shape::Flat(_));
            !self.is_external(**view) && (vector || matches!(self.layout(**view), Layout::Blocked { .. }))
        };
        if let Some(view) = self.values[&id].iter().find(fits) {
            return Ok(*view);
        }
        let layout = match shape {
            Shape::Map { .. } => Layout::Blocked {
                halo: self.homes.halo(self.homes.of(id).0),
            },
            Shape::Flat(_) => Layout::PLANAR,
        };
        self.copied(id, layout)
    }

    /// A value as a convolution reads it: with the padding it needs around it, in blocks if its channels are grouped.
    fn convolved(&mut self, id: NodeId, sides: Sides, grouped: bool) -> Result<View, PlanError> {
        let fits = |view: &&View| {
            let (layout, halo) = (self.layout(**view), self.layout(**view).halo());
            let covered = halo.top >= sides.top
                && halo.left >= sides.left
                && halo.bottom >= sides.bottom
                && halo.right >= sides.right;
            covered && (!grouped || matches!(layout, Layout::Blocked { .. }))
        };
        if let Some(view) = self.values[&id].iter().find(fits) {
            return Ok(*view);
        }
        let blocked = grouped || matches!(self.layout(self.first(id)), Layout::Blocked { .. });
        self.copied(
            id,
            if blocked {
                Layout::Blocked { halo: sides }
            } else {
                Layout::Planar { halo: sides }
            },
        )
    }

    /// A copy of a value in another layout.
    fn copied(&mut self, id: NodeId, layout: Layout) -> Result<View, PlanError> {
        let from = self.first(id);
        let to = self.buffer(id, self.shapes[id], layout, Place::Arena(0))?;
        let copy = Copy {
            from,
            to,
            at: (0, 0),
            border: None,
            reshape: false,
        };
        self.step(id, "copy into another layout", Work::Copy(copy));
        if let Some(views) = self.values.get_mut(&id) {
            views.push(to);
        }
        Ok(to)
    }

    fn operand(&self, view: View) -> Operand {
        Operand {
            view,
            strides: self.plan.buffers[view.buffer.0].strides,
            whole: self.plan.buffers[view.buffer.0].shape,
        }
    }

    fn constant(&mut self, recipe: Recipe) -> ConstantId {
        let offset = self.plan.constant_bytes;
        self.plan.constant_bytes += (recipe.floats() * size_of::<f32>()).next_multiple_of(memory::ALIGNMENT);
        self.plan.constants.push(Constant { recipe, offset });
        ConstantId(self.plan.constants.len() - 1)
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
    fn explain(&mut self, id: NodeId, why: String) {
        let cost = self.graph[id].op.cost(&self.shapes.operands(self.graph, id));
        if let Some(step) = self.plan.steps.last_mut() {
            step.multiplications = cost.multiplications;
            step.why = why;
        }
    }

    fn step(&mut self, id: NodeId, kernel: &str, work: Work) {
        let node = &self.graph[id];
        self.plan.steps.push(Step {
            layer: node.name.clone(),
            op: node.op.name(),
            kernel: kernel.to_owned(),
            why: String::new(),
            multiplications: 0,
            work,
        });
    }
}
