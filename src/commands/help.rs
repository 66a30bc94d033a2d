//! `help`: a command's help, or a page on a topic. The pages are those of the project's `docs/`, so that they cannot drift.

use clap::CommandFactory as _;

use crate::cli::{Cli, EXIT_CODES};
use crate::domain::reply::visible;

use super::Context;
use super::exit::{Failure, OK, USAGE};

/// Topics with their text and what they are about.
const TOPICS: [(&str, &str, &str); 6] = [
    ("exit-codes", "what the number says with which a command ends", EXIT_CODES),
    ("config", "every key of config.toml", include_str!("../../config.example.toml")),
    ("files", "how lists of missions are read: CSV, .xlsx, .ods", include_str!("../../docs/files.md")),
    ("templates", "changing the letter, its letterhead and its pictures", include_str!("../../docs/templates.md")),
    ("addressing", "greetings, names of states, dates, lists, plurals", include_str!("../../docs/addressing.md")),
    ("languages", "letters in several languages, right-to-left ones too", include_str!("../../docs/languages.md")),
];

pub(super) fn run(context: &Context, topic: Option<&str>) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(topic) = topic else {
        context.screen.result(&format!("{}\n{}", command.render_help(), topics()));
        return Ok(OK);
    };
    if let Some(found) = command.find_subcommand_mut(topic) {
        context.screen.result(&found.render_long_help().to_string());
        return Ok(OK);
    }
    let wanted = topic.to_lowercase().replace('_', "-");
    if let Some((name, _, text)) = TOPICS.iter().find(|(name, ..)| *name == wanted) {
        let style = context.screen.style();
        let is_markdown = !matches!(*name, "exit-codes" | "config");
        context.screen.result(&if is_markdown { style.markdown(text, &instead_of_link) } else { style.page(text) });
        return Ok(OK);
    }
    let names = command.get_subcommands().map(clap::Command::get_name).chain(TOPICS.iter().map(|(name, ..)| *name));
    let near = names.max_by(|a, b| strsim::jaro(a, &wanted).total_cmp(&strsim::jaro(b, &wanted)));
    let near = near.filter(|name| strsim::jaro(name, &wanted) > 0.7);
    let message = format!("there is no command and no topic \"{}\"", visible(topic));
    Err(Failure::new(USAGE, message).help(match near {
        Some(name) => format!("did you mean `demarche help {name}`?"),
        None => "`demarche help` lists both".to_owned(),
    }))
}

/// A link to another page of the manual is a topic; one to the network stands as it is; any other leads nowhere from here.
fn instead_of_link(target: &str) -> Option<String> {
    let page = target.split('#').next().unwrap_or_default();
    let topic = page.rsplit('/').next().and_then(|file| file.strip_suffix(".md"));
    match TOPICS.iter().find(|(name, ..)| Some(*name) == topic) {
        Some((name, ..)) => Some(format!("`demarche help {name}`")),
        None => target.starts_with("http").then(|| target.to_owned()),
    }
}

/// The names of all topics.
pub(super) fn topics_by_name() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(name, ..)| *name)
}

fn topics() -> String {
    let lines = TOPICS.iter().map(|(name, about, _)| format!("  {name:<12} {about}\n"));
    format!("Topics (`demarche help TOPIC`):\n{}", lines.collect::<String>())
}
