//! What lies near a file that is not there: the help that names it, as somebody would who looks over your shoulder.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::reply::visible;

/// The most entries of a folder that are looked at.
const LOOKED_AT: usize = 500;
/// The most folders that are named.
const MOST_NAMED: usize = 10;
/// How far into a file it is looked whether it is a config.
const HEAD: u64 = 65_536;
/// Names that are less like each other than this are not the same word misspelt.
const LIKE: f64 = 0.85;

/// Says where the config is that was not found.
pub(super) fn help_with_config(problems: &mut [Diagnostic], path: &Path) {
    let Some(problem) = problems.iter_mut().find(|problem| problem.code == "config-missing") else { return };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        problem.message = format!("there is no folder {}", visible(&folder.display().to_string()));
        problem.help = Some("look at the path after --config, or at $DEMARCHE_CONFIG".to_owned());
        return;
    }
    let found = entries(folder).into_iter().find(|path| is_config(path)).map(|path| {
        let path = shown(&path);
        format!("{path} looks like one: rename it to config.toml, or pass --config {path}")
    });
    let below: Vec<PathBuf> = entries(folder).into_iter().filter(|entry| entry.join("config.toml").is_file()).collect();
    let above = || {
        let folder = folder.canonicalize().ok()?;
        folder.ancestors().skip(1).take(3).find(|up| is_config(&up.join("config.toml"))).map(Path::to_owned)
    };
    let elsewhere = || match &below[..] {
        [] => Some(format!("the campaign folder may be {}: go there with cd", shown(&above()?))),
        [one] => Some(format!("the campaign folder may be {}: go there with cd", shown(one))),
        several => {
            let names: Vec<String> = several.iter().take(MOST_NAMED).map(|path| shown(path)).collect();
            let more = several.len() - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Some(format!(
                "several campaign folders are here: {}{more}. Go into the one you mean with cd",
                names.join(", ")
            ))
        }
    };
    if let Some(help) = found.or_else(elsewhere) {
        problem.help = Some(format!("{help}\nor `demarche init DIR` makes a new campaign folder"));
    }
}

/// What else could be meant by a recipients file that is not there.
pub(super) fn instead_of_recipients(folder: &Path) -> Option<String> {
    let is_list = |path: &PathBuf| {
        let name = name(path);
        let list = [".csv", ".xlsx", ".ods", ".tsv"].iter().any(|end| name.to_lowercase().ends_with(end));
        list && !is_lock(&name) && name != "suppressed.csv"
    };
    let names: Vec<String> = entries(folder).iter().filter(|path| is_list(path)).map(|path| name(path)).collect();
    let name = visible(names.first()?);
    let among = if names.len() > 1 { format!(" (and {} more lists)", names.len() - 1) } else { String::new() };
    Some(format!("the folder has {name}{among}: name it under [recipients] in the config, file = \"{name}\""))
}

/// A list that is open in a spreadsheet program: what was not saved there is in no letter.
pub(super) fn open_elsewhere(folder: &Path, file: &str) -> Option<Diagnostic> {
    let path = folder.join(file);
    let name = path.file_name()?.to_string_lossy().into_owned();
    let locks = [format!("~${name}"), format!(".~lock.{name}#")];
    let lock = locks.iter().find(|lock| path.with_file_name(lock).exists())?;
    let message = format!("{file} is open in a spreadsheet program: what is not saved there is not in the letters");
    let help = format!("save and close it; if it is open nowhere, remove {lock}");
    Some(Diagnostic::warning("file-open", message).at(Place::file(file)).help(help))
}

/// The entries of a folder in the order of their names; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.take(LOOKED_AT).filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn shown(path: &Path) -> String {
    visible(&path.strip_prefix("./").unwrap_or(path).display().to_string())
}

/// True for the file that a spreadsheet program keeps beside one that is open.
fn is_lock(name: &str) -> bool {
    name.starts_with("~$") || name.starts_with(".~lock.")
}

/// True for a file that has a campaign in it, whatever it is called.
fn is_config(path: &Path) -> bool {
    let name = name(path).to_lowercase();
    let by_name = name.contains(".toml") || strsim::jaro_winkler(&name, "config.toml") > LIKE;
    if !by_name || !path.is_file() {
        return false;
    }
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).lines().any(|line| line.trim() == "[campaign]")
}
