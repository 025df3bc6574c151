//! Operators along one axis: places of extremes, the few greatest, running sums, elements at computed places.

use std::cmp::Ordering;

use cnn_ir::op::{ArgExtreme, CumSum, Gather, Tile, TopK};

use super::tensor::Tensor;

/// The elements of `x` along an axis through a place.
fn walk(x: &Tensor, axis: usize, [c, row, column]: [usize; 3]) -> Vec<f64> {
    let at = |i: usize| match axis {
        0 => x.at(i, row, column),
        1 => x.at(c, i, column),
        _ => x.at(c, row, i),
    };
    (0..x.shape.extent()[axis]).map(at).collect()
}

/// NaN is greater than all others.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

pub(super) fn extreme(op: &ArgExtreme, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let values = walk(x, op.axis, [c, row, column]);
        let mut best = 0;
        for (i, &value) in values.iter().enumerate() {
            // NaN is taken for either extreme.
            let wins = match order(value, values[best]) {
                Ordering::Equal => op.last,
                _ if value.is_nan() => true,
                _ if values[best].is_nan() => false,
                found => found == if op.least { Ordering::Less } else { Ordering::Greater },
            };
            if wins {
                best = i;
            }
        }
        best as f64
    });
}

pub(super) fn top_k(op: &TopK, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let values = walk(x, op.axis, [c, row, column]);
        let mut places: Vec<usize> = (0..values.len()).collect();
        // Stable: of equal ones the first stays first.
        places.sort_by(|&a, &b| match op.largest {
            true => order(values[b], values[a]),
            false => order(values[a], values[b]),
        });
        let place = places[[c, row, column][op.axis]];
        if op.indices { place as f64 } else { values[place] }
    });
}

pub(super) fn cumsum(op: &CumSum, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let values = walk(x, op.axis, [c, row, column]);
        let i = [c, row, column][op.axis];
        let with = usize::from(!op.exclusive);
        let taken = if op.reverse {
            &values[i + 1 - with..]
        } else {
            &values[..i + with]
        };
        taken.iter().sum()
    });
}

pub(super) fn gather(op: &Gather, x: &Tensor, places: &Tensor, y: &mut Tensor) {
    let lie = op.places(x.shape, places.shape).extent();
    y.fill(|c, row, column| {
        let at = [c, row, column];
        let own = [0, 1, 2].map(|axis| if lie[axis] == 1 { 0 } else { at[axis] });
        let number = places.data[(own[0] * lie[1] + own[1]) * lie[2] + own[2]];
        let values = walk(x, op.axis, at);
        let number = number.trunc();
        let from_end = if number < 0.0 { values.len() as f64 } else { 0.0 };
        let place = number + from_end;
        let place = if place >= 0.0 { values.get(place as usize) } else { None };
        place.copied().unwrap_or(f64::NAN)
    });
}

pub(super) fn tile(_: &Tile, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| x.at(c % x.channels(), row % x.height(), column % x.width()));
}
