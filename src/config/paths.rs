//! Paths in the config: relative to the campaign folder and inside it.

use std::path::{Path, PathBuf};

use super::value::Refusal;
use super::walk::Section;

/// The path of a key, absolute and inside the folder, and as it is written; or the default.
pub(super) fn inside(section: &Section<'_>, key: &str, default: &str) -> (PathBuf, String) {
    let folder = section.sheet.folder;
    let shown = section
        .value(key)
        .and_then(|value| value.read(&format!("\"{default}\""), |text| stay_inside(text, folder)))
        .unwrap_or_else(|| default.to_owned());
    (folder.join(&shown), shown)
}

/// The path of a key that is no part of the campaign and may lie anywhere, such as the system's certificates.
pub(super) fn anywhere(text: &str, folder: &Path) -> Result<PathBuf, Refusal> {
    refuse_unreadable(text)?;
    if text.starts_with('~') {
        return Err(Refusal::new(
            "path-invalid",
            "begins with \"~\", which only a shell knows",
            "write the whole path",
        ));
    }
    Ok(folder.join(text))
}

/// Takes a path that stays inside the folder, also where a link on its way would lead out.
pub(super) fn stay_inside(text: &str, folder: &Path) -> Result<String, Refusal> {
    const HELP: &str = "copy it into the campaign folder and write its path from there";
    refuse_unreadable(text)?;
    let leaves = |message: &str| Err(Refusal::new("path-outside", message, HELP));
    let drive = text.as_bytes().get(1) == Some(&b':');
    if text.starts_with(['/', '\\']) || drive || Path::new(text).is_absolute() {
        return leaves("is an absolute path, and must be relative to the campaign folder");
    }
    if text.contains("~$") {
        let message = "names the file that Office keeps beside one that is open, not that one";
        return Err(Refusal::new("path-outside", message, "write the name without \"~$\""));
    }
    if text.starts_with('~') {
        return leaves("begins with \"~\", and must be relative to the campaign folder");
    }
    if text.split(['/', '\\']).any(|part| part == "..") {
        return leaves("leads out of the campaign folder by \"..\"");
    }
    // What is not there yet will be made, where the part of its way that is there leads.
    let whole = folder.join(text);
    let there = whole.ancestors().find(|part| part.symlink_metadata().is_ok()).unwrap_or(folder);
    let inside = match (there.canonicalize(), folder.canonicalize()) {
        (Ok(target), Ok(folder)) => target.starts_with(&folder),
        // A link to nothing would be followed to wherever its target is made.
        (Err(_), Ok(_)) => !there.is_symlink(),
        _ => true,
    };
    if !inside {
        return leaves("is a link that leads out of the campaign folder");
    }
    Ok(text.to_owned())
}

fn refuse_unreadable(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("path-invalid", "is empty", "write the path of a file, or leave the key out"));
    }
    if text.chars().any(char::is_control) {
        let help = "rename the file";
        return Err(Refusal::new("path-invalid", "holds a control character", help));
    }
    Ok(())
}
