//! The buffers and views of values while a plan is built, and the copies between layouts that steps need.

use cnn_ir::graph::NodeId;
use cnn_ir::op::Sides;
use cnn_ir::shape::Shape;
use cnn_runtime::pack::Recipe;

use super::build::Builder;
use super::layout::Layout;
use super::options::PlanError;
use super::tiling::Operand;
use super::work::{Copy, Work};
use super::{Buffer, BufferId, Constant, ConstantId, Place, Step, View, memory};

impl Builder<'_> {
    /// A new buffer, seen whole. Its halo is cleared first.
    pub(super) fn buffer(&mut self, id: NodeId, shape: Shape, layout: Layout, place: Place) -> Result<View, PlanError> {
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
    pub(super) fn output(&mut self, id: NodeId) -> Result<View, PlanError> {
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
    pub(super) fn first(&self, id: NodeId) -> View {
        self.values[&id][0]
    }

    pub(super) fn layout(&self, view: View) -> Layout {
        self.plan.buffers[view.buffer.0].layout
    }

    pub(super) fn is_external(&self, view: View) -> bool {
        !matches!(self.plan.buffers[view.buffer.0].place, Place::Arena(_))
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
                halo: self.homes.halo(self.homes.of(id).0),
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
        let to = self.buffer(id, self.shapes[id], layout, Place::Arena(0))?;
        let copy = Copy::all(from, to);
        self.step(id, "copy into another layout", Work::Copy(copy));
        if let Some(views) = self.values.get_mut(&id) {
            views.push(to);
        }
        Ok(to)
    }

    pub(super) fn operand(&self, view: View) -> Operand {
        Operand {
            view,
            strides: self.plan.buffers[view.buffer.0].strides,
            whole: self.plan.buffers[view.buffer.0].shape,
        }
    }

    pub(super) fn constant(&mut self, recipe: Recipe) -> ConstantId {
        let offset = self.plan.constant_bytes;
        self.plan.constant_bytes += (recipe.floats() * size_of::<f32>()).next_multiple_of(memory::ALIGNMENT);
        self.plan.constants.push(Constant { recipe, offset });
        ConstantId(self.plan.constants.len() - 1)
    }

    pub(super) fn step(&mut self, id: NodeId, kernel: &str, work: Work) {
        let node = &self.graph[id];
        let bytes = self.traffic(id, &work);
        self.plan.steps.push(Step {
            layer: node.name.clone(),
            op: node.op.name(),
            kernel: kernel.to_owned(),
            why: String::new(),
            multiplications: 0,
            bytes,
            work,
        });
    }
}
