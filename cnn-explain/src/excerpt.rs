//! What a large network's page keeps of its numbers: of each layer the cells around its middle and at its corner, and of
//! its operands what these cells need.

use crate::arithmetic::{Arithmetic, Window};
use crate::store::Region;

/// The most elements of an operand that are kept for one layer's cells.
const MOST: usize = 120_000;

/// How much is kept of a layer's result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    /// Channels, the first ones.
    pub(crate) channels: usize,
    /// Rows and columns in the middle.
    pub(crate) side: usize,
}

impl Cells {
    /// The cells of a result whose arithmetic can be followed: those in the middle, and (if there are more) the first.
    pub(crate) fn of(self, [channels, rows, columns]: [usize; 3]) -> Vec<Region> {
        let channels = channels.min(self.channels);
        let (height, width) = (rows.min(self.side), columns.min(self.side));
        let middle = Region {
            at: [0, (rows - height) / 2, (columns - width) / 2],
            size: [channels, height, width],
        };
        let corner = Region {
            at: [0; 3],
            size: [channels, 1, 1],
        };
        match middle.covers(&corner) {
            true => vec![middle],
            false => vec![middle, corner],
        }
    }
}

/// The places of one axis that windows `first..first + count` see of an axis of `size`, without the padding.
fn seen(first: usize, count: usize, axis: usize, window: &Window, size: usize) -> (usize, usize) {
    let reach = window.dilation[axis] * (window.size[axis] - 1) + 1;
    let before = window.sides[axis];
    let start = (first * window.stride[axis]).saturating_sub(before).min(size - 1);
    let end = ((first + count - 1) * window.stride[axis] + reach).saturating_sub(before);
    let end = end.clamp(start + 1, size);
    (start, end - start)
}

fn region(axes: [(usize, usize); 3]) -> Region {
    Region {
        at: axes.map(|(start, _)| start),
        size: axes.map(|(_, count)| count),
    }
}

/// What a layer needs of each operand (given by its extent) for some cells of its result; `None` of all that would be too
/// much.
pub(crate) fn needs(
    arithmetic: &Arithmetic,
    cells: Region,
    result: [usize; 3],
    operands: &[[usize; 3]],
) -> Vec<Option<Region>> {
    let own = |axis: usize| (cells.at[axis], cells.size[axis]);
    let mut before = 0; // channels of the operands before this one, where they are joined
    let regions = operands.iter().enumerate().map(|(index, &extent)| {
        let all = |axis: usize| (0, extent[axis]);
        // A size of 1 counts for every place.
        let spread = |axis: usize| if extent[axis] == 1 { (0, 1) } else { own(axis) };
        Some(match arithmetic {
            Arithmetic::Input | Arithmetic::Constant => return None,
            Arithmetic::Conv {
                window,
                groups,
                transposed: false,
                ..
            } => {
                let (inside, outside) = (extent[0] / groups, result[0] / groups);
                let (first, last) = (cells.at[0] / outside, (cells.at[0] + cells.size[0] - 1) / outside);
                let channels = (first * inside, (last + 1 - first) * inside);
                let [rows, columns] =
                    [1, 2].map(|axis| seen(cells.at[axis], cells.size[axis], axis - 1, window, extent[axis]));
                region([channels, rows, columns])
            }
            Arithmetic::Pool { window, .. } => {
                let [rows, columns] =
                    [1, 2].map(|axis| seen(cells.at[axis], cells.size[axis], axis - 1, window, extent[axis]));
                region([own(0), rows, columns])
            }
            Arithmetic::Conv { transposed: true, .. }
            | Arithmetic::Dense { .. }
            | Arithmetic::Tile
            | Arithmetic::Parts { .. } => Region::all(extent),
            // The features of each step, and the first states.
            Arithmetic::Recurrent { .. } if index == 0 => region([own(0), own(1), all(2)]),
            Arithmetic::Recurrent { .. } => Region::all(extent),
            Arithmetic::GlobalPool { .. }
            | Arithmetic::AdaptivePool
            | Arithmetic::Pad { .. }
            | Arithmetic::Gather { .. }
            | Arithmetic::Blend { .. } => region([own(0), all(1), all(2)]),
            Arithmetic::Function { .. }
            | Arithmetic::Prelu
            | Arithmetic::BatchNorm { .. }
            | Arithmetic::Quantize { .. }
            | Arithmetic::Dequantize { .. }
            | Arithmetic::QuantizedAdd { .. } => cells,
            // The places lie along the axis, or are the same for all.
            Arithmetic::GatherAlong { .. } if index == 1 => Region::all(extent),
            Arithmetic::Softmax { axis, .. }
            | Arithmetic::ArgExtreme { axis, .. }
            | Arithmetic::TopK { axis, .. }
            | Arithmetic::Cumsum { axis, .. }
            | Arithmetic::GatherAlong { axis, .. } => {
                region([0, 1, 2].map(|i| if i == *axis { all(i) } else { own(i) }))
            }
            Arithmetic::Lrn { size, .. } => {
                let first = cells.at[0].saturating_sub(*size);
                let end = (cells.at[0] + cells.size[0] + size).min(extent[0]);
                region([(first, end - first), own(1), own(2)])
            }
            Arithmetic::Combine { .. } => region([0, 1, 2].map(spread)),
            Arithmetic::Concat => {
                let first = cells.at[0].max(before);
                let end = (cells.at[0] + cells.size[0]).min(before + extent[0]);
                let start = before;
                before += extent[0];
                if first >= end {
                    return None;
                }
                region([(first - start, end - first), own(1), own(2)])
            }
            // The first operand's rows, the second one's columns.
            Arithmetic::Matmul
            | Arithmetic::Reduce { .. }
            | Arithmetic::Same
            | Arithmetic::Slice { .. }
            | Arithmetic::Transpose { .. }
            | Arithmetic::DepthToSpace { .. }
            | Arithmetic::SpaceToDepth { .. }
            | Arithmetic::Shuffle { .. } => {
                if extent == result {
                    cells
                } else {
                    Region::all(extent)
                }
            }
        })
    });
    regions
        .map(|region| region.filter(|region| region.elements() <= MOST))
        .collect()
}

/// The states that some cells of a recurrent layer continue from: all units, from the step before to the step after, whatever
/// the direction.
pub(crate) fn states(cells: Region, result: [usize; 3]) -> Option<Region> {
    let first = cells.at[1].saturating_sub(1);
    let end = (cells.at[1] + cells.size[1] + 1).min(result[1]);
    let states = region([(cells.at[0], cells.size[0]), (first, end - first), (0, result[2])]);
    (states.elements() <= MOST).then_some(states)
}

/// The rows of a tensor of weights that some cells need, of `extent`: their filters or, of a recurrent layer's tensor, the
/// gates of their units.
pub(crate) fn rows(
    arithmetic: &Arithmetic,
    role: &str,
    extent: [usize; 3],
    cells: Cells,
    result: [usize; 3],
) -> Vec<Region> {
    let mut whole = Region::all(extent);
    match arithmetic {
        Arithmetic::Recurrent {
            cell,
            reset_after,
            units,
            directions,
        } => {
            let reverse = role.ends_with("_reverse");
            let direction = directions.iter().position(|&one| one == reverse).unwrap_or(0);
            let mut rows = Vec::new();
            for gate in 0..extent[0] / units {
                // What a GRU resets of the state before it is multiplied is reset in all units: a gate's whole matrix.
                let all = *cell == "gru" && !reset_after && gate == 0;
                // Results, and what is remembered beside them.
                let places = [direction, directions.len() + direction];
                for (cells, place) in cells
                    .of(result)
                    .into_iter()
                    .flat_map(|cells| places.map(|place| (cells, place)))
                {
                    let own = (place * units, (place + 1) * units);
                    let first = cells.at[2].clamp(own.0, own.1);
                    let end = (cells.at[2] + cells.size[2]).clamp(own.0, own.1);
                    let (first, end) = if all { own } else { (first, end) };
                    let mut part = whole;
                    (part.at[0], part.size[0]) = (gate * units + first - own.0, end - first);
                    let most = if all { 2 * MOST } else { MOST };
                    if end > first && part.elements() <= most && !rows.contains(&part) {
                        rows.push(part);
                    }
                }
            }
            rows
        }
        _ => {
            // A transposed convolution's filters are the second dimension.
            let filters = usize::from(matches!(arithmetic, Arithmetic::Conv { transposed: true, .. }));
            whole.size[filters] = whole.size[filters].min(cells.channels);
            vec![whole]
        }
    }
}
