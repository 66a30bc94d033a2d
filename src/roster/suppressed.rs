//! `suppressed.csv`: addresses that asked not to be written to.

use crate::diagnostic::Diagnostic;
use crate::domain::mailbox::{Mailbox, trim_blank};

use super::aliases::is_address_header;
use super::decode::decode;
use super::findings::Findings;
use super::table::{Record, Table};
use super::text::TextTable;

/// The addresses, folded: of the first column, or of the one whose header says that it holds addresses. `@domain` stands for
/// every address of that domain. Lines that begin with `#` are remarks. What is no address is an error at its place: a wish
/// not to be written to must not get lost.
#[must_use]
pub fn read_suppressed(bytes: &[u8], file: &str) -> (Vec<String>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let text = decode(bytes, file, None, &mut found);
    let mut findings = Findings::new();
    findings.extend(found);
    let mut folded = Vec::new();
    if let Some(text) = text {
        let table = Table::Text(TextTable::open(file, &text, None, &mut findings));
        let (mut records, mut record) = (table.records(), Record::default());
        let mut named: Option<Option<usize>> = None;
        while records.next(&mut record, &mut findings) {
            if record.cells.get(0).is_some_and(|cell| cell.starts_with('#')) {
                continue;
            }
            if named.is_none() {
                named = Some(record.cells.iter().position(is_address_header));
                if named.flatten().is_some() {
                    continue;
                }
            }
            let column = named.flatten();
            take(&table, &record, column.unwrap_or(0), &mut folded, &mut findings);
            // Without a header several addresses in a line look like several cells.
            if column.is_none() {
                take_what_is_there(&record, &mut folded);
            }
        }
    }
    folded.sort_unstable();
    folded.dedup();
    (folded, findings.finish(file))
}

/// True if a list of [`read_suppressed`] names the mailbox, or its whole domain.
#[must_use]
pub fn is_suppressed(addresses: &[String], mailbox: &Mailbox) -> bool {
    let (folded, domain) = (mailbox.folded(), format!("@{}", mailbox.domain()));
    addresses.iter().any(|one| *one == folded || *one == domain)
}

/// The addresses in the cells behind the first; what else stands there is a remark.
fn take_what_is_there(record: &Record, folded: &mut Vec<String>) {
    for cell in record.cells.iter().skip(1) {
        for piece in Mailbox::pieces(cell) {
            folded.extend(whole_domain(&cell[piece.range.clone()]));
            folded.extend(piece.outcome.ok().map(|mailbox| mailbox.folded()));
        }
    }
}

fn take(table: &Table<'_>, record: &Record, column: usize, folded: &mut Vec<String>, findings: &mut Findings) {
    let cell = record.cells.get(column).unwrap_or_default();
    if trim_blank(cell).is_empty() {
        let message = "there is no address in this row";
        findings.push(Diagnostic::error("address-missing", message).at(table.whole(record)));
    }
    for piece in Mailbox::pieces(cell) {
        if let Some(domain) = whole_domain(&cell[piece.range.clone()]) {
            folded.push(domain);
            continue;
        }
        match piece.outcome {
            Ok(mailbox) => folded.push(mailbox.folded()),
            Err((error, help)) => {
                let place = table.place(record, column, piece.range);
                let mut diagnostic = Diagnostic::error("address-invalid", error.to_string()).at(place);
                diagnostic.help = help;
                findings.push(diagnostic);
            }
        }
    }
}

/// `@Domain` as `@domain` in A-labels.
fn whole_domain(text: &str) -> Option<String> {
    let domain = trim_blank(text).strip_prefix('@')?;
    Mailbox::parse(&format!("postmaster@{domain}")).ok().map(|mailbox| format!("@{}", mailbox.domain()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_and_a_table_with_a_header_are_read_alike() {
        for text in [
            "b@m.example\nA@M.example\n",
            "# who asked\nA@m.example\n\nb@m.example",
            "when;E-mail\n2021;a@m.example\n2021;b@m.example\n",
            "address,why\na@m.example,x\nb@m.example,y\n",
            "a@m.example; b@m.example\n",
            "a@m.example,asked by phone\nb@m.example,\n",
            "# a table\nE-mail,asked by\na@m.example,c@m.example\nb@m.example,\n",
        ] {
            let (folded, problems) = read_suppressed(text.as_bytes(), "suppressed.csv");
            assert!(problems.is_empty(), "{text}: {problems:?}");
            assert_eq!(folded, ["a@m.example", "b@m.example"], "{text}");
        }
    }

    #[test]
    fn a_whole_domain_can_be_suppressed() {
        let (folded, problems) = read_suppressed("@Missions.Example; a@m.example\n@例子.example\n".as_bytes(), "s.csv");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(folded, ["@missions.example", "@xn--fsqu00a.example", "a@m.example"]);
    }

    #[test]
    fn a_wish_that_cannot_be_read_is_an_error_at_its_place() {
        let (_, problems) = read_suppressed(b"a@m.example\nb(at)m.example\n", "suppressed.csv");
        insta::assert_snapshot!(problems[0].render(false), @r#"
        error[address-invalid]: "b(at)m.example" is not an e-mail address
         --> suppressed.csv:2:1
          |
        2 | b(at)m.example
          | ^^^^^^^^^^^^^^
          |
          = help: write b@m.example
        "#);
    }
}
