//! The bytes of a file → its text: byte order mark, then valid UTF-8, then a guess that is said.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE};

use crate::diagnostic::{Diagnostic, Place};

use super::findings::counted;

/// The largest file that is read, in bytes.
const FILE_MAX: usize = 1 << 30;

/// Files of other programs that people take for CSV: how they begin, and what they are.
const NOT_TEXT: [(&[u8], &str); 4] = [
    (b"PK\x03\x04", "a workbook (.xlsx or .ods)"),
    (b"\xd0\xcf\x11\xe0", "a workbook (.xls)"),
    (b"%PDF", "a PDF"),
    (b"<!DOCTYPE", "a web page"),
];

/// The text, without byte order mark; `None` if there is nothing to read.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    file: &str,
    encoding: Option<&str>,
    found: &mut Vec<Diagnostic>,
) -> Option<Cow<'a, str>> {
    let mut refuse = |code, message: String, help: &str| {
        found.push(Diagnostic::error(code, message).at(Place::file(file)).help(help));
        None
    };
    if bytes.len() > FILE_MAX {
        let message = format!("{file} has {} bytes; at most {FILE_MAX} are read", bytes.len());
        return refuse("file-too-large", message, "split the file into several campaigns");
    }
    if let Some((_, kind)) = NOT_TEXT.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let message = format!("{file} is {kind}, not a CSV file");
        return refuse("not-csv", message, "save the sheet as \"CSV UTF-8 (comma delimited)\" and name that file");
    }
    match encoding {
        Some(label) => match encoding_named(label) {
            Some(encoding) => Some(with(encoding, bytes, file, found)),
            None => refuse(
                "encoding-unknown",
                format!("\"{label}\" is no encoding that can be read"),
                "set recipients.encoding to one such as \"utf-8\", \"windows-1252\", \"macintosh\" or \"utf-16le\"",
            ),
        },
        None => Some(detect(bytes, file, found)),
    }
}

fn encoding_named(label: &str) -> Option<&'static Encoding> {
    match label.trim().to_ascii_lowercase().as_str() {
        "macroman" | "mac-roman" | "mac roman" => Some(MACINTOSH),
        label => Encoding::for_label(label.as_bytes()),
    }
}

fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8], file: &str, found: &mut Vec<Diagnostic>) -> Cow<'a, str> {
    let (text, used, malformed) = encoding.decode(bytes);
    if malformed {
        let message = format!("{file} is not valid {}", used.name());
        let help = "take recipients.encoding out of the config to have it detected";
        found.push(Diagnostic::error("encoding-wrong", message).at(bad_character(file, &text)).help(help));
    }
    text
}

fn detect<'a>(bytes: &'a [u8], file: &str, found: &mut Vec<Diagnostic>) -> Cow<'a, str> {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    if let Some(encoding) = marked.or_else(|| utf16_without_mark(bytes)) {
        if encoding != UTF_8 {
            let text = with(encoding, bytes, file, found);
            note(encoding, file, &text, found);
            return text;
        }
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let (text, _, malformed) = UTF_8.decode(bytes);
    if !malformed {
        return text;
    }
    let (good, bad) = text.chars().filter(|c| !c.is_ascii()).fold((0, 0), |(good, bad), c| {
        if c == char::REPLACEMENT_CHARACTER { (good, bad + 1) } else { (good + 1, bad) }
    });
    if marked.is_some() || good > bad {
        let message =
            format!("{file} is UTF-8, except for {}", counted(bad, "character that is not", "characters that are not"));
        let help = "a part was pasted from a file in another encoding: save it all as \"CSV UTF-8\"";
        found.push(Diagnostic::error("encoding-mixed", message).at(bad_character(file, &text)).help(help));
        return text;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = or_macintosh(detector.guess(None, Utf8Detection::Deny), bytes);
    let text = with(guess, bytes, file, found);
    note(guess, file, &text, found);
    text
}

/// Mostly ASCII in UTF-16 has a zero in every second byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
    match (half >= 4, odd * 4 > half * 3 && even == 0, even * 4 > half * 3 && odd == 0) {
        (true, true, _) => Some(UTF_16LE),
        (true, _, true) => Some(UTF_16BE),
        _ => None,
    }
}

/// The detector takes MacRoman for a Windows encoding; the accented letters of western languages tell them apart.
fn or_macintosh(guess: &'static Encoding, bytes: &[u8]) -> &'static Encoding {
    const USUAL: &str = "éèêëàâäáãåçôöóõîïíìûüúùñßÉÀÇÖÜ’";
    let usual = |encoding: &'static Encoding| {
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        text.chars().filter(|c| USUAL.contains(*c)).count()
    };
    let western = ["windows-1250", "windows-1252", "windows-1254", "windows-1257", "windows-1258"];
    let western = western.contains(&guess.name()) || guess.name().starts_with("ISO-8859-");
    if western && usual(MACINTOSH) > usual(guess) { MACINTOSH } else { guess }
}

fn note(encoding: &'static Encoding, file: &str, text: &str, found: &mut Vec<Diagnostic>) {
    let message = format!("{file} is not UTF-8: it was read as {}", encoding.name());
    let sample = text.split(|c: char| !c.is_alphanumeric() && c != '\'').find(|word| !word.is_ascii());
    let help = match sample {
        Some(word) => format!("if \"{word}\" looks wrong, set recipients.encoding (\"macintosh\", \"windows-1250\" …)"),
        None => "set recipients.encoding if that is wrong".to_owned(),
    };
    found.push(Diagnostic::note("encoding-detected", message).at(Place::file(file)).help(help));
}

fn bad_character(file: &str, text: &str) -> Place {
    let bad = char::REPLACEMENT_CHARACTER;
    text.find(bad).map_or_else(|| Place::file(file), |at| Place::in_text(file, text, at..at + bad.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: Option<&str>) -> (Option<String>, Vec<&'static str>) {
        let mut found = Vec::new();
        let text = decode(bytes, "r.csv", encoding, &mut found).map(Cow::into_owned);
        (text, found.iter().map(|diagnostic| diagnostic.code).collect())
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn every_encoding_that_spreadsheets_write_is_read_and_said() {
        let text = "Pays;Courriel\nCôte d’Ivoire;représentation@ci.example\n";
        let said = vec!["encoding-detected"];
        assert_eq!(read(text.as_bytes(), None), (Some(text.to_owned()), vec![]));
        assert_eq!(read(format!("\u{feff}{text}").as_bytes(), None), (Some(text.to_owned()), vec![]));
        for little in [true, false] {
            assert_eq!(read(&utf16(&format!("\u{feff}{text}"), little), None), (Some(text.to_owned()), said.clone()));
            assert_eq!(read(&utf16(text, little), None), (Some(text.to_owned()), said.clone()), "no mark, {little}");
        }
        let (windows, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        assert_eq!(read(&windows, None), (Some(text.to_owned()), said.clone()));
        let mac = b"Pays;Courriel\nC\x99te d\xd5Ivoire;repr\x8esentation@ci.example\n";
        assert_eq!(read(mac, None), (Some(text.to_owned()), said));
        assert_eq!(read(mac, Some("MacRoman")), (Some(text.to_owned()), vec![]));
    }

    #[test]
    fn what_is_no_text_is_refused_with_what_it_is() {
        assert_eq!(read(b"PK\x03\x04...", None), (None, vec!["not-csv"]));
        assert_eq!(read(b"a", Some("klingon")), (None, vec!["encoding-unknown"]));
        assert_eq!(read(b"a\xff", Some("utf-8")).1, ["encoding-wrong"]);
        assert_eq!(
            read("é è\n".as_bytes().iter().chain(b"\xe9").copied().collect::<Vec<_>>().as_slice(), None).1,
            ["encoding-mixed"]
        );
    }
}
