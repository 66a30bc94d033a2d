//! `completions` and `man`: generated from the command line's own types.

use std::fs;

use clap::CommandFactory as _;

use crate::cli::{Cli, ManArgs};
use crate::domain::reply::visible;

use super::Context;
use super::exit::{CANNOT_CREATE, Failure, OK, SOFTWARE, USAGE};

pub(super) fn completions(context: &Context, shell: clap_complete::Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "demarche", &mut script);
    context.screen.result(&String::from_utf8_lossy(&script));
    OK
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
