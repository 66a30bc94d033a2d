//! Keeps letters: in memory, or as files that are never seen half written.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{Keep, Letter, Truth};

/// Longest part of a file name that comes from a letter.
const NAME_MAX: usize = 80;

/// Makes the folder if there is one; the highest number that a letter in it bears, 0 if none.
pub(super) fn prepare(keep: &Keep) -> io::Result<u64> {
    let Keep::Folder(folder) = keep else { return Ok(0) };
    fs::create_dir_all(folder)?;
    let mut highest = 0;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.split_once('-')).and_then(|(number, _)| number.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(highest)
}

/// Records `letter`, whose bytes are there if they are to be kept at all; in a folder the file comes first.
///
/// # Errors
/// The file could not be written: the letter is then not recorded.
pub(super) async fn keep(how: &Keep, truth: &Truth, mut letter: Letter) -> io::Result<()> {
    let Keep::Folder(folder) = how else {
        truth.keep(letter);
        return Ok(());
    };
    let (folder, truth) = (folder.clone(), truth.clone());
    // File and record in one piece that a connection's end cannot cut in two.
    let written = tokio::task::spawn_blocking(move || {
        let bytes = std::mem::take(&mut letter.bytes);
        letter.file = Some(write(&folder, &letter, &bytes)?);
        truth.keep(letter);
        Ok(())
    });
    written.await.map_err(io::Error::other)?
}

fn write(folder: &Path, letter: &Letter, bytes: &[u8]) -> io::Result<PathBuf> {
    let part = folder.join(format!(".{}.part", letter.sequence));
    let file = folder.join(file_name(letter));
    // What a run that died left is not gone on with, and no link is followed.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::File::create_new(&part)?.write_all(bytes)?,
    }
    fs::rename(&part, &file)?;
    Ok(file)
}

/// `<sequence>-<delivery or Message-ID made safe>.eml`
fn file_name(letter: &Letter) -> String {
    let id = letter.delivery.as_deref().or(letter.message_id.as_deref()).unwrap_or("letter");
    let safe: String = id
        .trim_matches(['<', '>'])
        .chars()
        .take(NAME_MAX)
        .map(|c| if c.is_ascii_alphanumeric() || "-_.@".contains(c) { c } else { '_' })
        .collect();
    format!("{}-{safe}.eml", letter.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(delivery: Option<&str>, message_id: Option<&str>) -> Letter {
        Letter {
            sequence: 7,
            connection: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            reverse_path: String::new(),
            forward_paths: Vec::new(),
            message_id: message_id.map(str::to_owned),
            delivery: delivery.map(str::to_owned),
            bytes: b"x\r\n".to_vec(),
            size: 3,
            acknowledged: true,
            file: None,
        }
    }

    #[test]
    fn a_file_name_holds_the_number_and_an_id_that_cannot_leave_the_folder() {
        assert_eq!(file_name(&letter(Some("ken"), Some("<1@x.example>"))), "7-ken.eml");
        assert_eq!(file_name(&letter(None, Some("<1@x.example>"))), "7-1@x.example.eml");
        assert_eq!(file_name(&letter(Some("../../a/b\0"), None)), "7-.._.._a_b_.eml");
        assert_eq!(file_name(&letter(None, None)), "7-letter.eml");
    }

    #[tokio::test]
    async fn letters_of_an_earlier_server_keep_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let how = Keep::Folder(folder.path().join("new"));
        assert_eq!(prepare(&how).unwrap(), 0);
        let truth = Truth::after(0);
        keep(&how, &truth, letter(Some("ken"), None)).await.unwrap();
        assert_eq!(prepare(&how).unwrap(), 7);
        let kept = truth.accepted().remove(0);
        assert_eq!(fs::read(kept.file.unwrap()).unwrap(), b"x\r\n");
        assert!(kept.bytes.is_empty());
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }
}
