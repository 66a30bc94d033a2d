//! Walks through the XML of a part: starts, ends and texts, well-formed to its end.

use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Refusal, SAVE_AGAIN};

/// What a walk meets. Every start has its end, empty elements too.
pub(super) enum Node<'e> {
    Start(&'e BytesStart<'e>),
    End(&'e str),
    Text(&'e str),
}

/// Shows every node of a part to `see`, with the position in the part behind it, in bytes.
pub(super) fn walk(xml: &[u8], mut see: impl FnMut(Node<'_>, u64) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut depth) = (Vec::new(), 0_usize);
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| broken(&error))?;
        let at = reader.buffer_position();
        match event {
            Event::Start(start) => {
                depth += 1;
                see(Node::Start(&start), at)?;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                see(Node::End(end.name().as_ref()), at)?;
            }
            Event::Text(text) => see(Node::Text(&text.xml10_content()), at)?,
            Event::CData(text) => see(Node::Text(&text.xml10_content()), at)?,
            Event::GeneralRef(reference) => see(Node::Text(&resolved(&reference)?), at)?,
            Event::Eof if depth == 0 => return Ok(()),
            Event::Eof => return Err(broken(&"it ends in the middle of an element")),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, Refusal> {
    if let Some(text) = resolve_xml_entity(reference) {
        return Ok(text.to_owned());
    }
    let character = reference.resolve_char_ref().map_err(|error| broken(&error))?;
    character.map(String::from).ok_or_else(|| broken(&"an entity that nothing defines"))
}

/// The value of an attribute by its name, whatever its prefix.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found =
        start.attributes().with_checks(false).flatten().find(|found| found.key.local_name().as_ref() == name)?;
    unescape(&found.value).ok().map(std::borrow::Cow::into_owned)
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

pub(super) fn broken(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new("workbook-unreadable", format!("is a damaged workbook: {error}"), SAVE_AGAIN)
}
