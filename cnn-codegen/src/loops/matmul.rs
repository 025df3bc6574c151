//! Products of matrices, row by row.

use super::code::{Address, FloatOp, Int};
use super::step::Builder;
use super::writer::{FLOAT, VECTOR};
use crate::plan::View;
use crate::plan::layout::BLOCK;

/// Vectors of a row that are summed together: they hide each other's additions, and share what is read of the left.
const VECTORS: usize = 4;

/// A row of the left matrix, a column of the right, and where their product goes.
#[derive(Clone, Copy)]
struct Product {
    left: Address,
    right: Address,
    to: Address,
    /// Terms of a sum.
    inner: usize,
    /// Bytes from row to row of the right matrix.
    row: i64,
}

impl Builder<'_> {
    /// The body of one task: a row of a channel of an image. Operands: left, right, output.
    pub(super) fn matmul(&mut self, left: View, right: View, output: View, task: Int) {
        let ([_, _, inner], [channels, rows, columns]) = (left.shape.extent(), output.shape.extent());
        let (task, y) = self.divide(task, rows);
        let (image, channel) = self.divide(task, channels);
        let [(left, a), (right, b), (to, c)] = [(0, left), (1, right), (2, output)].map(|(operand, view)| {
            let (at, strides) = self.image(operand, view, image);
            // A matrix alone is every channel's.
            let lane = if view.shape.channels() == 1 { 0 } else { strides.lane };
            (self.index(at, channel, lane), strides)
        });
        let all = Product {
            left: self.index(left, y, a.row),
            right,
            to: self.index(to, y, c.row),
            inner,
            row: b.row,
        };
        let wide = columns / (VECTORS * BLOCK);
        self.times(0, wide, |e, i| {
            let step = VECTORS as i64 * VECTOR;
            let (right, to) = (e.index(all.right, i, step), e.index(all.to, i, step));
            e.vectors(Product { right, to, ..all }, VECTORS);
        });
        let rest = wide * VECTORS * BLOCK;
        let vectors = (columns - rest) / BLOCK;
        if vectors > 0 {
            let product = self.columns(all, rest);
            self.vectors(product, vectors);
        }
        match columns % BLOCK {
            0 => {}
            // Some columns again: their sums are the same.
            _ if columns > BLOCK => {
                let product = self.columns(all, columns - BLOCK);
                self.vectors(product, 1);
            }
            tail => self.times(0, tail, |e, x| {
                let (right, to) = (e.index(all.right, x, FLOAT), e.index(all.to, x, FLOAT));
                e.float_product(Product { right, to, ..all });
            }),
        }
    }

    /// From a column on.
    fn columns(&mut self, product: Product, column: usize) -> Product {
        let bytes = column as i64 * FLOAT;
        Product {
            right: self.offset(product.right, bytes),
            to: self.offset(product.to, bytes),
            ..product
        }
    }

    /// So many neighbouring vectors of sums.
    fn vectors(&mut self, product: Product, count: usize) {
        let zero = self.splat(0.0);
        let sums: Vec<_> = (0..count).map(|_| self.variable(zero)).collect();
        self.times(0, product.inner, |e, k| {
            let left = e.index(product.left, k, FLOAT);
            let left = e.load_float(left, 0);
            let left = e.splat_value(left);
            let right = e.index(product.right, k, product.row);
            for (vector, &sum) in sums.iter().enumerate() {
                let value = e.load(right, vector as i64 * VECTOR);
                let before = e.read(sum);
                // Rounded twice: the same bits with and without fused multiply–adds.
                let term = e.mul(left, value);
                let after = e.add(before, term);
                e.set(sum, after);
            }
        });
        for (vector, sum) in sums.into_iter().enumerate() {
            let sum = self.read(sum);
            self.store(sum, product.to, vector as i64 * VECTOR);
        }
    }

    /// One sum.
    fn float_product(&mut self, product: Product) {
        let zero = self.float(0.0);
        let sum = self.float_variable(zero);
        self.times(0, product.inner, |e, k| {
            let (left, right) = (e.index(product.left, k, FLOAT), e.index(product.right, k, product.row));
            let (a, b) = (e.load_float(left, 0), e.load_float(right, 0));
            let term = e.float_op(FloatOp::Multiply, a, b);
            let before = e.read_float(sum);
            let after = e.float_op(FloatOp::Add, before, term);
            e.set_float(sum, after);
        });
        let sum = self.read_float(sum);
        self.store_float(sum, product.to, 0);
    }
}
