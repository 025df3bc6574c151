//! The command `cnn`: reads the arguments and hands them to the subcommand's file in `cli`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
