//! What the server offers: the keywords of its EHLO reply (RFC 5321 §4.1.1.1).

/// The service extensions that matter to a session. After HELO, none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one keyword of the EHLO reply, independent of the others")]
pub struct Capabilities {
    /// Commands may be sent in groups (RFC 2920).
    pub pipelining: bool,
    /// BDAT (RFC 3030).
    pub chunking: bool,
    /// Addresses outside ASCII (RFC 6531).
    pub smtputf8: bool,
    /// Octets above 127 in the message (RFC 6152).
    pub eight_bit_mime: bool,
    /// Enhanced status codes in replies (RFC 2034).
    pub enhanced_status_codes: bool,
    /// The largest message in octets (RFC 1870); `Some(0)` means that SIZE is understood and no limit is told.
    pub size: Option<u64>,
    /// STARTTLS (RFC 3207).
    pub start_tls: bool,
    /// The SASL mechanisms in capitals, in the server's order, each once (RFC 4954).
    pub auth: Vec<String>,
}

impl Capabilities {
    /// Reads the lines of a 250 reply to EHLO, without their codes. The first is the greeting and names no keyword. Unknown
    /// keywords and octets outside ASCII are passed over.
    #[must_use]
    pub fn parse(lines: &[Vec<u8>]) -> Self {
        let mut found = Self::default();
        for line in lines.iter().skip(1) {
            found.add(&String::from_utf8_lossy(line).to_ascii_uppercase());
        }
        found
    }

    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        match words.next().unwrap_or_default() {
            "PIPELINING" => self.pipelining = true,
            "CHUNKING" => self.chunking = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "SIZE" => self.size = Some(words.next().and_then(|octets| octets.parse().ok()).unwrap_or(0)),
            "STARTTLS" => self.start_tls = true,
            "AUTH" => self.add_mechanisms(words),
            // The form before RFC 2554, still sent beside the new one for old clients: `AUTH=PLAIN LOGIN`.
            old => {
                if let Some(first) = old.strip_prefix("AUTH=") {
                    self.add_mechanisms(std::iter::once(first).chain(words));
                }
            }
        }
    }

    fn add_mechanisms<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names.filter(|name| !name.is_empty()) {
            if !self.auth.iter().any(|known| known == name) {
                self.auth.push(name.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Capabilities {
        Capabilities::parse(&lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn keywords_are_read_in_any_case_and_the_greeting_is_not_one() {
        let found = parse(&["PIPELINING", "size 1000", "Auth plain LOGIN", "8bitmime", "SMTPUTF8", "X-ODD thing"]);
        assert!(!found.pipelining, "the first line is the greeting");
        assert!(found.eight_bit_mime && found.smtputf8 && !found.start_tls && !found.chunking);
        assert_eq!(found.size, Some(1000));
        assert_eq!(found.auth, ["PLAIN", "LOGIN"]);
    }

    #[test]
    fn the_old_form_of_auth_is_understood_and_no_mechanism_is_doubled() {
        assert_eq!(parse(&["hi", "AUTH=PLAIN LOGIN", "AUTH LOGIN XOAUTH2"]).auth, ["PLAIN", "LOGIN", "XOAUTH2"]);
    }

    #[test]
    fn a_size_without_a_number_is_no_limit() {
        assert_eq!(parse(&["hi", "SIZE"]).size, Some(0));
        assert_eq!(parse(&["hi", "SIZE lots"]).size, Some(0));
        assert_eq!(parse(&["hi"]).size, None);
    }
}
