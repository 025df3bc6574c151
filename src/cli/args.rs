//! Arguments that subcommands share, and the forms of their values: `random:7`, `NAME=FILE`, `512MiB`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use cnn::onnx::ImportOptions;
use cnn::{Backend, Caches, Error, InstructionSet, Options, Source};

/// When to use colour.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes it the choice for both output streams.
    pub(super) fn set(self) {
        let choice = match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// Which network.
#[derive(Args, Clone, Debug)]
pub(super) struct ModelArgument {
    /// A .toml, .onnx or .cnnc file, or a built-in model
    model: String,
    /// An input's shape, with the batch, where the model leaves dimensions free [default: the images' sizes where
    /// there are some]
    #[arg(long = "shape", value_name = "NAME=N,C,H,W")]
    shapes: Vec<ShapeArgument>,
    /// Memory that weights, values and arrays may take, such as 512MiB or 2G [default: what the machine has available]
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<Size>,
}

impl ModelArgument {
    /// Reads it.
    pub(super) fn source(&self) -> Result<Source, Error> {
        let shapes = self.shapes.iter().map(|shape| (shape.name.clone(), shape.dims.clone()));
        let options = ImportOptions {
            shapes: shapes.collect(),
            max_memory: self.limit(),
            ..ImportOptions::default()
        };
        Source::open(&self.model, &options)
    }

    /// Whether shapes of inputs are given.
    pub(super) fn is_shaped(&self) -> bool {
        !self.shapes.is_empty()
    }

    /// Bytes that may be taken, if that is said.
    pub(super) fn limit(&self) -> Option<u64> {
        self.max_memory.map(|size| size.0)
    }

    /// What was given as the model.
    pub(super) fn name(&self) -> &str {
        &self.model
    }
}

/// `NAME=1,3,224,224`. The name may hold `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShapeArgument {
    name: String,
    dims: Vec<usize>,
}

impl FromStr for ShapeArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<ShapeArgument, String> {
        let wrong = || format!("expected an input and its dimensions, such as image=1,3,224,224, found `{text}`");
        let (name, dims) = text.rsplit_once('=').ok_or_else(wrong)?;
        let dim = |dim: &str| dim.trim().parse().ok().filter(|&dim| dim > 0).ok_or_else(wrong);
        Ok(ShapeArgument {
            name: name.to_owned(),
            dims: dims.split(',').map(dim).collect::<Result<_, _>>()?,
        })
    }
}

/// How to compile.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Compilation")]
pub(super) struct Compilation {
    /// Who carries the network out
    #[arg(long, default_value_t, value_name = "NAME")]
    backend: Backend,
    /// Threads that share one run [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(super) threads: Option<NonZeroUsize>,
    /// Images of one run [default: as many as the inputs hold]
    #[arg(long, value_name = "N")]
    pub(super) batch: Option<NonZeroUsize>,
    /// Compile the network as declared: fuse and fold nothing
    #[arg(long, alias = "no-optimize")]
    no_optimise: bool,
    /// Use no algorithm that rounds more than multiplying and adding does, and all bits of the weights
    #[arg(long)]
    exact: bool,
    /// Instruction set of the kernels: avx512, avx2 or portable [default: the best that the machine has]
    #[arg(long, value_name = "NAME")]
    isa: Option<InstructionSet>,
    /// The same as --isa portable
    #[arg(long, hide = true, conflicts_with = "isa")]
    portable: bool,
}

impl Compilation {
    /// The library's options, for so many images within so many bytes.
    pub(super) fn options(&self, batch: usize, max_memory: Option<u64>) -> Options {
        Options {
            backend: self.backend,
            batch,
            threads: self.threads.map(NonZeroUsize::get),
            optimise: !self.no_optimise,
            exact: self.exact,
            full_weights: false,
            isa: self.isa.or(self.portable.then_some(InstructionSet::Portable)),
            caches: Caches::of_this_machine(),
            max_memory,
        }
    }
}

/// A number of threads.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| {
        format!("expected a number of threads from 1 on, found `{text}`; without --threads all cores share a run")
    })
}

/// Where numbers come from: made up, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Random(u64),
    File(PathBuf),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        match text.strip_prefix("random") {
            Some("") => Ok(Origin::Random(0)),
            Some(rest) if rest.starts_with(':') => match rest[1..].parse() {
                Ok(seed) => Ok(Origin::Random(seed)),
                Err(_) => Err(format!("expected a seed from 0 to {} after `random:`", u64::MAX)),
            },
            _ if text.is_empty() => Err("expected a file or `random`, found nothing".into()),
            _ => Ok(Origin::File(text.into())),
        }
    }
}

/// A number of bytes: `1000000`, `512K`, `1.5GiB`, `2GB`. `K`, `KiB` are 1024; `KB` is 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let wrong = || format!("expected a size such as 1000000, 512MiB or 2G, found `{text}`");
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let unit = unit.trim().to_ascii_lowercase();
        let exponent = match unit.chars().next() {
            None | Some('b') => 0,
            Some('k') => 1,
            Some('m') => 2,
            Some('g') => 3,
            Some('t') => 4,
            Some(_) => return Err(wrong()),
        };
        let base: f64 = match unit.get(1..).unwrap_or_default() {
            "" | "ib" => 1024.0,
            "b" => 1000.0,
            _ => return Err(wrong()),
        };
        let bytes = number * base.powi(exponent);
        // The cast saturates; 16 EiB is as good as no limit.
        if bytes >= 1.0 {
            Ok(Size(bytes as u64))
        } else {
            Err(wrong())
        }
    }
}

/// Two values, the ends of a range: `0,1`, `-1,1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    low: f32,
    high: f32,
}

impl Range {
    /// The first and the second of them.
    pub(super) fn ends(self) -> (f32, f32) {
        (self.low, self.high)
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Range, String> {
        let ends = text.split_once(',').and_then(|(low, high)| {
            let (low, high) = (low.trim().parse::<f32>().ok()?, high.trim().parse::<f32>().ok()?);
            (low.is_finite() && high.is_finite() && low != high).then_some(Range { low, high })
        });
        ends.ok_or_else(|| format!("expected two different numbers such as 0,255, found `{text}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1", 1),
            ("1000000", 1_000_000),
            ("12B", 12),
            ("512K", 512 << 10),
            ("1.5GiB", 3 << 29),
            ("2GB", 2_000_000_000),
            ("3m", 3 << 20),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "x", "-1", "0", "1.2.3", "1Q", "1KiX", "∞"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn origins() {
        assert_eq!("random".parse(), Ok(Origin::Random(0)));
        assert_eq!("random:7".parse(), Ok(Origin::Random(7)));
        assert_eq!("random.npy".parse(), Ok(Origin::File("random.npy".into())));
        assert!("random:x".parse::<Origin>().is_err());
        assert!("".parse::<Origin>().is_err());
    }
}
