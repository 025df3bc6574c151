//! The weight stream of tile kernels: panels of filters, each read strictly in sequence.

use std::fmt;

use super::LANES;
use super::filters::{FilterSource, Filters, Rows};
use super::instructions::Instructions;
use super::lanes::LaneRows;
use super::parts::{PackPart, pack_parts};
use crate::threads::ThreadPool;
use crate::weights::WeightError;

/// In which order a panel walks the input's channels and taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ChannelOrder {
    /// Channel, row, column: for planar inputs and vectors.
    Planar,
    /// Block of eight channels, row, column, channel of the block. Only the first `lanes` channels of a block are
    /// walked (fewer than eight when there are fewer channels than that).
    Blocked {
        /// Channels of a block.
        lanes: usize,
    },
}

/// The order of the stream: `[panel][k-block]( [bias] [k-step] )[8 · vectors]`, the bias before the first k-block only.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Panels {
    /// A panel has 8 · `vectors` filters; the last is filled with zeros.
    pub vectors: usize,
    /// Groups of the convolution. With more than one a panel sees the channels from its `first_channel` on, and
    /// its weight is 0 where filter and channel belong to different groups.
    pub groups: usize,
    /// Channels and taps within a k-block.
    pub order: ChannelOrder,
    /// The first channel that each panel sees.
    pub first_channels: Vec<usize>,
    /// Channels of each k-block (whole blocks where blocked); their sum may exceed what there is.
    pub k_blocks: Vec<usize>,
}

impl Panels {
    /// k-steps of all k-blocks of one panel.
    fn steps(&self, taps: usize) -> usize {
        self.k_blocks
            .iter()
            .map(|&channels| self.k_block_steps(channels, taps))
            .sum()
    }

    fn k_block_steps(&self, channels: usize, taps: usize) -> usize {
        match self.order {
            ChannelOrder::Planar => channels * taps,
            ChannelOrder::Blocked { lanes } => channels.div_ceil(LANES) * lanes * taps,
        }
    }

    /// Floats of one panel's stream.
    pub fn panel_floats(&self, filters: &FilterSource) -> usize {
        (1 + self.steps(filters.taps())) * LANES * self.vectors
    }

    /// Floats before each k-block of a panel's stream (the first starts with the bias).
    pub fn k_block_offsets(&self, filters: &FilterSource) -> Vec<usize> {
        let mut next = 0;
        let mut bias = 1;
        let mut offsets = Vec::with_capacity(self.k_blocks.len());
        for &channels in &self.k_blocks {
            offsets.push(next * LANES * self.vectors);
            next += bias + self.k_block_steps(channels, filters.taps());
            bias = 0;
        }
        offsets
    }

    /// Floats of all panels.
    pub fn floats(&self, filters: &FilterSource) -> usize {
        self.first_channels.len() * self.panel_floats(filters)
    }

    /// Packs panels in parallel.
    pub(super) fn pack(&self, filters: &Filters<'_>, out: &mut [f32], pool: &ThreadPool) -> Result<(), WeightError> {
        let job = PackPanels {
            panels: self,
            filters,
            places: self.places(filters.declared().taps()),
        };
        let floats = out.len();
        let streams = out.chunks_exact_mut(self.panel_floats(filters.declared())).collect();
        pack_parts(streams, floats, pool, &job)
    }

    /// Where in its stream a panel has the weights of the channels that it sees, by channel and tap: the place of the
    /// first lane.
    fn places(&self, taps: usize) -> Vec<usize> {
        // Where there is no step for a channel, a place that is beyond any stream.
        let mut places = vec![usize::MAX; self.k_blocks.iter().sum::<usize>().next_multiple_of(LANES) * taps];
        // Behind the bias.
        let mut step = 1;
        let mut put = |channel: usize, tap: usize| {
            places[channel * taps + tap] = step * LANES * self.vectors;
            step += 1;
        };
        let mut first = 0;
        for &count in &self.k_blocks {
            match self.order {
                ChannelOrder::Planar => {
                    for channel in first..first + count {
                        (0..taps).for_each(|tap| put(channel, tap));
                    }
                }
                ChannelOrder::Blocked { lanes } => {
                    for block in (first..first + count).step_by(LANES) {
                        for tap in 0..taps {
                            (block..block + lanes).for_each(|channel| put(channel, tap));
                        }
                    }
                }
            }
            first += count;
        }
        places
    }
}

/// Part of a stream that is written for all of its filters before the next: little enough to stay in the second-level
/// cache, so much that the rows' next lines are fetched ahead.
const BLOCK_BYTES: usize = 64 << 10;

/// Packs the panels of one constant.
struct PackPanels<'a> {
    panels: &'a Panels,
    filters: &'a Filters<'a>,
    places: Vec<usize>,
}

/// A run of filters that see the same channels.
struct Run<'a> {
    lanes: LaneRows<'a>,
    /// The first of their lanes' vector in the panel.
    lane: usize,
    /// The place of their first weight among [`PackPanels::places`].
    first: usize,
}

impl PackPanels<'_> {
    /// The filters of one panel, whose rows are given, eight at a time; fewer where groups meet.
    fn runs<'a>(&self, panel: usize, rows: &'a Rows<'_>) -> Vec<Run<'a>> {
        let source = self.filters.declared();
        let (count, taps) = (source.count(), source.taps());
        let width = LANES * self.panels.vectors;
        // Of a group.
        let (members, channels) = (count / self.panels.groups, source.channels());
        let mut runs = Vec::with_capacity(self.panels.vectors);
        for lane in (0..width).step_by(LANES) {
            let first = panel * width + lane;
            let end = count.min(first + LANES);
            let mut filter = first;
            while filter < end {
                let group = filter / members;
                // Channels of the group that the panel does not see, before and behind those that it does.
                let (group_channel, first_channel) = (group * channels, self.panels.first_channels[panel]);
                let skipped = first_channel.saturating_sub(group_channel).min(channels);
                let place = (group_channel.saturating_sub(first_channel) * taps).min(self.places.len());
                let column = skipped * taps;
                let seen = (channels * taps - column).min(self.places.len() - place);
                let next = (group + 1) * members;
                runs.push(Run {
                    lanes: rows.lanes(first, filter..next, column..column + seen),
                    lane,
                    first: place,
                });
                filter = next;
            }
        }
        runs
    }
}

impl PackPart<&mut [f32]> for PackPanels<'_> {
    #[inline(always)]
    fn pack_part(
        &self,
        instructions: impl Instructions,
        panel: usize,
        stream: &mut &mut [f32],
    ) -> Result<(), WeightError> {
        let width = LANES * self.panels.vectors;
        let owned = panel * width..self.filters.declared().count();
        self.filters.biases(owned, &mut stream[..width]);
        let rows = self.filters.rows(panel * width..(panel + 1) * width)?;
        let runs = self.runs(panel, &rows);
        let block = (BLOCK_BYTES / size_of::<f32>() / width).next_multiple_of(LANES);
        let longest = runs.iter().map(|run| run.lanes.len()).max().unwrap_or(0);
        for start in (0..longest).step_by(block) {
            for run in &runs {
                let places = &self.places[run.first..];
                let stream = &mut stream[run.lane..];
                let range = start.min(run.lanes.len())..(start + block).min(run.lanes.len());
                run.lanes.each(instructions, range, |i, weights| {
                    // What no step of the stream reads has no place.
                    if let Some(step) = stream.get_mut(places[i]..).and_then(<[f32]>::first_chunk_mut) {
                        *step = weights;
                    }
                });
            }
        }
        Ok(())
    }
}

impl fmt::Display for Panels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            ChannelOrder::Planar => "planar",
            ChannelOrder::Blocked { .. } => "blocked",
        };
        write!(f, "panels{}_{order}", LANES * self.vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Recipe;
    use crate::weights::{Synthetic, WeightSource};

    fn filters(shape: [usize; 4]) -> FilterSource {
        FilterSource {
            weight: "w.weight".into(),
            shape: shape.to_vec(),
            bias: Some("w.bias".into()),
            norm: None,
            transposed: None,
        }
    }

    #[test]
    fn a_blocked_panel_walks_block_tap_lane() {
        let source = Synthetic { seed: 1 };
        let filters = filters([10, 11, 2, 3]);
        let order = ChannelOrder::Blocked { lanes: 8 };
        let panels = Panels {
            vectors: 1,
            groups: 1,
            order,
            first_channels: vec![0, 0],
            k_blocks: vec![8, 8],
        };
        let recipe = Recipe::Panels {
            filters: filters.clone(),
            panels: panels.clone(),
        };
        let mut out = vec![0.0; recipe.floats()];
        recipe.pack(&source, &mut out, &ThreadPool::new(1).unwrap()).unwrap();
        let weight = source.tensor("w.weight", &filters.shape).unwrap();
        let bias = source.tensor("w.bias", &[10]).unwrap();
        assert_eq!(panels.k_block_offsets(&filters), [0, (1 + 48) * 8]);
        for filter in 0..16 {
            let stream = &out[filter / 8 * panels.panel_floats(&filters) + filter % 8..];
            let real = filter < 10;
            assert_eq!(stream[0], if real { bias[filter] } else { 0.0 });
            for channel in 0..16 {
                for tap in 0..6 {
                    let step = 1 + channel / 8 * 48 + tap * 8 + channel % 8;
                    let expected = if real && channel < 11 {
                        weight[(filter * 11 + channel) * 6 + tap]
                    } else {
                        0.0
                    };
                    assert_eq!(
                        stream[step * 8],
                        expected,
                        "filter {filter} channel {channel} tap {tap}"
                    );
                }
            }
        }
    }

    #[test]
    fn weights_across_groups_are_zero() {
        // 4 groups of 4 channels, 2 filters each: one panel sees all 16 channels.
        let source = Synthetic { seed: 2 };
        let filters = filters([8, 4, 1, 1]);
        let order = ChannelOrder::Blocked { lanes: 8 };
        let panels = Panels {
            vectors: 1,
            groups: 4,
            order,
            first_channels: vec![0],
            k_blocks: vec![16],
        };
        let recipe = Recipe::Panels {
            filters: filters.clone(),
            panels,
        };
        let mut out = vec![0.0; recipe.floats()];
        recipe.pack(&source, &mut out, &ThreadPool::new(1).unwrap()).unwrap();
        let weight = source.tensor("w.weight", &filters.shape).unwrap();
        for filter in 0..8 {
            for channel in 0..16 {
                let same = filter / 2 == channel / 4;
                let expected = if same { weight[filter * 4 + channel % 4] } else { 0.0 };
                assert_eq!(out[(1 + channel) * 8 + filter], expected);
            }
        }
    }
}
