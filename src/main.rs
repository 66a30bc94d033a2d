//! The doorway: parse the command line, run, exit with the code.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use demarche::cli::Cli;
use demarche::commands;

/// The exit code of a wrong command line (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes; a closed pipe is no reason to fail.
            let _ = error.print();
            let answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if answer { 0 } else { USAGE });
        }
    };
    ExitCode::from(commands::run(cli))
}
