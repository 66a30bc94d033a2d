//! `completions` and `man`: generated from the command line's own types.

use std::fs;

use clap::CommandFactory as _;
use clap::builder::PossibleValue;

use crate::cli::{Cli, ManArgs};
use crate::domain::reply::visible;
use crate::domain::state::all;

use super::exit::{CANNOT_CREATE, Failure, OK, SOFTWARE, USAGE};
use super::{Context, help};

pub(super) fn completions(context: &Context, shell: clap_complete::Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut with_values(), "demarche", &mut script);
    context.screen.result(&String::from_utf8_lossy(&script));
    OK
}

/// The command line with values that a shell can offer, though others are taken as well: topics, and missions by their ids.
fn with_values() -> clap::Command {
    let mut built = Cli::command();
    built.build();
    let commands: Vec<String> = built.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let topics = commands.iter().cloned().chain(help::topics_by_name().map(str::to_owned));
    let topics: Vec<PossibleValue> = topics.map(PossibleValue::new).collect();
    let commands: Vec<PossibleValue> = commands.into_iter().map(PossibleValue::new).collect();
    let missions = || all().iter().map(|state| PossibleValue::new(state.code.as_str()).help(state.name("en")));
    let offer = |command: clap::Command, name: &str, argument: &'static str, values: Vec<PossibleValue>| {
        command.mut_subcommand(name, |command| command.mut_arg(argument, |argument| argument.value_parser(values)))
    };
    let mut command = offer(offer(Cli::command(), "help", "topic", topics), "man", "command", commands);
    for (name, argument) in [
        ("log", "mission"),
        ("resolve", "mission"),
        ("preview", "only"),
        ("send", "only"),
        ("resend", "only"),
        ("test", "only"),
    ] {
        command = offer(command, name, argument, missions().collect());
    }
    command
}

pub(super) fn man(context: &Context, args: &ManArgs) -> Result<u8, Failure> {
    let cannot = |error: std::io::Error| Failure::new(SOFTWARE, format!("the manual page cannot be made: {error}"));
    let mut command = Cli::command();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|error| Failure::cannot_write(folder, &error))?;
        clap_mangen::generate_to(command, folder).map_err(|error| {
            Failure::new(CANNOT_CREATE, format!("the manual pages cannot be written to {}: {error}", folder.display()))
        })?;
        context.screen.say(&format!("Manual pages written to {}", folder.display()));
        return Ok(OK);
    }
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::new(USAGE, format!("there is no command \"{}\"", visible(name))).help("`demarche help` lists them")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).map_err(cannot)?;
    context.screen.result(&String::from_utf8_lossy(&text));
    Ok(OK)
}
