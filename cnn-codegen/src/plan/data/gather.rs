//! Elements taken through index maps, and how code may read them.

use super::layout::{BLOCK, Layout};
use super::{ConstantId, PlanData, View};

/// `to[c, y, x] = from[index_map[0][c] + index_map[1][y] + index_map[2][x]]`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Gather {
    /// Where elements are taken from.
    pub from: GatherSource,
    /// The result.
    pub to: View,
    /// Floats from the first element of `from`, for each channel, row and column of `to`: which element is taken is a sum
    /// of three, since every source so far is regular along each axis.
    pub index_map: [Vec<usize>; 3],
}

/// Where elements are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum GatherSource {
    /// A value in any layout.
    View(View),
    /// A constant, for every image.
    Constant(ConstantId),
}

/// How the eight channels of a block are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// So many floats apart, also those after the last channel; as one vector if it is one.
    Even(usize),
    /// Each from an offset of its own.
    Scattered,
}

impl GatherSource {
    /// The value, if it is one.
    pub fn view(self) -> Option<View> {
        match self {
            GatherSource::View(view) => Some(view),
            GatherSource::Constant(_) => None,
        }
    }

    /// The constant, if it is one.
    pub fn constant(self) -> Option<ConstantId> {
        match self {
            GatherSource::View(_) => None,
            GatherSource::Constant(constant) => Some(constant),
        }
    }

    /// Floats from the first element to where it ends; 0 if that is before the first element.
    fn floats(self, plan: &PlanData) -> usize {
        match self {
            GatherSource::Constant(ConstantId(constant)) => plan.constants[constant].recipe.floats(),
            GatherSource::View(view) => {
                let strides = plan.strides(view);
                let end = match plan.buffers[view.buffer.0].layout {
                    Layout::Blocked { .. } => view.shape.channels().div_ceil(BLOCK) * strides.block,
                    Layout::Planar { .. } | Layout::Pixels { .. } | Layout::Hwc => {
                        strides.image.saturating_sub(strides.channel(view.channel))
                    }
                };
                end.saturating_sub(strides.origin)
            }
        }
    }
}

impl Gather {
    /// Whether everything that code for it reads is within the source, and every element of the result has one to take.
    pub(crate) fn is_within(&self, plan: &PlanData) -> bool {
        let counts = self.index_map.iter().map(Vec::len);
        counts.eq(self.to.shape.extent()) && self.end(self.lanes(plan)) <= self.from.floats(plan)
    }

    /// Floats from the first element to the end of the last that is read.
    fn end(&self, lanes: Lanes) -> usize {
        let [channels, rows, columns] = &self.index_map;
        let greatest = |offsets: &[usize]| offsets.iter().copied().max().unwrap_or(0);
        let last = match lanes {
            Lanes::Even(apart) => {
                let firsts: Vec<usize> = channels.iter().step_by(BLOCK).copied().collect();
                greatest(&firsts).saturating_add(apart.saturating_mul(BLOCK - 1))
            }
            Lanes::Scattered => greatest(channels),
        };
        let others = greatest(rows).saturating_add(greatest(columns));
        last.saturating_add(others).saturating_add(1)
    }

    /// How blocks of channels are read.
    pub fn lanes(&self, plan: &PlanData) -> Lanes {
        let [channels, ..] = &self.index_map;
        let apart = match channels.as_slice() {
            [first, second, ..] if second > first => second - first,
            _ => return Lanes::Scattered,
        };
        let even = |block: &[usize]| {
            block
                .iter()
                .enumerate()
                .all(|(lane, &at)| at == block[0].saturating_add(lane.saturating_mul(apart)))
        };
        let lanes = Lanes::Even(apart);
        if channels.chunks(BLOCK).all(even) && self.end(lanes) <= self.from.floats(plan) {
            lanes
        } else {
            Lanes::Scattered
        }
    }

    /// Whether lanes after the last channel are read from such lanes: they hold what they may hold.
    pub fn keeps_padding(&self, plan: &PlanData) -> bool {
        let GatherSource::View(view) = self.from else {
            return false;
        };
        let channels = view.shape.channels();
        let last = plan.strides(view).channel(channels - 1);
        matches!(plan.buffers[view.buffer.0].layout, Layout::Blocked { .. })
            && self.lanes(plan) == Lanes::Even(1)
            && channels == self.to.shape.channels()
            && self.index_map[0].last() == Some(&last)
    }
}
