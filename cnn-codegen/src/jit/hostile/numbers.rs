//! All numbers of a plan that anything follows from.

use cnn_ir::op::{Pair, Sides};
use cnn_ir::shape::Shape;

use crate::plan::{
    Gather, GatherSource, IntegerKind, IntegerWork, Layout, Move, Nest, PlanData, Recipe, Repeat, Storage, View, Work,
};

/// One number of a plan.
pub(super) enum Number<'a> {
    Size(&'a mut usize),
    Bytes(&'a mut i64),
    Offset(&'a mut i32),
    Count(&'a mut u32),
    /// Where weights that later calls read are: only a hint.
    Ahead(&'a mut i64),
    /// How many of those are brought nearer: only a hint.
    Prefetch(&'a mut u32),
}

/// Shows all numbers of a plan that anything follows from.
pub(super) struct Numbers<F>(pub(super) F);

impl<F: FnMut(Number<'_>)> Numbers<F> {
    fn sizes<'a>(&mut self, sizes: impl IntoIterator<Item = &'a mut usize>) {
        sizes.into_iter().for_each(|size| (self.0)(Number::Size(size)));
    }

    fn moved(&mut self, by: &mut Move) {
        let all = [&mut by.input, &mut by.weights, &mut by.output, &mut by.residual];
        all.into_iter().for_each(|bytes| (self.0)(Number::Bytes(bytes)));
        (self.0)(Number::Ahead(&mut by.ahead));
    }

    fn repeat(&mut self, repeat: &mut Repeat) {
        self.sizes([&mut repeat.count]);
        self.moved(&mut repeat.step);
    }

    fn shape(&mut self, shape: &mut Shape) {
        match shape {
            Shape::Map {
                channels,
                height,
                width,
            } => self.sizes([channels, height, width]),
            Shape::Flat(n) => self.sizes([n]),
        }
    }

    fn view(&mut self, view: &mut View) {
        self.sizes([&mut view.buffer.0, &mut view.channel]);
        self.shape(&mut view.shape);
    }

    fn views<'a>(&mut self, views: impl IntoIterator<Item = &'a mut View>) {
        views.into_iter().for_each(|view| self.view(view));
    }

    fn pair(&mut self, pair: &mut Pair) {
        self.sizes([&mut pair.h, &mut pair.w]);
    }

    fn sides(&mut self, sides: &mut Sides) {
        self.sizes([&mut sides.top, &mut sides.left, &mut sides.bottom, &mut sides.right]);
    }

    fn nest(&mut self, nest: &mut Nest) {
        for spec in &mut nest.specs {
            self.sizes([&mut spec.vectors]);
            for pixel in &mut spec.pixels {
                let all = [&mut pixel.input, &mut pixel.output, &mut pixel.residual];
                all.into_iter().for_each(|offset| (self.0)(Number::Offset(offset)));
            }
            let lists = [&mut spec.output_vectors, &mut spec.residual_vectors, &mut spec.taps];
            let offsets = lists.into_iter().flat_map(|list| list.iter_mut().take(4));
            offsets.for_each(|offset| (self.0)(Number::Offset(offset)));
            for one in &mut spec.loops {
                (self.0)(Number::Count(&mut one.count));
                (self.0)(Number::Bytes(&mut one.input_step));
            }
            (self.0)(Number::Prefetch(&mut spec.prefetch));
        }
        self.repeat(&mut nest.images);
        self.repeat(&mut nest.panels);
        nest.panel_inputs
            .iter_mut()
            .for_each(|bytes| (self.0)(Number::Bytes(bytes)));
        nest.passes.iter_mut().for_each(|pass| self.moved(pass));
        for region in &mut nest.regions {
            self.moved(&mut region.start);
            self.repeat(&mut region.rows);
            self.sizes([&mut region.block]);
            for segment in &mut region.segments {
                self.moved(&mut segment.start);
                self.repeat(&mut segment.tiles);
                self.sizes(&mut segment.specs);
            }
            for (start, floats) in &mut region.runs {
                (self.0)(Number::Bytes(start));
                self.sizes([floats]);
            }
        }
    }

    fn integers(&mut self, work: &mut IntegerWork) {
        self.views([&mut work.input, &mut work.output].into_iter().chain(&mut work.other));
        self.sizes(work.constant.as_mut().map(|constant| &mut constant.0));
        if let IntegerKind::Conv {
            row_block, panel_block, ..
        } = &mut work.kind
        {
            self.sizes([row_block, panel_block]);
        }
        if let IntegerKind::Conv { window, .. }
        | IntegerKind::Depthwise { window, .. }
        | IntegerKind::Pool { window, .. } = &mut work.kind
        {
            [&mut window.size, &mut window.stride, &mut window.dilation]
                .into_iter()
                .for_each(|pair| self.pair(pair));
            self.sides(&mut window.sides);
        }
    }

    fn work(&mut self, work: &mut Work) {
        match work {
            Work::Sweep(sweep) => {
                self.sizes([&mut sweep.input.0, &mut sweep.output.0, &mut sweep.weights.0]);
                self.sizes(sweep.residual.as_mut().map(|residual| &mut residual.0));
                self.moved(&mut sweep.start);
                self.nest(&mut sweep.nest);
            }
            Work::Winograd(work) => {
                let views = [&mut work.input, &mut work.output]
                    .into_iter()
                    .chain(&mut work.residual);
                views.for_each(|view| self.view(view));
                self.sides(&mut work.sides);
                self.sizes([
                    &mut work.weights.0,
                    &mut work.images,
                    &mut work.block,
                    &mut work.parts,
                    &mut work.part_floats,
                ]);
                self.sizes(work.tiles.iter_mut().chain(&mut work.blocks).chain(&mut work.planes));
                for (tiles, nest) in &mut work.products {
                    self.sizes([tiles]);
                    self.nest(nest);
                }
            }
            Work::Copy(copy) => {
                self.view(&mut copy.from);
                self.view(&mut copy.to);
                self.sizes([&mut copy.at.0, &mut copy.at.1]);
            }
            Work::Integer(work) => self.integers(work),
            Work::ClearHalo(buffer) => self.sizes([&mut buffer.0]),
            Work::Elementwise(one) => {
                one.operands.iter_mut().for_each(|view| self.view(view));
                self.view(&mut one.output);
                let constants = one.scale_shift.iter_mut().chain(&mut one.slope);
                self.sizes(constants.map(|constant| &mut constant.0));
            }
            Work::Pool(pool) => {
                self.view(&mut pool.input);
                self.view(&mut pool.output);
                [&mut pool.size, &mut pool.stride, &mut pool.dilation]
                    .into_iter()
                    .for_each(|pair| self.pair(pair));
                self.sides(&mut pool.sides);
            }
            Work::Softmax {
                input, output, axis, ..
            } => {
                self.views([input, output]);
                self.sizes([axis]);
            }
            Work::Lrn { input, output, lrn } => {
                self.views([input, output]);
                self.sizes([&mut lrn.size]);
            }
            Work::Gather(Gather { from, to, index_map }) => {
                match from {
                    GatherSource::View(view) => self.view(view),
                    GatherSource::Constant(constant) => self.sizes([&mut constant.0]),
                }
                self.view(to);
                self.sizes(index_map.iter_mut().flatten());
            }
            Work::Interpolate(one) => {
                self.views([&mut one.input, &mut one.output]);
                for tap in one.rows.iter_mut().chain(&mut one.columns) {
                    self.sizes([&mut tap.first, &mut tap.second]);
                }
            }
            Work::Matmul { left, right, output } => {
                self.views([left, right, output]);
            }
            Work::Along(work) => {
                self.views([&mut work.input, &mut work.output].into_iter().chain(&mut work.places));
                self.sizes([&mut work.axis]);
            }
            Work::Recurrent(work) => {
                self.views([&mut work.input, &mut work.output].into_iter().chain(&mut work.states));
                self.sizes([&mut work.recurrent.units, &mut work.block, &mut work.group]);
            }
            Work::GlobalPool { input, output, .. }
            | Work::AdaptiveAvgPool { input, output }
            | Work::Reduce { input, output, .. } => {
                self.views([input, output]);
            }
        }
    }

    fn recipe(&mut self, recipe: &mut Recipe) {
        match recipe {
            Recipe::Panels { filters, panels } => {
                self.sizes(&mut filters.shape);
                self.sizes([&mut panels.vectors, &mut panels.groups]);
                self.sizes(panels.first_channels.iter_mut().chain(&mut panels.k_blocks));
            }
            Recipe::Fixed { filters, panels } => {
                self.sizes(&mut filters.shape);
                self.sizes([&mut panels.vectors, &mut panels.block]);
            }
            Recipe::Winograd { filters, transformed } => {
                self.sizes(&mut filters.shape);
                self.sizes([&mut transformed.vectors, &mut transformed.parts]);
            }
            Recipe::Integers { filters, .. } | Recipe::Lanewise { filters } => self.sizes(&mut filters.shape),
            Recipe::ScaleShift { channels, .. } => self.sizes([channels]),
            Recipe::Tensor { shape, .. } => self.sizes(shape),
        }
    }

    pub(super) fn plan(&mut self, plan: &mut PlanData) {
        self.sizes([&mut plan.batch, &mut plan.arena_bytes, &mut plan.constant_bytes]);
        for buffer in &mut plan.buffers {
            self.shape(&mut buffer.shape);
            if let Layout::Planar { halo } | Layout::Pixels { halo } | Layout::Blocked { halo } = &mut buffer.layout {
                self.sides(halo);
            }
            let strides = &mut buffer.strides;
            self.sizes([
                &mut strides.origin,
                &mut strides.image,
                &mut strides.block,
                &mut strides.lane,
                &mut strides.row,
                &mut strides.pixel,
                &mut buffer.bytes,
            ]);
            match &mut buffer.storage {
                Storage::Input(number) | Storage::Output(number) | Storage::Arena(number) => self.sizes([number]),
            }
        }
        for constant in &mut plan.constants {
            self.sizes([&mut constant.offset]);
            self.recipe(&mut constant.recipe);
        }
        for port in plan.inputs.iter_mut().chain(&mut plan.outputs) {
            self.shape(&mut port.shape);
            self.sizes([&mut port.buffer.0]);
        }
        plan.steps.iter_mut().for_each(|step| self.work(&mut step.work));
    }
}
