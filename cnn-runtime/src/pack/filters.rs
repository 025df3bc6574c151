//! Filters by name: weight, bias and a batch norm to be folded into them.

use std::array::from_fn;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::lanes::LaneRows;
use super::transposed::Transposed;
use crate::weights::{WeightError, WeightSource};

/// The filters of a convolution or the units of a dense layer, by name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilterSource {
    /// The weight's tensor.
    pub weight: String,
    /// Its shape: `[filters, channels of a group, kh, kw]` or `[units, inputs]`.
    pub shape: Vec<usize>,
    /// The bias's tensor, if there is one.
    pub bias: Option<String>,
    /// A batch norm behind it.
    pub norm: Option<Norm>,
    /// Of a transposed convolution: which of its weights they are. The tensor then has another shape.
    pub transposed: Option<Transposed>,
}

/// A batch norm by name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

    /// All tensors with their shapes.
    pub(super) fn shapes(&self, channels: usize) -> Vec<(String, Vec<usize>)> {
        self.tensors().into_iter().map(|name| (name, vec![channels])).collect()
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

/// Pieces of a weight that are at least this large are given back as soon as they are packed: what that costs is little
/// beside packing them, and what is not given back until the whole weight is packed is little memory.
const RELEASE_BYTES: usize = 64 << 10;

/// Filters whose biases and batch norm have been read; the weights are read [piece by piece](Self::rows).
pub(super) struct Filters<'a> {
    source: &'a dyn WeightSource,
    declared: &'a FilterSource,
    /// All weights, where they are not in this order in the tensor.
    arranged: Option<Vec<f32>>,
    /// The row of filters that do not exist.
    zeros: Vec<f32>,
    bias: Option<Cow<'a, [f32]>>,
    norm: Option<Vec<(f64, f64)>>,
}

impl Filters<'_> {
    /// Their names and shape.
    pub(super) fn declared(&self) -> &FilterSource {
        self.declared
    }

    /// Reads the weights of the filters in `range`, as far as they exist.
    pub(super) fn rows(&self, range: Range<usize>) -> Result<Rows<'_>, WeightError> {
        let FilterSource { weight, shape, .. } = self.declared;
        let count = self.declared.count();
        let filters = range.start.min(count)..range.end.min(count);
        let row = self.declared.row();
        let range = filters.start * row..filters.end * row;
        let weights = match &self.arranged {
            Some(all) => Cow::Borrowed(&all[range]),
            None => self.source.slice(weight, shape, range)?,
        };
        Ok(Rows {
            of: self,
            filters,
            weights,
        })
    }

    /// The biases of some filters, with the batch norm folded in.
    pub(super) fn biases(&self, filters: Range<usize>, out: &mut [f32]) {
        for (out, filter) in out.iter_mut().zip(filters) {
            *out = self.bias(filter);
        }
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

/// Weights of some filters. Their memory is given back when they are dropped.
pub(super) struct Rows<'a> {
    of: &'a Filters<'a>,
    filters: Range<usize>,
    /// Row-major, one filter behind the other.
    weights: Cow<'a, [f32]>,
}

impl Rows<'_> {
    /// The weights of one of the filters.
    pub(super) fn row(&self, filter: usize) -> &[f32] {
        let row = self.of.declared.row();
        &self.weights[(filter - self.filters.start) * row..][..row]
    }

    /// Eight filters from `first` on, one a lane: weights `columns` of those in `present`, zeros of the others.
    pub(super) fn lanes(&self, first: usize, present: Range<usize>, columns: Range<usize>) -> LaneRows<'_> {
        let row = self.of.declared.row();
        let exists = |lane: usize| present.contains(&(first + lane)) && self.filters.contains(&(first + lane));
        let rows = from_fn(|lane| {
            let row = if exists(lane) {
                &self.weights[(first + lane - self.filters.start) * row..][..row]
            } else {
                &self.of.zeros
            };
            &row[columns.clone()]
        });
        let norm = self.of.norm.as_ref();
        let scales = norm.map(|norm| from_fn(|lane| if exists(lane) { norm[first + lane].0 } else { 1.0 }));
        LaneRows::new(rows, scales)
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if self.of.arranged.is_none() && size_of_val(&*self.weights) >= RELEASE_BYTES {
            let row = self.of.declared.row();
            let range = self.filters.start * row..self.filters.end * row;
            self.of.source.release(&self.of.declared.weight, range);
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

    /// Weights of one filter.
    fn row(&self) -> usize {
        self.channels() * self.taps()
    }

    /// The names of all tensors it needs.
    pub fn tensors(&self) -> Vec<String> {
        let norm = self.norm.iter().flat_map(Norm::tensors);
        std::iter::once(self.weight.clone())
            .chain(self.bias.clone())
            .chain(norm)
            .collect()
    }

    /// All tensors it needs with their shapes.
    pub(super) fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let shape = match &self.transposed {
            Some(transposed) => transposed.shape([self.count(), self.channels()]).to_vec(),
            None => self.shape.clone(),
        };
        let bias = self.bias.iter().map(|name| (name.clone(), vec![self.count()]));
        let norm = self.norm.iter().flat_map(|norm| norm.shapes(self.count()));
        std::iter::once((self.weight.clone(), shape))
            .chain(bias)
            .chain(norm)
            .collect()
    }

    pub(super) fn load<'a>(&'a self, source: &'a dyn WeightSource) -> Result<Filters<'a>, WeightError> {
        // Before the work is shared, so that a tensor that is missing or wrong is found once.
        let arranged = match &self.transposed {
            Some(transposed) => {
                let sizes = [self.count(), self.channels()];
                let tensor = source.tensor(&self.weight, &transposed.shape(sizes))?;
                Some(transposed.arrange(sizes, &tensor))
            }
            None => {
                source.slice(&self.weight, &self.shape, 0..0)?;
                None
            }
        };
        Ok(Filters {
            source,
            declared: self,
            arranged,
            zeros: vec![0.0; self.row()],
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
        let weight = match &self.transposed {
            Some(_) => format!("transpose({})", self.weight),
            None => self.weight.clone(),
        };
        let sum = match &self.bias {
            Some(bias) => format!("{weight} + {bias}"),
            None => weight,
        };
        match &self.norm {
            Some(norm) => write!(f, "fold_bn({sum}, {norm})"),
            None => f.write_str(&sum),
        }
    }
}
