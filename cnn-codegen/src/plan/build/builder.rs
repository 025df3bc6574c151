//! The plan under construction: buffers and views of values, copies between layouts, steps.

use std::collections::HashMap;

use cnn_ir::graph::{Graph, NodeId};
use cnn_ir::op::Sides;
use cnn_ir::shape::Shape;
use cnn_ir::validate::Shapes;
use cnn_ir::value::ValueType;

use super::aliasing::Aliases;
use super::draft::Draft;
use super::reasons::reason;
use super::traffic;
use crate::plan::convolution::{Kernel, Selected, StridedView};
use crate::plan::data::{BufferId, Constants, Copy, Layout, Port, Step, Storage, Strides, View, Work};
use crate::plan::options::{PlanError, PlanOptions};

pub(super) struct Builder<'a> {
    pub(super) graph: &'a Graph,
    pub(super) shapes: &'a Shapes,
    pub(super) options: &'a PlanOptions,
    /// Whether the weights come from memory for each image.
    pub(super) streams: bool,
    /// The algorithm of each convolution.
    pub(super) selected: HashMap<NodeId, Selected>,
    aliases: Aliases,
    /// The views of each value: the first is where it was made, others are copies in another layout.
    values: HashMap<NodeId, Vec<View>>,
    /// The buffer of each root.
    roots: HashMap<NodeId, BufferId>,
    pub(super) buffers: Vec<Draft>,
    pub(super) constants: Constants,
    pub(super) steps: Vec<Step>,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        shapes: &'a Shapes,
        options: &'a PlanOptions,
        streams: bool,
        selected: HashMap<NodeId, Selected>,
        aliases: Aliases,
    ) -> Self {
        Builder {
            graph,
            shapes,
            options,
            streams,
            selected,
            aliases,
            values: HashMap::new(),
            roots: HashMap::new(),
            buffers: Vec::new(),
            constants: Constants::default(),
            steps: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// A value is in these views, the first of which it was made in.
    pub(super) fn define(&mut self, id: NodeId, views: Vec<View>) {
        self.values.insert(id, views);
    }

    /// A value is where another one is.
    pub(super) fn same(&mut self, id: NodeId, operand: NodeId) {
        let views = self.values[&operand].clone();
        self.define(id, views);
    }

    pub(super) fn strides(&self, view: View) -> &Strides {
        &self.buffers[view.buffer.0].strides
    }

    /// A view as tile kernels see it.
    pub(super) fn strided(&self, view: View) -> StridedView {
        StridedView {
            view,
            strides: *self.strides(view),
            whole: self.buffers[view.buffer.0].shape,
        }
    }

    /// Multiplications of a node for one image.
    pub(super) fn multiplications(&self, id: NodeId) -> u64 {
        let cost = self.graph[id].op.cost(&self.shapes.operands(self.graph, id));
        cost.multiplications
    }

    /// A step without multiplications, of a kernel that there is no choice of.
    pub(super) fn step(&mut self, id: NodeId, kernel: &str, work: Work) {
        self.kernel(
            id,
            Kernel {
                name: kernel.to_owned(),
                why: reason(&work).to_owned(),
                multiplications: 0,
                moved: traffic::moved(&self.buffers, &work),
                work,
                rest: None,
            },
        );
    }

    /// A step.
    pub(super) fn kernel(&mut self, id: NodeId, kernel: Kernel) {
        let node = &self.graph[id];
        self.steps.push(Step {
            layer: node.name.clone(),
            op: node.op.name(),
            bytes: traffic::bytes(&self.constants, &kernel, self.options.batch),
            kernel: kernel.name,
            why: kernel.why,
            multiplications: kernel.multiplications,
            work: kernel.work,
        });
    }

    /// A new buffer of the arena for a node's value, seen whole. Its halo is cleared first.
    pub(super) fn buffer(&mut self, id: NodeId, layout: Layout) -> Result<View, PlanError> {
        self.stored(id, self.shapes.value(id), layout, None)
    }

    /// A new buffer of the arena for a value that a node's result is made from, seen whole.
    pub(super) fn intermediate(&mut self, id: NodeId, value: ValueType, layout: Layout) -> Result<View, PlanError> {
        self.stored(id, value, layout, None)
    }

    /// The user's array, for a node's value, seen whole.
    pub(super) fn array(&mut self, id: NodeId, layout: Layout, array: Storage) -> Result<View, PlanError> {
        self.stored(id, self.shapes.value(id), layout, Some(array))
    }

    fn stored(
        &mut self,
        id: NodeId,
        value: ValueType,
        layout: Layout,
        array: Option<Storage>,
    ) -> Result<View, PlanError> {
        let batch = self.options.batch;
        let ValueType { element, shape } = value;
        let name = self.graph[id].name.clone();
        let Some((strides, bytes)) = layout.sized(value, batch, array.is_some()) else {
            return Err(PlanError::TooLarge {
                layer: name,
                shape,
                batch,
            });
        };
        let buffer = BufferId(self.buffers.len());
        self.buffers.push(Draft {
            name,
            element,
            shape,
            layout,
            strides,
            bytes,
            array,
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

    /// Where a node writes its result: its part of the buffer that it shares.
    pub(super) fn output(&mut self, id: NodeId) -> Result<View, PlanError> {
        let shape = self.shapes[id];
        let (root, channel) = self.aliases.of(id);
        let buffer = match self.roots.get(&root) {
            Some(&buffer) => buffer,
            None => {
                let whole = self.shapes[root];
                let layout = match whole {
                    _ if self.is_integers(root) => Layout::Pixels {
                        halo: self.aliases.halo(root),
                    },
                    Shape::Map { .. } => Layout::Blocked {
                        halo: self.aliases.halo(root),
                    },
                    Shape::Flat(_) => Layout::PLANAR,
                };
                let buffer = self.buffer(root, layout)?.buffer;
                self.roots.insert(root, buffer);
                buffer
            }
        };
        let view = View { buffer, channel, shape };
        self.values.insert(id, vec![view]);
        Ok(view)
    }

    /// Where a value was made.
    pub(super) fn first(&self, id: NodeId) -> View {
        self.values[&id][0]
    }

    pub(super) fn layout(&self, view: View) -> Layout {
        self.buffers[view.buffer.0].layout
    }

    pub(super) fn is_external(&self, view: View) -> bool {
        self.buffers[view.buffer.0].array.is_some()
    }

    /// A value in the layout that the network's inside uses, blocked maps, padded vectors, if it is there already.
    pub(super) fn inside(&self, id: NodeId) -> Option<View> {
        let fits = |view: &&View| {
            let vector = matches!(self.shapes[id], Shape::Flat(_));
            !self.is_external(**view) && (vector || matches!(self.layout(**view), Layout::Blocked { .. }))
        };
        self.values[&id].iter().find(fits).copied()
    }

    /// A value in the layout that the network's inside uses.
    pub(super) fn internal(&mut self, id: NodeId) -> Result<View, PlanError> {
        if let Some(view) = self.inside(id) {
            return Ok(view);
        }
        let shape = self.shapes[id];
        let layout = match shape {
            Shape::Map { .. } => Layout::Blocked {
                halo: self.aliases.halo(self.aliases.of(id).0),
            },
            Shape::Flat(_) => Layout::PLANAR,
        };
        self.copied(id, layout)
    }

    /// A value channel by channel.
    pub(super) fn planar(&mut self, id: NodeId) -> Result<View, PlanError> {
        let fits = |view: &&View| matches!(self.layout(**view), Layout::Planar { .. });
        match self.values[&id].iter().find(fits) {
            Some(&view) => Ok(view),
            None => self.copied(id, Layout::PLANAR),
        }
    }

    /// A value as a convolution reads it: with the padding it needs around it, in blocks if its channels are grouped.
    pub(super) fn convolved(&mut self, id: NodeId, sides: Sides, grouped: bool) -> Result<View, PlanError> {
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
    pub(super) fn copied(&mut self, id: NodeId, layout: Layout) -> Result<View, PlanError> {
        let from = self.first(id);
        let to = self.buffer(id, layout)?;
        let copy = Copy::all(from, to);
        self.step(id, "copy into another layout", Work::Copy(copy));
        if let Some(views) = self.values.get_mut(&id) {
            views.push(to);
        }
        Ok(to)
    }
}
