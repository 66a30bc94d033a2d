//! The doorway: parse the command line, start tracing, run, exit with the code.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use demarche::cli::Cli;
use demarche::commands;
use tracing_subscriber::EnvFilter;

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
    start_tracing(cli.verbose);
    ExitCode::from(commands::run(cli))
}

fn start_tracing(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "trace",
    };
    // Only our own: a library's log lines are not for the people who run this, and could hold what is not to be shown.
    let filter = EnvFilter::new(format!("off,demarche={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}
