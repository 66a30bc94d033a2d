//! Attachments from the campaign folder: every one that a letter may name, checked before anything is sent.

use std::collections::BTreeMap;
use std::path::Path;

use crate::compose::Attachment;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::reply::visible;
use crate::inside::{Folder, Refused};
use crate::letter::SourceFile;

/// The largest attachment read: no relay takes more.
const LARGEST: u64 = 100 * 1024 * 1024;

/// Reads the files at `paths`, relative to `folder`, each with who names it; every problem at once. Each path is read once.
pub(super) fn read(folder: &Folder, paths: &BTreeMap<String, Place>) -> (Vec<SourceFile>, Vec<Diagnostic>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for (path, named) in paths {
        match read_one(folder, path) {
            Ok(bytes) => files.push(SourceFile { name: path.clone(), bytes }),
            Err((message, help)) => {
                let message = format!("the attachment \"{}\" {message}", visible(path));
                problems.push(Diagnostic::error("attachment-invalid", message).at(named.clone()).help(help));
            }
        }
    }
    (files, problems)
}

fn read_one(folder: &Folder, path: &str) -> Result<Vec<u8>, (String, &'static str)> {
    const INSIDE: &str = "put the file into the campaign folder and name it by its path from there";
    if path.chars().any(char::is_control) {
        return Err(("has a control character in its name".to_owned(), "rename the file"));
    }
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain || path.starts_with('~') || path.contains('\\') {
        return Err(("is not a path inside the campaign folder".to_owned(), INSIDE));
    }
    folder.read(relative, LARGEST).map_err(|refused| match refused {
        Refused::Outside => ("is a link that leaves the campaign folder".to_owned(), INSIDE),
        Refused::NotAFile => ("is not a file".to_owned(), "name a file, not a folder or a device"),
        Refused::TooLarge => (format!("is larger than {} MB", LARGEST / 1_000_000), "link to it in the letter instead"),
        refused if refused.is_missing() => ("is not there".to_owned(), INSIDE),
        Refused::Io(error) => (format!("cannot be read: {error}"), "look at the file's permissions"),
    })
}

/// Encodes files for a batch, by their paths.
pub(super) fn encode(files: &[SourceFile]) -> BTreeMap<String, Attachment> {
    files
        .iter()
        .map(|file| {
            let name = file.name.rsplit('/').next().unwrap_or(&file.name);
            (file.name.clone(), Attachment::new(name, &file.bytes))
        })
        .collect()
}
