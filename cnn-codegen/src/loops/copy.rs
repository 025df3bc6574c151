//! Copies between layouts, borders and halos.

use super::code::{Address, Float, Int, TestExpr};
use super::step::{Builder, ByteStrides};
use super::writer::{FLOAT, VECTOR};
use crate::plan::layout::{BLOCK, Layout};
use crate::plan::{BufferId, Copy, Plan, View};

/// How a copy moves its elements.
enum Way {
    /// Whole blocks of eight channels.
    Blocks,
    /// Channel by channel.
    Channels,
}

fn way(plan: &Plan, copy: &Copy) -> Way {
    let blocked = |view: View| {
        matches!(plan.buffers[view.buffer.0].layout, Layout::Blocked { .. }) && view.channel.is_multiple_of(BLOCK)
    };
    // A last block that is not full must be where the buffer ends, or it would cover its neighbour's channels.
    let end = copy.to.channel + copy.to.shape.channels();
    let whole = end.is_multiple_of(BLOCK) || end == plan.buffers[copy.to.buffer.0].shape.channels();
    if !copy.reshape && whole && blocked(copy.from) && blocked(copy.to) {
        Way::Blocks
    } else {
        Way::Channels
    }
}

/// Tasks of a copy: blocks or channels of all images.
pub(super) fn tasks(plan: &Plan, copy: &Copy) -> usize {
    let [channels, ..] = copy.from.shape.extent();
    plan.batch
        * match way(plan, copy) {
            Way::Blocks => channels.div_ceil(BLOCK),
            Way::Channels => channels,
        }
}

impl Builder<'_> {
    /// The body of one task. Operands: from, to.
    pub(super) fn copy(&mut self, copy: &Copy, task: Int) {
        let from = ByteStrides::from(self.plan.strides(copy.from));
        let mut to = ByteStrides::from(self.plan.strides(copy.to));
        let [channels, height, width] = copy.from.shape.extent();
        if copy.reshape {
            // Planar order of the source's shape, whatever the target's.
            to.pixel = FLOAT;
            to.row = width as i64 * FLOAT;
            to.lane = height as i64 * to.row;
            to.block = BLOCK as i64 * to.lane;
        }
        let target = copy.to.shape.extent();
        match way(self.plan, copy) {
            Way::Blocks => {
                let (source, _) = self.block(0, copy.from, task);
                let (sink, _) = self.block(1, copy.to, task);
                // The border is written everywhere first, and the map over it.
                if let Some(value) = copy.border {
                    let vector = self.splat(value);
                    self.pixels(target, |e, y, x| {
                        let at = e.index(sink, y, to.row);
                        let at = e.index(at, x, to.pixel);
                        e.store(vector, at, 0);
                    });
                }
                let sink = self.offset(sink, copy.at.0 as i64 * to.row + copy.at.1 as i64 * to.pixel);
                self.pixels([1, height, width], |e, y, x| {
                    let (source, sink) = (e.index(source, y, from.row), e.index(sink, y, to.row));
                    let (source, sink) = (e.index(source, x, from.pixel), e.index(sink, x, to.pixel));
                    let vector = e.load(source, 0);
                    e.store(vector, sink, 0);
                });
            }
            Way::Channels => {
                let (image, channel) = self.divide(task, channels);
                let source = self.channel(0, copy.from, from, image, channel);
                let sink = if copy.reshape {
                    let base = self.origin(1, copy.to);
                    let base = self.index(base, image, to.image);
                    self.index(base, channel, to.lane)
                } else {
                    self.channel(1, copy.to, to, image, channel)
                };
                if let Some(value) = copy.border {
                    let value = self.float(value);
                    self.fill(sink, to, target, value);
                }
                let inner = self.offset(sink, copy.at.0 as i64 * to.row + copy.at.1 as i64 * to.pixel);
                self.plane(source, from, inner, to, height, width);
                if !copy.reshape {
                    self.clear_lanes(copy.to, to, sink, channel);
                }
            }
        }
    }

    /// The address of a channel's first element.
    fn channel(&mut self, operand: usize, view: View, strides: ByteStrides, image: Int, channel: Int) -> Address {
        // From the buffer's first channel, because a view may begin within a block.
        let first = self.origin(operand, View { channel: 0, ..view });
        let base = self.index(first, image, strides.image);
        let channel = self.plus(channel, view.channel as i64);
        let (block, lane) = self.divide(channel, BLOCK);
        let base = self.index(base, block, strides.block);
        self.index(base, lane, strides.lane)
    }

    /// Copies one channel's plane.
    fn plane(
        &mut self,
        source: Address,
        from: ByteStrides,
        sink: Address,
        to: ByteStrides,
        height: usize,
        width: usize,
    ) {
        // Only where a channel's pixels follow each other on both sides are eight of them a vector. None reaches beyond the
        // row: what follows it may be another's.
        let contiguous = from.pixel == FLOAT && to.pixel == FLOAT;
        self.times(0, height, |e, y| {
            let (source, sink) = (e.index(source, y, from.row), e.index(sink, y, to.row));
            let vectors = if contiguous { width / BLOCK } else { 0 };
            e.times(0, vectors, |e, x| {
                let (source, sink) = (e.index(source, x, VECTOR), e.index(sink, x, VECTOR));
                let vector = e.load(source, 0);
                e.store(vector, sink, 0);
            });
            e.times(vectors * BLOCK, width - vectors * BLOCK, |e, x| {
                let (source, sink) = (e.index(source, x, from.pixel), e.index(sink, x, to.pixel));
                let value = e.load_float(source, 0);
                e.store_float(value, sink, 0);
            });
        });
    }

    /// Fills one channel's plane.
    fn fill(&mut self, sink: Address, to: ByteStrides, shape: [usize; 3], value: Float) {
        self.pixels(shape, |e, y, x| {
            let at = e.index(sink, y, to.row);
            let at = e.index(at, x, to.pixel);
            e.store_float(value, at, 0);
        });
    }

    /// Zeros in the lanes behind the buffer's last channel, when `channel` is the last.
    fn clear_lanes(&mut self, view: View, strides: ByteStrides, sink: Address, channel: Int) {
        let buffer = &self.plan.buffers[view.buffer.0];
        let channels = view.shape.channels();
        let end = view.channel + channels;
        let blocked = matches!(buffer.layout, Layout::Blocked { .. });
        if !blocked || end != buffer.shape.channels() || end.is_multiple_of(BLOCK) {
            return;
        }
        let is_last = self.test(TestExpr::Equal(channel, (channels - 1).into()));
        let shape = view.shape.extent();
        self.when(is_last, |e| {
            let zero = e.float(0.0);
            // `sink` is in the lane of the last channel, `(end − 1) % 8`: so many lanes of the block come after it.
            for lane in 1..=(BLOCK - end % BLOCK) as i64 {
                let at = e.offset(sink, lane * FLOAT);
                e.fill(at, strides, shape, zero);
            }
        });
    }

    /// Zeros in a buffer's halo: one plane a task. Operand: the buffer.
    pub(super) fn clear_halo(&mut self, buffer: BufferId, task: Int) {
        let buffer = &self.plan.buffers[buffer.0];
        let halo = buffer.layout.halo();
        let [channels, height, width] = buffer.shape.extent();
        let strides = ByteStrides::from(&buffer.strides);
        let blocked = matches!(buffer.layout, Layout::Blocked { .. });
        let planes = if blocked { channels.div_ceil(BLOCK) } else { channels };
        let plane = if blocked { strides.block } else { strides.lane };
        let (image, index) = self.divide(task, planes);
        let base = self.index(self.operands[0], image, strides.image);
        let base = self.index(base, index, plane);
        // A buffer's first byte is the corner of its halo: offsets count from there, and none is negative.
        let columns = halo.left + width + halo.right;
        let area = |e: &mut Self, row: usize, column: usize, height: usize, width: usize| {
            let start = e.offset(base, row as i64 * strides.row + column as i64 * strides.pixel);
            let floats = width * if blocked { BLOCK } else { 1 };
            let zeros = e.splat(0.0);
            let zero = e.float(0.0);
            e.times(0, height, |e, y| {
                let at = e.index(start, y, strides.row);
                e.times(0, floats / BLOCK, |e, x| {
                    let at = e.index(at, x, VECTOR);
                    e.store(zeros, at, 0);
                });
                for rest in floats / BLOCK * BLOCK..floats {
                    e.store_float(zero, at, rest as i64 * FLOAT);
                }
            });
        };
        // Four areas that do not meet: above and below over the whole width, left and right only beside the map.
        area(self, 0, 0, halo.top, columns);
        area(self, halo.top, 0, height, halo.left);
        area(self, halo.top, halo.left + width, height, halo.right);
        area(self, halo.top + height, 0, halo.bottom, columns);
    }
}
