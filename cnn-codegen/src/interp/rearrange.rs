//! Operators that move elements without computing, and interpolation.

use cnn_ir::op::{ChannelShuffle, DepthToSpace, Pad, Places, Resize, SpaceToDepth, Transpose};

use super::tensor::Tensor;

/// The same elements under the shape of `y`.
pub(super) fn copy(x: &Tensor, y: &mut Tensor) {
    y.data.copy_from_slice(&x.data);
}

/// Puts a border around `x`.
pub(super) fn pad(pad: &Pad, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let iy = pad.source(row, pad.sides.top, x.height());
        let ix = pad.source(column, pad.sides.left, x.width());
        match (iy, ix) {
            (Some(iy), Some(ix)) => x.at(c, iy, ix),
            _ => f64::from(pad.value),
        }
    });
}

/// Interleaves the groups of channels.
pub(super) fn channel_shuffle(shuffle: ChannelShuffle, x: &Tensor, y: &mut Tensor) {
    let group = x.channels() / shuffle.groups;
    y.fill(|c, row, column| {
        let source = c % shuffle.groups * group + c / shuffle.groups;
        x.at(source, row, column)
    });
}

/// Interpolates `x` at the places of `y`.
pub(super) fn resize(resize: &Resize, x: &Tensor, y: &mut Tensor) {
    let [rows, columns] = resize.axes(x.height(), x.width());
    y.fill(|c, row, column| {
        let (vertical, horizontal) = (rows.tap(row), columns.tap(column));
        let across = |row: usize| {
            x.at(c, row, horizontal.first) * (1.0 - horizontal.share)
                + x.at(c, row, horizontal.second) * horizontal.share
        };
        across(vertical.first) * (1.0 - vertical.share) + across(vertical.second) * vertical.share
    });
}

/// Takes the places of one axis.
pub(super) fn slice(axis: usize, places: Places, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let mut place = [c, row, column];
        place[axis] = places.first.wrapping_add_signed(place[axis] as isize * places.step);
        x.at(place[0], place[1], place[2])
    });
}

/// Puts the axes into another order.
pub(super) fn transpose(transpose: Transpose, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let mut place = [0; 3];
        for (axis, i) in transpose.order.into_iter().zip([c, row, column]) {
            place[axis] = i;
        }
        x.at(place[0], place[1], place[2])
    });
}

/// Makes a block of pixels of the channels of each.
pub(super) fn depth_to_space(op: DepthToSpace, x: &Tensor, y: &mut Tensor) {
    let channels = y.channels();
    y.fill(|c, row, column| {
        let source = op.source(channels, c, row % op.block, column % op.block);
        x.at(source, row / op.block, column / op.block)
    });
}

/// Makes channels of one pixel of each block of pixels.
pub(super) fn space_to_depth(op: SpaceToDepth, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let (place, c) = (c / x.channels(), c % x.channels());
        x.at(
            c,
            row * op.block + place / op.block,
            column * op.block + place % op.block,
        )
    });
}
