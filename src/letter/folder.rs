//! The templates folder → source files, and nothing from outside it.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Place};
use crate::inside::{Folder, Kind, Refused};

use super::SourceFile;
use super::load::OFFICE_HELP;
use super::pictures;

/// The largest template file, in bytes.
const FILE_CAP: u64 = 1024 * 1024;
/// The most template files.
const FILES_CAP: usize = 500;
/// How deep folders may lie in the templates folder.
const DEPTH_CAP: usize = 8;
const PERMISSIONS: &str = "look at its permissions";

/// Reads the folder's `.md`, `.html` and `.txt` files and its pictures, sorted by name. `shown` is how the folder is named to
/// people.
#[must_use]
pub fn read_folder(folder: &Path, shown: &str) -> (Vec<SourceFile>, Vec<Diagnostic>) {
    match Folder::open(folder) {
        Ok(folder) => read_templates(&folder, shown),
        Err(error) => (Vec::new(), vec![unreadable(shown, &Refused::Io(error))]),
    }
}

/// The same for a folder that is open.
#[must_use]
pub fn read_templates(folder: &Folder, shown: &str) -> (Vec<SourceFile>, Vec<Diagnostic>) {
    let mut reader = Reader { files: Vec::new(), problems: Vec::new(), shown, root: folder };
    reader.folder(folder, "", 0);
    reader.files.sort_by(|a, b| a.name.cmp(&b.name));
    (reader.files, reader.problems)
}

/// The problem of a folder of templates that cannot be opened.
#[must_use]
pub fn unreadable(shown: &str, why: &Refused) -> Diagnostic {
    let problem = |message: &str, help: &str| {
        let message = format!("{} {message}", shown_path(shown, ""));
        Diagnostic::error("template-file", message).at(Place::file(shown_path(shown, ""))).help(help)
    };
    match why {
        Refused::Outside => problem("is a link that leads out of the campaign folder", "copy the templates into it"),
        Refused::NotAFile | Refused::TooLarge => problem("is not a folder", "name a folder in letter.templates"),
        Refused::Io(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            problem("is not a folder", "name a folder in letter.templates")
        }
        Refused::Io(error) => {
            let help = "name the folder of the letter in letter.templates, or let `demarche init` write one";
            problem(&format!("cannot be read: {error}"), help)
        }
    }
}

struct Reader<'a> {
    files: Vec<SourceFile>,
    problems: Vec<Diagnostic>,
    shown: &'a str,
    root: &'a Folder,
}

impl Reader<'_> {
    fn problem(&mut self, name: &str, message: &str, help: &str) {
        let path = shown_path(self.shown, name);
        let problem = Diagnostic::error("template-file", format!("{path} {message}"));
        self.problems.push(problem.at(Place::file(path)).help(help));
    }

    fn folder(&mut self, folder: &Folder, below: &str, depth: usize) {
        let entries = match folder.entries() {
            Ok(entries) => entries,
            Err(error) => return self.problem(below, &format!("cannot be read: {error}"), PERMISSIONS),
        };
        for entry in entries {
            let Ok(file_name) = entry.name.into_string() else { continue };
            if file_name.starts_with('.') {
                continue;
            }
            let name = if below.is_empty() { file_name } else { format!("{below}/{file_name}") };
            let is_template =
                [".md", ".html", ".txt"].iter().any(|suffix| name.ends_with(suffix)) || pictures::is_picture(&name);
            match entry.kind {
                Kind::Link => self.link(&name, is_template),
                Kind::Folder if depth + 1 >= DEPTH_CAP => {
                    self.problem(&name, "lies too deep", "move it up: templates lie at most 7 folders deep");
                }
                Kind::Folder => match self.root.folder(Path::new(&name)) {
                    Ok(inner) => self.folder(&inner, &name, depth + 1),
                    Err(why) => self.refused(&name, &why),
                },
                Kind::File if is_template => self.file(name),
                Kind::Other if is_template => self.refused(&name, &Refused::NotAFile),
                Kind::File if is_of_an_office_program(&name) => {
                    let path = shown_path(self.shown, &name);
                    let message = format!("{path} is not read: it is a document of an office program");
                    let warning = Diagnostic::warning("template-ignored", message);
                    self.problems.push(warning.at(Place::file(path)).help(OFFICE_HELP));
                }
                Kind::File | Kind::Other => {}
            }
        }
    }

    fn link(&mut self, name: &str, is_template: bool) {
        match self.root.kind_of(Path::new(name)) {
            Err(Refused::Outside) => self.refused(name, &Refused::Outside),
            Ok(Kind::Folder) => {
                let message = "is a symbolic link to a folder: links to folders are not followed";
                self.problem(name, message, "copy the folder into the templates folder");
            }
            Ok(Kind::File) if is_template => self.file(name.to_owned()),
            Ok(_) if is_template => self.refused(name, &Refused::NotAFile),
            Err(why) if is_template => self.refused(name, &why),
            Ok(_) | Err(_) => {}
        }
    }

    fn file(&mut self, name: String) {
        if self.files.len() >= FILES_CAP {
            if self.files.len() == FILES_CAP {
                let message = format!("is one template file too many: at most {FILES_CAP}");
                self.problem(&name, &message, "take out of the templates folder what no letter uses");
            }
            return;
        }
        match self.root.read(Path::new(&name), FILE_CAP) {
            Ok(bytes) => self.files.push(SourceFile { name, bytes }),
            Err(why) => self.refused(&name, &why),
        }
    }

    fn refused(&mut self, name: &str, why: &Refused) {
        match why {
            Refused::Outside => {
                let message = "is a symbolic link that leaves the templates folder";
                self.problem(name, message, "copy the file into the templates folder");
            }
            Refused::NotAFile => {
                self.problem(name, "is not a regular file", "put a file there, not a folder or a device");
            }
            Refused::TooLarge if pictures::is_picture(name) => {
                self.problem(name, "is over 1 MB", "every letter would carry it: save the picture smaller");
            }
            Refused::TooLarge => {
                self.problem(name, "is over 1 MB", "is it another kind of file? Then take it out of the folder");
            }
            Refused::Io(error) => self.problem(name, &format!("cannot be read: {error}"), PERMISSIONS),
        }
    }
}

/// By its name; not the file that such a program keeps beside one that is open.
fn is_of_an_office_program(name: &str) -> bool {
    let lower = name.to_lowercase();
    !lower.contains("~$") && [".doc", ".docx", ".odt", ".rtf", ".pages"].iter().any(|end| lower.ends_with(end))
}

pub(super) fn shown_path(shown: &str, name: &str) -> String {
    match (shown.trim_end_matches('/'), name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}
