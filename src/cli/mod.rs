//! The command line: one file a subcommand; this one owns the subcommands' list, exit codes and error output.
//!
//! | module | what it owns |
//! |---|---|
//! | `run`, `check`, `summary`, `dump`, `explain`, `bench`, `import`, `quantize`, `compile`, `emit` | a subcommand each |
//! | `args` | arguments that subcommands share, and the forms of their values |
//! | `session` | from arguments to model, weights and compiled network |
//! | `inputs`, `outputs` | from arguments to input arrays, from output arrays to files |
//! | `answer`, `draw`, `format` | results, pictures and numbers as text |
//! | `completions` | scripts for shells |
//! | `system` | signals, and a standard output that nobody opened |
//! | `progress` | a sign of life on anything over a second |

mod accuracy;
mod answer;
mod args;
mod bench;
mod check;
mod compile;
mod completions;
mod draw;
mod dump;
mod emit;
mod explain;
mod format;
mod import;
mod inputs;
mod outputs;
mod profile;
mod progress;
mod quantize;
mod run;
mod session;
mod summary;
mod system;

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::{Parser, Subcommand};
use cnn::{Error, builtin, ir, weights};

/// A compiler for convolutional neural networks: TOML in, answers out.
#[derive(Debug, Parser)]
#[command(name = "cnn", version, after_help = models(), max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Colour in the output: when it goes to a terminal, always, or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: args::Color,
}

/// What `--help` says about models.
fn models() -> String {
    let lines = builtin::MODELS
        .iter()
        .map(|model| format!("\n  {:<22} {}", model.name, model.about));
    format!(
        "MODEL is a .toml, .onnx or .cnnc file, or a built-in model:{}\n`cnn run lenet5` needs nothing else.",
        lines.collect::<String>()
    )
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile a network and run it on inputs
    Run(run::Arguments),
    /// Say everything that is wrong with a model, and with weights for it
    Check(check::Arguments),
    /// Show a network layer by layer: shapes with their arithmetic, parameters, multiplications, memory
    Summary(summary::Arguments),
    /// Show what a network becomes on its way to machine code
    Dump(dump::Arguments),
    /// Write a page that shows a network at work: every layer's arithmetic, its maps, what the compiler makes of it
    Explain(explain::Arguments),
    /// Measure how long a network takes
    Bench(bench::Arguments),
    /// Write an ONNX model as a TOML file and a safetensors file
    Import(import::Arguments),
    /// Write a network of 8-bit integers, calibrated on data, as a TOML file and a safetensors file
    Quantize(quantize::Arguments),
    /// Write a network as a file of machine code and packed weights, which loads in milliseconds
    Compile(compile::Arguments),
    /// Write a network as a Rust crate that stands alone
    Emit(emit::Arguments),
    /// Print a script that completes this command's words in a shell
    Completions(completions::Arguments),
}

/// Why a command did not succeed.
#[derive(Debug)]
enum Failure {
    /// The arguments do not go together: exit code 2.
    Usage(String),
    /// Something is wrong with a file, or the machine: exit code 1.
    Error(Error),
    /// Standard output cannot be written; quiet if its reader just left.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Runs the command that the process was started with.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.color.set();
    system::end_cleanly();
    if !system::has_standard_output() {
        let closed = io::Error::other("it is closed");
        return report(Failure::Output(closed));
    }
    let mut out = io::BufWriter::new(anstream::stdout());
    let result = match &arguments.command {
        Command::Run(arguments) => run::main(arguments, &mut out),
        Command::Check(arguments) => check::main(arguments, &mut out),
        Command::Summary(arguments) => summary::main(arguments, &mut out),
        Command::Dump(arguments) => dump::main(arguments, &mut out),
        Command::Explain(arguments) => explain::main(arguments, &mut out),
        Command::Bench(arguments) => bench::main(arguments, &mut out),
        Command::Import(arguments) => import::main(arguments, &mut out),
        Command::Quantize(arguments) => quantize::main(arguments, &mut out),
        Command::Compile(arguments) => compile::main(arguments, &mut out),
        Command::Emit(arguments) => emit::main(arguments, &mut out),
        Command::Completions(arguments) => completions::main(arguments, &mut out),
    };
    let flushed = out.flush();
    match result.and(flushed.map_err(Failure::Output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(failure),
    }
}

/// Says on standard error why the command failed. Nobody is left to tell if that fails too.
fn report(failure: Failure) -> ExitCode {
    let mut err = anstream::stderr();
    match failure {
        Failure::Usage(problem) => {
            let _ = writeln!(
                err,
                "{ERROR}error:{ERROR:#} {problem}\n\nFor more information, try '--help'."
            );
            return ExitCode::from(2);
        }
        Failure::Error(Error::Model(model)) => {
            let text = ir::render::render(&model.diagnostics, &model.origin, &model.source_text, true);
            let count = model.diagnostics.len();
            let _ = write!(err, "{text}");
            if count > 1 {
                let _ = writeln!(err, "{ERROR}error:{ERROR:#} {count} errors in {}", model.origin);
            }
        }
        Failure::Error(Error::Weights(errors)) => {
            for error in &errors {
                let _ = writeln!(err, "{ERROR}error:{ERROR:#} {error}");
            }
            if errors.len() > 1 {
                let least = match errors.len() {
                    ..weights::MOST_PROBLEMS => "",
                    _ => "at least ",
                };
                let _ = writeln!(
                    err,
                    "{ERROR}error:{ERROR:#} {least}{} tensors are missing or wrong",
                    errors.len()
                );
            }
        }
        Failure::Error(error) => {
            let _ = writeln!(err, "{ERROR}error:{ERROR:#} {error}");
        }
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        Failure::Output(error) => {
            let _ = writeln!(err, "{ERROR}error:{ERROR:#} cannot write to standard output: {error}");
        }
    }
    ExitCode::FAILURE
}

/// Says on standard error what is odd, but no reason to stop.
/// Says something that is good to know, beside what was asked for.
fn note(message: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{message}");
}

fn warn(message: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{WARNING}warning:{WARNING:#} {message}");
}
