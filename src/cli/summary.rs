//! `cnn summary`: a network layer by layer, as a table or as JSON.

use std::io::Write;

use clap::Args;

use super::args::ModelArgument;
use super::format::columns;
use super::{Failure, session};

/// The table's width where it does not go to a terminal, and at most.
const WIDTH: u16 = 120;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    model: ModelArgument,
    /// Print a JSON object for other programs
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let model = session::open(&arguments.model)?;
    if arguments.json {
        writeln!(out, "{:#}", model.summary_json())?;
        return Ok(());
    }
    let width = columns().map_or(WIDTH, |columns| columns.min(WIDTH));
    write!(out, "{}", model.summary(width))?;
    Ok(())
}
