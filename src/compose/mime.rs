//! Bodies in their transfer encodings (RFC 2045 §6), encoded by us once: a batch shares its attachments.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{ContentDisposition, ContentId, ContentTransferEncoding, ContentType};
use lettre::message::{Body, SinglePart};

use crate::diagnostic::Diagnostic;
use crate::domain::digest::Digest;
use crate::letter::Picture;

/// The length of an encoded line, without its CRLF (RFC 2045 §6.7, §6.8).
const ENCODED_LINE: usize = 76;

/// A file to attach, encoded once.
#[derive(Debug, Clone)]
pub struct Attachment {
    name: String,
    content_type: &'static str,
    encoded: Vec<u8>,
    /// What the file is, and how many octets it has.
    digest: OnceLock<(Digest, u64)>,
}

impl Attachment {
    /// A file of `name` (without folders) with its bytes.
    #[must_use]
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            content_type: type_of(name, bytes),
            encoded: base64_lines(bytes),
            digest: OnceLock::new(),
        }
    }

    /// The file as it was before it was encoded.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded.len() / 4 * 3);
        for line in self.encoded.split(|byte| *byte == b'\n') {
            // What we encoded ourselves decodes.
            drop(STANDARD.decode_vec(line.strip_suffix(b"\r").unwrap_or(line), &mut bytes));
        }
        bytes
    }

    /// SHA-256 of the file; computed once.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.known().0
    }

    /// The size of the file in octets; computed once.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.known().1
    }

    fn known(&self) -> (Digest, u64) {
        *self.digest.get_or_init(|| {
            let bytes = self.bytes();
            (Digest::of(&bytes), bytes.len() as u64)
        })
    }

    /// The file name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn part(&self) -> Result<SinglePart, Diagnostic> {
        Ok(SinglePart::builder()
            .header(content_type(self.content_type)?)
            .header(ContentDisposition::attachment(&self.name))
            .body(Body::dangerous_pre_encoded(self.encoded.clone(), ContentTransferEncoding::Base64)))
    }
}

/// A picture that the HTML names by `cid:`, encoded once.
#[derive(Debug)]
pub(super) struct InlinePicture {
    name: String,
    content_type: &'static str,
    content_id: String,
    encoded: Vec<u8>,
}

impl InlinePicture {
    pub(super) fn new(picture: &Picture) -> Self {
        Self {
            name: picture.name.clone(),
            content_type: picture.content_type,
            content_id: format!("<{}>", picture.content_id),
            encoded: base64_lines(&picture.bytes),
        }
    }

    pub(super) fn part(&self) -> Result<SinglePart, Diagnostic> {
        Ok(SinglePart::builder()
            .header(content_type(self.content_type)?)
            .header(ContentId::from(self.content_id.clone()))
            .header(ContentDisposition::inline_with_name(&self.name))
            .body(Body::dangerous_pre_encoded(self.encoded.clone(), ContentTransferEncoding::Base64)))
    }
}

/// The type of a text part; flowed as in RFC 3676.
pub(super) fn plain_type(flowed: bool) -> &'static str {
    if flowed { "text/plain; charset=utf-8; format=flowed" } else { "text/plain; charset=utf-8" }
}

pub(super) fn content_type(text: &str) -> Result<ContentType, Diagnostic> {
    ContentType::parse(text)
        .map_err(|_| Diagnostic::error("content-type-invalid", format!("\"{text}\" is no content type")))
}

/// Text as quoted-printable, or as base64 where that is shorter (Arabic, Chinese, Russian). Line ends become CRLF.
pub(super) fn encode_text(text: &str) -> (Vec<u8>, ContentTransferEncoding) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    let non_ascii = text.bytes().filter(|byte| !byte.is_ascii()).count();
    // Quoted-printable makes three octets of each octet outside ASCII, base64 four of every three.
    if non_ascii * 6 > text.len() {
        return (base64_lines(text.as_bytes()), ContentTransferEncoding::Base64);
    }
    let options = quoted_printable::Options::default()
        .input_mode(quoted_printable::InputMode::Text)
        .line_length_limit(ENCODED_LINE);
    let encoded = quoted_printable::encode_with_options(text.as_bytes(), options);
    (encoded.into_bytes(), ContentTransferEncoding::QuotedPrintable)
}

fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 4);
    for chunk in bytes.chunks(ENCODED_LINE / 4 * 3) {
        lines.extend_from_slice(STANDARD.encode(chunk).as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// The type by the name's extension. Text says that it is UTF-8 only if it is.
fn type_of(name: &str, bytes: &[u8]) -> &'static str {
    let utf8 = || std::str::from_utf8(bytes).is_ok();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "pdf" => "application/pdf",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "doc" => "application/msword",
        "rtf" => "application/rtf",
        "zip" => "application/zip",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "epub" => "application/epub+zip",
        "txt" | "md" if utf8() => "text/plain; charset=utf-8",
        "csv" if utf8() => "text/csv; charset=utf-8",
        "htm" | "html" if utf8() => "text/html; charset=utf-8",
        "ics" if utf8() => "text/calendar; charset=utf-8",
        "txt" | "md" => "text/plain",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "tif" | "tiff" => "image/tiff",
        "webp" => "image/webp",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_attachment_gives_back_its_bytes_and_their_digest(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let attachment = Attachment::new("annex.pdf", &bytes);
            prop_assert_eq!(attachment.digest(), Digest::of(&bytes));
            prop_assert_eq!(attachment.bytes(), bytes);
        }

        #[test]
        fn any_text_survives_its_encoding_and_no_line_is_long(text in "(?s).{0,400}") {
            let (bytes, encoding) = encode_text(&text);
            let decoded = if encoding == ContentTransferEncoding::Base64 {
                let joined: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
                STANDARD.decode(joined).expect("base64")
            } else {
                quoted_printable::decode(&bytes, quoted_printable::ParseMode::Strict).expect("quoted-printable")
            };
            let expected = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            prop_assert_eq!(String::from_utf8(decoded).expect("UTF-8"), expected);
            for line in bytes.split(|b| *b == b'\n') {
                prop_assert!(line.len() <= ENCODED_LINE + 1);
            }
            let bare = bytes.iter().enumerate().any(|(i, b)| *b == b'\n' && (i == 0 || bytes[i - 1] != b'\r'));
            prop_assert!(!bare);
        }
    }
}
