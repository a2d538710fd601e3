//! Entry point: parses the command line, runs it, turns the result into an exit code.

use invitation_operator::runtime::{self, cli::Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    match runtime::execute(Cli::of_this_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
