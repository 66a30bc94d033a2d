//! Letter, recipient and stamp → message: pure. The same sources give the same bytes, so a digest proves what was approved.

mod mime;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Body, MessageBuilder, MultiPart, SinglePart};
use sha2::{Digest as _, Sha256};

use crate::diagnostic::Diagnostic;
use crate::domain::digest::Digest;
use crate::domain::language::Language;
use crate::domain::mailbox::Mailbox;
use crate::domain::message::{Envelope, ForwardPath, Message, Stamp};
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::settings::LetterSettings;
use crate::letter::{Letter, Picture, Rendered};

pub use mime::Attachment;

/// The longest line of a message, without its CRLF (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;

/// Everything that a batch's letters are made of.
pub struct Composer {
    letter: Letter,
    settings: LetterSettings,
    attachments: BTreeMap<String, Attachment>,
    /// By their Content-ID.
    pictures: BTreeMap<String, mime::InlinePicture>,
}

/// A message and the parts of it that people look at.
pub struct Composed {
    /// As it goes over the wire.
    pub message: Message,
    /// What it was made from.
    pub rendered: Rendered,
    /// File names, in the order in which they are attached.
    pub attachments: Vec<String>,
}

impl Composer {
    /// A composer over a loaded letter, the settings that shape it, and every attachment that they or a row may name, by
    /// its path relative to the campaign folder.
    #[must_use]
    pub fn new(letter: Letter, settings: LetterSettings, attachments: BTreeMap<String, Attachment>) -> Self {
        let encoded = |picture: &Arc<Picture>| (picture.content_id.clone(), mime::InlinePicture::new(picture));
        let pictures = letter.pictures().map(encoded).collect();
        Self { letter, settings, attachments, pictures }
    }

    /// The settings in use.
    #[must_use]
    pub fn settings(&self) -> &LetterSettings {
        &self.settings
    }

    /// The languages that there is a letter in.
    #[must_use]
    pub fn languages(&self) -> Vec<Language> {
        self.letter.languages()
    }

    /// To whom a row's letter goes: To, Cc, Bcc and the sender's archive copies, no address twice.
    #[must_use]
    pub fn addresses(&self, recipient: &Recipient) -> Vec<ForwardPath> {
        recipient.forward_paths(&self.settings.bcc)
    }

    /// The attachments of a row's letter, by path: the batch's, the language's, the row's, each in the order in which it is
    /// written, and a file that several of them name once.
    #[must_use]
    pub fn attachment_paths(&self, recipient: &Recipient) -> Vec<String> {
        let language = recipient.language.as_ref().unwrap_or(&self.settings.default_language);
        let mut paths = self.settings.attachments.clone();
        paths.extend(self.letter.attachments(language));
        paths.extend(recipient.attachments.iter().cloned());
        let mut seen = std::collections::HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }

    /// The attachment at a path that [`Self::attachment_paths`] gives, if it was read.
    #[must_use]
    pub fn attachment(&self, path: &str) -> Option<&Attachment> {
        self.attachments.get(path)
    }

    /// The message for a row.
    ///
    /// # Errors
    /// What cannot be rendered or cannot stand in a message, each with its place.
    pub fn compose(&self, recipient: &Recipient, stamp: &Stamp) -> Result<Composed, Vec<Diagnostic>> {
        let paths = self.attachment_paths(recipient);
        let attachments = self.find_attachments(&paths, recipient)?;
        let rendered = self.letter.render(recipient, attachments.len())?;
        let envelope =
            Envelope { reverse_path: self.settings.from.address(), forward_paths: self.addresses(recipient) };
        let bytes = self.bytes(recipient, stamp, &rendered, &attachments).map_err(|problem| vec![problem])?;
        check_lines(&bytes, recipient).map_err(|problem| vec![problem])?;
        let digest = Digest::of_letter(&bytes, &envelope);
        let message =
            Message { bytes, envelope, digest, subject: rendered.subject.clone(), language: rendered.language.clone() };
        let attachments = attachments.iter().map(|attachment| attachment.name().to_owned()).collect();
        Ok(Composed { message, rendered, attachments })
    }

    fn find_attachments(&self, paths: &[String], recipient: &Recipient) -> Result<Vec<&Attachment>, Vec<Diagnostic>> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for path in paths {
            match self.attachments.get(path) {
                Some(attachment) => found.push(attachment),
                None => missing.push(
                    Diagnostic::error("attachment-missing", format!("the attachment \"{path}\" was not read"))
                        .help(format!("row {} names it: put the file into the campaign folder", recipient.id)),
                ),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    }

    fn bytes(
        &self,
        recipient: &Recipient,
        stamp: &Stamp,
        rendered: &Rendered,
        attachments: &[&Attachment],
    ) -> Result<Vec<u8>, Diagnostic> {
        let builder = self.headers(recipient, stamp, rendered)?;
        let alternative = MultiPart::alternative()
            .boundary(self.boundary(recipient, "alternative"))
            .singlepart(text_part(mime::plain_type(rendered.flowed), &rendered.text)?);
        let html = text_part("text/html; charset=utf-8", &rendered.html)?;
        let alternative = if rendered.pictures.is_empty() {
            alternative.singlepart(html)
        } else {
            alternative.multipart(self.with_pictures(recipient, html, rendered)?)
        };
        let body = if attachments.is_empty() {
            alternative
        } else {
            let mut mixed = MultiPart::mixed().boundary(self.boundary(recipient, "mixed")).multipart(alternative);
            for attachment in attachments {
                mixed = mixed.singlepart(attachment.part()?);
            }
            mixed
        };
        let message = builder.multipart(body).map_err(|problem| cannot_build(recipient, &problem.to_string()))?;
        let mut bytes = message.formatted();
        if !bytes.ends_with(b"\r\n") {
            bytes.extend_from_slice(b"\r\n");
        }
        Ok(bytes)
    }

    /// The HTML with the pictures that it shows (RFC 2387).
    fn with_pictures(
        &self,
        recipient: &Recipient,
        html: SinglePart,
        rendered: &Rendered,
    ) -> Result<MultiPart, Diagnostic> {
        let boundary = self.boundary(recipient, "related");
        let related = mime::content_type(&format!("multipart/related; type=\"text/html\"; boundary=\"{boundary}\""))?;
        let mut body = MultiPart::builder().header(related).singlepart(html);
        for picture in &rendered.pictures {
            if let Some(encoded) = self.pictures.get(&picture.content_id) {
                body = body.singlepart(encoded.part()?);
            }
        }
        Ok(body)
    }

    fn headers(&self, recipient: &Recipient, stamp: &Stamp, rendered: &Rendered) -> Result<MessageBuilder, Diagnostic> {
        let date = std::time::SystemTime::try_from(stamp.date)
            .map_err(|problem| cannot_build(recipient, &problem.to_string()))?;
        let mut builder = lettre::Message::builder().from(header_mailbox(&self.settings.from));
        for mailbox in &recipient.to {
            builder = builder.to(header_mailbox(mailbox));
        }
        for mailbox in &recipient.cc {
            builder = builder.cc(header_mailbox(mailbox));
        }
        if let Some(reply_to) = &self.settings.reply_to {
            builder = builder.reply_to(header_mailbox(reply_to));
        }
        builder = builder
            .subject(rendered.subject.as_str())
            .date(date)
            .message_id(Some(stamp.message_id.clone()))
            .raw_header(raw("Content-Language", rendered.language.as_str())?)
            .raw_header(raw("X-Demarche-Delivery", &format!("{}/{}", self.settings.campaign_id, recipient.id))?);
        if let Some(url) = &self.settings.list_unsubscribe {
            builder = builder.raw_header(raw("List-Unsubscribe", &format!("<{url}>"))?);
            if url.starts_with("https:") {
                builder = builder.raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?);
            }
        }
        Ok(builder)
    }

    /// A MIME boundary (RFC 2046 §5.1.1) that follows from campaign, row and level, so that a re-send has the same one.
    fn boundary(&self, recipient: &Recipient, level: &str) -> String {
        format!("demarche-{}", hex_of(&[level, &self.settings.campaign_id, recipient.id.as_str()], 12))
    }
}

/// The stamp of a row's letter: a Message-ID that is the same for every attempt of one delivery in one campaign ledger
/// (`key` is that ledger's own), and the date.
#[must_use]
pub fn stamp(key: &[u8], settings: &LetterSettings, id: &RecipientId, date: Timestamp) -> Stamp {
    let mut hash = Sha256::new();
    for part in [key, settings.campaign_id.as_bytes(), id.as_str().as_bytes()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let message_id = format!("<{}@{}>", hex(&hash.finalize()[..16]), settings.from.domain());
    // The Date field has whole seconds; the stamp is kept the same, so that what is recorded is what was written.
    let date = Timestamp::from_second(date.as_second()).unwrap_or(date);
    Stamp { message_id, date }
}

fn hex_of(parts: &[&str], length: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..length])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn header_mailbox(mailbox: &Mailbox) -> lettre::message::Mailbox {
    // A `Mailbox` is valid by construction; lettre's own check would only refuse what SMTPUTF8 allows.
    let address = lettre::Address::new_dangerous(mailbox.local(), mailbox.domain());
    lettre::message::Mailbox::new(mailbox.display_name().map(str::to_owned), address)
}

fn raw(name: &str, value: &str) -> Result<HeaderValue, Diagnostic> {
    let problem = || Diagnostic::error("header-invalid", format!("the header field {name} cannot hold \"{value}\""));
    if value.chars().any(char::is_control) {
        return Err(problem());
    }
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| problem())?;
    Ok(HeaderValue::new(name, value.to_owned()))
}

fn text_part(content_type: &str, text: &str) -> Result<SinglePart, Diagnostic> {
    let content_type = mime::content_type(content_type)?;
    let (bytes, encoding) = mime::encode_text(text);
    Ok(SinglePart::builder().header(content_type).body(Body::dangerous_pre_encoded(bytes, encoding)))
}

fn cannot_build(recipient: &Recipient, why: &str) -> Diagnostic {
    Diagnostic::error("message-invalid", format!("no message can be built for row {}: {why}", recipient.id))
}

/// The wire's rules, checked on the finished bytes whoever made them: CRLF only, no line over 998 octets.
fn check_lines(bytes: &[u8], recipient: &Recipient) -> Result<(), Diagnostic> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\r\n") else {
            return Err(cannot_build(recipient, "a line does not end with CR LF"));
        };
        if text.contains(&b'\r') {
            return Err(cannot_build(recipient, "it holds a bare CR"));
        }
        if text.len() > LONGEST_LINE {
            return Err(Diagnostic::error(
                "line-too-long",
                format!(
                    "a header line for row {} is {} octets long; {LONGEST_LINE} are allowed",
                    recipient.id,
                    text.len()
                ),
            )
            .help("shorten the subject, or put blanks into it: a very long word cannot be folded"));
        }
    }
    Ok(())
}
