//! Filters by name: weight, bias and a batch norm to be folded into them.

use std::array::from_fn;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::lanes::LaneRows;
use crate::weights::{WeightError, WeightSource};

/// The filters of a convolution or the units of a dense layer, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterSource {
    /// The weight's tensor.
    pub weight: String,
    /// Its shape: `[filters, channels of a group, kh, kw]` or `[units, inputs]`.
    pub shape: Vec<usize>,
    /// The bias's tensor, if there is one.
    pub bias: Option<String>,
    /// A batch norm behind it.
    pub norm: Option<Norm>,
}

/// A batch norm by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    /// Prefix of `weight`, `bias`, `running_mean` and `running_var`.
    pub prefix: String,
    /// ε
    pub epsilon: f64,
}

impl Norm {
    /// Names of its tensors: γ, β, mean, variance.
    pub fn tensors(&self) -> Vec<String> {
        ["weight", "bias", "running_mean", "running_var"]
            .iter()
            .map(|part| format!("{}.{part}", self.prefix))
            .collect()
    }

    /// Scale and shift of each channel, in f64: `γ/√(σ² + ε)` and `β − μ · scale`.
    pub(super) fn load(&self, source: &dyn WeightSource, channels: usize) -> Result<Vec<(f64, f64)>, WeightError> {
        let mut parts = Vec::with_capacity(4);
        for name in self.tensors() {
            parts.push(source.tensor(&name, &[channels])?);
        }
        let part = |i: usize, channel: usize| f64::from(parts[i][channel]);
        Ok((0..channels)
            .map(|channel| {
                let scale = part(0, channel) / (part(3, channel) + self.epsilon).sqrt();
                (scale, part(1, channel) - part(2, channel) * scale)
            })
            .collect())
    }
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)
    }
}

/// Filters that have been read.
pub(super) struct Filters<'a> {
    /// Row-major, one filter behind the other.
    weight: Cow<'a, [f32]>,
    count: usize,
    /// Weights of one filter.
    row: usize,
    /// The row of filters that do not exist.
    zeros: Vec<f32>,
    bias: Option<Cow<'a, [f32]>>,
    norm: Option<Vec<(f64, f64)>>,
}

impl Filters<'_> {
    /// Eight filters from `first` on, one a lane: weights `columns` of those in `present`, zeros of the others.
    pub(super) fn lanes(&self, first: usize, present: Range<usize>, columns: Range<usize>) -> LaneRows<'_> {
        let exists = |lane: usize| present.contains(&(first + lane)) && first + lane < self.count;
        let rows = from_fn(|lane| {
            let row = if exists(lane) {
                &self.weight[(first + lane) * self.row..][..self.row]
            } else {
                &self.zeros
            };
            &row[columns.clone()]
        });
        let scales = self
            .norm
            .as_ref()
            .map(|norm| from_fn(|lane| if exists(lane) { norm[first + lane].0 } else { 1.0 }));
        LaneRows::new(rows, scales)
    }

    /// A filter's bias with the batch norm folded in.
    pub(super) fn bias(&self, filter: usize) -> f32 {
        let bias = self.bias.as_ref().map_or(0.0, |bias| bias[filter]);
        match &self.norm {
            Some(norm) => (f64::from(bias) * norm[filter].0 + norm[filter].1) as f32,
            None => bias,
        }
    }
}

impl FilterSource {
    /// How many filters.
    pub fn count(&self) -> usize {
        self.shape[0]
    }

    /// Input channels that one filter sees.
    pub fn channels(&self) -> usize {
        self.shape[1]
    }

    /// Weights of one channel of one filter: `kh · kw`.
    pub fn taps(&self) -> usize {
        self.shape[2..].iter().product()
    }

    /// The names of all tensors it needs.
    pub fn tensors(&self) -> Vec<String> {
        let norm = self.norm.iter().flat_map(Norm::tensors);
        std::iter::once(self.weight.clone())
            .chain(self.bias.clone())
            .chain(norm)
            .collect()
    }

    pub(super) fn load<'a>(&self, source: &'a dyn WeightSource) -> Result<Filters<'a>, WeightError> {
        let weight = source.tensor(&self.weight, &self.shape)?;
        let row = self.channels() * self.taps();
        Ok(Filters {
            weight,
            count: self.count(),
            row,
            zeros: vec![0.0; row],
            bias: self
                .bias
                .as_ref()
                .map(|name| source.tensor(name, &[self.count()]))
                .transpose()?,
            norm: self
                .norm
                .as_ref()
                .map(|norm| norm.load(source, self.count()))
                .transpose()?,
        })
    }
}

impl fmt::Display for FilterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = match &self.bias {
            Some(bias) => format!("{} + {bias}", self.weight),
            None => self.weight.clone(),
        };
        match &self.norm {
            Some(norm) => write!(f, "fold_bn({sum}, {norm})"),
            None => f.write_str(&sum),
        }
    }
}
