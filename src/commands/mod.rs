//! One file per command; what several of them need stands beside them: `prepare` (files → batch), `frozen` (ledger → letters),
//! `recovered` (what an earlier run left), `timing` (how long, and the event), `underway` (files against ledger), `strangers`
//! (letters that name somebody else), `online` (what the relay takes), `domains` (what the DNS says), `intake` (a list as it comes
//! → clean recipients), `approval` (who approved, who has to), `changes` (two batches, letter by letter), `dossier` (what a report tells), `drive` (a run, from
//! signal to ending), `progress` (what is shown of it), `bar` (and where), `remarks` (problems in a few lines), `nearby` (what else could be meant), `usage` (a command line that is not understood), `summary` (figures that add up), `screen` (the one door to the terminal), `logging` (what is traced, and
//! where to), `exit` (codes).

mod approval;
mod approve;
mod approved;
mod attachments;
mod bar;
mod changes;
mod check;
mod domains;
mod dossier;
mod drive;
mod evidence;
mod exit;
mod frozen;
mod generate;
mod help;
mod init;
mod intake;
mod intake_page;
mod limits;
mod log;
mod logging;
mod naming;
mod nearby;
mod online;
mod plan;
mod postbox;
mod prepare;
mod preview;
mod progress;
mod readers;
mod recomputed;
mod recovered;
mod rehearse;
mod remarks;
mod render;
mod report;
mod resend;
mod resolve;
mod sample;
mod screen;
mod send;
mod status;
mod strangers;
mod summary;
mod test;
mod timing;
mod underway;
mod usage;
mod versions;
mod wishes;

use std::path::PathBuf;

use crate::cli::{Cli, Command};
use crate::domain::reply::visible;
pub use exit::Failure;
pub use screen::{Flags, Screen};
pub use usage::answer;

/// What every command gets.
pub struct Context {
    /// Where it speaks.
    pub screen: Screen,
    /// The config file.
    pub config: PathBuf,
    /// The sheet of the recipients file, if the command line names one.
    pub sheet: Option<String>,
}

/// Does what the command line says and gives the exit code of the process.
#[must_use]
pub fn run(cli: Cli) -> u8 {
    let flags = Flags {
        quiet: cli.quiet,
        whole: cli.verbose > 0 || matches!(cli.command, Command::Check(_)),
        verbose: cli.verbose,
        no_input: cli.no_input,
        plain: cli.plain,
    };
    let context = Context {
        screen: Screen::new(flags),
        config: cli.config.unwrap_or_else(|| PathBuf::from("config.toml")),
        sheet: cli.command.sheet().map(str::to_owned),
    };
    limits::survive_file_size_limit();
    // No argument ever holds a secret.
    let line: Vec<String> = std::env::args_os().skip(1).map(|word| visible(&word.to_string_lossy())).collect();
    let outcome = logging::start(cli.verbose, context.screen.colours_messages(), cli.log_file.as_deref(), cli.log_format)
        .and_then(|()| {
            tracing::info!(target: logging::SHOWN, version = env!("CARGO_PKG_VERSION"), arguments = line.join(" "), "started");
            command(&context, cli.command)
        });
    let code = match outcome {
        Ok(code) => code,
        Err(failure) => {
            context.screen.failure(&failure);
            failure.code()
        }
    };
    tracing::info!(target: logging::SHOWN, code, "ended");
    code
}

fn command(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Preview(args) => preview::run(context, &args),
        Command::Rehearse(args) => rehearse::run(context, &args),
        Command::Test(args) => test::run(context, &args),
        Command::Approve(args) => approve::run(context, &args),
        Command::Send(args) => send::run(context, &args),
        Command::Resend(args) => resend::run(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::Log(args) => log::run(context, &args),
        Command::Resolve(args) => resolve::run(context, &args),
        Command::Report(args) => report::run(context, &args),
        Command::Postbox(args) => postbox::run(context, &args),
        Command::Completions { shell } => Ok(generate::completions(context, shell)),
        Command::Man(args) => generate::man(context, &args),
        Command::Help { topic } => help::run(context, topic.as_deref()),
    }
}
