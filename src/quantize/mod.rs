//! A network of floats as one of 8-bit integers, by what its layers compute on someone's own data.
//!
//! ```text
//! model ── prepare ──▶ graph ── calibrate ──▶ ranges ── choose ──▶ integers ── measure ──▶ errors
//!                                                          ▲                                  │
//!                                                          └── layers that lose too much ◀────┘
//!                        then ── rewrite ──▶ graph of integers and its tensors ──▶ model.toml, model.safetensors
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `prepare` | the network as its layers are quantised: norms folded, activations that do more than cut off apart |
//! | `calibrate` | the range of each value on the data |
//! | `histogram` | from counted values to where they are cut off |
//! | `choose` | which layers compute with integers, and what their integers stand for |
//! | `filters` | weights as integers |
//! | `tensors` | the weights of the new network |
//! | `rewrite` | the new network |
//! | `measure` | how far each layer is from the one of floats |

mod calibrate;
mod choose;
mod filters;
mod histogram;
mod measure;
mod prepare;
mod rewrite;
mod tensors;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cnn_ir::front::{declare, write};
use cnn_ir::op::Op;
use ndarray::ArrayD;

use crate::io::{atomic, safetensors};
use crate::{Error, Model, Options, Weights};

use tensors::Tensors;

/// How the range of a value follows from what it is on the calibration data.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Method {
    /// From the least number to the greatest.
    #[default]
    MinMax,
    /// As wide as so many of a hundred numbers need; the rest is cut off.
    Percentile(f64),
    /// As wide as loses the least information: the least divergence (Kullback and Leibler's) of the numbers as integers
    /// from the numbers.
    Entropy,
}

impl Method {
    /// What `percentile` means if nothing else is said.
    pub const PERCENTILE: f64 = 99.99;
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::MinMax => f.write_str("minmax"),
            Method::Percentile(percent) => write!(f, "percentile:{percent}"),
            Method::Entropy => f.write_str("entropy"),
        }
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(word: &str) -> Result<Method, String> {
        let wrong = || format!("expected minmax, percentile, percentile:PERCENT or entropy, found `{word}`");
        match word {
            "minmax" => Ok(Method::MinMax),
            "percentile" => Ok(Method::Percentile(Method::PERCENTILE)),
            "entropy" => Ok(Method::Entropy),
            _ => {
                let percent = word.strip_prefix("percentile:").ok_or_else(wrong)?;
                let percent: f64 = percent.parse().map_err(|_| wrong())?;
                match percent > 0.0 && percent <= 100.0 {
                    true => Ok(Method::Percentile(percent)),
                    false => Err(format!("a percentile is above 0 and at most 100, found `{percent}`")),
                }
            }
        }
    }
}

/// How to quantise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuantizeOptions {
    /// How ranges are found.
    pub method: Method,
    /// The greatest error of a layer, as [`QuantizedLayer::error`] has it; a layer with more goes on computing with
    /// floats. No layer does if `None`.
    pub max_error: Option<f64>,
}

/// The arrays of a run, one for each input, and how many of their images count.
pub type Run = (Vec<ArrayD<f32>>, usize);

/// What the network is to be run on: the numbers that it will meet.
pub struct Calibration<'a> {
    /// How many runs it takes.
    pub runs: usize,
    /// The arrays of a run, one for each input, as [`Network::run_into`](crate::Network::run_into) wants them, and how many
    /// of their images count: the last run may have fewer than the batch. It is asked for each run several times.
    pub arrays: &'a dyn Fn(usize) -> Result<Run, Error>,
}

impl fmt::Debug for Calibration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calibration")
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

/// What became of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedLayer {
    /// Its name.
    pub layer: String,
    /// What it was: `conv`, `max_pool` …
    pub op: &'static str,
    /// Why it computes with floats; `None` if it computes with integers.
    pub floats: Option<String>,
    /// The root mean square of what it loses on the calibration data when its operands are rounded and it computes with
    /// integers, as a share of the root mean square of its result; `None` if it cannot.
    pub error: Option<f64>,
    /// The same share of its result in the new network, with all that layers before it lose.
    pub in_network: f64,
}

/// A share of error as a ratio of signal to noise, in decibels.
pub fn decibels(error: f64) -> f64 {
    -20.0 * error.log10()
}

/// A network of integers, with its weights.
#[derive(Debug)]
pub struct Quantized {
    text: String,
    tensors: Tensors,
    layers: Vec<QuantizedLayer>,
}

impl Quantized {
    /// The model file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The model.
    ///
    /// # Errors
    /// [`Error::Model`] if the text does not read back: a fault of this library.
    pub fn model(&self) -> Result<Model, Error> {
        Model::from_toml(&*self.text)
    }

    /// Its weights.
    pub fn weights(&self) -> Weights {
        Weights::from_source(self.tensors.clone())
    }

    /// Bytes of its weights.
    pub fn weight_bytes(&self) -> u64 {
        self.tensors.bytes()
    }

    /// What became of each layer, in the order in which they are computed.
    pub fn layers(&self) -> &[QuantizedLayer] {
        &self.layers
    }

    /// Writes both files, without giving them their names yet.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] if a path is a directory.
    pub fn stage(&self, toml: &Path, weights: &Path) -> Result<[atomic::Staged; 2], Error> {
        Ok([
            atomic::stage(toml, |file| file.write_all(self.text.as_bytes()))?,
            safetensors::stage_tensors(weights, &self.tensors.list())?,
        ])
    }
}

impl Model {
    /// Makes the same network for 8-bit integers of it: runs it on the data to see which numbers its layers compute, chooses
    /// what integers stand for, and measures what each layer loses. `options` say how runs are compiled, with their batch;
    /// `progress` is told what is done, how many runs of it are, and of how many.
    ///
    /// Convolutions (of one group, or depthwise), dense layers and sums compute with integers; max pools, concatenations
    /// and flattening layers between these move them. Everything else goes on with floats.
    ///
    /// # Errors
    /// [`Error::Option`] if there are no data, or the network has integers already; [`Error::Limit`] if a layer's numbers
    /// are not finite; [`Error::Weights`]; as [`compile`](Self::compile).
    pub fn quantize(
        &self,
        weights: &Weights,
        how: &QuantizeOptions,
        options: &Options,
        data: &Calibration<'_>,
        progress: &mut dyn FnMut(&'static str, usize, usize),
    ) -> Result<Quantized, Error> {
        if data.runs == 0 {
            return Err(Error::Option("there is nothing to calibrate with".into()));
        }
        let prepared = prepare::prepare(self)?;
        tensors::check_memory(&prepared, options)?;
        let floats = measure::Floats::compile(&prepared, weights, options)?;
        let ranges = calibrate::ranges(&prepared, &floats, how.method, data, progress)?;
        let mut kept = vec![None; prepared.graph.ids().map(|id| id.index() + 1).max().unwrap_or(0)];
        let mut choice = choose::Choice::new(&prepared, &ranges, &kept)?;
        let errors = measure::alone(&prepared, &choice, weights, options, data, progress)?;
        if let Some(most) = how.max_error {
            let lossy = errors.iter().filter(|(_, error)| **error > most);
            let mut any = false;
            for (id, error) in lossy {
                kept[id.index()] = Some(format!("its error, {error:.1e}, is above {most:e}"));
                any = true;
            }
            if any {
                choice = choose::Choice::new(&prepared, &ranges, &kept)?;
            }
        }
        let new = rewrite::network(&prepared, &choice, weights)?;
        let text = write::toml(&declare(&new.graph));
        let in_network = measure::in_network(&prepared, &floats, &new, options, data, progress)?;
        let mut layers = Vec::new();
        for (id, in_network) in in_network {
            let node = &prepared.graph[id];
            if matches!(node.op, Op::Input(_) | Op::Constant(_)) {
                continue;
            }
            layers.push(QuantizedLayer {
                layer: node.name.clone(),
                op: node.op.name(),
                floats: choice.floats[id.index()].clone(),
                error: errors.get(&id).copied(),
                in_network,
            });
        }
        Ok(Quantized {
            text,
            tensors: new.tensors,
            layers,
        })
    }
}
