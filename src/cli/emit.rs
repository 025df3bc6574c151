//! `cnn emit`: writes a network as a Rust crate that stands alone, or as a C library.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use cnn::RustOptions;
use cnn::io::atomic;

use super::args::{ModelArgument, Origin};
use super::format::{counted, grouped};
use super::progress::Progress;
use super::{Failure, session};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Folder for the crate; there must be nothing in it
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// A .safetensors file, which must not be shortened meanwhile, or made-up numbers, that become part of the crate
    /// [default: those of the model; without any, the crate loads a file]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    /// Images of one run
    #[arg(long, value_name = "N", default_value = "1")]
    batch: NonZeroUsize,
    /// Threads that share a run
    #[arg(long, value_name = "N", default_value = "1")]
    threads: NonZeroUsize,
    /// Without Winograd's algorithm and 16-bit weights: results within 1e-5, slower
    #[arg(long)]
    exact: bool,
    /// Code that needs neither an operating system nor an allocator
    #[arg(long)]
    no_std: bool,
    /// A static library with a header for C: no heap, weights within, memory of the caller's if wanted
    #[arg(long, conflicts_with = "threads")]
    c: bool,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    let weights = session::weights(&model, arguments.weights.as_ref())?;
    let options = RustOptions {
        batch: arguments.batch.get(),
        threads: arguments.threads.get(),
        exact: arguments.exact,
        no_std: arguments.no_std,
        c: arguments.c,
    };
    if (options.no_std || options.c) && weights.is_none() {
        return Err(session::weights_missing(&model));
    }
    let progress = Progress::new(format!("writing {}", arguments.output.display()));
    let package = model.package(weights.as_ref(), &options)?;
    atomic::folder(&arguments.output, |folder| {
        for file in &package.files {
            let path = folder.join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, &file.bytes)?;
        }
        Ok(())
    })?;
    drop(progress);
    let weights = package.files.iter().find(|file| file.path.ends_with("weights.bin"));
    let holds = match weights {
        Some(weights) => format!("{} bytes of weights within", grouped(weights.bytes.len() as u64)),
        None => "weights from a file".to_owned(),
    };
    let kind = if arguments.c { "header" } else { "type" };
    writeln!(
        out,
        "{}: the crate `{}` with the {kind} `{}`, {}, {holds}",
        arguments.output.display(),
        package.name,
        package.interface,
        counted(package.files.len(), "file"),
    )?;
    Ok(())
}
