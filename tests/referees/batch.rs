//! The one batch that every server gets: each way in which a server may answer, and letters whose bytes are easily harmed.

use std::fmt::Write as _;

use crate::support::campaign::Campaign;

/// Addresses that a server with rules does not know: refused for good at RCPT.
pub(crate) const UNKNOWN: [&str; 4] = ["gone.tcd", "gone.esp", "gone.nor", "gone.ita"];
/// Addresses that it takes later: refused for now at RCPT.
pub(crate) const LATER: [&str; 4] = ["later.lby", "later.per", "later.jpn", "later.jpn.copy"];
/// Addresses that it takes.
pub(crate) const KNOWN: [&str; 12] =
    ["ken", "civ", "bra", "fra", "fra.office", "fra.copy", "esp", "nor", "per", "ita.copy", "egy", "isl"];
/// Where all of them are.
pub(crate) const DOMAIN: &str = "missions.example";
/// What a server with rules takes, in octets: more than every letter but BRA's.
pub(crate) const SIZE: usize = 100_000;

/// A row of the file: its id, To, Cc and Bcc by their local parts, its attachment.
struct Row(
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    Option<&'static str>,
);

const ROWS: [Row; 13] = [
    Row("KEN", &["ken"], &[], &[], None),
    Row("CIV", &["civ"], &[], &[], None),
    Row("TCD", &["gone.tcd"], &[], &[], None),
    Row("LBY", &["later.lby"], &[], &[], None),
    Row("BRA", &["bra"], &[], &[], Some("large.pdf")),
    Row("FRA", &["fra", "fra.office"], &["fra.copy"], &[], None),
    Row("ESP", &["esp", "gone.esp"], &[], &[], None),
    Row("NOR", &["nor"], &["gone.nor"], &[], None),
    Row("PER", &["per"], &[], &["later.per"], None),
    Row("ITA", &["gone.ita"], &["ita.copy"], &[], None),
    Row("JPN", &["later.jpn"], &["later.jpn.copy"], &[], None),
    Row("EGY", &["egy"], &[], &[], Some("small.pdf")),
    Row("ISL", &["isl"], &[], &[], None),
];

/// How many rows the batch has.
pub(crate) const LETTERS: usize = ROWS.len();

/// Lines that begin with a dot or are one, long lines, and scripts that need an encoding.
const LETTER: &str = "+++
subject = \"Lettre ouverte à {{ state.name }}\"
+++

{{ salutation() }}

Text for {{ state.running }}: à, ü, ж, 中, م.

.

..

.A line that begins with a dot.

From here on, a line that looks like the head of a message in a mailbox.
";

pub(crate) fn at(local: &str) -> String {
    format!("{local}@{DOMAIN}")
}

/// The batch in a campaign folder that has its config.
pub(crate) fn write(campaign: Campaign) -> Campaign {
    let list = |locals: &[&str]| locals.iter().map(|local| at(local)).collect::<Vec<_>>().join(";");
    let mut csv = "id,state,to,cc,bcc,attachment\n".to_owned();
    for Row(id, to, cc, bcc, attachment) in &ROWS {
        let (to, cc, bcc) = (list(to), list(cc), list(bcc));
        writeln!(csv, "{id},{id},{to},{cc},{bcc},{}", attachment.unwrap_or_default()).expect("a string");
    }
    campaign
        .template("letter.en.md", LETTER)
        .recipients(&csv)
        .file("small.pdf", attachment(SIZE / 4))
        .file("large.pdf", attachment(SIZE))
}

/// Octets that look like a PDF and hold every value.
fn attachment(size: usize) -> Vec<u8> {
    b"%PDF-1.7\n".iter().copied().chain((0..=u8::MAX).cycle()).take(size).collect()
}

/// What a server with these rules makes of an address of the batch: where nobody of To is taken, the copies get nothing.
pub(crate) fn expected(id: &str, address: &str) -> &'static str {
    let local = address.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('@')).expect("an address of ours");
    match (id, local) {
        ("BRA" | "ITA", _) => "failed",
        (_, local) if UNKNOWN.contains(&local) => "failed",
        (_, local) if LATER.contains(&local) => "deferred",
        _ => "accepted",
    }
}
