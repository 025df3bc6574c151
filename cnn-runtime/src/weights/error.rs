//! What can be wrong with weights, said so that the reader can mend it.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Whoever looks for everything that is wrong with weights stops after so many problems.
pub const MOST_PROBLEMS: usize = 1000;

/// Why a tensor, or a whole weights file, cannot be used.
///
/// `Debug` prints the message too: that is how `main` shows the error it returns.
#[derive(Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The file does not exist.
    #[error("weights file `{}` does not exist", path.display())]
    NotFound {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path names a directory, a pipe or something else that is not a regular file.
    #[error("weights file `{}` is {what}, not a file", path.display())]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// The operating system refused to open or map the file.
    #[error("cannot read weights file `{}`: {source}", path.display())]
    Io {
        /// The path as it was given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bytes are not a well-formed safetensors file.
    #[error("{origin} is not a valid safetensors file: {detail}")]
    Damaged {
        /// The source, as [`super::WeightSource::describe`] gives it.
        origin: String,
        /// What is wrong.
        detail: String,
    },
    /// The bytes are a file of another kind.
    #[error("{origin} is {kind}, not a safetensors file{advice}")]
    Foreign {
        /// The source.
        origin: String,
        /// What it is.
        kind: &'static str,
        /// How to make one of it, if that is known.
        advice: String,
    },
    /// The header is sound but the data ends before the tensor does.
    #[error(
        "{origin} is truncated: tensor `{name}` expected {expected:?}, which ends at byte {needed}, \
         but the file was found to end at byte {length}"
    )]
    Truncated {
        /// The source.
        origin: String,
        /// The first tensor that is not wholly there.
        name: String,
        /// Its shape according to the header.
        expected: Vec<usize>,
        /// Where in the file it would end.
        needed: u64,
        /// The file's length in bytes.
        length: u64,
    },
    /// No tensor of that name.
    #[error("tensor `{name}`: expected shape {expected:?}, found no such tensor in {origin}{nearest}{}", hint(.name))]
    Missing {
        /// The name asked for.
        name: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The nearest name present.
        nearest: Nearest,
        /// The source.
        origin: String,
    },
    /// The source has weights only as compiled code reads them.
    #[error("the tensors of {origin} are packed for its code: give the model and its weights instead")]
    Packed {
        /// The source.
        origin: String,
    },
    /// A tensor of that name, but of another shape.
    #[error("tensor `{name}`: expected shape {expected:?}, found shape {found:?} in {origin}")]
    Shape {
        /// The name asked for.
        name: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The shape the source has.
        found: Vec<usize>,
        /// The source.
        origin: String,
    },
    /// A tensor whose elements are not f32, f16, bf16 or f64.
    #[error(
        "tensor `{name}`: expected shape {expected:?} of F32, F16, BF16 or F64, \
         found elements of {found} in {origin}"
    )]
    Dtype {
        /// The name asked for.
        name: String,
        /// The shape the network needs.
        expected: Vec<usize>,
        /// The element type found, in safetensors' notation.
        found: String,
        /// The source.
        origin: String,
    },
    /// The synthetic source knows no distribution for a tensor of that name.
    #[error(
        "tensor `{name}` of shape {shape:?}: synthetic weights are defined for weight, bias, \
         running_mean, running_var and slope only"
    )]
    NoRule {
        /// The name asked for.
        name: String,
        /// The shape the network needs.
        shape: Vec<usize>,
    },
    /// A map was given elements that do not fill the shape.
    #[error("tensor `{name}` of shape {shape:?} was given {count} elements")]
    Count {
        /// The name given.
        name: String,
        /// The shape given.
        shape: Vec<usize>,
        /// How many elements came with it.
        count: usize,
    },
    /// Tensors can be added to what is held in memory only.
    #[error("tensors can be added to weights that began empty, not to {origin}")]
    Fixed {
        /// The source.
        origin: String,
    },
    /// A dense layer was planned with 16 bits a weight, which do not hold these: few are so much larger than the
    /// others that these would be lost, or some are not finite.
    #[error(
        "tensor `{name}`: 16 bits do not hold its weights, because a few are thousands of times the others or not \
         finite: plan the network with all their bits (`exact` in `cnn!`, `--exact` for `cnn emit`), or give them when \
         it is compiled"
    )]
    Coarse {
        /// The tensor.
        name: String,
    },
    /// Scales of 8-bit integers that are none.
    #[error("tensor `{name}`: scales of 8-bit weights must be finite numbers above 0, and some are not")]
    Scale {
        /// The tensor.
        name: String,
    },
    /// The tensor does not fit into memory.
    #[error("tensor `{name}` of shape {shape:?} does not fit into memory")]
    OutOfMemory {
        /// The name asked for.
        name: String,
        /// The shape asked for.
        shape: Vec<usize>,
    },
}

/// What helps where a tensor is missing.
fn hint(name: &str) -> &'static str {
    match name.ends_with(".bias") {
        true => "; if the layer has no bias, give it `bias = false`",
        false => "",
    }
}

impl fmt::Debug for WeightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name present that looks most like the one asked for, with its shape.
///
/// Displays as the end of a sentence: empty if the source holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest(pub Option<(String, Vec<usize>)>);

impl Nearest {
    /// Longer names than this are not compared: they come from a hostile file.
    const LONGEST: usize = 512;
    /// Of more names only so many before and after the one asked for, in the order of the alphabet, are compared.
    const AROUND: usize = 256;

    /// Picks from `candidates` by Damerau–Levenshtein distance, first name first among equals.
    pub fn among<'a>(name: &str, candidates: impl Iterator<Item = (&'a str, &'a [usize])>) -> Self {
        let mut candidates: Vec<_> = candidates
            .filter(|(candidate, _)| candidate.len() <= Self::LONGEST)
            .collect();
        if name.len() > Self::LONGEST {
            candidates.truncate(1);
        }
        if candidates.len() > 2 * Self::AROUND {
            let (mut before, mut after): (Vec<_>, Vec<_>) =
                candidates.into_iter().partition(|&(candidate, _)| candidate < name);
            if before.len() > Self::AROUND {
                let first = before.len() - Self::AROUND;
                before.select_nth_unstable_by_key(first, |&(candidate, _)| candidate);
                before.drain(..first);
            }
            if after.len() > Self::AROUND {
                after.select_nth_unstable_by_key(Self::AROUND, |&(candidate, _)| candidate);
                after.truncate(Self::AROUND);
            }
            candidates = before;
            candidates.extend(after);
        }
        let best = candidates
            .into_iter()
            .map(|(candidate, shape)| (strsim::damerau_levenshtein(name, candidate), candidate, shape))
            .min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        Nearest(best.map(|(_, candidate, shape)| (candidate.to_owned(), shape.to_vec())))
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((name, shape)) => write!(
                f,
                "; the nearest name present is `{}` of shape {shape:?}",
                name.escape_debug()
            ),
            None => write!(f, ", which holds no tensors"),
        }
    }
}
