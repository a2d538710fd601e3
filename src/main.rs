//! Entry point: parses the command line, runs it, turns the result into an exit code.

use clap::Parser;
use invitation_operator::runtime::{self, cli::Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    match runtime::execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
