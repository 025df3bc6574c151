//! `cnn compile`: writes a network as a file of machine code and packed weights, which is loaded without being compiled.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use cnn::{InstructionSet, Options};

use super::args::{ModelArgument, Origin};
use super::format::grouped;
use super::progress::Progress;
use super::{Failure, session};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// The file, which every command takes as a MODEL; whoever runs it trusts it as a program
    #[arg(long, short, value_name = "FILE.cnnc")]
    output: PathBuf,
    /// Weights: a safetensors file, which must not be shortened meanwhile, or made-up numbers [default: the model's own]
    #[arg(long, short, value_name = "FILE|random[:SEED]")]
    weights: Option<Origin>,
    /// Instruction sets to compile for, of which each machine takes its best: avx512, avx2, portable [default: the best
    /// that this machine has]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    isa: Vec<InstructionSet>,
    /// Images of one run
    #[arg(long, value_name = "N", default_value = "1")]
    batch: NonZeroUsize,
    /// Threads that work is divided for; how many share a run is said when it is loaded [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Compile the network as declared: fuse and fold nothing
    #[arg(long, alias = "no-optimize")]
    no_optimise: bool,
    /// Use no algorithm that rounds more than multiplying and adding does, and all bits of the weights
    #[arg(long)]
    exact: bool,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    let weights =
        session::weights(&model, arguments.weights.as_ref())?.ok_or_else(|| session::weights_missing(&model))?;
    let options = Options {
        batch: arguments.batch.get(),
        threads: arguments.threads.map(NonZeroUsize::get),
        optimise: !arguments.no_optimise,
        exact: arguments.exact,
        max_memory: arguments.model.limit(),
        ..Options::default()
    };
    let sets = match &*arguments.isa {
        [] => vec![options.for_plan().isa],
        some => some.to_vec(),
    };
    let progress = Progress::new(format!("compiling {}", model.name()));
    let bytes = model.write_compiled(&arguments.output, &weights, &options, &sets)?;
    drop(progress);
    let names: Vec<_> = sets.iter().map(|set| set.name()).collect();
    writeln!(
        out,
        "{}: {} compiled for {}, {} bytes",
        arguments.output.display(),
        model.name(),
        names.join(" and "),
        grouped(bytes)
    )?;
    Ok(())
}
