//! The templates folder → source files, and nothing from outside it.

use std::fs;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Place};

use super::SourceFile;

/// The largest template file, in bytes.
const FILE_CAP: u64 = 1024 * 1024;
/// The most template files.
const FILES_CAP: usize = 500;
/// How deep folders may lie in the templates folder.
const DEPTH_CAP: usize = 8;
/// Reads the folder's `.md`, `.html` and `.txt` files, sorted by name. `shown` is how the folder is named to people.
#[must_use]
pub fn read_folder(folder: &Path, shown: &str) -> (Vec<SourceFile>, Vec<Diagnostic>) {
    let mut reader = Reader { files: Vec::new(), problems: Vec::new(), shown, root: folder.to_path_buf() };
    match folder.canonicalize() {
        Ok(root) if root.is_dir() => {
            reader.root = root;
            reader.folder(folder, "", 0);
        }
        Ok(_) => reader.problem("", "is not a folder"),
        Err(error) => reader.problem("", &format!("cannot be read: {error}")),
    }
    reader.files.sort_by(|a, b| a.name.cmp(&b.name));
    (reader.files, reader.problems)
}

struct Reader<'a> {
    files: Vec<SourceFile>,
    problems: Vec<Diagnostic>,
    shown: &'a str,
    root: std::path::PathBuf,
}

impl Reader<'_> {
    fn problem(&mut self, name: &str, message: &str) {
        let path = shown_path(self.shown, name);
        self.problems.push(Diagnostic::error("template-file", format!("{path} {message}")).at(Place::file(path)));
    }

    fn folder(&mut self, folder: &Path, below: &str, depth: usize) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(below, &format!("cannot be read: {error}")),
        };
        for entry in entries.flatten() {
            let Ok(file_name) = entry.file_name().into_string() else { continue };
            if file_name.starts_with('.') {
                continue;
            }
            let name = if below.is_empty() { file_name } else { format!("{below}/{file_name}") };
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            let is_template = [".md", ".html", ".txt"].iter().any(|suffix| name.ends_with(suffix));
            if kind.is_symlink() {
                self.link(&path, &name, is_template);
            } else if kind.is_dir() {
                if depth + 1 < DEPTH_CAP {
                    self.folder(&path, &name, depth + 1);
                } else {
                    self.problem(&name, "lies too deep");
                }
            } else if is_template && kind.is_file() {
                self.file(&path, name);
            } else if is_template {
                self.problem(&name, "is not a regular file");
            }
        }
    }

    fn link(&mut self, path: &Path, name: &str, is_template: bool) {
        match path.canonicalize() {
            Ok(target) if !target.starts_with(&self.root) => {
                self.problem(name, "is a symbolic link that leaves the templates folder");
            }
            Ok(target) if target.is_dir() => {
                self.problem(name, "is a symbolic link to a folder: links to folders are not followed");
            }
            Ok(target) if is_template && target.is_file() => self.file(&target, name.to_owned()),
            Ok(_) if is_template => self.problem(name, "is not a regular file"),
            Err(error) if is_template => self.problem(name, &format!("cannot be read: {error}")),
            Ok(_) | Err(_) => {}
        }
    }

    fn file(&mut self, path: &Path, name: String) {
        if self.files.len() >= FILES_CAP {
            if self.files.len() == FILES_CAP {
                self.problem(&name, &format!("is one template file too many: at most {FILES_CAP}"));
            }
            return;
        }
        if fs::metadata(path).is_ok_and(|metadata| metadata.len() > FILE_CAP) {
            return self.problem(&name, "is over 1 MiB");
        }
        match fs::read(path) {
            Ok(bytes) => self.files.push(SourceFile { name, bytes }),
            Err(error) => self.problem(&name, &format!("cannot be read: {error}")),
        }
    }
}

pub(super) fn shown_path(shown: &str, name: &str) -> String {
    match (shown.trim_end_matches('/'), name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}
