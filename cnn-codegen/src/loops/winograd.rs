//! Winograd convolutions: both transforms are the runtime's, the products between them are tile kernels.

use cnn_runtime::kernels::winograd::{InputShape, OutputShape};

use super::code::{Address, Call, Int, IntOp, TestExpr};
use super::step::Builder;
use super::sweep::Pointers;
use super::writer::FLOAT;
use crate::plan::WinogradWork;
use crate::plan::layout::BLOCK;

impl Builder<'_> {
    /// The body of one task. Operands: input, weights, output, residual (if there is one).
    pub(super) fn winograd(&mut self, work: &WinogradWork, task: Int) {
        let (rest, part) = self.divide(task, work.parts);
        let (group, block) = self.divide(rest, work.blocks());
        let first_tile = self.scaled(block, work.block);
        let all = self.int(work.all_tiles());
        // The last block of an image's tiles may be a smaller one. Several images together are always one whole block.
        let left = self.arithmetic(IntOp::Subtract, all, first_tile);
        let of_image = self.arithmetic(IntOp::Min, left, work.block);
        let tiles = if work.images > 1 {
            self.int(work.block)
        } else {
            of_image
        };

        let Some(transformed) = self.scratch else { return };
        // Scratch holds a² planes of transformed tiles and after them a² planes of their products.
        let products = self.offset(transformed, (work.variant.products() * work.planes[0]) as i64 * FLOAT);
        self.each_image(work, group, transformed, |e, image, to| {
            e.input_transform(work, image, [first_tile, of_image], to);
        });

        // The constant is all biases, then the filters of each part.
        let weights = self.offset(self.operands[1], work.bias_floats() as i64 * FLOAT);
        let weights = self.index(weights, part, work.part_floats as i64 * FLOAT);
        let at = Pointers {
            input: transformed,
            weights,
            output: products,
            residual: products,
        };
        for (count, nest) in &work.products {
            let all_tasks = |e: &mut Self| e.times(0, nest.tasks(), |e, task| e.nest(nest, at, task));
            if work.products.len() == 1 {
                all_tasks(self);
            } else {
                let is_this = self.test(TestExpr::Equal(tiles, (*count).into()));
                self.when(is_this, all_tasks);
            }
        }
        self.each_image(work, group, products, |e, image, from| {
            e.output_transform(work, [image, part], [first_tile, of_image], from);
        });
    }

    /// Each image of a task, and where its tiles are among the task's.
    fn each_image(
        &mut self,
        work: &WinogradWork,
        group: Int,
        tiles: Address,
        body: impl FnOnce(&mut Self, Int, Address),
    ) {
        let first = self.scaled(group, work.images);
        self.times(0, work.images, |e, index| {
            let image = if work.images > 1 {
                e.arithmetic(IntOp::Add, first, index)
            } else {
                first
            };
            let tiles = e.index(tiles, index, (work.all_tiles() * BLOCK) as i64 * FLOAT);
            body(e, image, tiles);
        });
    }

    fn input_transform(&mut self, work: &WinogradWork, image: Int, [first_tile, tiles]: [Int; 2], to: Address) {
        let strides = *self.plan.strides(work.input);
        let (from, _) = self.image(0, work.input, image);
        let [_, rows, columns] = work.input.shape.extent();
        let shape = InputShape {
            row_stride: strides.row,
            src_block_stride: strides.block,
            rows,
            columns,
            pad_top: work.sides.top,
            pad_left: work.sides.left,
            tiles_across: work.tiles[0],
            blocks: work.blocks[0],
            xi_stride: work.planes[0],
            dst_block_stride: work.block * BLOCK,
            tile_stride: BLOCK,
        };
        self.call(Call::WinogradInput {
            variant: work.variant,
            shape,
            from,
            to,
            first_tile,
            tiles,
        });
    }

    fn output_transform(
        &mut self,
        work: &WinogradWork,
        [image, part]: [Int; 2],
        [first_tile, tiles]: [Int; 2],
        from: Address,
    ) {
        let strides = *self.plan.strides(work.output);
        let blocks = work.blocks[1] as i64;
        let (sink, bytes) = self.image(2, work.output, image);
        let to = self.index(sink, part, blocks * bytes.block);
        let bias = self.index(self.operands[1], part, blocks * BLOCK as i64 * FLOAT);
        let residual = work.residual.map(|view| {
            let (base, bytes) = self.image(3, view, image);
            self.index(base, part, blocks * bytes.block)
        });
        // Never looked at without a residual.
        let residual_strides = work.residual.map_or(strides, |view| *self.plan.strides(view));
        let [_, rows, columns] = work.output.shape.extent();
        let shape = OutputShape {
            xi_stride: work.planes[1],
            src_block_stride: work.block * BLOCK,
            tile_stride: BLOCK,
            row_stride: strides.row,
            dst_block_stride: strides.block,
            rows,
            columns,
            tiles_across: work.tiles[0],
            blocks: work.blocks[1],
            residual_row_stride: residual_strides.row,
            residual_block_stride: residual_strides.block,
        };
        self.call(Call::WinogradOutput {
            variant: work.variant,
            shape,
            from,
            to,
            bias,
            residual,
            activation: work.activation,
            first_tile,
            tiles,
        });
    }
}
