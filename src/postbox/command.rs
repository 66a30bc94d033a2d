//! Reads one command line (RFC 5321 §4.1) with its parameters (RFC 1870, 6152, 6531, 3030, 4954).

/// Longest path, in octets with its angle brackets (RFC 5321 §4.5.3.1.3).
const PATH_MAX: usize = 256;

/// A command whose syntax is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// EHLO or HELO.
    Hello {
        /// EHLO, not HELO.
        extended: bool,
    },
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth {
        /// The mechanism in capitals.
        mechanism: String,
        /// The initial response, still in base64 (`=` for an empty one).
        initial: Option<String>,
    },
    /// MAIL FROM.
    Mail(MailFrom),
    /// RCPT TO.
    Rcpt(String),
    /// DATA.
    Data,
    /// BDAT (RFC 3030).
    Bdat {
        /// Octets in this chunk.
        size: usize,
        /// The last of the message.
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// VRFY.
    Vrfy,
    /// HELP.
    Help,
    /// QUIT.
    Quit,
}

/// MAIL FROM and its parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MailFrom {
    /// The reverse path; empty for `<>`.
    pub(super) path: String,
    /// SIZE=
    pub(super) size: Option<u64>,
    /// BODY=8BITMIME
    pub(super) eight_bit: bool,
    /// SMTPUTF8
    pub(super) utf8: bool,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// 500: no such command.
    Unknown,
    /// 501: parameters or path.
    Syntax,
    /// 502: known, not served.
    NotServed,
    /// 555: a parameter that is not offered.
    Parameter,
}

/// Reads a line without its line end.
pub(super) fn parse(line: &[u8]) -> Result<Command, Wrong> {
    let line = std::str::from_utf8(line).map_err(|_| Wrong::Syntax)?;
    let line = line.trim_end_matches([' ', '\t']);
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let is = |name: &str| verb.eq_ignore_ascii_case(name);
    let alone = |command: Command| if rest.is_empty() { Ok(command) } else { Err(Wrong::Syntax) };
    match () {
        () if is("MAIL") => mail(rest),
        () if is("RCPT") => rcpt(rest),
        () if is("DATA") => alone(Command::Data),
        () if is("BDAT") => bdat(rest),
        () if is("EHLO") || is("HELO") => match rest.trim() {
            "" => Err(Wrong::Syntax),
            _ => Ok(Command::Hello { extended: is("EHLO") }),
        },
        () if is("STARTTLS") => alone(Command::StartTls),
        () if is("AUTH") => auth(rest),
        () if is("RSET") => alone(Command::Rset),
        () if is("QUIT") => alone(Command::Quit),
        () if is("NOOP") => Ok(Command::Noop),
        () if is("HELP") => Ok(Command::Help),
        () if is("VRFY") => Ok(Command::Vrfy),
        () if is("EXPN") || is("TURN") || is("ETRN") => Err(Wrong::NotServed),
        () => Err(Wrong::Unknown),
    }
}

fn mail(rest: &str) -> Result<Command, Wrong> {
    let (path, parameters) = path_after(rest, "FROM:")?;
    let mut mail = MailFrom { path, ..MailFrom::default() };
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').map_or((parameter, None), |(name, value)| (name, Some(value)));
        match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(value)) => mail.size = Some(number(value)?),
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") => mail.eight_bit = false,
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => mail.eight_bit = true,
            ("SMTPUTF8", None) => mail.utf8 = true,
            ("AUTH", Some(_)) => {}
            ("SIZE" | "AUTH", None) | ("SMTPUTF8", Some(_)) => return Err(Wrong::Syntax),
            _ => return Err(Wrong::Parameter),
        }
    }
    Ok(Command::Mail(mail))
}

fn rcpt(rest: &str) -> Result<Command, Wrong> {
    let (path, parameters) = path_after(rest, "TO:")?;
    if path.is_empty() {
        return Err(Wrong::Syntax);
    }
    if !parameters.is_empty() {
        return Err(Wrong::Parameter);
    }
    Ok(Command::Rcpt(path))
}

fn bdat(rest: &str) -> Result<Command, Wrong> {
    let (size, last) = rest.split_once(' ').map_or((rest, ""), |(size, last)| (size, last));
    let last = match last {
        "" => false,
        word if word.eq_ignore_ascii_case("LAST") => true,
        _ => return Err(Wrong::Syntax),
    };
    let size = usize::try_from(number(size)?).map_err(|_| Wrong::Syntax)?;
    Ok(Command::Bdat { size, last })
}

fn auth(rest: &str) -> Result<Command, Wrong> {
    let mut words = rest.split_ascii_whitespace();
    let mechanism = words.next().ok_or(Wrong::Syntax)?.to_ascii_uppercase();
    let initial = words.next().map(str::to_owned);
    if words.next().is_some() {
        return Err(Wrong::Syntax);
    }
    Ok(Command::Auth { mechanism, initial })
}

/// Decimal digits only: no sign, at most twenty (RFC 1870 §3).
fn number(text: &str) -> Result<u64, Wrong> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Wrong::Syntax);
    }
    text.parse().map_err(|_| Wrong::Syntax)
}

/// The address in the angle brackets after `keyword`, without a source route, and what follows them.
fn path_after<'a>(rest: &'a str, keyword: &str) -> Result<(String, &'a str), Wrong> {
    let head = rest.get(..keyword.len()).ok_or(Wrong::Syntax)?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(Wrong::Syntax);
    }
    let path = rest[keyword.len()..].strip_prefix('<').ok_or(Wrong::Syntax)?;
    let end = closing_bracket(path).ok_or(Wrong::Syntax)?;
    let (address, after) = (&path[..end], &path[end + 1..]);
    if end + 2 > PATH_MAX || !(after.is_empty() || after.starts_with(' ')) {
        return Err(Wrong::Syntax);
    }
    let address = match address.strip_prefix('@') {
        Some(route) => route.split_once(':').ok_or(Wrong::Syntax)?.1,
        None => address,
    };
    if address.is_empty() || address.eq_ignore_ascii_case("postmaster") || is_address(address) {
        Ok((address.to_owned(), after.trim_start()))
    } else {
        Err(Wrong::Syntax)
    }
}

/// Where the `>` is that no quoted string holds.
fn closing_bracket(path: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in path.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(index),
            _ => {}
        }
    }
    None
}

/// A dot-string or quoted local part, an `@`, and something that can be a domain.
fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let plain = !local.is_empty() && !local.split('.').any(str::is_empty) && !local.contains(is_special);
    local.len() <= 64
        && (quoted || plain)
        && !local.contains(char::is_control)
        && !domain.is_empty()
        && !domain.split('.').any(str::is_empty)
        && !domain.contains(|c: char| c.is_whitespace() || c.is_control() || "<>@\"(),;\\".contains(c))
}

fn is_special(c: char) -> bool {
    c.is_whitespace() || "<>()[]\\,;:@\"".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mail(path: &str) -> MailFrom {
        MailFrom { path: path.to_owned(), ..MailFrom::default() }
    }

    #[test]
    fn commands_are_read_in_any_case_with_their_parameters() {
        assert_eq!(parse(b"ehlo me.example"), Ok(Command::Hello { extended: true }));
        assert_eq!(parse(b"Helo me.example "), Ok(Command::Hello { extended: false }));
        assert_eq!(parse(b"MAIL FROM:<>"), Ok(Command::Mail(mail(""))));
        let full = MailFrom { size: Some(12), eight_bit: true, utf8: true, ..mail("a@b.example") };
        assert_eq!(parse(b"mail from:<a@b.example> SIZE=12 BODY=8bitmime smtputf8 AUTH=<>"), Ok(Command::Mail(full)));
        assert_eq!(parse(b"RCPT TO:<a@b.example>"), Ok(Command::Rcpt("a@b.example".into())));
        assert_eq!(parse(b"RCPT TO:<@x.example,@y.example:a@b.example>"), Ok(Command::Rcpt("a@b.example".into())));
        assert_eq!(parse(b"RCPT TO:<\"a> b\"@b.example>"), Ok(Command::Rcpt("\"a> b\"@b.example".into())));
        assert_eq!(parse(b"BDAT 10 last"), Ok(Command::Bdat { size: 10, last: true }));
        let auth = Command::Auth { mechanism: "PLAIN".into(), initial: Some("AA==".into()) };
        assert_eq!(parse(b"AUTH plain AA=="), Ok(auth));
    }

    #[test]
    fn wrong_lines_are_told_apart_by_what_is_wrong() {
        for line in [
            &b"EHLO"[..],
            b"MAIL",
            b"MAIL FROM: <a@b.example>",
            b"MAIL FROM:a@b.example",
            b"MAIL FROM:<a@b.example",
            b"MAIL FROM:<a@b.example>SIZE=1",
            b"MAIL FROM:<a@b.example> SIZE=+1",
            b"RCPT TO:<>",
            b"RCPT TO:<a b@c.example>",
            b"RCPT TO:<a..b@c.example>",
            b"RCPT TO:<ab@c..example>",
            b"DATA now",
            b"BDAT -1",
            b"BDAT 1 FIRST",
            b"RCPT TO:<\xff@c.example>",
        ] {
            assert_eq!(parse(line), Err(Wrong::Syntax), "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(parse(b"MAIL FROM:<a@b.example> BODY=BINARYMIME"), Err(Wrong::Parameter));
        assert_eq!(parse(b"RCPT TO:<a@b.example> NOTIFY=NEVER"), Err(Wrong::Parameter));
        assert_eq!(parse(b"EXPN list"), Err(Wrong::NotServed));
        assert_eq!(parse(b"HELLO"), Err(Wrong::Unknown));
        assert_eq!(parse(b""), Err(Wrong::Unknown));
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..80), verb in 0..4_usize) {
            let mut whole = [&b"MAIL FROM:<"[..], b"RCPT TO:<", b"BDAT ", b""][verb].to_vec();
            whole.extend(line);
            let _ = parse(&whole);
        }

        #[test]
        fn a_well_formed_address_is_read_back_as_it_stands(local in "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", domain in "[a-z0-9]{1,10}\\.(example|test)") {
            let line = format!("RCPT TO:<{local}@{domain}>");
            prop_assert_eq!(parse(line.as_bytes()), Ok(Command::Rcpt(format!("{local}@{domain}"))));
        }
    }
}
