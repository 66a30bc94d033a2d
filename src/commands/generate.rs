//! `completions` and `man`: generated from the command line's own types.

use clap::CommandFactory as _;

use crate::cli::Cli;

use super::Context;
use super::exit::{Failure, OK, SOFTWARE};

pub(super) fn completions(context: &Context, shell: clap_complete::Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "demarche", &mut script);
    context.screen.result(&String::from_utf8_lossy(&script));
    OK
}

pub(super) fn man(context: &Context) -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::new(SOFTWARE, format!("the manual page cannot be made: {error}")))?;
    context.screen.result(&String::from_utf8_lossy(&page));
    Ok(OK)
}
