//! The doorway: parse the command line, run, exit with the code.

use std::process::ExitCode;

use clap::Parser as _;
use demarche::cli::Cli;
use demarche::commands;

fn main() -> ExitCode {
    leave_no_core();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return ExitCode::from(commands::answer(&error));
        }
    };
    ExitCode::from(commands::run(cli))
}

/// A crash writes no core file: it would hold the password and every letter. The programs that we run inherit that.
///
/// One octet is less than any core, and the one limit that Linux keeps also where it hands cores to a program.
#[cfg(unix)]
fn leave_no_core() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    let least = Rlimit { current: Some(maximum.unwrap_or(1).min(1)), maximum };
    // A limit may always be lowered.
    let _ = setrlimit(Resource::Core, least);
}

#[cfg(not(unix))]
fn leave_no_core() {}
