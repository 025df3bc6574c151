//! `cnn completions`: a script that completes the command's words in a shell.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Failure;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The shell, for example: source <(cnn completions bash)
    shell: Shell,
}

pub(super) fn main(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "cnn", &mut script);
    out.write_all(&script)?;
    Ok(())
}
