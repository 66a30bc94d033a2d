//! What a letter asks of a server: the MAIL and RCPT commands, and whether the server can be given it at all.

use super::capabilities::Capabilities;
use crate::domain::message::{Envelope, Field, ForwardPath};

/// Why this server cannot be given this letter, if so: found out before a byte is sent.
pub(super) fn not_takeable(bytes: &[u8], envelope: &Envelope, offered: &Capabilities) -> Option<String> {
    let addresses = || {
        let forward = envelope.forward_paths.iter().map(|path| path.address.as_str());
        forward.chain(std::iter::once(envelope.reverse_path.as_str()))
    };
    let limit = offered.size.filter(|limit| *limit > 0);
    if addresses().any(|address| address.chars().any(|c| c.is_control() || c == '<' || c == '>')) {
        return Some("an address of the envelope holds a control character or an angle bracket".to_owned());
    }
    if !has_clean_line_ends(bytes) {
        return Some("the message has a bare CR or LF, or its last line is not ended".to_owned());
    }
    if envelope.needs_smtputf8() && !offered.smtputf8 {
        return Some("an address is not ASCII, and the server does not take such addresses (SMTPUTF8)".to_owned());
    }
    if !bytes.is_ascii() && !offered.eight_bit_mime {
        return Some("the message holds octets above 127, and the server does not take them (8BITMIME)".to_owned());
    }
    match limit {
        Some(limit) if u64::try_from(bytes.len()).map_or(true, |octets| octets > limit) => {
            Some(format!("the message has {} octets, and the server takes {limit} at most (SIZE)", bytes.len()))
        }
        _ => None,
    }
}

/// True if every CR is followed by LF, every LF preceded by CR, and the last line is ended. On anything else servers
/// disagree where a message ends.
fn has_clean_line_ends(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\r\n")
        && bytes
            .split_inclusive(|byte| *byte == b'\n')
            .all(|line| line.strip_suffix(b"\r\n").is_some_and(|text| !text.contains(&b'\r')))
}

/// True if the letter may go out because this path was accepted: a To, or any path of an envelope without To.
pub(super) fn decides(envelope: &Envelope, path: &ForwardPath) -> bool {
    path.field == Field::To || envelope.forward_paths.iter().all(|path| path.field != Field::To)
}

/// MAIL with the parameters that the server offers and the letter needs (RFC 1870, RFC 6152, RFC 6531).
pub(super) fn mail_command(envelope: &Envelope, offered: &Capabilities, bytes: &[u8]) -> String {
    let mut line = format!("MAIL FROM:<{}>", envelope.reverse_path);
    if offered.size.is_some() {
        line.push_str(" SIZE=");
        line.push_str(&bytes.len().to_string());
    }
    if offered.eight_bit_mime && !bytes.is_ascii() {
        line.push_str(" BODY=8BITMIME");
    }
    if envelope.needs_smtputf8() {
        line.push_str(" SMTPUTF8");
    }
    line
}

/// RCPT without parameters: delivery reports are the relay's own affair.
pub(super) fn rcpt_command(path: &ForwardPath) -> String {
    format!("RCPT TO:<{}>", path.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(addresses: &[&str], field: Field) -> Envelope {
        let forward_paths =
            addresses.iter().map(|address| ForwardPath { address: (*address).to_owned(), field }).collect();
        Envelope { reverse_path: "us@here.example".into(), forward_paths }
    }

    fn plain() -> Envelope {
        envelope(&["ken@missions.example"], Field::To)
    }

    #[test]
    fn mail_declares_what_the_letter_needs_and_the_server_offers() {
        let all = Capabilities { size: Some(0), eight_bit_mime: true, smtputf8: true, ..Capabilities::default() };
        let international = envelope(&["jos\u{e9}@missions.example"], Field::To);
        let eight_bit = "\u{e9}\r\n".as_bytes();
        assert_eq!(mail_command(&plain(), &all, b"a\r\n"), "MAIL FROM:<us@here.example> SIZE=3");
        assert_eq!(mail_command(&plain(), &Capabilities::default(), b"a\r\n"), "MAIL FROM:<us@here.example>");
        assert_eq!(
            mail_command(&international, &all, eight_bit),
            "MAIL FROM:<us@here.example> SIZE=4 BODY=8BITMIME SMTPUTF8"
        );
    }

    #[test]
    fn a_letter_that_the_server_cannot_take_is_known_before_anything_is_sent() {
        let none = Capabilities::default();
        let small = Capabilities { size: Some(3), ..Capabilities::default() };
        assert_eq!(not_takeable(b"a\r\n", &plain(), &small), None);
        assert!(not_takeable(b"ab\r\n", &plain(), &small).is_some_and(|why| why.contains("SIZE")));
        let unlimited = Capabilities { size: Some(0), ..Capabilities::default() };
        assert_eq!(not_takeable(b"ab\r\n", &plain(), &unlimited), None);
        let international = envelope(&["jos\u{e9}@missions.example"], Field::To);
        assert!(not_takeable(b"a\r\n", &international, &none).is_some_and(|why| why.contains("SMTPUTF8")));
        assert!(not_takeable("\u{e9}\r\n".as_bytes(), &plain(), &none).is_some_and(|why| why.contains("8BITMIME")));
    }

    #[test]
    fn bare_line_ends_that_could_end_a_message_early_are_refused() {
        for bytes in ["a\n.\nMAIL", "a\n", "a\r", "a\rb\r\n", "a", "", "a\r\n.\n", "a\r\r\n"] {
            assert!(not_takeable(bytes.as_bytes(), &plain(), &Capabilities::default()).is_some(), "{bytes:?}");
        }
    }

    #[test]
    fn an_address_cannot_carry_a_command() {
        let smuggled = envelope(&["a@b.example>\r\nRCPT TO:<c@d.example"], Field::To);
        assert!(not_takeable(b"a\r\n", &smuggled, &Capabilities::default()).is_some());
    }

    #[test]
    fn copies_decide_only_where_there_is_no_to() {
        let mut mixed = envelope(&["to@a.example", "cc@a.example"], Field::Cc);
        assert!(mixed.forward_paths.iter().all(|path| decides(&mixed, path)));
        mixed.forward_paths[0].field = Field::To;
        assert_eq!(mixed.forward_paths.iter().map(|path| decides(&mixed, path)).collect::<Vec<_>>(), [true, false]);
    }
}
