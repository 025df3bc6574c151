//! Reductions along axes.

use cnn_ir::op::{Reduce, ReduceKind};

use super::tensor::Tensor;

/// Reduces `x` along axes.
pub(super) fn run(reduce: Reduce, x: &Tensor, y: &mut Tensor) {
    let sizes = [x.channels(), x.height(), x.width()];
    let range = |axis: usize, place: usize| match reduce.axes[axis] {
        true => 0..sizes[axis],
        false => place..place + 1,
    };
    y.fill(|c, row, column| {
        let (rows, columns) = (range(1, row), range(2, column));
        let mut elements = Vec::new();
        for c in range(0, c) {
            for row in rows.clone() {
                elements.extend(columns.clone().map(|column| x.at(c, row, column)));
            }
        }
        match reduce.kind {
            ReduceKind::Sum => elements.iter().sum(),
            ReduceKind::Mean => elements.iter().sum::<f64>() / elements.len() as f64,
            ReduceKind::Max => greatest(&elements),
            ReduceKind::Min => -greatest(&elements.iter().map(|x| -x).collect::<Vec<_>>()),
            ReduceKind::Prod => elements.iter().product(),
            ReduceKind::SumSquare => elements.iter().map(|x| x * x).sum(),
        }
    });
}

/// The greatest element, NaN if one is; −∞ of none.
pub(super) fn greatest(taps: &[f64]) -> f64 {
    let mut greatest = f64::NEG_INFINITY;
    for &x in taps {
        if x > greatest || x.is_nan() {
            greatest = x;
        }
        if greatest.is_nan() {
            break;
        }
    }
    greatest
}
