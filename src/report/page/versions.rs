//! The versions of the letters: number, fingerprint, what changed from one to the next, and in which rounds each went out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::Dossier;
use super::super::name;
use super::super::versions::{Changes, versions};
use super::approvals::rounds;
use super::text::{counted, grouped, names};
use crate::domain::digest::Digest;
use crate::domain::markup::escape;

/// The most missions that are named for one change.
const NAMED: usize = 12;

/// What a fingerprint is, and that of each version.
pub(super) fn table(dossier: &Dossier) -> String {
    let all = versions(&dossier.facts);
    let what = "Every letter, with the addresses that it goes to, has a fingerprint: a code that changes if even one comma changes. \
                All of them together have one, too (a SHA-256 digest)";
    if let [only] = all.as_slice() {
        return format!("<p>{what}. It is</p>\n<p class=\"digest\">{only}</p>\n");
    }
    let mut html = format!(
        "<p>{what}: each version of the letters has its own, and its first eight digits and letters name it. There were {} versions.</p>\n\
         <table class=\"list free\">\n<thead><tr><th scope=\"col\">Version</th><th scope=\"col\">What changed</th>\
         <th scope=\"col\">Sent in</th><th scope=\"col\">Whole fingerprint</th></tr></thead>\n<tbody>\n",
        grouped(all.len())
    );
    for (place, digest) in all.iter().enumerate() {
        let whole = digest.to_string();
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\" data-label=\"Version\">{} <span class=\"digest\">{}</span></th><td data-label=\"What changed\">{}</td>\
             <td data-label=\"Sent in\">{}</td><td data-label=\"Whole fingerprint\"><span class=\"digest\">{whole}</span></td></tr>",
            place + 1,
            &whole[..8],
            if place == 0 { "the first one".to_owned() } else { changed(dossier, *digest, place) },
            sent_in(dossier, *digest)
        );
    }
    html.push_str("</tbody>\n</table>\n");
    html
}

fn sent_in(dossier: &Dossier, digest: Digest) -> String {
    let runs = dossier.facts.runs.iter().filter(|run| run.attempts > 0 && run.began.digest == Some(digest));
    let runs: Vec<i64> = runs.map(|run| run.run).collect();
    if runs.is_empty() { "not sent".to_owned() } else { rounds(&runs) }
}

/// What changed since the version before; where the ledger cannot tell, which letters went out as this one.
fn changed(dossier: &Dossier, digest: Digest, before: usize) -> String {
    if let Some(changes) = dossier.history.get(&digest) {
        return format!("since version {before}: {}", told(changes));
    }
    let runs: Vec<i64> =
        dossier.facts.runs.iter().filter(|run| run.began.digest == Some(digest)).map(|run| run.run).collect();
    let under = dossier.records.iter().filter(|record| dossier.tries(record).any(|one| runs.contains(&one.run)));
    let under: Vec<&str> = under.map(name).collect();
    let these = if under.is_empty() {
        "none went out as this version".to_owned()
    } else {
        format!("as this version went out: {}", some(&under))
    };
    format!("what changed since version {before} is not on record; {these}")
}

fn told(changes: &Changes) -> String {
    let mut parts = Vec::new();
    if !changes.files.is_empty() {
        let files: Vec<String> = changes.files.iter().map(|file| format!("<bdi>{}</bdi>", escape(file))).collect();
        parts.push(files.join(", "));
    }
    let mut by_what: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (who, what) in &changes.letters {
        by_what.entry(what).or_default().push(who);
    }
    for (what, who) in by_what {
        parts.push(format!("{}: {}", some(&who), escape(what)));
    }
    for (what, who) in [("joined", &changes.joined), ("left", &changes.left)] {
        if !who.is_empty() {
            parts.push(format!("{}: {what}", some(&who.iter().map(String::as_str).collect::<Vec<_>>())));
        }
    }
    if parts.is_empty() { "nothing in any letter".to_owned() } else { parts.join("; ") }
}

fn some(who: &[&str]) -> String {
    if who.len() <= NAMED { names(who.iter().copied()) } else { counted(who.len(), "letter", "letters") }
}
