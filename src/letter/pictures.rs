//! Pictures of the templates folder that go into a letter itself, as parts that its HTML names by `cid:` (RFC 2392).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::size::size;

use super::SourceFile;
use super::folder::shown_path;

/// What mail programs show everywhere.
pub(super) const ENDINGS: [&str; 4] = [".png", ".jpg", ".jpeg", ".gif"];
/// From this size on every letter is noticeably heavier for its picture.
const HEAVY: usize = 150 * 1024;
/// The width of a letter's text in the page, in CSS pixels.
const WIDEST: u32 = 560;

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its file name, without folders.
    pub name: String,
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub content_type: &'static str,
    /// The Content-ID without angle brackets; it follows from the bytes.
    pub content_id: String,
    /// As they are in the file.
    pub bytes: Vec<u8>,
    /// Width and height in pixels, if the file says so where it should.
    pub size: Option<(u32, u32)>,
}

impl Picture {
    /// ` width="…" height="…"`, without which some programs show a picture in its full size; `wanted` CSS pixels wide, else as
    /// wide as it is, and never wider than the text.
    pub(super) fn measures(&self, wanted: Option<u32>) -> String {
        let Some((width, height)) = self.size.filter(|(width, _)| *width > 0) else { return String::new() };
        let shown = wanted.unwrap_or(width).clamp(1, WIDEST);
        let high = u64::from(height) * u64::from(shown) / u64::from(width);
        format!(" width=\"{shown}\" height=\"{}\"", high.max(1))
    }

    /// The picture as an address of its own, for pages that show a letter without its parts.
    pub(super) fn data(&self) -> String {
        format!("data:{};base64,{}", self.content_type, base64::engine::general_purpose::STANDARD.encode(&self.bytes))
    }
}

/// The pictures by their path in the templates folder.
pub(super) type Pictures = BTreeMap<String, Arc<Picture>>;

/// True for files that are pictures by their name.
pub(super) fn is_picture(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Reads the pictures among the files. The domain of `sender` completes their Content-IDs.
pub(super) fn read(files: &[SourceFile], shown: &str, domain: &str) -> (Pictures, Vec<Diagnostic>) {
    let (mut pictures, mut problems) = (Pictures::new(), Vec::new());
    for file in files.iter().filter(|file| is_picture(&file.name)) {
        let path = shown_path(shown, &file.name);
        let at = Place::file(&path);
        let Some(content_type) = type_of(&file.bytes) else {
            let message = format!("{path} is not a PNG, JPEG or GIF picture, whatever its name says");
            problems.push(Diagnostic::error("letter-image", message).at(at).help("save the picture as PNG"));
            continue;
        };
        if file.bytes.len() > HEAVY {
            let message =
                format!("{path} has {}, and every letter that shows it carries it", size(file.bytes.len() as u64));
            problems.push(
                Diagnostic::warning("letter-image", message)
                    .at(at)
                    .help("a logo needs no more than about 50 kB: save it smaller"),
            );
        }
        let hash = Sha256::digest(&file.bytes);
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash[..12]);
        let picture = Picture {
            name: file.name.rsplit('/').next().unwrap_or(&file.name).to_owned(),
            content_type,
            content_id: format!("{hash}@{domain}"),
            size: size_of(&file.bytes),
            bytes: file.bytes.clone(),
        };
        pictures.insert(file.name.clone(), Arc::new(picture));
    }
    (pictures, problems)
}

fn type_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ => None,
    }
}

/// Width and height from the head of a PNG (its IHDR), a GIF (its screen) or a JPEG (its frame).
fn size_of(bytes: &[u8]) -> Option<(u32, u32)> {
    let wide = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    match type_of(bytes)? {
        "image/png" => Some((wide(16)?, wide(20)?)),
        "image/gif" => {
            let short = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
            Some((short(6)?, short(8)?))
        }
        _ => size_of_jpeg(bytes),
    }
}

fn size_of_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let short = |at: usize| Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let mut at = 2;
    loop {
        let (0xff, marker) = (*bytes.get(at)?, *bytes.get(at + 1)?) else { return None };
        // Every frame (SOF0 to SOF15) but for the three markers of tables among them.
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            return Some((short(at + 7)?, short(at + 5)?));
        }
        at += 2 + usize::try_from(short(at + 2)?).ok()?;
    }
}

/// The name that a page or a letter gives to a picture of the folder: without `./`, blanks written out.
pub(super) fn named(target: &str) -> String {
    target.trim().trim_start_matches("./").replace("%20", " ")
}

/// Replaces the `src="logo.png"` of a page by the picture's `cid:`, and gives the pictures in the order of the page.
pub(super) fn embed(page: &str, pictures: &Pictures) -> (String, Vec<Arc<Picture>>) {
    let (mut out, mut used): (String, Vec<Arc<Picture>>) = (String::with_capacity(page.len()), Vec::new());
    let mut from = 0;
    for (range, target) in sources(page) {
        let Some(picture) = pictures.get(&named(&target)) else { continue };
        out.push_str(&page[from..range.start]);
        out.push_str("cid:");
        out.push_str(&picture.content_id);
        from = range.end;
        note(&mut used, picture);
    }
    out.push_str(&page[from..]);
    (out, used)
}

/// Adds a picture to those of a letter, once.
pub(super) fn note(used: &mut Vec<Arc<Picture>>, picture: &Arc<Picture>) {
    if !used.iter().any(|known| known.content_id == picture.content_id) {
        used.push(Arc::clone(picture));
    }
}

/// The targets of a page's `src="…"` and where they are.
pub(super) fn sources(page: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let lower = page.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices("src=") {
        let begins_a_word = page[..at].ends_with(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
        let start = at + "src=".len();
        let Some(quote) = page[start..].chars().next().filter(|c| begins_a_word && matches!(c, '"' | '\'')) else {
            continue;
        };
        let Some(length) = page[start + 1..].find(quote) else { continue };
        let range = start + 1..start + 1 + length;
        found.push((range.clone(), page[range].to_owned()));
    }
    found
}

/// What is wrong with a picture that a letter names, if the folder has none of that name.
pub(super) fn missing(target: &str, pictures: &Pictures) -> (String, String) {
    let name = named(target);
    let message = format!("there is no picture \"{name}\" in the templates folder");
    if name.to_ascii_lowercase().ends_with(".svg") {
        return (
            format!("the picture \"{name}\" is an SVG"),
            "most mail programs do not show SVG: save it as PNG".to_owned(),
        );
    }
    let help = match super::errors::nearest(&name, pictures.keys().map(String::as_str)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if pictures.is_empty() => "put it beside the letters, as PNG, JPEG or GIF".to_owned(),
        None => format!("there are {}", pictures.keys().cloned().collect::<Vec<_>>().join(", ")),
    };
    (message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest GIF, 1 by 1.
    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

    fn pictures() -> Pictures {
        let file = SourceFile { name: "img/logo.gif".into(), bytes: GIF.to_vec() };
        let (pictures, problems) = read(&[file], "templates", "x.example");
        assert!(problems.is_empty());
        pictures
    }

    #[test]
    fn sizes_are_read_from_the_files_themselves() {
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &300_u32.to_be_bytes(), &90_u32.to_be_bytes()].concat();
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc4\x00\x02\xff\xc2\x00\x11\x08\x00\x5a\x01\x2c\x03";
        assert_eq!((size_of(&png), size_of(jpeg), size_of(GIF)), (Some((300, 90)), Some((300, 90)), Some((1, 1))));
        assert_eq!(size_of(b"\xff\xd8\xff\xe0\x00"), None);
        assert_eq!(type_of(b"<svg"), None);
    }

    #[test]
    fn a_picture_is_as_wide_as_asked_and_never_wider_than_the_text() {
        let wide = Picture { size: Some((1200, 300)), ..(*pictures()["img/logo.gif"]).clone() };
        assert_eq!(wide.measures(Some(200)), " width=\"200\" height=\"50\"");
        assert_eq!(wide.measures(None), " width=\"560\" height=\"140\"");
        assert_eq!(Picture { size: None, ..wide }.measures(Some(200)), "");
    }

    #[test]
    fn a_page_names_its_pictures_by_their_content_id() {
        let page = "<img src=\"./img/logo.gif\"><img data-src=\"img/logo.gif\" SRC='img/logo.gif'><img src=\"https://x/y.gif\">";
        let (page, used) = embed(page, &pictures());
        let id = &used[0].content_id;
        assert_eq!(used.len(), 1);
        assert_eq!(
            page,
            format!(
                "<img src=\"cid:{id}\"><img data-src=\"img/logo.gif\" SRC='cid:{id}'><img src=\"https://x/y.gif\">"
            )
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60), head in 0..4_usize) {
            let heads: [&[u8]; 4] = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a"];
            let _ = size_of(&[heads[head], &bytes].concat());
        }

        #[test]
        fn no_page_makes_embedding_panic(page in "(src=|[\"' <>é.]|img/logo\\.gif){0,20}") {
            let _ = embed(&page, &pictures());
        }
    }
}
