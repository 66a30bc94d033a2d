//! One file per command; what several of them need stands beside them: `prepare` (files → batch), `frozen` (ledger → letters),
//! `recovered` (what an earlier run left), `drive` (a run and what is shown of it), `screen` (the one door to the terminal), `exit` (codes).

mod attachments;
mod check;
mod drive;
mod exit;
mod frozen;
mod generate;
mod init;
mod limits;
mod log;
mod plan;
mod postbox;
mod prepare;
mod preview;
mod recovered;
mod rehearse;
mod render;
mod report;
mod resend;
mod resolve;
mod screen;
mod send;
mod status;
mod test;

use std::path::PathBuf;

use crate::cli::{Cli, Command};
pub use exit::Failure;
pub use screen::Screen;

/// What every command gets.
pub struct Context {
    /// Where it speaks.
    pub screen: Screen,
    /// The config file.
    pub config: PathBuf,
}

/// Does what the command line says and gives the exit code of the process.
#[must_use]
pub fn run(cli: Cli) -> u8 {
    let context = Context {
        screen: Screen::new(cli.quiet, cli.verbose, cli.no_input),
        config: cli.config.unwrap_or_else(|| PathBuf::from("config.toml")),
    };
    limits::survive_file_size_limit();
    let outcome = match cli.command {
        Command::Init(args) => init::run(&context, &args),
        Command::Check(args) => check::run(&context, &args),
        Command::Preview(args) => preview::run(&context, &args),
        Command::Rehearse(args) => rehearse::run(&context, &args),
        Command::Test(args) => test::run(&context, &args),
        Command::Send(args) => send::run(&context, &args),
        Command::Resend(args) => resend::run(&context, &args),
        Command::Status(args) => status::run(&context, &args),
        Command::Log(args) => log::run(&context, &args),
        Command::Resolve(args) => resolve::run(&context, &args),
        Command::Report(args) => report::run(&context, &args),
        Command::Postbox(args) => postbox::run(&context, &args),
        Command::Completions { shell } => Ok(generate::completions(&context, shell)),
        Command::Man => generate::man(&context),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            context.screen.failure(&failure);
            failure.code()
        }
    }
}
