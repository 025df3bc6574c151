//! The constants of convolutions and dense layers of 8-bit integers: biases, factors, weights.

use std::fmt;
use std::ops::Range;

use cnn_types::Quantisation;

use super::filters::{FilterSource, Filters};
use crate::kernels::integer::{DepthwiseShape, GROUP, PANEL};
use crate::threads::ThreadPool;
use crate::weights::{WeightError, WeightSource};

/// Channels of a group of a depthwise convolution.
const CHANNELS: usize = DepthwiseShape::CHANNELS;

/// Filters as integers. A weight is rounded to whole multiples of its filter's scale, a bias to whole products of that and
/// the operand's; what the operand's zero point adds to each sum is taken off the bias.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Integers {
    /// The tensor of the filters' scales.
    pub scales: String,
    /// What the operand's integers stand for.
    pub from: Quantisation,
    /// The scale of the result.
    pub to_scale: f32,
    /// Whether each filter sees one channel only: weights are then 16-bit integers, sixteen channels of a tap together,
    /// instead of 8-bit ones, four channels of each filter of a panel together.
    pub depthwise: bool,
}

impl Integers {
    /// Filters that stand together in the constant.
    fn width(&self) -> usize {
        if self.depthwise { CHANNELS } else { PANEL }
    }

    /// Bytes of the weights of as many filters.
    fn panel_bytes(&self, filters: &FilterSource) -> usize {
        let taps = filters.taps();
        match self.depthwise {
            true => taps * CHANNELS * size_of::<i16>(),
            false => taps * filters.channels().div_ceil(GROUP) * GROUP * PANEL,
        }
    }

    /// Floats that take as many bytes as the constant.
    pub fn floats(&self, filters: &FilterSource) -> usize {
        let panels = filters.count().div_ceil(self.width());
        panels * (2 * self.width() + self.panel_bytes(filters) / size_of::<f32>())
    }

    /// The names of the tensors that it needs besides the filters' own, with their shapes.
    pub(super) fn shapes(&self, filters: &FilterSource) -> Vec<(String, Vec<usize>)> {
        vec![(self.scales.clone(), vec![filters.count()])]
    }

    /// Packs panels in parallel.
    ///
    /// # Errors
    /// [`WeightError::Scale`] for scales that are none.
    pub(super) fn pack(
        &self,
        source: &dyn WeightSource,
        filters: &Filters<'_>,
        out: &mut [f32],
        pool: &ThreadPool,
    ) -> Result<(), WeightError> {
        let declared = filters.declared();
        let scales = source.tensor(&self.scales, &[declared.count()])?;
        if !scales.iter().all(|scale| scale.is_normal() && *scale > 0.0) {
            return Err(WeightError::Scale {
                name: self.scales.clone(),
            });
        }
        let width = self.width();
        let all = declared.count().div_ceil(width) * width;
        let (biases, rest) = out.split_at_mut(all);
        let (factors, weights) = rest.split_at_mut(all);
        for (factor, scale) in factors.iter_mut().zip(scales.iter()) {
            *factor = self.from.scale * scale / self.to_scale;
        }
        let panels = weights.chunks_exact_mut(self.panel_bytes(declared) / size_of::<f32>());
        let parts: Vec<_> = panels.zip(biases.chunks_exact_mut(width)).collect();
        let parts: Vec<_> = parts.into_iter().map(std::sync::Mutex::new).collect();
        let failed = std::sync::Mutex::new(None);
        pool.run(parts.len(), &|panel| {
            let mut part = parts[panel].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let (weights, biases) = &mut *part;
            let first = panel * width;
            let of = first..declared.count().min(first + width);
            if let Err(error) = self.panel(filters, &scales[of.clone()], of, weights, biases) {
                *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
            }
        });
        match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The weights and biases of the filters `of` a panel, whose scales these are.
    fn panel(
        &self,
        filters: &Filters<'_>,
        scales: &[f32],
        of: Range<usize>,
        weights: &mut [f32],
        biases: &mut [f32],
    ) -> Result<(), WeightError> {
        let (channels, taps) = (filters.declared().channels(), filters.declared().taps());
        let rows = filters.rows(of.clone())?;
        let weights: &mut [i8] = bytemuck::cast_slice_mut(weights);
        let groups = channels.div_ceil(GROUP);
        for (lane, (filter, &scale)) in of.zip(scales).enumerate() {
            let mut sum = 0i64;
            for (i, &weight) in rows.row(filter).iter().enumerate() {
                let integer = (weight / scale).round_ties_even().clamp(-128.0, 127.0) as i8;
                sum += i64::from(integer);
                let (channel, tap) = (i / taps, i % taps);
                if self.depthwise {
                    let wide = i16::from(integer).to_le_bytes().map(|byte| byte as i8);
                    weights[(tap * CHANNELS + lane) * 2..][..2].copy_from_slice(&wide);
                } else {
                    let (group, place) = (tap * groups + channel / GROUP, channel % GROUP);
                    weights[(group * PANEL + lane) * GROUP + place] = integer;
                }
            }
            let unit = f64::from(self.from.scale * scale);
            let bias = (f64::from(filters.bias(filter)) / unit).round_ties_even();
            // Sums are modulo 2³²: only the complete one has to fit.
            let bias = i64::from(bias as i32) - i64::from(self.from.zero_point) * sum;
            biases[lane] = f32::from_bits(bias as i32 as u32);
        }
        Ok(())
    }
}

impl fmt::Display for Integers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.depthwise { "channels" } else { "panels" };
        write!(f, "integers_{order}[{}]", self.scales)
    }
}
