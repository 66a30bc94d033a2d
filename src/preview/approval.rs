//! How the batch is approved from its page: with the program or without it, and what its digest stands for.

use std::fmt::Write as _;

use super::item::{Approvals, Page};
use super::manifest::MANIFEST;
use super::overview::total;
use crate::domain::digest::Digest;
use crate::domain::markup::escape;
use crate::domain::prose::letters;

/// How many digits of a digest are shown at its beginning and its end, where it stands in full elsewhere.
const SHOWN: (usize, usize) = (8, 4);

/// The whole section.
pub(super) fn section(page: &Page) -> String {
    let mut html = format!(
        "<h3 id=\"approval\">If everything is right</h3>\n{}\
         <p>The digest is the fingerprint of exactly {} {}:</p>\n\
         <p><code id=\"digest\" class=\"digest\">{}</code> {}</p>\n",
        not_yet(page),
        if total(page) == 1 { "this" } else { "these" },
        letters(total(page)),
        page.digest,
        copy("digest"),
    );
    match &page.approvals {
        Some(approvals) if !approvals.is_enough() => html.push_str(&to_approve(approvals, page)),
        Some(approvals) => {
            let _ = writeln!(
                html,
                "<p class=\"good\">Approved by {} ({} of {} needed).</p>",
                escape(&approvals.people.join(", ")),
                approvals.people.len(),
                approvals.needed
            );
            html.push_str("<p>Whoever sends them runs, in the campaign's folder:</p>\n");
        }
        None => html.push_str("<p>Whoever sends them runs, in the campaign's folder:</p>\n"),
    }
    html.push_str(&command("command", &page.command, page.digest));
    let _ = writeln!(
        html,
        "<h4>What the digest stands for</h4>\n\
         <p>Every letter as it is shown here: its addresses, subject, text, layout and attachments. If any of it changes, so does \
         the digest, and what was approved is refused. It leaves out the date and the serial number of a letter (Message-ID), \
         which each attempt has anew, and what servers on the way add above a letter's header.</p>\n\
         <p>To check that a campaign's folder still holds these letters, run <code>demarche preview --out again --json</code> in \
         it and compare the digest. <a href=\"{MANIFEST}\">{MANIFEST}</a> holds it for programs, with the digest of each letter.</p>"
    );
    html
}

/// What is said first where the batch cannot be sent as it is.
fn not_yet(page: &Page) -> String {
    let (count, total) = (page.placeholders, total(page));
    if count == 0 {
        return String::new();
    }
    let go = match (count, total) {
        (1, 1) => "the letter goes to a placeholder address".to_owned(),
        (1, _) => format!("1 of {} goes to a placeholder address", letters(total)),
        _ => format!("{count} of {} go to placeholder addresses", letters(total)),
    };
    format!(
        "<p id=\"not-yet\" class=\"alert\">Not yet: {go}. Once the real ones are filled in the digest is another one, and an \
         approval given now no longer counts.</p>\n"
    )
}

/// The two ways to approve.
fn to_approve(approvals: &Approvals, page: &Page) -> String {
    let by = approvals.command.split(" --by ").next().unwrap_or(&approvals.command);
    let count = match approvals.needed {
        1 => "it counts as the one that is needed".to_owned(),
        needed => format!("it counts as one of the {needed}"),
    };
    let different = approvals.different();
    format!(
        "<p><b>{}</b>. {different}</p>\n\
         <h4>With the program, in the campaign's folder</h4>\n{}\
         <h4>Without it</h4>\n\
         <p>Send this line, with your name in it, to whoever sends the letters:</p>\n{}\
         <p>They record it with <code>{} --by NAME</code>, and {count}.</p>\n\
         <h4>{}</h4>\n<p>Whoever sends them runs, in the campaign's folder:</p>\n",
        escape(&approvals.so_far()),
        command("approve", &approvals.command, page.digest),
        command("word", &format!("I approve {}, NAME", page.digest), page.digest),
        short(by, page.digest),
        approvals.after(),
    )
}

/// A line to be copied: whole, whatever of it is seen.
fn command(id: &str, text: &str, digest: Digest) -> String {
    format!(
        "<pre tabindex=\"0\"><code id=\"{id}\">{}</code></pre>\n<p class=\"copying\">{}</p>\n",
        short(text, digest),
        copy(id)
    )
}

/// What a script makes a button of.
fn copy(id: &str) -> String {
    format!("<button type=\"button\" class=\"copy\" data-of=\"{id}\" hidden>Copy</button>")
}

/// A text with the middle of the digest in it out of sight, but not out of what is copied or read aloud.
fn short(text: &str, digest: Digest) -> String {
    let digest = digest.to_string();
    let (start, end) = digest.split_at(SHOWN.0);
    let (middle, end) = end.split_at(end.len() - SHOWN.1);
    escape(text).replace(&digest, &format!("{start}<span class=\"middle\">{middle}</span>{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_seen_short_and_is_whole_all_the_same() {
        let digest = Digest::of(b"batch");
        let html = short(&format!("send --approve {digest} <x>"), digest);
        let text = html.replace("<span class=\"middle\">", "").replace("</span>", "");
        assert_eq!(text, format!("send --approve {digest} &lt;x&gt;"));
        assert_ne!(html, text);
    }
}
